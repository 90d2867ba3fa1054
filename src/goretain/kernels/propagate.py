"""Spreads types from roots along pointers: what a typed pointer points to has the pointer's element type.

A type is a list of pointer leaves; types are expanded on demand: the kernel sets objects of unexpanded
types, and of interface or closure words it has not met, aside, says what it needs, and is called again.
Nothing is guessed: an assignment must fit the slot's size class and the collector's own pointer bitmap.
Imports numpy and sibling kernels.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from goretain.kernels.heapscan import Spans, pointer_bits
from goretain.kernels.jit import Int, checked, inlined, inlined_checked, kernel
from goretain.kernels.lookup import ObjectTable, find_object

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
U32 = NDArray[np.uint32]
U16 = NDArray[np.uint16]
U8 = NDArray[np.uint8]

# Leaf kinds. ``type`` and ``aux`` are what the leaf columns hold beside the kind.
PTR = 0  #: *T; type = T
UNSAFE = 1  #: unsafe.Pointer; says nothing
SLICE = 2  #: []T; type = T
STRING = 3  #: string; type = the bytes type
EFACE = 4  #: any: *abi.Type, data
IFACE = 5  #: interface with methods: *itab, data
EXACT = 6  #: pointer to an allocation of exactly T (map header, table, hchan)
FUNC = 7  #: func value: pointer to a closure whose first word is the PC
MAP_DIRECTORY = 8  #: Map.dirPtr; type = groups, aux = directory; dirLen stands in the word at aux2
TILE = 9  #: pointer to an array of T (map groups, buckets, channel buffer)
PART = 11  #: the pointer word of a slice or string whose other words are not known; type = element
INSIDE = 12  #: *T where T is mostly a part of a larger allocation; type = T, aux = container, aux2 = offset
NODE = 10  #: *node of sync.Map's HashTrieMap; type = entry, aux = indirect

UNEXPANDED = -1
PENDING = -2
UNKNOWN = -1


class Types(NamedTuple):
    """The type table; t rows, l leaves. Rows are appended between calls, never during one.

    size: int64[t]; pointers: uint8[t], 1 when values hold pointers; any_scan: uint8[t], 1 when the
    allocation's pointer-freeness may differ from the type's (hchan); mask: int64[t], bit w set when word w
    is a pointer (values up to 512 bytes); unmasked: uint8[t], 1 when the mask is not known (closures).
    leaf_start, leaf_end: int32[t], rows of the leaves, UNEXPANDED before expansion.
    leaf_offset: int64[l]; leaf_kind: uint8[l]; leaf_type, leaf_aux: int32[l]; leaf_aux2: int64[l];
    leaf_count, leaf_stride: int64[l], how often an array repeats the leaf, every how many bytes.
    """

    size: I64
    pointers: U8
    any_scan: U8
    mask: I64
    unmasked: U8
    leaf_start: I32
    leaf_end: I32
    leaf_offset: I64
    leaf_kind: U8
    leaf_type: I32
    leaf_aux: I32
    leaf_aux2: I64
    leaf_count: I64
    leaf_stride: I64


class Words(NamedTuple):
    """Open-addressing table of type words: abi.Type, itab and PC -> type. Keys 0 are empty.

    key: int64[2**b]; value: int32[2**b], type row, UNKNOWN or PENDING; direct: uint8[2**b], 1 when
    interfaces hold the value itself in their data word; kind: uint8[2**b], the leaf kind that met the key;
    used: int64[1].
    """

    key: I64
    value: I32
    direct: U8
    kind: U8
    used: I64


class Heap(NamedTuple):
    """Objects as the propagation sees them; n rows.

    table: their addresses and sizes; span: int32[n]; spans; memory, words: the image; class_size: int64[c],
    ascending; below: int64[s], the largest allocation that a slot of the span would be too big for.
    """

    table: ObjectTable
    span: I32
    spans: Spans
    memory: U8
    words: I64
    class_size: I64
    below: I64


class State(NamedTuple):
    """What the propagation writes.

    type: int32[n], -1 unknown; array: uint8[n], 1 when assigned as an array of its type;
    hint: int32[n], 1 + a candidate that did not prove itself, 0 none; hint_array: uint8[n].
    work, aside: uint32[n] stacks; needed: uint8[t], types to expand; counters: int64[8].
    """

    type: I32
    array: U8
    hint: I32
    hint_array: U8
    work: U32
    aside: U32
    is_aside: U8
    needed: U8
    counters: I64


# Rows of State.counters.
WORK, ASIDE, MISSES, MASK_MISMATCH = 0, 1, 2, 3


@inlined
def header_bytes(heap: Heap, o: Int) -> Int:
    """8 when the object starts with a malloc header, else 0."""
    return 8 if heap.spans.header[heap.span[o]] else 0


@inlined
def position(heap: Heap, o: Int) -> Int:
    """Byte position of the object's first data byte in memory, -1 when not captured."""
    s = heap.span[o]
    at = heap.spans.content_at[s]
    if at < 0:
        return -1
    return at + heap.table.address[o] - heap.spans.start[s] + header_bytes(heap, o)


