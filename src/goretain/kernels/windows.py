"""What is seen of each object: the windows that typed slices, strings and pointers open on what they point
into.

Runs after the types are settled. An object that something shows whole is flagged; for the others every
window is listed, and an object that an untyped word points to is flagged as opaque. Imports numpy and
sibling kernels.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from goretain.kernels.heapscan import Spans  # noqa: F401  (part of Heap's compiled type)
from goretain.kernels.jit import Int, checked, inlined, inlined_checked
from goretain.kernels.lookup import find_object
from goretain.kernels.propagate import (
    EFACE,
    IFACE,
    INSIDE,
    PART,
    PTR,
    SLICE,
    STRING,
    UNSAFE,
    Heap,
    Types,
    Words,
    header_bytes,
    position,
)

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
U32 = NDArray[np.uint32]
U8 = NDArray[np.uint8]

NO_OBJECT = 0xFFFFFFFF
KIND_SLICE, KIND_STRING, KIND_POINTER = 0, 1, 2


class Windows(NamedTuple):
    """Output: shown, opaque: uint8[n]; the window columns; rows: int64[1].

    rows counts windows; those beyond the length of the columns are not written. Windows into objects that
    turned out to be shown whole later are among them.
    """

    shown: U8
    opaque: U8
    target: U32
    source: U32
    word: U32
    kind: U8
    start: I64
    length: I64
    capacity: I64
    rows: I64


@inlined
def _row(
    out: Windows, t: Int, source: Int, word: Int, kind: Int, start: Int, length: Int, capacity: Int
) -> None:
    if out.shown[t]:
        return
    w = out.rows[0]
    out.rows[0] = w + 1
    if w >= out.target.shape[0]:
        return
    out.target[w] = t
    out.source[w] = source
    out.word[w] = word
    out.kind[w] = kind
    out.start[w] = start
    out.length[w] = length
    out.capacity[w] = capacity


@inlined_checked
def _one_word(
    heap: Heap,
    types: Types,
    type_of: I32,
    array: U8,
    out: Windows,
    leaf: Int,
    value: Int,
    source: Int,
    word: Int,
) -> bool:
    """A leaf of one word that points to value. True when it points into an object."""
    t, s, offset = find_object(value, heap.table)
    if t < 0:
        return False
    kind = types.leaf_kind[leaf]
    header = 8 if heap.spans.header[s] else 0
    offset -= header
    if kind != PTR:
        expected = types.leaf_aux2[leaf] if kind == INSIDE else 0
        if kind in (UNSAFE, PART) or offset != expected:
            out.opaque[t] = 1
        else:
            out.shown[t] = 1
        return True
    elem = types.leaf_type[leaf]
    size = types.leaf_aux2[leaf]
    if elem < 0 or size <= 0 or offset < 0 or offset + size > heap.spans.elem_size[s] - header:
        out.opaque[t] = 1
    elif offset == 0 and (size + header > heap.below[s] or (type_of[t] == elem and array[t] == 0)):
        out.shown[t] = 1
    else:
        _row(out, t, source, word, KIND_POINTER, offset, size, size)
    return True


@inlined_checked
def _interface(
    heap: Heap,
    types: Types,
    table: Words,
    type_of: I32,
    array: U8,
    out: Windows,
    type_word: Int,
    value: Int,
    source: Int,
    word: Int,
) -> bool:
    """An interface's data word: shows the boxed value, or acts as the leaf that a direct value is."""
    t, s, offset = find_object(value, heap.table)
    if t < 0:
        return False
    mask = table.key.shape[0] - 1
    row = ((type_word * np.int64(5700357409661599241)) >> np.int64(17)) & mask
    while table.key[row] != type_word and table.key[row] != 0:
        row = (row + 1) & mask
    held = table.value[row] if table.key[row] == type_word else -1
    if held >= 0 and table.direct[row] and types.leaf_start[held] >= 0:
        leaf = types.leaf_start[held]
        if leaf < types.leaf_end[held]:
            return _one_word(heap, types, type_of, array, out, leaf, value, source, word)
    if held >= 0 and offset == (8 if heap.spans.header[s] else 0):
        out.shown[t] = 1
    else:
        out.opaque[t] = 1
    return True


