"""Range arithmetic against sets of addresses."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from goretain.capture.ranges import (
    I64,
    aligned,
    as_ranges,
    bridged,
    intersect,
    normalise,
    overlaps,
    packed,
    subtract,
    total,
)

pairs = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 12)).map(lambda p: (p[0], p[0] + p[1])), max_size=12
)


def addresses(ranges: I64) -> set[int]:
    return {address for start, end in ranges.tolist() for address in range(start, end)}


def is_normal(ranges: I64) -> bool:
    flat = ranges.ravel().tolist()
    return all(a < b for a, b in pairwise(flat))


@given(pairs)
def test_normal_ranges_hold_the_same_addresses(given: list[tuple[int, int]]) -> None:
    ranges = normalise(as_ranges(given))
    assert is_normal(ranges)
    assert addresses(ranges) == addresses(as_ranges(given))
    assert total(ranges) == len(addresses(ranges))


@given(pairs, pairs)
def test_intersection_and_difference_are_those_of_sets(
    one: list[tuple[int, int]], two: list[tuple[int, int]]
) -> None:
    a, b = normalise(as_ranges(one)), normalise(as_ranges(two))
    assert addresses(intersect(a, b)) == addresses(a) & addresses(b)
    assert addresses(subtract(a, b)) == addresses(a) - addresses(b)


@given(pairs, pairs)
def test_overlaps_say_where_each_piece_comes_from(
    one: list[tuple[int, int]], two: list[tuple[int, int]]
) -> None:
    a, b = normalise(as_ranges(one)), normalise(as_ranges(two))
    for (start, end), i, j in zip(*(column.tolist() for column in overlaps(a, b)), strict=True):
        assert a[i, 0] <= start < end <= a[i, 1]
        assert b[j, 0] <= start < end <= b[j, 1]


@given(pairs, st.sampled_from([1, 4, 16]))
def test_alignment_only_widens(given: list[tuple[int, int]], unit: int) -> None:
    ranges = as_ranges(given)
    wide = aligned(ranges, unit)
    assert addresses(ranges) <= addresses(wide)
    assert not (wide % unit).any()
    assert ((ranges - wide)[:, 0] < unit).all()
    assert ((wide - ranges)[:, 1] < unit).all()


@given(pairs, st.integers(1, 10))
def test_bridging_joins_what_is_closer_than_the_gap(given: list[tuple[int, int]], gap: int) -> None:
    ranges = normalise(as_ranges(given))
    joined = bridged(ranges, gap)
    assert addresses(ranges) <= addresses(joined)
    assert all(b - a >= gap for a, b in zip(joined[:-1, 1], joined[1:, 0], strict=True))


@given(pairs, st.integers(0, 5).map(lambda n: n * 8))
def test_packed_ranges_do_not_overlap_and_start_on_words(given: list[tuple[int, int]], start: int) -> None:
    ranges = normalise(as_ranges(given))
    offsets, end = packed(ranges, start)
    at = start
    for offset, (low, high) in zip(offsets.tolist(), ranges.tolist(), strict=True):
        assert offset >= at
        assert not offset % 8
        at = offset + high - low
    assert at <= end
