"""Reads pprof profiles from protobuf's wire format into columns, and puts the stacks of many together.

``measure`` counts what a profile has so that the caller can make room, ``extract`` fills columns, and the
``intern_`` kernels number frames and stacks so that profiles share them. The bytes come from outside: where
they are read every access is bounds-checked and every length is compared with what is left; the other kernels
work on indexes that the caller has checked. Whatever is unusual (a known field of another wire type, a number
of more than 64 bits, a group) stops a kernel with the offset; protobuf's own parser then decides about that
profile. Message and field numbers are those of profile.proto (:mod:`goretain.profile.message`). Imports numpy
and this package.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from goretain.kernels.jit import Int, checked, kernel
from goretain.kernels.varints import varint

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]

# Numbers of fields of Profile.
SAMPLE_TYPE, SAMPLE, MAPPING, LOCATION, FUNCTION, STRING = 1, 2, 3, 4, 5, 6
TIME, DURATION, PERIOD_TYPE, PERIOD, COMMENT, DEFAULT_TYPE = 9, 10, 11, 12, 13, 14
#: Fields of Profile that are one number, or that nobody needs.
_LAST_FIELD = 15
# Counters of ``measure``; FIELD_COUNT + f is how often field f of Profile occurs.
REFERENCES, LABELS, LINES, FIELD_COUNT = 0, 1, 2, 3
COUNTERS = FIELD_COUNT + _LAST_FIELD + 1
#: What ``measure`` and ``extract`` answer where nothing is wrong; otherwise the offset of what is.
FINE = -1
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
#: Odd, and spreads bits (splitmix64); signed.
_SPREAD = -0x6B2FB644ECCEEE15
#: From so many frames on two stacks can be made whose hashes are the same for every factor (Thue-Morse).
_LONG = 512


class Columns(NamedTuple):
    """One profile as it stands there; n samples, l locations, f functions, t texts.

    types: int64[types, 2], texts of sample types and units; period_type: int64[2].
    first_reference: int64[n + 1], reference: int64[references], location ids of samples.
    value: int64[n, types]; size: int64[n], the label ``bytes``, -1 none.
    label: int64[labels, 5], other labels: sample, key, text, number, unit; label_count: int64[1].
    location_id: int64[l]; first_line: int64[l + 1]; line_function, line: int64[lines], function ids, lines.
    function: int64[f, 3], id, name, file; mapping: int64[2], texts of the first one's file and build id.
    text_at, text_size: int64[t]; single: int64[16], by number of field; comment: int64[comments].
    """

    types: I64
    period_type: I64
    first_reference: I64
    reference: I64
    value: I64
    size: I64
    label: I64
    label_count: I64
    location_id: I64
    first_line: I64
    line_function: I64
    line: I64
    function: I64
    mapping: I64
    text_at: I64
    text_size: I64
    single: I64
    comment: I64


class Pool(NamedTuple):
    """Stacks of many profiles, each once.

    used: int64[2], stacks and frames in use; start: int64[stacks + 1]; frame: int32[frames], innermost first;
    hash: int64[stacks]; slot: int32[a power of two], number + 1 by hash, 0 empty, at most half in use.
    """

    used: I64
    start: I64
    frame: I32
    hash: I64
    slot: I32


@checked
def field(data: U8, at: Int, end: Int) -> tuple[Int, Int, Int, Int, Int]:
    """(number, wire type, value or size, offset of its content, offset behind it); the last -1 if broken."""
    tag, content = varint(data, at, end)
    wire = tag & 7
    broken = np.int64(0), np.int64(0), np.int64(0), np.int64(0), np.int64(-1)
    if content < 0 or content - at > 5 or tag >> 3 <= 0 or tag >> 3 >= 1 << 29:
        return broken
    value: Int = np.int64(0)
    behind: Int = content
    if wire == _VARINT:
        value, behind = varint(data, content, end)
    elif wire == _BYTES:
        value, content = varint(data, content, end)
        if content < 0 or value < 0 or value > end - content:
            return broken
        behind = content + value
    elif wire == _FIXED64:
        behind = content + 8
    elif wire == _FIXED32:
        behind = content + 4
    else:
        return broken
    if behind > end:
        return broken
    return tag >> 3, wire, value, content, behind


@checked
def measure(data: U8, counts: I64) -> Int:
    """Upper bounds of what a profile has, in counts int64[COUNTERS]; FINE or an offset. O(fields)."""
    at: Int = np.int64(0)
    end: Int = np.int64(data.shape[0])
    while at < end:
        name, wire, size, content, behind = field(data, at, end)
        if behind < 0:
            return at
        if name <= _LAST_FIELD:
            counts[FIELD_COUNT + name] += size + 1 if name == COMMENT and wire == _BYTES else 1
        if wire == _BYTES and name in (SAMPLE, LOCATION):
            inner: Int = content
            while inner < behind:
                part, how, length, _content, after = field(data, inner, behind)
                if after < 0:
                    return inner
                if name == SAMPLE and part == 1:
                    counts[REFERENCES] += length if how == _BYTES else 1
                elif name == SAMPLE and part == 3:
                    counts[LABELS] += 1
                elif name == LOCATION and part == 4:
                    counts[LINES] += 1
                inner = after
        at = behind
    return np.int64(FINE)


@checked
def _numbers_of(data: U8, at: Int, end: Int, out: I64, most: Int) -> Int:
    """Fields 1 .. most of a message, which are all numbers, into out[0 .. most - 1]; FINE or an offset."""
    while at < end:
        name, wire, value, _content, behind = field(data, at, end)
        if behind < 0:
            return at
        if name <= most:
            if wire != _VARINT:
                return at
            out[name - 1] = value
        at = behind
    return np.int64(FINE)


@checked
def _list_of(data: U8, at: Int, end: Int, out: I64, used: Int) -> Int:
    """A packed list into out from ``used`` on; how many are in use then, or minus an offset less 2."""
    while at < end:
        if used >= out.shape[0]:
            return -at - 2
        low: Int = np.int64(data[at])
        if low >= 128 and at + 1 < end and data[at + 1] < 128:  # most are of two bytes
            low = (low & 127) | (np.int64(data[at + 1]) << 7)
            at += 2
        elif low < 128:
            at += 1
        else:
            low, behind = varint(data, at, end)
            if behind < 0:
                return -at - 2
            at = behind
        out[used] = low
        used += 1
    return used


@checked
def _is_bytes(data: U8, columns: Columns, text: Int) -> Int:
    """Whether a text is ``bytes``."""
    if text < 0 or text >= columns.text_at.shape[0] or columns.text_size[text] != 5:
        return 0
    at = columns.text_at[text]
    word = (98, 121, 116, 101, 115)
    for k in range(5):
        if data[at + k] != word[k]:
            return 0
    return 1


@checked
def _settle_labels(data: U8, columns: Columns) -> None:
    """Takes object sizes out of the labels."""
    kept = 0
    for row in range(columns.label_count[0]):
        if columns.label[row, 2] == 0 and _is_bytes(data, columns, columns.label[row, 1]):
            columns.size[columns.label[row, 0]] = columns.label[row, 3]
        else:
            for k in range(5):
                columns.label[kept, k] = columns.label[row, k]
            kept += 1
    columns.label_count[0] = kept


@checked
def _sample(data: U8, at: Int, end: Int, columns: Columns, sample: Int, used: Int) -> Int:
    """A sample; how many references are in use then, or minus an offset less 2."""
    values = 0
    types = columns.value.shape[1]
    while at < end:
        name, wire, value, content, behind = field(data, at, end)
        if behind < 0:
            return -at - 2
        if name == 1:
            if wire == _BYTES:
                used = _list_of(data, content, behind, columns.reference, used)
                if used < 0:
                    return used
            elif wire == _VARINT:
                columns.reference[used] = value
                used += 1
            else:
                return -at - 2
        elif name == 2:
            if wire == _BYTES:
                values = _list_of(data, content, behind, columns.value[sample], values)
                if values < 0:
                    return values
            elif wire == _VARINT and values < types:
                columns.value[sample, values] = value
                values += 1
            else:
                return -at - 2
        elif name == 3:
            if wire != _BYTES:
                return -at - 2
            row = columns.label_count[0]
            columns.label[row, 0] = sample
            wrong = _numbers_of(data, content, behind, columns.label[row, 1:], np.int64(4))
            if wrong >= 0:
                return -wrong - 2
            columns.label_count[0] = row + 1
        at = behind
    return used if values == types else -end - 2


@checked
def _location(data: U8, at: Int, end: Int, columns: Columns, place: Int, used: Int, scratch: I64) -> Int:
    """A location; how many lines are in use then, or minus an offset less 2. One without lines is unusual."""
    first = used
    while at < end:
        name, wire, value, content, behind = field(data, at, end)
        if behind < 0:
            return -at - 2
        if name == 1 or name == 2 or name == 3 or name == 5:
            if wire != _VARINT:
                return -at - 2
            if name == 1:
                columns.location_id[place] = value
        elif name == 4:
            scratch[:] = 0
            if wire != _BYTES or _numbers_of(data, content, behind, scratch, np.int64(3)) >= 0:
                return -at - 2
            columns.line_function[used] = scratch[0]
            columns.line[used] = scratch[1]
            used += 1
        at = behind
    return used if used > first else -end - 2


@checked
def extract(data: U8, columns: Columns, scratch: I64) -> Int:
    """All fields of a profile into columns that ``measure`` sized; FINE or an offset. O(bytes).

    scratch: int64[10].
    """
    end: Int = np.int64(data.shape[0])
    texts = 0
    samples = 0
    references: Int = np.int64(0)
    locations = 0
    lines: Int = np.int64(0)
    functions = 0
    types = 0
    mappings = 0
    comments: Int = np.int64(0)
    at: Int = np.int64(0)
    while at < end:
        name, wire, value, content, behind = field(data, at, end)
        if name == STRING:
            if wire != _BYTES:
                return at
            columns.text_at[texts] = content
            columns.text_size[texts] = value
            texts += 1
        elif name <= PERIOD_TYPE and name != TIME and name != DURATION and name != 7 and name != 8:
            if wire != _BYTES:
                return at
            wrong: Int = np.int64(FINE)
            scratch[:] = 0
            if name == SAMPLE:
                references = _sample(data, content, behind, columns, samples, references)
                if references < 0:
                    return -references - 2
                samples += 1
                columns.first_reference[samples] = references
            elif name == LOCATION:
                lines = _location(data, content, behind, columns, locations, lines, scratch)
                if lines < 0:
                    return -lines - 2
                locations += 1
                columns.first_line[locations] = lines
            elif name == FUNCTION:
                wrong = _numbers_of(data, content, behind, scratch, np.int64(5))
                columns.function[functions, 0] = scratch[0]
                columns.function[functions, 1] = scratch[1]
                columns.function[functions, 2] = scratch[3]
                functions += 1
            elif name == SAMPLE_TYPE:
                wrong = _numbers_of(data, content, behind, columns.types[types], np.int64(2))
                types += 1
            elif name == PERIOD_TYPE:
                wrong = _numbers_of(data, content, behind, columns.period_type, np.int64(2))
            elif name == MAPPING:
                wrong = _numbers_of(data, content, behind, scratch, np.int64(10))
                if mappings == 0:
                    columns.mapping[0] = scratch[4]
                    columns.mapping[1] = scratch[5]
                mappings += 1
            if wrong >= 0:
                return wrong
        elif name == COMMENT and wire == _BYTES:
            comments = _list_of(data, content, behind, columns.comment, comments)
            if comments < 0:
                return at
            columns.single[COMMENT] = comments
        elif name == COMMENT and wire == _VARINT:
            columns.comment[comments] = value
            comments += 1
            columns.single[COMMENT] = comments
        elif name <= _LAST_FIELD:
            if wire != _VARINT:
                return at
            columns.single[name] = value
        at = behind
    _settle_labels(data, columns)
    return np.int64(FINE)


@kernel
def intern_pairs(first: I64, second: I64, factor: Int, key: I64, slot: I32, used: I64, out: I32) -> None:
    """The number of each pair, which is given where it is new. O(pairs).

    first, second: int64[n]; factor: odd, not known to who made the profile; key: int64[room, 2], pairs that
    have a number; slot: int32[a power of two], number + 1 by hash, 0 empty, at most half in use; used:
    int64[1]; out: int32[n].
    """
    mask = slot.shape[0] - 1
    for i in range(first.shape[0]):
        mixed = (first[i] * factor + second[i]) * factor
        at = (mixed ^ (mixed >> 31)) & mask
        while slot[at] != 0:
            known = slot[at] - 1
            if key[known, 0] == first[i] and key[known, 1] == second[i]:
                break
            at = (at + 1) & mask
        if slot[at] == 0:
            key[used[0], 0] = first[i]
            key[used[0], 1] = second[i]
            used[0] += 1
            slot[at] = used[0]
        out[i] = slot[at] - 1


@kernel
def place_pairs(key: I64, used: Int, factor: Int, slot: I32) -> None:
    """Enters pairs 0 .. used - 1 into an empty table of slots. O(pairs)."""
    mask = slot.shape[0] - 1
    for i in range(used):
        mixed = (key[i, 0] * factor + key[i, 1]) * factor
        at = (mixed ^ (mixed >> 31)) & mask
        while slot[at] != 0:
            at = (at + 1) & mask
        slot[at] = i + 1


@kernel
def hash_locations(first_line: I64, frame: I32, factor: Int, out: I64) -> None:
    """out: int64[l, 3]: the hash of a location's frames, what a hash before it is multiplied by, how many."""
    for i in range(first_line.shape[0] - 1):
        mixed: Int = np.int64(0)
        power: Int = np.int64(1)
        for k in range(first_line[i], first_line[i + 1]):
            one = (frame[k] + 1) * factor
            mixed = mixed * factor + (one ^ (one >> 29)) * _SPREAD
            power *= factor
        out[i, 0] = mixed
        out[i, 1] = power
        out[i, 2] = first_line[i + 1] - first_line[i]


