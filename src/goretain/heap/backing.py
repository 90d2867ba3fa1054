"""Backing array bytes: what slices and strings pin without showing it.

*lost* = outside the union of ``[ptr, ptr+cap)`` of all slices and strings into an object; *slack* =
inside that but outside the union of ``[ptr, ptr+len)``; *padding* = what the allocator added to the array
to fill its slot, which nobody can use and no fix gives back; *hidden* = lost + slack. Imports ``kernels``
and ``snapshot``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goretain.kernels.arenas import slots_below
from goretain.kernels.csr import Rows
from goretain.kernels.unions import measure_windows
from goretain.snapshot import ObjectFlag, Snapshot

I64 = NDArray[np.int64]

#: Slot sizes of small objects: runtime/sizeclasses.go class_to_size (internal/runtime/gc/sizeclasses.go
#: from 1.25), the same from Go 1.21 to 1.27.
# fmt: off
SIZE_CLASSES = np.array([
    0, 8, 16, 24, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256, 288, 320, 352,
    384, 416, 448, 480, 512, 576, 640, 704, 768, 896, 1024, 1152, 1280, 1408, 1536, 1792, 2048, 2304,
    2688, 3072, 3200, 3456, 4096, 4864, 5376, 6144, 6528, 6784, 6912, 8192, 9472, 9728, 10240, 10880,
    12288, 13568, 14336, 16384, 18432, 19072, 20480, 21760, 24576, 27264, 28672, 32768,
], np.int64)
# fmt: on
#: First bytes of an object with a malloc header (runtime/mbitmap.go, mallocHeaderSize).
HEADER_BYTES = 8


@dataclass(frozen=True, slots=True)
class Backing:
    """Bytes of every object by what is seen of them; 0 for objects that no root reaches.

    Attributes:
        lost, slack, padding: int64[n]; all 0 where ``undecided``. hidden: int64[n], bytes pinned that nobody
            shows: lost + slack.
        undecided: bool[n], reached objects of which it is not known what is shown: a referrer of unknown
            type points to them, or no slice, string or typed pointer that we know of. Tiny blocks are
            left out.
    """

    lost: I64
    slack: I64
    padding: I64
    hidden: I64
    undecided: NDArray[np.bool_]


def measure_backing(snapshot: Snapshot, windows: Rows, reached: NDArray[np.bool_]) -> Backing:
    """Split every object's bytes by the windows into it.

    The array's size is known when the furthest capacity reaches beyond the next smaller slot: the rest is
    padding. Otherwise somebody allocated more than what can still be reached, and the array is the whole
    slot.

    Args:
        windows: rows of the window columns grouped by target.
        reached: bool[n].
    """
    columns = snapshot.columns
    n, flags = snapshot.object_count, columns.object_flags
    seen = windows.start[1:] > windows.start[:-1]
    open_ = reached & ((flags & (ObjectFlag.SHOWN | ObjectFlag.TINY)) == 0)
    decided = seen & ((flags & ObjectFlag.OPAQUE) == 0)
    targets = np.flatnonzero(open_ & decided).astype(np.uint32)
    slot = columns.object_size[targets]
    header = np.where(flags[targets] & ObjectFlag.HEADER, HEADER_BYTES, 0)
    data = slot - header
    shown, usable, furthest = measure_windows(
        targets, data, windows, columns.window_start, columns.window_length, columns.window_capacity
    )
    array = np.where(furthest + header > slots_below(SIZE_CLASSES, slot), furthest, data)
    # Zeros that nobody writes take no memory.
    lost, slack, padding, hidden = (np.zeros(n, np.int64) for _ in range(4))
    lost[targets] = array - usable
    slack[targets] = usable - shown
    padding[targets] = data - array
    hidden[targets] = array - shown
    return Backing(lost, slack, padding, hidden, open_ & ~decided)
