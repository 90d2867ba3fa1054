"""From captured spans to objects and edges: allocation bits, pointer slots, resolution.

These kernels read bytes of another process, so they are bounds-checked and trust nothing but the shapes of
their own outputs. Source of the layouts: runtime/mheap.go (mspan), runtime/mbitmap.go (heap bitmaps, malloc
headers), runtime/mgcmark_greenteagc.go (inline marks). Imports numpy and sibling kernels.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from goretain.kernels.jit import Int, checked, inlined, inlined_checked, kernel
from goretain.kernels.lookup import MISSING, ObjectTable, find_object

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]
U32 = NDArray[np.uint32]
I32 = NDArray[np.int32]

FREE, LIVE, DEAD = 0, 1, 2
SURVIVED = 4  #: added to LIVE: the last finished mark reached the slot


class Spans(NamedTuple):
    """In-use spans, ascending by start; s rows. Positions are bytes into the image's memory, -1 when not
    captured.

    start, elem_size, slots: int64[s]: address, bytes of a slot, number of slots.
    free_index: slots below it are allocated whatever the bits say; scan_index: the collector looks at slots
    above it only when their allocBit is set: between the two an object may not be initialised yet.
    alloc_at, mark_at: positions of allocBits and gcmarkBits; inline_at: of Green Tea's inline marks, -1
    without.
    content_at: position of the span's first byte.
    bitmap_bit: position in BITS of the pointer bitmap's bit for the first word, -1 when objects carry no
    bitmap; -2 - b for bit b of ``crossing``.
    crossing: int64[...], 64 bits each, bitmaps of spans that cross an arena (up to Go 1.21), put together.
    header: uint8[s], 1 when each slot begins with an 8-byte malloc header.
    large_type: int64[s], address of the abi.Type of a large object, 0 without.
    unswept, noscan, large: uint8[s].
    first_slot: int64[s + 1].
    """

    start: I64
    elem_size: I64
    slots: I64
    free_index: I64
    scan_index: I64
    alloc_at: I64
    mark_at: I64
    inline_at: I64
    content_at: I64
    bitmap_bit: I64
    crossing: I64
    header: U8
    large_type: I64
    unswept: U8
    noscan: U8
    large: U8
    first_slot: I64


class Masks(NamedTuple):
    """Pointer masks of the abi.Types that headers and large spans name; t types.

    key: int64[t], ascending addresses; size: int64[t], bytes of one value; start: int64[t + 1] into word;
    word: int64[...], word offsets of a value's pointers.
    """

    key: I64
    size: I64
    start: I64
    word: I64


@checked
def slot_states(memory: U8, spans: Spans, state: U8) -> Int:
    """Writes uint8 FREE, LIVE (+ SURVIVED) or DEAD for every slot; returns how many spans lack their
    allocation bits.

    A slot is allocated when it lies below free_index or its allocBit is set. In a span that waits for its
    sweep those with a mark are live and the others are dead, whatever free_index says: the sweep sets that to
    0 before it turns the marks into allocBits (runtime/mgcsweep.go). O(slots).
    """
    missing = 0
    for s in range(spans.start.shape[0]):
        base = spans.first_slot[s]
        at = spans.alloc_at[s]
        if at < 0:
            missing += 1
            continue
        judge = spans.unswept[s] == 1
        if judge and spans.mark_at[s] < 0:
            missing += 1
            judge = False
        inline = spans.inline_at[s]
        for k in range(spans.slots[s]):
            bit = (memory[at + (k >> 3)] >> (k & 7)) & 1
            allocated = bit == 1 or k < spans.free_index[s]
            if judge:
                marked = (memory[spans.mark_at[s] + (k >> 3)] >> (k & 7)) & 1
                if inline >= 0:
                    marked |= (memory[inline + (k >> 3)] >> (k & 7)) & 1
                if marked:
                    state[base + k] = LIVE + SURVIVED
                elif allocated:
                    state[base + k] = DEAD
            elif allocated:
                state[base + k] = LIVE + SURVIVED if bit else LIVE
    return missing


@kernel
def count_states(state: U8, spans: Spans, totals: I64) -> None:
    """Fills totals int64[4]: live objects, live bytes, dead objects, dead bytes."""
    totals[:] = 0
    for s in range(spans.start.shape[0]):
        size = spans.elem_size[s]
        for i in range(spans.first_slot[s], spans.first_slot[s + 1]):
            if state[i] == FREE:
                continue
            which = 2 if state[i] == DEAD else 0
            totals[which] += 1
            totals[which + 1] += size


@kernel
def list_objects(
    state: U8, spans: Spans, address: I64, size: I64, span: I32, survived: U8, object_at: U32
) -> Int:
    """Writes the live slots in address order (arrays of length n), and for every slot its object or MISSING;
    returns n."""
    n = 0
    for s in range(spans.start.shape[0]):
        first = spans.first_slot[s]
        for k in range(spans.slots[s]):
            what = state[first + k]
            if what in (FREE, DEAD):
                object_at[first + k] = MISSING
                continue
            address[n] = spans.start[s] + k * spans.elem_size[s]
            size[n] = spans.elem_size[s]
            span[n] = s
            survived[n] = 1 if what & SURVIVED else 0
            object_at[first + k] = n
            n += 1
    return n


@inlined
def mask_row(masks: Masks, key: Int) -> Int:
    """Row of an abi.Type address in masks, or -1."""
    low = 0
    high = masks.key.shape[0]
    while low < high:
        mid = (low + high) >> 1
        if masks.key[mid] < key:
            low = mid + 1
        else:
            high = mid
    if low < masks.key.shape[0] and masks.key[low] == key:
        return low
    return -1


@checked
def header_types(words: I64, spans: Spans, address: I64, span: I32, out: I64) -> Int:
    """Writes each object's abi.Type address from its malloc header or large span; returns how many are set.

    out: zeros, and stays untouched where there is none.
    """
    n = 0
    for i in range(address.shape[0]):
        s = span[i]
        if spans.noscan[s] or spans.bitmap_bit[s] != -1:
            continue
        if spans.header[s]:
            if spans.content_at[s] >= 0:
                out[i] = words[(spans.content_at[s] + address[i] - spans.start[s]) >> 3]
        elif spans.large_type[s] != 0:
            out[i] = spans.large_type[s]
        if out[i] != 0:
            n += 1
    return n


@inlined_checked
def pointer_bits(words: I64, spans: Spans, s: Int, first: Int, count: Int) -> Int:
    """The collector's bits of ``count`` (1 to 64) words from word ``first`` of a span that has a bitmap; bit
    w of the uint64 for word w."""
    bit = spans.bitmap_bit[s]
    source = words if bit >= 0 else spans.crossing
    at = (bit if bit >= 0 else -2 - bit) + first
    shift = at & 63
    found = np.uint64(source[at >> 6]) >> np.uint64(shift)
    if shift + count > 64:
        found |= np.uint64(source[(at >> 6) + 1]) << np.uint64(64 - shift)
    if count < 64:
        found &= (np.uint64(1) << np.uint64(count)) - np.uint64(1)
    return found


@inlined
def _ones(bits: Int) -> Int:
    """How many of 64 bits are set."""
    pairs = bits - ((bits >> np.uint64(1)) & np.uint64(0x5555555555555555))
    fours = (pairs & np.uint64(0x3333333333333333)) + (
        (pairs >> np.uint64(2)) & np.uint64(0x3333333333333333)
    )
    eights = (fours + (fours >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((eights * np.uint64(0x0101010101010101)) >> np.uint64(56))


# Counters that fill_edges fills.
SLOTS, NONZERO, EDGES, DANGLING, NO_CONTENT, NO_MASK = 0, 1, 2, 3, 4, 5


@checked
def count_slots(words: I64, spans: Spans, masks: Masks, address: I64, span: I32, header: I64) -> Int:
    """At least as many as there are pointer slots: the room that :func:`fill_edges` needs. O(n).

    Reads bitmaps and types, no contents: whether a slot is nil is seen when it is filled.
    """
    total = 0
    for i in range(address.shape[0]):
        s = span[i]
        if spans.noscan[s] or spans.content_at[s] < 0:
            continue
        length = spans.elem_size[s] >> 3
        if spans.bitmap_bit[s] != -1:
            first = (address[i] - spans.start[s]) >> 3
            for w in range(0, length, 64):
                total += _ones(pointer_bits(words, spans, s, first + w, min(length - w, 64)))
            continue
        row = mask_row(masks, header[i]) if header[i] != 0 else -1
        if row >= 0:
            pointers = masks.start[row + 1] - masks.start[row]
            total += min(length, pointers * (length // max(masks.size[row] >> 3, 1) + 1))
    return total


@inlined
def _edge(pointer: Int, w: Int, table: ObjectTable, m: Int, target: U32, word: U32, counters: I64) -> Int:
    counters[NONZERO] += 1
    found, s, _ = find_object(pointer, table)
    if found < 0:
        if s >= 0:
            counters[DANGLING] += 1
        return m
    target[m] = found
    word[m] = w
    return m + 1


@inlined_checked
def _repeated(
    words: I64,
    masks: Masks,
    row: Int,
    base: Int,
    first: Int,
    length: Int,
    table: ObjectTable,
    m: Int,
    target: U32,
    word: U32,
    counters: I64,
) -> Int:
    """Adds the edges of an object whose slots a type's mask tells, repeated over all elements of an array.

    The object has length words from words[first] on, its first element begins at word base; m: edges so far.
    Returns how many there are then.
    """
    step = masks.size[row] >> 3
    while base < length:
        for j in range(masks.start[row], masks.start[row + 1]):
            w = base + masks.word[j]
            if w >= length:
                break
            counters[SLOTS] += 1
            if words[first + w] != 0:
                m = _edge(words[first + w], w, table, m, target, word, counters)
        base += step
    return m


@checked
def fill_edges(
    words: I64,
    spans: Spans,
    masks: Masks,
    table: ObjectTable,
    span: I32,
    survived: U8,
    header: I64,
    start: I64,
    target: U32,
    word: U32,
    counters: I64,
) -> Int:
    """Resolves every non-nil pointer slot to the object that it points into, interior pointers included.

    start int64[n + 1], target and word uint32[capacity] become a CSR; returns the number of edges.
    O(pointer slots).
    """
    address = table.address
    m = 0
    for i in range(address.shape[0]):
        start[i] = m
        s = span[i]
        if spans.noscan[s]:
            continue
        inside = address[i] - spans.start[s]
        if survived[i] == 0 and inside >= spans.scan_index[s] * spans.elem_size[s]:
            continue
        if spans.content_at[s] < 0:
            counters[NO_CONTENT] += 1
            continue
        first = (spans.content_at[s] + inside) >> 3
        length = spans.elem_size[s] >> 3
        if spans.bitmap_bit[s] != -1:
            for base in range(0, length, 64):
                bits = pointer_bits(words, spans, s, (inside >> 3) + base, min(length - base, 64))
                w: Int = base
                while bits != np.uint64(0):
                    if bits & np.uint64(1):
                        counters[SLOTS] += 1
                        if words[first + w] != 0:
                            m = _edge(words[first + w], w, table, m, target, word, counters)
                    bits >>= np.uint64(1)
                    w += 1
            continue
        row = mask_row(masks, header[i]) if header[i] != 0 else -1
        if row < 0:
            counters[NO_MASK] += 1
            continue
        if masks.start[row] == masks.start[row + 1]:
            continue
        base = 1 if spans.header[s] else 0
        m = _repeated(words, masks, row, base, first, length, table, m, target, word, counters)
    start[address.shape[0]] = m
    counters[EDGES] = m
    return m