@inlined_checked
def _view(
    heap: Heap,
    out: Windows,
    at: Int,
    kind: Int,
    elem: Int,
    source: Int,
    word: Int,
    t: Int,
    s: Int,
    offset: Int,
) -> None:
    """A slice or string at heap.words[at] that begins ``offset`` bytes into object t of span s."""
    header = 8 if heap.spans.header[s] else 0
    offset -= header
    room = heap.spans.elem_size[s] - header
    length = heap.words[at + 1]
    capacity = heap.words[at + 2] if kind == SLICE else length
    sane = elem > 0 and length >= 0 and length <= capacity and capacity <= room and offset >= 0
    if not sane or offset + capacity * elem > room:
        out.opaque[t] = 1
        return
    length *= elem
    capacity *= elem
    whole = capacity + header > heap.below[s]
    if offset == 0 and length == capacity and whole:
        out.shown[t] = 1
        return
    _row(out, t, source, word, KIND_SLICE if kind == SLICE else KIND_STRING, offset, length, capacity)


@inlined_checked
def _leaf(
    heap: Heap,
    types: Types,
    table: Words,
    type_of: I32,
    array: U8,
    out: Windows,
    leaf: Int,
    at: Int,
    source: Int,
    word: Int,
) -> bool:
    """Records what the leaf at heap.words[at] shows. True when it points into an object."""
    kind = types.leaf_kind[leaf]
    value: Int = heap.words[at]
    if kind in (EFACE, IFACE):
        data = heap.words[at + 1]
        if data == 0:
            return False
        return _interface(heap, types, table, type_of, array, out, value, data, source, word + 1)
    if value == 0:
        return False
    if kind in (SLICE, STRING):
        t, s, offset = find_object(value, heap.table)
        if t < 0:
            return False
        _view(heap, out, at, kind, types.leaf_aux2[leaf], source, word, t, s, offset)
        return True
    return _one_word(heap, types, type_of, array, out, leaf, value, source, word)


@checked
def object_windows(
    heap: Heap,
    types: Types,
    table: Words,
    type_of: I32,
    array: U8,
    reached: NDArray[np.bool_],
    edge_start: I64,
    edge_target: U32,
    out: Windows,
) -> None:
    """Windows that reached objects open; what garbage shows will not be used.

    An object whose typed leaves do not account for its edges makes their targets opaque. O(leaves).
    """
    for o in range(type_of.shape[0]):
        edges = edge_start[o + 1] - edge_start[o]
        if edges == 0 or not reached[o]:
            continue
        t = type_of[o]
        seen = 0
        at = position(heap, o)
        if t >= 0 and at >= 0 and types.leaf_start[t] >= 0:
            skip = header_bytes(heap, o) >> 3
            step = types.size[t]
            room = heap.table.size[o] - header_bytes(heap, o)
            count = room // step if 2 * step <= room else 1
            for e in range(count):
                base = (e * step) >> 3
                for leaf in range(np.int64(types.leaf_start[t]), np.int64(types.leaf_end[t])):
                    w = base + (types.leaf_offset[leaf] >> 3)
                    for _ in range(types.leaf_count[leaf]):
                        if _leaf(heap, types, table, type_of, array, out, leaf, (at >> 3) + w, o, skip + w):
                            seen += 1
                        w += types.leaf_stride[leaf] >> 3
        if seen < edges:
            for e in range(edge_start[o], edge_start[o + 1]):
                out.opaque[edge_target[e]] = 1


@checked
def root_windows(
    heap: Heap,
    types: Types,
    table: Words,
    type_of: I32,
    array: U8,
    leaf: I32,
    at: I64,
    rows: I64,
    root_target: U32,
    out: Windows,
) -> None:
    """Windows that the roots in ``rows`` open: row r's leaf (-1 none) stands at word position at[r]; a root
    without one makes its target opaque. The window's word is the root's row.
    """
    for i in range(rows.shape[0]):
        r = rows[i]
        if leaf[r] < 0 or at[r] < 0:
            out.opaque[root_target[r]] = 1
            continue
        row = np.int64(leaf[r])
        kind = types.leaf_kind[row]
        shift = 1 if kind in (EFACE, IFACE) else 0
        if not _leaf(heap, types, table, type_of, array, out, row, at[r], np.int64(NO_OBJECT), r - shift):
            out.opaque[root_target[r]] = 1