@inlined_checked
def object_mask(heap: Heap, o: Int, s: Int) -> Int:
    """The collector's pointer bits of an object of at most 512 bytes of span s, bit w for word w."""
    first = (heap.table.address[o] - heap.spans.start[s]) >> 3
    return np.int64(pointer_bits(heap.words, heap.spans, s, first, heap.spans.elem_size[s] >> 3))


@inlined
def mask_agrees(heap: Heap, types: Types, o: Int, s: Int, t: Int) -> bool:
    """Whether some number of values of t, side by side, has just the pointer bits of object o of span s. True
    where it has none."""
    size = heap.spans.elem_size[s]
    if size > 512 or heap.spans.noscan[s] or heap.spans.bitmap_bit[s] == -1 or types.unmasked[t]:
        return True
    want = object_mask(heap, o, s)
    step = types.size[t] >> 3
    if step <= 0:
        return False
    tiled: Int = np.int64(0)
    base: Int = 0
    while base + step <= (size >> 3):
        tiled |= types.mask[t] << np.int64(base)
        if tiled == want:
            return True
        base += step
    return False


@inlined
def _assign(heap: Heap, types: Types, state: State, o: Int, s: Int, t: Int, exact: bool, array: bool) -> None:
    """Gives object o of span s type t if nothing speaks against it; an assignment in doubt is kept as a
    hint."""
    if state.type[o] >= 0 or t < 0 or types.size[t] <= 0:
        return
    noscan = heap.spans.noscan[s] == 1
    if noscan == (types.pointers[t] == 1) and types.any_scan[t] == 0:
        return
    size = heap.spans.elem_size[s]
    header = 8 if heap.spans.header[s] else 0
    room = size - header
    if types.size[t] > room:
        return
    if not exact:
        if noscan and array:
            if state.hint[o] == 0:
                state.hint[o] = t + 1
                state.hint_array[o] = 1
            return
        if not array:
            tiny = noscan and size == 16 and types.size[t] < 16
            if types.size[t] + header <= heap.below[s] and not tiny:
                if state.hint[o] == 0 and not noscan:
                    state.hint[o] = t + 1
                    state.hint_array[o] = 1
                return
    if not mask_agrees(heap, types, o, s, t):
        state.counters[MASK_MISMATCH] += 1
        return
    state.type[o] = t
    state.array[o] = 1 if array and types.size[t] * 2 <= room else 0
    if types.pointers[t]:
        state.work[state.counters[WORK]] = o
        state.counters[WORK] += 1


