"""Sampled objects below an object, a root or a link of a chain are those that a walk finds there."""

from __future__ import annotations

import dataclasses

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from goretain.heap import Heap
from goretain.heap.tree import ChainTree
from goretain.model.findings import LEAST_SAMPLES, Sampled
from goretain.snapshot import Frame, Samples, Site, Snapshot
from tests.property.test_chain_trees import heaps

SITES = [
    Site(frames=(Frame("runtime.mallocgc"), Frame("main.load", "/src/load.go", 31), Frame("main.main"))),
    Site(frames=(Frame("strings.Repeat"), Frame("main.load", "/src/load.go", 40))),
    Site(frames=()),
]


@st.composite
def sampled_heaps(draw: st.DrawFn) -> Snapshot:
    """A heap of which some objects were sampled."""
    snapshot = draw(heaps())
    count = snapshot.object_count
    site = draw(st.lists(st.integers(-1, 6), min_size=count, max_size=count))
    chosen = [(o, s) for o, s in enumerate(site) if s < len(SITES)]
    samples = Samples(np.array([o for o, _ in chosen], np.uint32), np.array([s for _, s in chosen], np.int32))
    return dataclasses.replace(snapshot, samples=samples, sites=SITES)


def check(found: Sampled | None, heap: Heap, expected: set[int]) -> None:
    """What is said of some objects follows from which of them were sampled."""
    if found is None:
        assert len(expected) < LEAST_SAMPLES
        return
    sizes = heap.snapshot.columns.object_size
    assert (found.objects, found.bytes) == (len(expected), sum(int(sizes[o]) for o in expected))
    site = dict(zip(heap.sites.objects.tolist(), heap.sites.stack.tolist(), strict=True))
    counts = {line: sum(site[o] == row for o in expected) for row, line in enumerate(("31", "40"))}
    assert {s.text.partition(":")[2]: s.objects for s in found.sites} == {
        {"31": "31", "40": "40 (strings.Repeat)"}[line]: n for line, n in counts.items() if n >= LEAST_SAMPLES
    }


@settings(max_examples=200, deadline=None)
@given(sampled_heaps(), st.data())
def test_what_objects_and_roots_hold_is_what_they_dominate(snapshot: Snapshot, data: st.DataObject) -> None:
    heap = Heap(snapshot)
    graph = heap.graph
    assert snapshot.samples is not None
    known = {o for o in snapshot.samples.sample_object.tolist() if graph.reached[o]}
    assert set(heap.sites.objects.tolist()) == known

    def above(o: int | None) -> list[int]:
        return [] if o is None else [o, *above(graph.dominator(o))]

    chosen = data.draw(st.lists(st.integers(0, snapshot.object_count - 1), max_size=6))
    expected = {o for o in known if not set(chosen).isdisjoint(above(o))}
    check(heap.sites.held_by(np.array(chosen, np.int64)), heap, expected)
    check(heap.sites.among(np.array(chosen, np.int64)), heap, known & set(chosen))
    for node in range(len(snapshot.roots)):
        check(heap.sites.held_by_root(node), heap, {o for o in known if graph.holder[o] == node})


@settings(max_examples=200, deadline=None)
@given(sampled_heaps(), st.booleans())
def test_marked_objects_are_found_below_the_links_that_lead_to_them(snapshot: Snapshot, chains: bool) -> None:
    heap = Heap(snapshot)
    tree: ChainTree = heap.chains(heap.graph.reached) if chains else heap.dominators
    assert tree.marked.tolist() == list(range(len(heap.sites.objects)))
    paths = [set(tree.path(tree.leaves[leaf].node)) for leaf in tree.marked_leaf.tolist()]
    for row, leaf in enumerate(tree.marked_leaf.tolist()):
        assert tree.leaves[leaf].type == heap.type_of(int(heap.sites.objects[row]))
    for node in range(len(tree.parent)):
        assert set(tree.marked_below(node).tolist()) == {k for k, path in enumerate(paths) if node in path}
