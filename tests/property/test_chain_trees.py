"""Merged chains add up to the other measures of a heap, and what-if to a heap without the roots."""

from __future__ import annotations

from collections import Counter

import networkx as nx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from goretain.heap import Heap
from goretain.heap.tree import ChainTree
from goretain.snapshot import Layer, Snapshot
from tests.support.heapdsl import HeapBuilder

TYPES = ("main.A", "main.B", "")


@st.composite
def heaps(draw: st.DrawFn) -> Snapshot:
    """Up to 20 objects of two known types and an unknown one, pointing anywhere; roots of two layers."""
    h = HeapBuilder()
    h.pointer("main.X")
    for name in TYPES[:2]:
        h.struct(name, left="*main.X", right="*main.X")
    count = draw(st.integers(1, 20))
    ids = st.integers(0, count - 1)
    for _ in range(count):
        h.object(16, draw(st.sampled_from(TYPES)))
    for source, word, target in draw(st.lists(st.tuples(ids, st.integers(0, 1), ids), max_size=40)):
        h.edge(source, target, word)
    for k in range(draw(st.integers(1, 4))):
        layer = draw(st.sampled_from([Layer.PROGRAM, Layer.PARKED]))
        path = draw(st.sampled_from(["", ".m"]))
        h.root(f"main.r{k}", *draw(st.lists(ids, max_size=3)), layer=layer, path=path)
    return h.build()


def _adds_up(tree: ChainTree) -> bool:
    """Every node's figures are its own and its children's; parents come before children."""
    for figure in (tree.objects, tree.bytes):
        own: Counter[int] = Counter()
        for leaf in tree.leaves:
            own[leaf.node] += leaf.objects if figure is tree.objects else leaf.bytes
        below: Counter[int] = Counter()
        for node, parent in enumerate(tree.parent):
            assert parent < node
            below[parent] += int(figure[node])
        if any(int(figure[k]) != own[k] + below[k] for k in range(len(tree.parent))):
            return False
    return True


@settings(max_examples=300, deadline=None)
@given(heaps())
def test_both_trees_of_a_heap_have_the_figures_of_its_holders_and_types(snapshot: Snapshot) -> None:
    heap = Heap(snapshot)
    for tree in (heap.chains(np.ones(snapshot.object_count, np.bool_)), heap.dominators):
        assert _adds_up(tree)
        for node in range(tree.holders):
            assert (tree.bytes[node], tree.objects[node]) == heap.graph.node_retained(node)
        shared = sorted((g.bytes, g.objects) for g in heap.shared)
        tops = [node for node in tree.children.get(-1, []) if node >= tree.holders]
        assert sorted((int(tree.bytes[node]), int(tree.objects[node])) for node in tops) == shared
        types: Counter[str | None] = Counter()
        for leaf in tree.leaves:
            types[leaf.type] += leaf.bytes
        assert dict(types) == {row.type: row.bytes for row in heap.histogram}


@settings(max_examples=300, deadline=None)
@given(heaps(), st.data())
def test_chains_to_some_objects_lead_to_them_alone(snapshot: Snapshot, data: st.DataObject) -> None:
    heap = Heap(snapshot)
    n = snapshot.object_count
    wanted = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    tree = heap.chains(wanted)
    assert _adds_up(tree)
    tops = tree.children.get(-1, [])
    assert sum(int(tree.objects[node]) for node in tops) == int((wanted & heap.graph.reached).sum())
    for node in range(len(tree.parent)):
        assert tree.chain(node)[-1] == tree.links[node]


@settings(max_examples=400, deadline=None)
@given(heaps(), st.data())
def test_without_is_a_heap_that_never_had_the_roots(snapshot: Snapshot, data: st.DataObject) -> None:
    names = [root.name for root in snapshot.roots]
    cut = data.draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
    columns = snapshot.columns
    edges = nx.DiGraph()
    edges.add_nodes_from(range(snapshot.object_count))
    for v in range(snapshot.object_count):
        row = slice(int(columns.edge_start[v]), int(columns.edge_start[v + 1]))
        edges.add_edges_from((v, u) for u in columns.edge_target[row].tolist())

    def reached(chosen: list[str]) -> set[int]:
        sources = [
            t for t, k in zip(columns.root_target.tolist(), columns.root_node.tolist(), strict=True)
            if names[k] in chosen
        ]  # fmt: skip
        return {v for source in sources for v in (*nx.descendants(edges, source), source)}

    rest = reached([name for name in names if name not in cut])
    what_if = Heap(snapshot).without(cut)
    assert set(what_if.freed.tolist()) == reached(names) - rest
    assert what_if.freed_bytes == 16 * len(what_if.freed)
    assert what_if.kept_objects == len(reached(cut) & rest)
    assert sum(keeper.objects for keeper in what_if.keepers) == what_if.kept_objects
    assert not {keeper.name for keeper in what_if.keepers} & set(cut)
