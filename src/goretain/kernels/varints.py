"""Varints (encoding/binary): seven bits a byte, the lowest first, a byte below 128 is the last.

Heap dumps, execution traces and protobuf write their numbers so. Imports numpy and ``kernels.jit``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from goretain.kernels.jit import Int, inlined_checked

U8 = NDArray[np.uint8]


@inlined_checked
def varint(data: U8, at: Int, end: Int) -> tuple[Int, Int]:
    """(value as int64, offset behind it); the offset is -1 where it is cut off or of more than 64 bits."""
    value: Int = np.int64(0)
    shift: Int = np.int64(0)
    while at < end and shift < 64:
        byte: Int = np.int64(data[at])
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, (np.int64(-1) if shift == 63 and byte > 1 else at)
        shift += 7
    return np.int64(0), np.int64(-1)