@kernel
def _same(pool: Pool, row: Int, first_line: I64, frame: I32, reference: I64, begin: Int, end: Int) -> Int:
    """Whether a stack of the pool has the frames of the locations reference[begin:end]."""
    at = pool.start[row]
    last = pool.start[row + 1]
    for k in range(begin, end):
        place = reference[k]
        for i in range(first_line[place], first_line[place + 1]):
            if at >= last or pool.frame[at] != frame[i]:
                return 0
            at += 1
    return 1 if at == last else 0


@kernel
def intern_stacks(pool: Pool, columns: Columns, frame: I32, hashes: I64, out: I32) -> None:
    """The number of each sample's stack, which is given where it is new; the pool has room. O(frames).

    columns.reference are indexes of locations here; frame: int32[lines], numbers of frames; hashes: of
    ``hash_locations``; out: int32[n]. Stacks of one hash of 64 bits, whose factor nobody knows, and of one
    length are the same; only long ones, for which collisions can be made for every factor, are compared.
    """
    mask = pool.slot.shape[0] - 1
    for i in range(out.shape[0]):
        begin = columns.first_reference[i]
        end = columns.first_reference[i + 1]
        mixed: Int = np.int64(0)
        count: Int = np.int64(0)
        for k in range(begin, end):
            place = columns.reference[k]
            mixed = mixed * hashes[place, 1] + hashes[place, 0]
            count += hashes[place, 2]
        at = (mixed ^ (mixed >> 31)) & mask
        while pool.slot[at] != 0:
            row = pool.slot[at] - 1
            if pool.hash[row] == mixed and pool.start[row + 1] - pool.start[row] == count:
                if count < _LONG:
                    break
                if _same(pool, row, columns.first_line, frame, columns.reference, begin, end):
                    break
            at = (at + 1) & mask
        if pool.slot[at] == 0:
            row = pool.used[0]
            used = pool.used[1]
            for k in range(begin, end):
                place = columns.reference[k]
                for line in range(columns.first_line[place], columns.first_line[place + 1]):
                    pool.frame[used] = frame[line]
                    used += 1
            pool.used[0] = row + 1
            pool.used[1] = used
            pool.start[row + 1] = used
            pool.hash[row] = mixed
            pool.slot[at] = row + 1
        out[i] = pool.slot[at] - 1


@kernel
def add_rows(rows: I32, value: I64, out: I64) -> None:
    """Adds row i of value to row rows[i] of out."""
    for i in range(rows.shape[0]):
        for k in range(value.shape[1]):
            out[rows[i], k] += value[i, k]


@kernel
def place_stacks(hashes: I64, used: Int, slot: I32) -> None:
    """Enters stacks 0 .. used - 1 into an empty table of slots. O(stacks)."""
    mask = slot.shape[0] - 1
    for row in range(used):
        at = (hashes[row] ^ (hashes[row] >> 31)) & mask
        while slot[at] != 0:
            at = (at + 1) & mask
        slot[at] = row + 1