@inlined_checked
def word_row(table: Words, key: Int, kind: Int, misses: I64) -> Int:
    """Row of a type word; a new one is entered as PENDING and counted as a miss. -1 when the table is
    full."""
    mask = table.key.shape[0] - 1
    # Fibonacci hashing; the constant is 2**63 / phi as a positive int64.
    row = ((key * np.int64(5700357409661599241)) >> np.int64(17)) & mask
    for _ in range(mask + 1):
        if table.key[row] == key:
            if table.value[row] == PENDING:
                misses[MISSES] += 1
            return row
        if table.key[row] == 0:
            misses[MISSES] += 1
            if table.used[0] * 2 > mask:
                return -1
            table.key[row] = key
            table.value[row] = PENDING
            table.kind[row] = kind
            table.used[0] += 1
            return row
        row = (row + 1) & mask
    return -1


@inlined_checked
def _visit(heap: Heap, types: Types, table: Words, state: State, leaf: Int, at: Int) -> bool:
    """Types what the leaf whose first word is heap.words[at] points to. False when a type must be resolved
    first.

    One place finds the object and one assigns: the compiler inlines both, and each copy would cost it
    seconds.
    """
    kind: Int = np.int64(types.leaf_kind[leaf])
    t: Int = np.int64(types.leaf_type[leaf])
    key: Int = heap.words[at]
    boxed = kind in (EFACE, IFACE)
    word: Int = heap.words[at + 1] if boxed else key
    if key == 0 or word == 0 or kind == UNSAFE:
        return True
    o, s, offset = find_object(word, heap.table)
    if o < 0 or state.type[o] >= 0:
        return True
    size = heap.spans.elem_size[s]
    header = 8 if heap.spans.header[s] else 0
    noscan = heap.spans.noscan[s] == 1
    inside = heap.spans.content_at[s]
    if inside >= 0:
        inside += word - heap.spans.start[s] - offset + header
    offset -= header
    tiny = size == 16 and noscan
    direct_leaf = np.int64(leaf)
    for _ in range(2):
        if kind in (EFACE, IFACE, FUNC):
            if kind == FUNC:
                if offset != 0 or inside < 0:
                    return True
                key = heap.words[inside >> 3]
            row = word_row(table, key, kind, state.counters)
            if row < 0 or table.value[row] == PENDING:
                return False
            t = np.int64(table.value[row])
            if t < 0:
                return True
            if kind == FUNC or table.direct[row] == 0:
                if offset != 0 and not (tiny and types.size[t] < 16):
                    return True
                offset = 0
                kind = EXACT
            else:
                if types.leaf_start[t] == UNEXPANDED:
                    state.needed[t] = 1
                    return False
                direct_leaf = np.int64(types.leaf_start[t])
                if direct_leaf >= types.leaf_end[t]:
                    return True
                kind = np.int64(types.leaf_kind[direct_leaf])
                t = np.int64(types.leaf_type[direct_leaf])
    if kind == INSIDE:
        whole = np.int64(types.leaf_aux[direct_leaf])
        kind = PTR
        if offset == types.leaf_aux2[direct_leaf]:
            need = types.size[whole] + header
            if need <= size and need > heap.below[s]:
                t = whole
                kind = EXACT
                offset = 0
    exact = kind not in (PTR, SLICE, STRING, PART)
    array = kind in (SLICE, STRING, TILE, PART)
    if t < 0 and kind != MAP_DIRECTORY:
        return True
    if kind == PTR:
        if offset != 0 and not (tiny and types.size[t] < 16):
            return True
    elif kind in (SLICE, PART):
        if types.size[t] <= 0 or offset < 0 or offset % types.size[t] != 0:
            return True
        if noscan:
            # A slice that ends where its allocation ends is of all of it; another may be of an array
            # inside a struct.
            end = offset + header
            if kind == SLICE:
                end += heap.words[at + 2] * types.size[t]
                if end > size or end <= heap.below[s]:
                    return True
            elif offset != 0:
                return True
    elif kind == STRING:
        if not noscan:
            return True
    elif offset != 0:
        return True
    elif kind == MAP_DIRECTORY:
        if heap.words[at + types.leaf_aux2[leaf]] != 0:
            t = np.int64(types.leaf_aux[leaf])
            array = True
    elif kind == NODE:
        if inside < 0:
            return True
        if heap.memory[inside] == 0:
            t = np.int64(types.leaf_aux[direct_leaf])
    _assign(heap, types, state, o, s, t, exact, array)
    return True


