"""Waking and exclusive reach against the definitions, written down slowly."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from goretain.kernels.csr import Rows
from goretain.kernels.wakeups import NONE, SEVERAL, exclusive, wake

Edges = list[tuple[int, int]]


@st.composite
def heaps(draw: st.DrawFn) -> tuple[int, Edges, list[list[int]]]:
    """Objects, edges, and per goroutine the objects that its stack holds."""
    n = draw(st.integers(1, 12))
    object_ = st.integers(0, n - 1)
    edges = draw(st.lists(st.tuples(object_, object_), max_size=24))
    stacks = draw(st.lists(st.lists(object_, max_size=3), max_size=5))
    return n, edges, stacks


def csr(rows: int, pairs: Edges) -> Rows:
    ordered = sorted(pairs)
    counts = np.bincount([a for a, _ in ordered], minlength=rows) if ordered else np.zeros(rows, np.int64)
    start = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    return Rows(start, np.array([b for _, b in ordered], np.uint32))


def of_stacks(stacks: list[list[int]]) -> Rows:
    return csr(len(stacks), [(g, o) for g, held in enumerate(stacks) for o in held])


def closure(seen: set[int], edges: Edges) -> set[int]:
    """What is reached, step by step."""
    while True:
        more = {b for a, b in edges if a in seen} - seen
        if not more:
            return seen
        seen = seen | more


@settings(max_examples=300, deadline=None)
@given(heap=heaps(), data=st.data())
def test_goroutines_are_woken_round_by_round(
    heap: tuple[int, Edges, list[list[int]]], data: st.DataObject
) -> None:
    n, edges, stacks = heap
    some = st.lists(st.integers(0, n - 1), max_size=4)
    sources, closed = data.draw(some), set(data.draw(some))
    waits = [(o, g) for g in range(len(stacks)) for o in data.draw(some)]
    graph = csr(n, edges)
    live, woken = wake(
        graph.start.astype(np.int64),
        graph.items,
        np.array([o in closed for o in range(n)]),
        np.array(sources, np.uint32),
        of_stacks(stacks),
        np.array([o for o, _ in waits], np.uint32),
        np.array([g for _, g in waits], np.int32),
    )
    open_edges = [(a, b) for a, b in edges if a not in closed]
    seen, up = closure(set(sources), open_edges), set[int]()
    while True:  # the rounds of findGoroutineLeaks
        more = {g for o, g in waits if o in seen} - up
        if not more:
            break
        up |= more
        seen = closure(seen | {o for g in more for o in stacks[g]}, open_edges)
    assert set(np.flatnonzero(live).tolist()) == seen
    assert set(np.flatnonzero(woken).tolist()) == up


@settings(max_examples=300, deadline=None)
@given(heap=heaps(), data=st.data())
def test_an_object_belongs_to_the_group_that_alone_reaches_it(
    heap: tuple[int, Edges, list[list[int]]], data: st.DataObject
) -> None:
    n, edges, groups = heap
    barred = set(data.draw(st.lists(st.integers(0, n - 1), max_size=4)))
    graph = csr(n, edges)
    flags = np.array([o in barred for o in range(n)])
    label = exclusive(graph.start.astype(np.int64), graph.items, flags, of_stacks(groups))
    inside = [(a, b) for a, b in edges if not {a, b} & barred]
    reached = [closure(set(group) - barred, inside) for group in groups]
    for o in range(n):
        by = [k for k, seen in enumerate(reached) if o in seen]
        assert label[o] == (NONE if not by else by[0] if len(by) == 1 else SEVERAL)
