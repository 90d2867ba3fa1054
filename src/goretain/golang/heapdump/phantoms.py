"""Slots of a heap dump that are no objects: the ends of spans where the runtime keeps its own bits.

``dumpobjs`` (runtime/heapdump.go) goes through all slots that fit into the pages of a span, and leaves out
those that are free; but it learns only of the first ``mspan.nelems`` slots whether they are. The others are
always written. There are such where the end of a one-page span holds something else: from Go 1.22 the pointer
bitmap of objects up to 512 bytes (heapBitsInSpan, runtime/mbitmap.go), under Green Tea (1.26) also the mark
bits of those of 16 bytes and more (spanInlineMarkBits, runtime/mgcmark_greenteagc.go). Which of the two a
program has is seen in the dump: slots that lie there are then written in every page, free or not.
Imports ``kernels.arenas`` and numpy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goretain.kernels.arenas import GO_PAGE

I64 = NDArray[np.int64]
Bits = NDArray[np.bool_]

#: Bytes at the end of a page, each: the bitmap is one bit a word of the page.
_BITMAP = _MARKS = 128
_LARGEST_SMALL = 512
_SMALLEST_MARKED = 16


@dataclass(frozen=True, slots=True)
class Phantoms:
    """Which objects of a dump are none, and what was learnt on the way.

    Attributes:
        phantom: bool[n]; noscan: bool[n], no object of its page has pointers.
        bitmaps: small pointerful pages end with a bitmap; marks: small pages end with mark bits (Green Tea).
    """

    phantom: Bits
    noscan: Bits
    bitmaps: bool
    marks: bool


def find_phantoms(address: I64, size: I64, pointers: Bits) -> Phantoms:
    """The phantoms among objects in address order.

    address, size: int64[n]; pointers: bool[n], whether an object has pointer words.
    """
    small = np.flatnonzero((size <= _LARGEST_SMALL) & (size > 0))
    noscan = ~pointers
    phantom = np.zeros(len(address), np.bool_)
    if not len(small):
        return Phantoms(phantom, noscan, False, False)
    pages = _Pages(address[small], size[small], pointers[small])
    noscan[small] = pages.noscan[pages.page]
    with_marks = pages.always_full(pages.noscan & (pages.size >= _SMALLEST_MARKED), _MARKS)
    taken = np.where(pages.size >= _SMALLEST_MARKED, _MARKS if with_marks else 0, 0)
    with_bitmaps = pages.always_full(~pages.noscan, taken + _BITMAP)
    taken = taken + np.where(pages.noscan, 0, _BITMAP if with_bitmaps else 0)
    last = (GO_PAGE - taken) // pages.size
    phantom[small] = pages.slot >= last[pages.page]
    return Phantoms(phantom, noscan, with_bitmaps, with_marks)


class _Pages:
    """The pages of small objects.

    page: int64[n], row of each object's page; slot: int64[n], its number in it.
    size: int64[p], bytes of a slot; noscan: bool[p].
    """

    def __init__(self, address: I64, size: I64, pointers: Bits) -> None:
        numbers, first, self.page = np.unique(address // GO_PAGE, return_index=True, return_inverse=True)
        self.size: I64 = size[first]
        self.slot: I64 = address % GO_PAGE // size
        self.noscan: Bits = np.bincount(self.page, pointers, len(numbers)) == 0

    def always_full(self, which: Bits, taken: int | I64) -> bool:
        """Whether the slots that reach into the last ``taken`` bytes are there in every page of a kind, and
        there are such."""
        first = (GO_PAGE - taken) // self.size
        wanted = np.where(which, GO_PAGE // self.size - first, 0)
        beyond = self.slot >= first[self.page]
        found = np.bincount(self.page, beyond, len(self.size))
        return bool(wanted.any()) and bool((found >= wanted)[which].all())
