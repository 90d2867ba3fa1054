"""Arithmetic on address ranges: int64[k, 2] of [start, end), vectorised.

A lean plan can name a million ranges while the target is frozen, so nothing here loops over them.
"Normal" ranges are sorted by start, disjoint, not touching and not empty. Imports numpy only.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]
PAGE = 4096
#: End of user addresses on amd64; above is the kernel's, and its [vsyscall] page.
USER_SPACE = 1 << 47


def as_ranges(pairs: Iterable[tuple[int, int]]) -> I64:
    """int64[k, 2] of the pairs, also when there are none."""
    return np.array(list(pairs), dtype=np.int64).reshape(-1, 2)


def normalise(ranges: I64) -> I64:
    """The same addresses as normal ranges: int64[j, 2], j <= k. O(k log k)."""
    ranges = ranges[ranges[:, 1] > ranges[:, 0]]
    if len(ranges) < 2:
        return ranges
    starts = ranges[:, 0]
    if not bool(np.all(starts[1:] >= starts[:-1])):
        ranges = ranges[np.argsort(starts, kind="stable")]
    reach = np.maximum.accumulate(ranges[:, 1])
    first = np.concatenate(([True], ranges[1:, 0] > reach[:-1]))
    begins = np.flatnonzero(first)
    ends = reach[np.concatenate((begins[1:] - 1, [len(ranges) - 1]))]
    return np.column_stack((ranges[begins, 0], ends))


def aligned(ranges: I64, unit: int) -> I64:
    """Ranges widened to multiples of unit (a power of two); they may touch or overlap afterwards."""
    return np.column_stack((ranges[:, 0] & -unit, (ranges[:, 1] + (unit - 1)) & -unit))


def total(ranges: I64) -> int:
    """Sum of the lengths."""
    return int((ranges[:, 1] - ranges[:, 0]).sum())


def overlaps(a: I64, b: I64) -> tuple[I64, I64, I64]:
    """Pieces that lie in both (normal) a and (sorted, disjoint) b, and where they come from.

    Returns (pieces int64[m, 2], index into a int64[m], index into b int64[m]), sorted by address.
    """
    first = np.searchsorted(b[:, 1], a[:, 0], side="right")
    last = np.searchsorted(b[:, 0], a[:, 1], side="left")
    counts = np.maximum(last - first, 0)
    in_a = np.repeat(np.arange(len(a)), counts)
    before = np.concatenate(([0], np.cumsum(counts)[:-1])) if len(a) else counts
    in_b = np.arange(len(in_a)) - np.repeat(before, counts) + np.repeat(first, counts)
    starts = np.maximum(a[in_a, 0], b[in_b, 0])
    ends = np.minimum(a[in_a, 1], b[in_b, 1])
    return np.column_stack((starts, ends)), in_a, in_b


def intersect(a: I64, b: I64) -> I64:
    """Addresses in both; a and b normal."""
    return overlaps(a, b)[0]


def subtract(a: I64, b: I64) -> I64:
    """Addresses of a that are not in b; both normal."""
    if not len(a) or not len(b):
        return a
    edges = np.concatenate(([np.iinfo(np.int64).min], b.ravel(), [np.iinfo(np.int64).max])).reshape(-1, 2)
    gaps = edges[edges[:, 1] > edges[:, 0]]
    return intersect(a, gaps)


def bridged(ranges: I64, gap: int) -> I64:
    """Normal ranges with those closer than gap bytes joined: fewer system calls to ask about them."""
    if len(ranges) < 2:
        return ranges
    apart = np.flatnonzero(ranges[1:, 0] - ranges[:-1, 1] >= gap)
    starts = ranges[np.concatenate(([0], apart + 1)), 0]
    ends = ranges[np.concatenate((apart, [len(ranges) - 1])), 1]
    return np.column_stack((starts, ends))


def packed(ranges: I64, start: int) -> tuple[I64, int]:
    """Offsets int64[k] of ranges laid one after another from start, at multiples of 8; and the end."""
    sizes = (ranges[:, 1] - ranges[:, 0] + 7) & -8
    ends = np.cumsum(sizes) + start
    return ends - sizes, int(ends[-1]) if len(ends) else start