@checked
def seed_exact(heap: Heap, types: Types, state: State, objects: U32, row: I32) -> None:
    """Gives objects the types that their headers, large spans or specials name (uint32[k] ids, int32[k]
    types)."""
    for i in range(objects.shape[0]):
        o = np.int64(objects[i])
        t = row[i]
        if t >= 0 and types.size[t] > 0:
            room = heap.table.size[o] - header_bytes(heap, o)
            _assign(heap, types, state, o, np.int64(heap.span[o]), t, True, types.size[t] * 2 <= room)


@checked
def spread(heap: Heap, types: Types, table: Words, state: State, leaf: I32, at: I64) -> Int:
    """Follows root leaves (int32[k] rows of the leaf table at int64[k] word positions), then every typed
    object.

    Returns how many roots and objects wait for a type to be resolved or expanded; the objects are set aside
    for the next call. O(leaves of typed objects).
    """
    counters = state.counters
    for k in range(counters[ASIDE]):
        state.is_aside[state.aside[k]] = 0
        state.work[counters[WORK]] = state.aside[k]
        counters[WORK] += 1
    counters[ASIDE] = 0
    waiting = 0
    i = 0
    while i < leaf.shape[0] or counters[WORK] > 0:
        # A root is one leaf; an object all leaves of all its elements.
        o: Int = np.int64(-1)
        first: Int = np.int64(0)
        last: Int = np.int64(1)
        count: Int = np.int64(1)
        step: Int = np.int64(0)
        base: Int = np.int64(0)
        if i < leaf.shape[0]:
            first = np.int64(leaf[i])
            last = first + 1
            base = at[i] << 3
            i += 1
        else:
            counters[WORK] -= 1
            o = np.int64(state.work[counters[WORK]])
            t = np.int64(state.type[o])
            base = position(heap, o)
            step = types.size[t]
            first = np.int64(types.leaf_start[t])
            last = np.int64(types.leaf_end[t])
            room = heap.table.size[o] - header_bytes(heap, o)
            if 2 * step <= room:
                count = room // step
            if base < 0:
                continue
        done = first != UNEXPANDED
        if not done:
            state.needed[state.type[o]] = 1
            count = 0
        for e in range(count):
            for row in range(first, last):
                at_leaf = base + e * step + (types.leaf_offset[row] if o >= 0 else 0)
                for _ in range(types.leaf_count[row]):
                    if not _visit(heap, types, table, state, row, at_leaf >> 3):
                        done = False
                    at_leaf += types.leaf_stride[row]
        if not done:
            waiting += 1
            if o >= 0 and state.is_aside[o] == 0:
                state.is_aside[o] = 1
                state.aside[counters[ASIDE]] = o
                counters[ASIDE] += 1
    return waiting


@kernel
def settle_hints(heap: Heap, types: Types, state: State) -> Int:
    """Turns hints into types: arrays of pointer-free values, and arrays whose bits agree; returns how
    many."""
    settled = 0
    refused = state.counters[MASK_MISMATCH]
    for o in range(heap.span.shape[0]):
        t = np.int64(state.hint[o]) - 1
        if t < 0 or state.type[o] >= 0:
            continue
        s = np.int64(heap.span[o])
        noscan = heap.spans.noscan[s] == 1
        if not noscan and (heap.spans.elem_size[s] > 512 or heap.spans.bitmap_bit[s] == -1):
            continue
        _assign(heap, types, state, o, s, t, True, state.hint_array[o] == 1)
        if state.type[o] >= 0:
            settled += 1
    state.counters[MASK_MISMATCH] = refused  # a hint that does not fit was no claim
    return settled
