"""Components and longest ways against networkx."""

from __future__ import annotations

import networkx as nx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from goretain.kernels.components import components, longest
from tests.unit.kernels.test_wakeups import csr


@st.composite
def graphs(draw: st.DrawFn) -> tuple[int, list[tuple[int, int]]]:
    n = draw(st.integers(1, 14))
    node = st.integers(0, n - 1)
    return n, draw(st.lists(st.tuples(node, node), max_size=30))


@settings(max_examples=200, deadline=None)
@given(graphs(), st.data())
def test_components_and_longest_ways(graph: tuple[int, list[tuple[int, int]]], data: st.DataObject) -> None:
    n, edges = graph
    rows = csr(n, edges)
    label = components(rows.start, rows.items)
    oracle = nx.DiGraph(edges)
    oracle.add_nodes_from(range(n))
    together = {frozenset(np.flatnonzero(label == c).tolist()) for c in np.unique(label)}
    assert together == {frozenset(c) for c in nx.strongly_connected_components(oracle)}
    assert all(label[a] >= label[b] for a, b in edges)

    weight = np.array(data.draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)), np.int64)
    endless = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)), np.bool_)
    heaviest, marked = longest(rows.start, rows.items, label, weight, endless)
    whole = nx.condensation(oracle)
    best: dict[int, int] = {}
    for c in nx.topological_sort(whole):
        own = int(weight[list(whole.nodes[c]["members"])].sum())
        best[c] = own + max((best[p] for p in whole.predecessors(c)), default=0)
    for v in range(n):
        assert heaviest[v] == best[whole.graph["mapping"][v]]
        assert marked[v] == bool(endless[list(nx.ancestors(oracle, v) | {v})].any())


def test_a_long_way_needs_no_stack() -> None:
    n = 200_000
    start, target = np.arange(n + 1, dtype=np.int64), np.arange(1, n + 1, dtype=np.uint32)
    target[-1] = 0
    assert (components(start, target) == 0).all()
    start[-1], target = n - 1, target[:-1]
    label = components(start, target)
    assert (label == np.arange(n)[::-1]).all()
    heaviest, _ = longest(start, target, label, np.ones(n, np.int64), np.zeros(n, np.bool_))
    assert heaviest[-1] == n
