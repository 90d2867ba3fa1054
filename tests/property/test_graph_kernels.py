"""Graph kernels against networkx and brute force on random graphs with layered roots."""

from __future__ import annotations

from dataclasses import dataclass

import networkx as nx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from goretain.heap import Heap
from goretain.heap.graph import SHARED, UNREACHED, Graph
from goretain.kernels.csr import group_rows, reverse
from goretain.kernels.reach import (
    NONE,
    edge_words,
    nearest_ancestors,
    path_back,
    reach,
    shortest_forest,
)
from goretain.snapshot import Layer, Snapshot
from tests.support.heapdsl import HeapBuilder

TOP = "top"


@dataclass
class Case:
    """A random heap: sizes, edges (duplicates and self loops occur), roots (layer, targets)."""

    sizes: list[int]
    edges: list[tuple[int, int]]
    roots: list[tuple[int, list[int]]]

    def snapshot(self) -> Snapshot:
        h = HeapBuilder()
        for size in self.sizes:
            h.object(size)
        for word, (source, target) in enumerate(self.edges):
            h.edge(source, target, word)
        for k, (layer, targets) in enumerate(self.roots):
            h.root(f"r{k}", *targets, layer=Layer(layer))
        return h.build()

    def claims(self) -> list[int]:
        """Layer that claims each object, -1 for none: plain reachability, layer by layer."""
        claimed = [-1] * len(self.sizes)
        for layer in range(5):
            work = [t for at, targets in self.roots if at == layer for t in targets]
            while work:
                v = work.pop()
                if claimed[v] < 0:
                    claimed[v] = layer
                    work += [t for s, t in self.edges if s == v]
        return claimed

    def network(self) -> nx.DiGraph:
        """Virtual root, root nodes ("r", k), objects; edges only inside a layer."""
        claimed = self.claims()
        g = nx.DiGraph()
        g.add_node(TOP)
        for k, (layer, targets) in enumerate(self.roots):
            g.add_edge(TOP, ("r", k))
            g.add_edges_from((("r", k), t) for t in targets if claimed[t] == layer)
        g.add_edges_from((s, t) for s, t in self.edges if claimed[s] >= 0 and claimed[s] == claimed[t])
        return g

    def node(self, g: Graph, number: int) -> object:
        if number == 0:
            return TOP
        v = int(g.vertex[number])
        return v if v < len(self.sizes) else ("r", v - len(self.sizes))


@st.composite
def heaps(draw: st.DrawFn, most: int = 24, layers: int = 5) -> Case:
    n = draw(st.integers(0, most))
    ids = st.integers(0, max(n - 1, 0))
    edges = draw(st.lists(st.tuples(ids, ids), max_size=3 * n)) if n else []
    if n and draw(st.booleans()):
        edges += [(i, i + 1) for i in range(n - 1)]
    targets = st.lists(ids, max_size=3) if n else st.just([])
    roots = draw(st.lists(st.tuples(st.integers(0, layers - 1), targets), max_size=5))
    sizes = draw(st.lists(st.integers(8, 100), min_size=n, max_size=n))
    return Case(sizes, edges, roots)


@settings(max_examples=1000, deadline=None)
@given(heaps())
def test_immediate_dominators_are_those_of_networkx(case: Case) -> None:
    graph = Heap(case.snapshot()).graph
    expected = nx.immediate_dominators(case.network(), TOP)
    found = {case.node(graph, w): case.node(graph, int(graph.idom[w])) for w in range(1, len(graph.vertex))}
    assert found == {v: d for v, d in expected.items() if v != TOP}


@settings(max_examples=400, deadline=None)
@given(heaps())
def test_retained_bytes_are_what_becomes_unreachable_without_the_node(case: Case) -> None:
    graph = Heap(case.snapshot()).graph
    network = case.network()
    alive = set(nx.descendants(network, TOP)) | {TOP}
    for w in range(1, len(graph.vertex)):
        node = case.node(graph, w)
        without = network.copy()
        without.remove_node(node)
        gone = [v for v in alive - {TOP} - nx.descendants(without, TOP) if isinstance(v, int)]
        assert graph.retained_bytes[w] == sum(case.sizes[v] for v in gone)
        assert graph.retained_objects[w] == len(gone)


