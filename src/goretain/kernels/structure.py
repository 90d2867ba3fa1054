"""What objects of unknown type give away by themselves: interface pairs, code pointers, pointer bits.

Used where no debug information says what the globals and stacks hold. These kernels read bytes of another
process and are bounds-checked. Imports numpy and sibling kernels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from goretain.kernels.heapscan import Spans, pointer_bits  # noqa: F401  (Spans: part of Heap's compiled type)
from goretain.kernels.jit import Int, checked, inlined_checked
from goretain.kernels.lookup import ObjectTable  # noqa: F401  (part of Heap's compiled type)
from goretain.kernels.propagate import Heap, object_mask

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]

#: Bytes of the largest object whose pointer bits fit one word.
_MASK_LIMIT = 512
#: No object begins with 64 pointers that is looked at for its mask.
UNMASKED = -1


@inlined_checked
def _is_pointer(heap: Heap, o: Int, word: Int) -> bool:
    """Whether the collector follows a word of an object whose span has a bitmap."""
    s = heap.span[o]
    index = ((heap.table.address[o] - heap.spans.start[s]) >> 3) + word
    return bool(pointer_bits(heap.words, heap.spans, s, index, 1))


@checked
def object_masks(heap: Heap, objects: I64, out: I64) -> None:
    """Writes the pointer bits of the first 64 words of objects int64[k], bit w for word w; UNMASKED where
    none are kept by the word."""
    for i in range(objects.shape[0]):
        o: Int = objects[i]
        s = heap.span[o]
        if heap.spans.noscan[s]:
            out[i] = 0
        elif heap.spans.bitmap_bit[s] == -1:
            out[i] = UNMASKED
        elif heap.table.size[o] <= _MASK_LIMIT:
            out[i] = object_mask(heap, o, s)
        else:
            out[i] = 0
            for w in range(_MASK_LIMIT >> 3):
                if _is_pointer(heap, o, w):
                    out[i] |= np.int64(1) << np.int64(w)


@inlined_checked
def _among(value: Int, ranges: I64) -> bool:
    inside = False
    for r in range(ranges.shape[0]):
        inside |= ranges[r, 0] <= value < ranges[r, 1]
    return inside


@checked
def interface_words(heap: Heap, type_of: I32, ranges: I64, at: I64, key: I64) -> Int:
    """Finds words of untyped objects that may be the first of an interface; returns how many.

    Such a word is none of the collector's, the next one is, and its value lies in one of the ranges
    int64[r, 2] of type records and itabs. Writes the words' positions (in words of memory) and values; with
    empty outputs only counts. O(words of untyped objects).
    """
    n: Int = 0
    for o in range(heap.span.shape[0]):
        s = heap.span[o]
        base = heap.spans.content_at[s]
        if type_of[o] >= 0 or heap.spans.noscan[s] or heap.spans.bitmap_bit[s] == -1 or base < 0:
            continue
        first = (base + heap.table.address[o] - heap.spans.start[s]) >> 3
        for w in range((heap.table.size[o] >> 3) - 1):
            value: Int = heap.words[first + w]
            if value == 0 or not _among(value, ranges):
                continue
            if _is_pointer(heap, o, w) or not _is_pointer(heap, o, w + 1):
                continue
            if at.shape[0]:
                at[n] = first + w
                key[n] = value
            n += 1
    return n


@checked
def code_words(heap: Heap, type_of: I32, ranges: I64, objects: I64, key: I64) -> Int:
    """Finds untyped objects with pointers whose first word is no pointer and lies in one of the code ranges
    int64[r, 2]; returns how many.

    Writes ids and values; with empty outputs only counts. O(untyped objects).
    """
    n: Int = 0
    for o in range(heap.span.shape[0]):
        s = heap.span[o]
        base = heap.spans.content_at[s]
        if type_of[o] >= 0 or heap.spans.noscan[s] or heap.spans.bitmap_bit[s] == -1 or base < 0:
            continue
        value: Int = heap.words[(base + heap.table.address[o] - heap.spans.start[s]) >> 3]
        if not _among(value, ranges) or _is_pointer(heap, o, 0):
            continue
        if objects.shape[0]:
            objects[n] = o
            key[n] = value
        n += 1
    return n
