"""Lengths of unions of intervals, many sets at once: what slices and strings show of their backing arrays.

Imports numpy, ``kernels.csr`` and ``kernels.jit``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from goretain.kernels.csr import Rows
from goretain.kernels.jit import kernel

I64 = NDArray[np.int64]


def measure_windows(
    windows: Rows, start: I64, length: I64, capacity: I64, limit: I64
) -> tuple[I64, I64, I64]:
    """Per target: bytes in the union of [start, start + length), of [start, start + capacity), and the
    furthest end.

    Args:
        windows: rows of the window columns by target, n targets.
        start, length, capacity: int64[w], bytes; parts outside of [0, limit) do not count.
        limit: int64[n], bytes of each target.

    Returns:
        Three int64[n]; 0 where a target has no window. O(n + w log w).
    """
    n = len(limit)
    shown, usable, furthest = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64)
    _sweep(windows, start, length, capacity, limit, shown, usable, furthest)
    return shown, usable, furthest


@kernel
def _sweep(
    windows: Rows,
    start: I64,
    length: I64,
    capacity: I64,
    limit: I64,
    shown: I64,
    usable: I64,
    furthest: I64,
) -> None:
    """Targets with several windows are sorted by start first; then one sweep keeps the end reached so far."""
    for t in range(limit.shape[0]):
        first = np.int64(windows.start[t])
        last = np.int64(windows.start[t + 1])
        if first == last:
            continue
        rows = windows.items[first:last]
        if last - first > 1:
            rows = rows[np.argsort(start[rows])]
        length_end = np.int64(0)
        capacity_end = np.int64(0)
        for k in range(rows.shape[0]):
            begin = max(start[rows[k]], 0)
            end = min(start[rows[k]] + length[rows[k]], limit[t])
            if end > max(begin, length_end):
                shown[t] += end - max(begin, length_end)
                length_end = end
            end = min(start[rows[k]] + max(length[rows[k]], capacity[rows[k]]), limit[t])
            if end > max(begin, capacity_end):
                usable[t] += end - max(begin, capacity_end)
                capacity_end = end
        furthest[t] = capacity_end
