"""Counts and sums by key in one pass, without the copies that numpy's own ways make.

Imports numpy and ``kernels.jit``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from goretain.kernels.jit import kernel

I64 = NDArray[np.int64]


def tally(key: NDArray[Any], weight: I64, keys: int) -> tuple[I64, I64]:
    """(how often each key occurs, the sum of its weights), int64[keys] each. O(n).

    key: an integer in [0, keys) for each row; weight: int64, one for each row.
    """
    counts, sums = np.zeros(keys, np.int64), np.zeros(keys, np.int64)
    _tally(key, weight, counts, sums)
    return counts, sums


@kernel
def _tally(key: NDArray[Any], weight: I64, counts: I64, sums: I64) -> None:
    for i in range(key.shape[0]):
        counts[key[i]] += 1
        sums[key[i]] += weight[i]
