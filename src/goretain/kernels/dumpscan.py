"""Walks the records of a heap dump and packs its objects: the part of reading one that costs.

The format is that of runtime/heapdump.go ("go1.7 heap dump"): a tag, then numbers as varints, memory as a
length and bytes, pointer words as a list of (kind, offset) that ends with kind 0. The bytes come from
outside, so every access is bounds-checked and every length is compared with what is left. Imports numpy and
this package.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from goretain.kernels.jit import Int, checked
from goretain.kernels.varints import varint

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]

# Tags of records (runtime/heapdump.go).
END, OBJECT, OTHER_ROOT, TYPE, GOROUTINE, FRAME, PARAMS, FINALIZER, ITAB = 0, 1, 2, 3, 4, 5, 6, 7, 8
THREAD, MEM_STATS, QUEUED_FINALIZER, DATA, BSS, DEFER, PANIC, PROFILE, SAMPLE = (
    9,
    10,
    11,
    12,
    13,
    14,
    15,
    16,
    17,
)
# What records are made of; NONE ends a record.
# FIELDS lie in the memory before them; those of a frame (PLACES) may be anywhere.
NONE, NUMBER, MEMORY, FIELDS, PLACES, STATS, STACK = 0, 1, 2, 3, 4, 5, 6
_N, _M, _F = NUMBER, MEMORY, FIELDS
_SHAPES: dict[int, tuple[int, ...]] = {
    OBJECT: (_N, _M, _F),
    OTHER_ROOT: (_M, _N),
    TYPE: (_N, _N, _M, _N),
    GOROUTINE: (_N,) * 8 + (_M,) + (_N,) * 4,
    FRAME: (_N, _N, _N, _M, _N, _N, _N, _M, PLACES),
    PARAMS: (_N, _N, _N, _N, _M, _M, _N),
    FINALIZER: (_N,) * 5,
    ITAB: (_N, _N),
    THREAD: (_N,) * 3,
    MEM_STATS: (STATS,),
    QUEUED_FINALIZER: (_N,) * 5,
    DATA: (_N, _M, _F),
    BSS: (_N, _M, _F),
    DEFER: (_N,) * 7,
    PANIC: (_N,) * 6,
    PROFILE: (_N, _N, STACK, _N, _N),
    SAMPLE: (_N, _N),
}
#: Bytes: more than any address.
_ANYWHERE = 1 << 62
#: Numbers of a MemStats record: 24 fields, 256 pauses, the count of collections.
STATS_NUMBERS = 24 + 256 + 1
#: uint8[18, 14]: what the record of a tag is made of.
SHAPES: U8 = np.zeros((SAMPLE + 1, 14), np.uint8)
for _tag, _shape in _SHAPES.items():
    SHAPES[_tag, : len(_shape)] = _shape
# What is wrong where a walk stops.
OK, CUT_OFF, BAD_TAG, BAD_LENGTH, BAD_FIELD, BAD_NUMBER = 0, 1, 2, 3, 4, 5
# Counters of a walk; PLACE is where it stopped: behind the end tag, or at the record that is damaged.
OBJECTS, OTHERS, PLACE, BROKEN_AT, BROKEN_TAG = 0, 1, 2, 3, 4


class Records(NamedTuple):
    """Where records are in the file.

    address, size: int64[n] of objects; content: int64[n], offset of their bytes; fields: int64[n], offset of
    their list of pointer words. other: int64[k], offset of each other record's first byte behind the tag;
    tag: uint8[k].
    """

    address: I64
    size: I64
    content: I64
    fields: I64
    other: I64
    tag: U8


@checked
def _behind_fields(data: U8, at: Int, end: Int, size: Int) -> Int:
    """Offset behind a list of pointer words of ``size`` bytes, or minus what is wrong."""
    while True:
        kind, at = varint(data, at, end)
        if at < 0:
            return -CUT_OFF
        if kind == 0:
            return at
        offset, at = varint(data, at, end)
        if at < 0:
            return -CUT_OFF
        if kind < 0 or kind > 3 or offset < 0 or offset & 7 or offset + 8 > size:
            return -BAD_FIELD


@checked
def _behind_numbers(data: U8, at: Int, end: Int, count: Int) -> Int:
    for _ in range(count):
        _value, at = varint(data, at, end)
        if at < 0:
            return -CUT_OFF
    return at


@checked
def _behind_memory(data: U8, at: Int, end: Int) -> Int:
    length, at = varint(data, at, end)
    if at < 0:
        return -CUT_OFF
    if length < 0:
        return -BAD_LENGTH
    return at + length if length <= end - at else -CUT_OFF


@checked
def _behind_stack(data: U8, at: Int, end: Int) -> Int:
    """Behind the frames of an allocation stack: function, file and line each."""
    count, at = varint(data, at, end)
    if at < 0:
        return -CUT_OFF
    if count < 0 or count > end - at:
        return -BAD_LENGTH
    for _ in range(count):
        at = _behind_memory(data, at, end)
        if at >= 0:
            at = _behind_memory(data, at, end)
        if at >= 0:
            at = _behind_numbers(data, at, end, 1)
        if at < 0:
            return at
    return at


@checked
def _behind_record(data: U8, at: Int, end: Int, shape: U8) -> Int:
    """Offset behind a record of a shape that begins at ``at``, behind its tag; or minus what is wrong."""
    size: Int = np.int64(0)
    for k in range(shape.shape[0]):
        what = shape[k]
        if what == NONE:
            break
        before = at
        if what == NUMBER:
            at = _behind_numbers(data, at, end, 1)
        elif what == MEMORY:
            size, _content = varint(data, at, end)
            at = _behind_memory(data, at, end)
        elif what == FIELDS:
            at = _behind_fields(data, at, end, size)
        elif what == PLACES:
            at = _behind_fields(data, at, end, np.int64(_ANYWHERE))
        elif what == STATS:
            at = _behind_numbers(data, at, end, STATS_NUMBERS)
        else:
            at = _behind_stack(data, at, end)
        if at < 0:
            return at
        if at < before:
            return -BAD_LENGTH
    return at


@checked
def walk(data: U8, first: Int, shapes: U8, records: Records, counts: I64) -> Int:
    """Walks all records from offset ``first``; counts them, and lists them where ``records`` has room.

    counts int64[5] is filled in any case. Returns OK, or what is wrong with the record at counts[BROKEN_AT].
    O(bytes but those of memory).
    """
    end = data.shape[0]
    store = records.address.shape[0] + records.other.shape[0] > 0
    objects = 0
    others = 0
    at: Int = np.int64(first)
    wrong = CUT_OFF
    while at < end:
        start = at
        counts[BROKEN_AT] = start
        tag, at = varint(data, at, end)
        counts[BROKEN_TAG] = tag
        if at < 0:
            break
        if tag == END:
            wrong = OK
            break
        if tag < 0 or tag >= shapes.shape[0]:
            wrong = BAD_TAG
            break
        behind = _behind_record(data, at, end, shapes[tag])
        if behind < 0:
            wrong = -behind
            break
        if tag == OBJECT:
            address, content = varint(data, at, end)
            size, content = varint(data, content, end)
            if address <= 0 or address & 7 or size <= 0 or size & 7:
                wrong = BAD_NUMBER
                break
            if store:
                records.address[objects] = address
                records.size[objects] = size
                records.content[objects] = content
                records.fields[objects] = content + size
            objects += 1
        else:
            if store:
                records.other[others] = at
                records.tag[others] = tag
            others += 1
        at = behind
        counts[PLACE] = at
    counts[OBJECTS] = objects
    counts[OTHERS] = others
    return wrong


@checked
def has_pointers(data: U8, fields: I64, out: U8) -> None:
    """uint8[n]: whether an object has pointer words; fields: int64[n], offsets of their lists."""
    for i in range(fields.shape[0]):
        out[i] = 1 if data[fields[i]] != 0 else 0


@checked
def set_pointers(data: U8, fields: I64, first_bit: I64, bits: U8) -> None:
    """Sets the bit of every pointer word: first_bit[i] is that of the first word of object i, -1 for none."""
    end = data.shape[0]
    for i in range(fields.shape[0]):
        if first_bit[i] < 0:
            continue
        at: Int = fields[i]
        while True:
            kind, at = varint(data, at, end)
            if kind == 0:
                break
            offset, at = varint(data, at, end)
            bit = first_bit[i] + (offset >> 3)
            bits[bit >> 3] |= np.uint8(1 << (bit & 7))


@checked
def copy_parts(data: U8, source: I64, size: I64, place: I64, memory: U8) -> None:
    """Copies size[i] bytes from data[source[i]] to memory[place[i]]; not where place is -1. O(bytes)."""
    for i in range(source.shape[0]):
        if place[i] < 0:
            continue
        for k in range(size[i]):
            memory[place[i] + k] = data[source[i] + k]
