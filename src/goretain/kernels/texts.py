"""Texts by their bytes: which of those that are known already each one is.

For strings of many files that mostly have the same ones. Imports numpy and ``kernels.jit``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from goretain.kernels.jit import Int, inlined, kernel

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]


class Texts(NamedTuple):
    """Texts that are known.

    octets: uint8[m]; start: int64[n + 1]: text i is octets[start[i]:start[i + 1]]; slot: int32[a power of
    two], number + 1 by hash, 0 empty, at most half in use; used: int64[1], texts in use; factor: int64[1],
    odd, not known to who made the texts.
    """

    octets: U8
    start: I64
    slot: I32
    used: I64
    factor: I64


@inlined
def _slot(texts: Texts, data: U8, begin: Int, size: Int) -> Int:
    """The slot of a text, which is empty where it is unknown."""
    mixed: Int = np.int64(size)
    for k in range(begin, begin + size):
        mixed = mixed * texts.factor[0] + data[k]
    mask = texts.slot.shape[0] - 1
    at = (mixed ^ (mixed >> 31)) & mask
    while texts.slot[at] != 0:
        first = texts.start[texts.slot[at] - 1]
        if texts.start[texts.slot[at]] - first == size:
            same = 0
            while same < size and texts.octets[first + same] == data[begin + same]:
                same += 1
            if same == size:
                break
        at = (at + 1) & mask
    return at


@kernel
def find_texts(texts: Texts, data: U8, begin: I64, size: I64, out: I64) -> Int:
    """The number of each text data[begin:begin + size], -1 where it is unknown; how many are. O(bytes)."""
    unknown = 0
    for i in range(begin.shape[0]):
        out[i] = texts.slot[_slot(texts, data, begin[i], size[i])] - 1
        unknown += out[i] < 0
    return unknown


@kernel
def place_texts(texts: Texts, first: Int) -> None:
    """Enters texts from ``first`` on into the slots; of equal ones the first counts. O(bytes)."""
    for i in range(first, texts.used[0]):
        begin = texts.start[i]
        at = _slot(texts, texts.octets, begin, texts.start[i + 1] - begin)
        if texts.slot[at] == 0:
            texts.slot[at] = i + 1
