"""Lengths of unions of intervals, many sets at once: what slices and strings show of their backing arrays.

Imports numpy, ``kernels.csr``, ``kernels.jit`` and
``kernels.sorting``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from goretain.kernels.csr import Pointers, Rows
from goretain.kernels.jit import kernel
from goretain.kernels.sorting import sort_by

I64 = NDArray[np.int64]


class Seen(NamedTuple):
    """Per target, int64[k]: bytes in the union of [start, start + length), in the union of [start, start +
    capacity), and the furthest end of the latter.
    """

    shown: I64
    usable: I64
    furthest: I64


def measure_windows(
    targets: NDArray[np.uint32], limit: I64, windows: Rows, start: I64, length: I64, capacity: I64
) -> Seen:
    """What the windows into each target cover. O(k + w log w).

    Args:
        targets, limit: uint32[k] object ids, int64[k] bytes of each.
        windows: rows of the window columns by object.
        start, length, capacity: int64[w], bytes; parts outside of [0, limit) do not count.
    """
    seen = Seen(*(np.zeros(len(targets), np.int64) for _ in range(3)))
    _sweep(targets, limit, windows.start, windows.items.copy(), start, length, capacity, seen)
    return seen


@kernel
def _sweep(
    targets: NDArray[np.uint32],
    limit: I64,
    row_start: Pointers,
    order: NDArray[np.uint32],
    start: I64,
    length: I64,
    capacity: I64,
    seen: Seen,
) -> None:
    """Sort the windows of a target by start (in ``order``); one sweep keeps the end reached so far."""
    for t in range(targets.shape[0]):
        first = np.int64(row_start[targets[t]])
        last = np.int64(row_start[np.int64(targets[t]) + 1])
        rows = order[first:last]
        sort_by(rows, start)
        length_end = np.int64(0)
        capacity_end = np.int64(0)
        for k in range(rows.shape[0]):
            begin = max(start[rows[k]], 0)
            end = min(start[rows[k]] + length[rows[k]], limit[t])
            if end > max(begin, length_end):
                seen.shown[t] += end - max(begin, length_end)
                length_end = end
            end = min(start[rows[k]] + max(length[rows[k]], capacity[rows[k]]), limit[t])
            if end > max(begin, capacity_end):
                seen.usable[t] += end - max(begin, capacity_end)
                capacity_end = end
        seen.furthest[t] = capacity_end
