"""The page table against a linear search: interior pointers, gaps, far arenas, objects across arenas."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goretain.kernels.lookup import MISSING, build_page_table, find_many

ARENA = 1 << 26


@st.composite
def layouts(draw: st.DrawFn) -> list[tuple[int, int]]:
    """(address, size) of slots as Go lays them out: runs of one size in a page, large objects, far gaps."""
    at = draw(st.sampled_from([0, 0xC000000000, 0x701234000000, ARENA - 8192]))
    out: list[tuple[int, int]] = []
    for _ in range(draw(st.integers(0, 6))):
        size = draw(st.sampled_from([8, 16, 24, 48, 1152, 8192, 3 * 8192, ARENA + 8192]))
        slots = max(1, 8192 // size)
        kept = draw(st.lists(st.booleans(), min_size=slots, max_size=slots)) if slots < 50 else [True] * slots
        out += [(at + i * size, size) for i, keep in enumerate(kept) if keep]
        at += max(8192, size) + draw(st.sampled_from([0, 0, 8192, ARENA, 50 * ARENA, 1 << 40]))
    return out


@settings(max_examples=400, deadline=None)
@given(layouts(), st.data())
def test_every_pointer_finds_its_object_and_gaps_find_none(
    objects: list[tuple[int, int]], data: st.DataObject
) -> None:
    address, size = (np.array([o[k] for o in objects], np.int64) for k in (0, 1))
    edges = [a + d for a, s in objects for d in (-1, 0, s - 1, s)]
    others = data.draw(st.lists(st.integers(-(1 << 40), 1 << 47), max_size=5))
    pointers = [*edges, *others, *(a + s // 2 for a, s in objects)]
    found = find_many(np.array(pointers, np.int64), build_page_table(address, size)).tolist()
    place = np.searchsorted(address, pointers, side="right") - 1
    for pointer, i, got in zip(pointers, place.tolist(), found, strict=True):
        inside = i >= 0 and address[i] <= pointer < address[i] + size[i]
        assert got == (i if inside else MISSING)


def test_far_arenas_cost_a_page_list_each_and_not_the_range_between() -> None:
    address = np.array([0xC000000000, 0x7F0000000000], np.int64)
    table = build_page_table(address, np.array([64, 64], np.int64))
    assert table.pages.nbytes + table.arenas.nbytes < 9_000_000
    assert find_many(address + 63, table).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("address", "size"),
    [([16, 8], [8, 8]), ([0, 8], [16, 8]), ([0], [0]), ([-8], [8]), ([1 << 47], [8])],
)
def test_layouts_that_no_heap_has_are_refused(address: list[int], size: list[int]) -> None:
    with pytest.raises(ValueError, match="ascending"):
        build_page_table(np.array(address, np.int64), np.array(size, np.int64))
