"""How Go divides the address space of linux/amd64: arenas of the heap, pages of spans, slots of objects.

``pageSize``, ``heapArenaBytes`` and ``arenaBaseOffset`` (runtime/malloc.go) are constants of the compiled
runtime, which no binary names. Here because kernels and ``golang`` need them, and the plan, which runs beside
a production process, does without numba. Imports numpy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]

PAGE_SHIFT = 13
GO_PAGE = 1 << PAGE_SHIFT
ARENA_SHIFT = 26
#: What is added to an address before it is divided into arenas: the upper half of the addresses comes first.
ARENA_BASE = 1 << 47


def slots_below(class_size: I64, slot: I64) -> I64:
    """int64[k]: the next smaller slot of each, 0 below the smallest: what lies in a slot needs more.

    Larger objects than those of size classes take whole pages. class_size: slot sizes, ascending.
    """
    row = np.searchsorted(class_size, slot)
    small = np.where(row > 0, class_size[np.maximum(row, 1) - 1], 0)
    return np.where(slot > class_size[-1], np.maximum(slot - GO_PAGE, class_size[-1]), small)
