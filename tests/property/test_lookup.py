"""Finding objects by address against a linear search: interior pointers, gaps, far arenas, runs in a page."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goretain.kernels.lookup import MISSING, ObjectTable, build_page_table, find_many

ARENA = 1 << 26


@dataclass
class Span:
    """Slots of one size from start on, which of them hold an object, and bytes behind the last."""

    start: int
    slot: int
    live: list[bool]
    tail: int


@st.composite
def layouts(draw: st.DrawFn) -> list[Span]:
    """Spans as Go lays them out: slots of one size in a page, large ones, far gaps; and runs of a heap dump,
    which begin anywhere."""
    at = draw(st.sampled_from([0, 0xC000000000, 0x701234000000, ARENA - 8192]))
    out: list[Span] = []
    for _ in range(draw(st.integers(0, 6))):
        slot = draw(st.sampled_from([8, 16, 24, 48, 1152, 8192, 3 * 8192, ARENA + 8192]))
        run = draw(st.booleans())
        slots = draw(st.integers(1, 5)) if run and slot < 8192 else max(1, 8192 // slot)
        live = draw(st.lists(st.booleans(), min_size=slots, max_size=slots)) if slots < 50 else [True] * slots
        span = Span(at, slot, live, 0 if run else -slot * slots % 8192)
        out.append(span)
        gaps = (
            [0, 0, 8, 8192, ARENA, 50 * ARENA, 1 << 40] if run else [0, 0, 8192, ARENA, 50 * ARENA, 1 << 40]
        )
        at += slots * slot + span.tail + draw(st.sampled_from(gaps))
    return out


def table_of(spans: list[Span]) -> ObjectTable:
    """As the product builds it."""
    start, slot, slots, tail = (
        (
            np.array(row, np.int64).reshape(-1)
            for row in zip(*((s.start, s.slot, len(s.live), s.tail) for s in spans), strict=True)
        )
        if spans
        else (np.empty(0, np.int64),) * 4
    )
    live = np.array([x for s in spans for x in s.live], np.bool_)
    address = np.array([s.start + k * s.slot for s in spans for k, x in enumerate(s.live) if x], np.int64)
    object_at = np.full(len(live), MISSING, np.uint32)
    object_at[live] = np.arange(len(address))
    first = np.concatenate(([0], np.cumsum(slots))).astype(np.int64)
    size = np.repeat(slot, slots)[live]
    pages = build_page_table(start, slots * slot + tail)
    return ObjectTable(address, size, pages, slot, slots, first, object_at)


@settings(max_examples=400, deadline=None)
@given(layouts(), st.data())
def test_every_pointer_finds_its_object_and_gaps_find_none(spans: list[Span], data: st.DataObject) -> None:
    table = table_of(spans)
    objects = list(zip(table.address.tolist(), table.size.tolist(), strict=True))
    edges = [a + d for a, s in objects for d in (-1, 0, s - 1, s)]
    free = [s.start + k * s.slot for s in spans for k, live in enumerate(s.live) if not live]
    tails = [s.start + len(s.live) * s.slot + d for s in spans for d in (0, s.tail - 1, s.tail)]
    others = data.draw(st.lists(st.integers(-(1 << 40), 1 << 47), max_size=5))
    pointers = [*edges, *free, *tails, *others, *(a + s // 2 for a, s in objects)]
    found = find_many(np.array(pointers, np.int64), table).tolist()
    place = np.searchsorted(table.address, pointers, side="right") - 1
    for pointer, i, got in zip(pointers, place.tolist(), found, strict=True):
        inside = i >= 0 and objects[i][0] <= pointer < objects[i][0] + objects[i][1]
        assert got == (i if inside else MISSING)


def test_far_arenas_cost_a_page_list_each_and_not_the_range_between() -> None:
    table = table_of([Span(0xC000000000, 64, [True], 0), Span(0x7F0000000000, 64, [True], 0)])
    assert table.spans.pages.nbytes + table.spans.arenas.nbytes < 9_000_000
    assert find_many(table.address + 63, table).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("address", "size"),
    [([16, 8], [8, 8]), ([0, 8], [16, 8]), ([0], [0]), ([-8], [8]), ([1 << 47], [8])],
)
def test_layouts_that_no_heap_has_are_refused(address: list[int], size: list[int]) -> None:
    with pytest.raises(ValueError, match="ascending"):
        build_page_table(np.array(address, np.int64), np.array(size, np.int64))
