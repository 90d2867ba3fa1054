"""Sorting inside a kernel, in place and without memory of its own. Imports numpy and ``kernels.jit``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from goretain.kernels.jit import kernel


@kernel
def sort_by(rows: NDArray[np.uint32], key: NDArray[Any]) -> None:
    """Sort uint32[k] rows by key[row], in place.

    Shell sort with Tokuda's gaps: most calls have a handful of rows; about O(k ** 1.3) for many.
    """
    gap = np.int64(1)
    while gap < rows.shape[0]:
        gap = gap * 9 // 4 + 1
    while gap > 0:
        for i in range(int(gap), rows.shape[0]):
            row = rows[i]
            j = np.int64(i)
            while j >= gap and key[rows[j - gap]] > key[row]:
                rows[j] = rows[j - gap]
                j -= gap
            rows[j] = row
        gap = gap * 4 // 9