@settings(max_examples=600, deadline=None)
@given(heaps())
def test_shared_memory_lists_exactly_the_roots_that_reach_it(case: Case) -> None:
    snapshot = case.snapshot()
    heap = Heap(snapshot)
    claimed, network = case.claims(), case.network()
    reached_by = [nx.descendants(network, ("r", k)) for k in range(len(case.roots))]
    expected: dict[tuple[int, ...], int] = {}
    for v, layer in enumerate(claimed):
        nodes = tuple(k for k in range(len(case.roots)) if v in reached_by[k])
        holder = heap.holder_of(v)
        if layer < 0:
            assert holder == UNREACHED
        elif len(nodes) == 1:
            assert holder == nodes[0]
    for v in np.flatnonzero(heap.graph.holder == SHARED).tolist():
        top = int(heap.graph.vertex[heap.graph.top[heap.graph.number[v]]])
        key = tuple(k for k in range(len(case.roots)) if top in reached_by[k])
        assert len(key) >= 2
        expected[key] = expected.get(key, 0) + case.sizes[v]
    assert {s.nodes: s.bytes for s in heap.shared} == expected
    total = sum(h.retained_bytes for h in heap.holders) + sum(s.bytes for s in heap.shared)
    assert total == heap.reachable_bytes == sum(s for s, c in zip(case.sizes, claimed, strict=True) if c >= 0)


@settings(max_examples=400, deadline=None)
@given(heaps())
def test_chains_are_shortest_paths_inside_their_layer(case: Case) -> None:
    snapshot = case.snapshot()
    graph, columns = Heap(snapshot).graph, snapshot.columns
    layer = np.array([at for at, _ in case.roots], np.int64)
    parents = shortest_forest(columns.edge_start, columns.edge_target, graph.roots, layer).parent
    distance = nx.single_source_shortest_path_length(case.network(), TOP)
    for v in range(len(case.sizes)):
        if parents[v] == NONE:
            assert v not in distance
            continue
        path = path_back(parents, v, len(case.sizes))
        assert len(path) == distance[v] - 1
        words = edge_words(columns.edge_start, columns.edge_target, columns.edge_word, path)
        for a, word, b in zip(path, words, path[1:], strict=False):
            assert case.edges[word] == (a, b)
        if graph.holder[v] >= 0:
            assert int(parents[path[0]]) - len(case.sizes) == graph.holder[v]


@settings(max_examples=300, deadline=None)
@given(heaps(), st.data())
def test_ancestors_and_reach_agree_with_networkx(case: Case, data: st.DataObject) -> None:
    if not case.sizes:
        return
    v = data.draw(st.integers(0, len(case.sizes) - 1))
    columns = case.snapshot().columns
    g = nx.DiGraph()
    g.add_nodes_from(range(len(case.sizes)))
    g.add_edges_from(case.edges)
    back = reverse(columns.edge_start, columns.edge_target)
    one = np.array([v], np.uint32)
    nearest = nearest_ancestors(back, one, 1000).tolist()
    away = nx.single_source_shortest_path_length(g.reverse(), v)
    assert {u: away[u] for u in nearest} == away
    assert [away[u] for u in nearest] == sorted(away.values())
    limit = data.draw(st.integers(1, 5))
    assert nearest_ancestors(back, one, limit).tolist() == nearest[:limit]
    reached = set(np.flatnonzero(reach(columns.edge_start, columns.edge_target, one)).tolist())
    assert reached == nx.descendants(g, v) | {v}


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(0, 9), max_size=60))
def test_grouping_rows_is_a_stable_sort(keys: list[int]) -> None:
    rows = group_rows(np.array(keys, np.int32), 10)
    for key in range(10):
        group = rows.items[int(rows.start[key]) : int(rows.start[key + 1])].tolist()
        assert group == [k for k, other in enumerate(keys) if other == key]


@settings(max_examples=200, deadline=None)
@given(heaps(layers=1))
def test_with_one_layer_the_strict_figure_is_the_figure(case: Case) -> None:
    heap = Heap(case.snapshot())
    same: NDArray[np.bool_] = heap.strict.retained_bytes == heap.graph.retained_bytes
    assert same.all()
