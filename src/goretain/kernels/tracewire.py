"""Decodes the batches of an execution trace: the part of reading one that costs.

The format is that of internal/trace/tracev2 (Go 1.22 and newer): behind the header, batches of one thread
and generation each; in them events, whose numbers are varints, or entries of tables. What an event has and
does is handed in by :mod:`goretain.profile.trace.events`. The bytes come from outside, so every access is
bounds-checked and every length is compared with what is left. Imports numpy and this package.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from goretain.kernels.jit import Int, checked
from goretain.kernels.varints import varint

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]

# Columns of a batch; END is where its bytes end, FORM what they are, EXPERIMENT 0 when it is none.
GENERATION, THREAD, TICKS, START, END, FORM, EXPERIMENT = 0, 1, 2, 3, 4, 5, 6
BATCH_COLUMNS = 7
# What begins a batch, and what ends a generation from Go 1.26 on (tracev2.EvEventBatch and others).
_BATCH, _EXPERIMENTAL, _END_OF_GENERATION = 1, 49, 52
# Forms of batches: timed events, or tables by the event that begins them.
EVENTS, STACKS, STRINGS, SAMPLES, FREQUENCY, SYNC, EXPERIMENT_DATA = 0, 2, 4, 6, 8, 50, 49
# Entries of tables; TYPE and LAYOUT are those of the experiment (traceAllocFreeTypesBatch and ...InfoBatch).
STACK, STRING, SAMPLE, CLOCK = 3, 5, 7, 51
TYPE, LAYOUT = 200, 201
#: Arity of what is no event.
NO_EVENT = 255
# What is wrong where a walk stops.
OK, CUT_OFF, BAD_BATCH, BAD_EVENT, BAD_LENGTH, BAD_TIME = 0, 1, 2, 3, 4, 5
# Counters of a walk; the time of the last event, of events in the place of their numbers.
ROWS, NUMBERS, BROKEN_AT, BROKEN_KIND = 0, 1, 2, 3
LAST_TIME = NUMBERS
_LATEST = 1 << 62


class Events(NamedTuple):
    """Timed events, by thread and in its order: those of the kinds that were asked for.

    kind: uint8[n]; time: int64[n], nanoseconds since the trace began; at: int32[n], offset of the numbers
    that follow the time in the event. row: int64[b], batches in the same order; start: int64[b + 1], where
    the events of each begin.
    """

    kind: U8
    time: I64
    at: I32
    row: I64
    start: I64


class Entries(NamedTuple):
    """Entries of tables; empty where they are only counted.

    kind: uint8[n]; batch: int32[n]; first: int64[n], into numbers: int64[m]. Of bytes, offset and length.
    """

    kind: U8
    batch: I32
    first: I64
    numbers: I64


@checked
def _batch(data: U8, at: Int, size: Int, row: I64) -> Int:
    """Reads the head of a batch into ``row`` int64[7]; offset behind the head, or minus what is wrong."""
    kind: Int = np.int64(data[at])
    at += 1
    row[EXPERIMENT] = 0
    if kind == _EXPERIMENTAL and at < size:
        row[EXPERIMENT] = data[at]
        at += 1
    elif kind != _BATCH:
        return -BAD_BATCH
    for column in (GENERATION, THREAD, TICKS, END):
        row[column], at = varint(data, at, size)
        if at < 0:
            return -CUT_OFF
    if row[TICKS] < 0 or row[TICKS] > _LATEST:
        return -BAD_TIME
    if row[END] < 0 or row[END] > size - at:
        return -CUT_OFF
    row[START] = at
    row[END] += at
    row[FORM] = EVENTS
    if kind == _EXPERIMENTAL:
        row[FORM] = EXPERIMENT_DATA
    elif at < row[END] and data[at] in (STACKS, STRINGS, SAMPLES, FREQUENCY, SYNC):
        row[FORM] = data[at]
    return at


@checked
def list_batches(data: U8, first: Int, row: I64, out: I64, counts: I64) -> Int:
    """Walks the batches from offset ``first``: counts them, and lists them where ``out`` has room.

    Args:
        row: int64[7] to work on. out: int64[n, 7]. counts: int64[4], filled in any case.

    Returns OK, or what is wrong at counts[BROKEN_AT]. A batch without bytes is left out.
    """
    size = data.shape[0]
    store = out.shape[0] > 0
    rows = 0
    at: Int = np.int64(first)
    while at < size:
        counts[BROKEN_AT] = at
        counts[BROKEN_KIND] = data[at]
        if data[at] == _END_OF_GENERATION:
            at += 1
            continue
        at = _batch(data, at, size, row)
        if at < 0:
            return -at
        if row[END] > at:
            if store:
                for column in range(BATCH_COLUMNS):
                    out[rows, column] = row[column]
            rows += 1
        at = row[END]
    counts[ROWS] = rows
    return OK


@checked
def read_events(
    data: U8,
    batches: I64,
    shape: tuple[U8, U8],
    clock: tuple[Int, float],
    events: Events,
    kinds: I64,
    counts: I64,
) -> Int:
    """Walks the timed events of batches, counts them and stores some.

    Args:
        shape: arity uint8[256], numbers behind the kind, time included, or NO_EVENT; uint8[256], 1 of what is
            stored.
        clock: ticks as the trace begins, nanoseconds a tick.
        events: row says which batches, those of one thread together, in the order of the file; the others are
            filled. An event takes two bytes or more.
        kinds: int64[256], how many events there are of each kind.
        counts: int64[4], filled in any case.

    Returns OK, or what is wrong with the event at counts[BROKEN_AT].
    """
    arity, stored = shape
    k = 0
    for q in range(events.row.shape[0]):
        row = events.row[q]
        events.start[q] = k
        ticks: Int = batches[row, TICKS]
        at: Int = batches[row, START]
        end = batches[row, END]
        while at < end:
            counts[BROKEN_AT] = at
            kind: Int = np.int64(data[at])
            counts[BROKEN_KIND] = kind
            if arity[kind] == NO_EVENT:
                return BAD_EVENT
            delta, at = varint(data, at + 1, end)
            if at < 0:
                return CUT_OFF
            if delta < 0 or delta > _LATEST - ticks:
                return BAD_TIME
            ticks += delta
            kinds[kind] += 1
            if stored[kind]:
                events.kind[k] = kind
                events.time[k] = np.int64(min((ticks - clock[0]) * clock[1], _LATEST))
                events.at[k] = at
                k += 1
            for _ in range(np.int64(arity[kind]) - 1):
                _, at = varint(data, at, end)
                if at < 0:
                    return CUT_OFF
        counts[LAST_TIME] = max(counts[LAST_TIME], np.int64(min((ticks - clock[0]) * clock[1], _LATEST)))
    events.start[events.row.shape[0]] = k
    counts[ROWS] = k
    return OK


@checked
def read_numbers(data: U8, at: I32, rows: I64, place: Int, out: I64) -> None:
    """The number at a place of events, which have so many: out int64[k], of those at offsets at[rows]."""
    end = data.shape[0]
    for i in range(rows.shape[0]):
        offset: Int = np.int64(at[rows[i]])
        for _ in range(place + 1):
            out[i], offset = varint(data, offset, end)


@checked
def _behind_entry(
    data: U8, at: Int, end: Int, kind: Int, numbers: I64, m: Int, store: bool
) -> tuple[Int, Int]:
    """(offset behind the numbers and bytes of an entry or minus what is wrong, place behind its numbers)."""
    count = 1
    if kind == STACK:
        count = 2
    elif kind == SAMPLE:
        count = 5
    elif kind in (CLOCK, LAYOUT, TYPE):
        count = 4
    place = 0
    while place < count:
        value, at = varint(data, at, end)
        if at < 0:
            return np.int64(-CUT_OFF), m
        if store:
            numbers[m] = value
        m += 1
        place += 1
        if kind == STACK and place == 2:
            if value < 0 or value > end - at:
                return np.int64(-BAD_LENGTH), m
            count += 4 * value
    if kind in (STRING, TYPE):
        length, at = varint(data, at, end)
        if at < 0:
            return np.int64(-CUT_OFF), m
        if length < 0 or length > end - at:
            return np.int64(-BAD_LENGTH), m
        if store:
            numbers[m] = at
            numbers[m + 1] = length
        m += 2
        at += length
    return at, m


@checked
def read_entries(data: U8, batches: I64, entries: Entries, counts: I64) -> Int:
    """Walks the tables among the batches: counts entries, and stores them where ``entries`` has room.

    counts int64[4] is filled in any case. Returns OK, or what is wrong with the entry at counts[BROKEN_AT].
    Experiments other than allocations (1) are passed over.
    """
    store = entries.kind.shape[0] > 0
    k = 0
    m: Int = np.int64(0)
    for row in range(batches.shape[0]):
        form = batches[row, FORM]
        at: Int = batches[row, START]
        end = batches[row, END]
        if form == EVENTS or (form == EXPERIMENT_DATA and batches[row, EXPERIMENT] != 1):
            continue
        counts[BROKEN_AT] = at
        counts[BROKEN_KIND] = data[at]
        head: Int = np.int64(0)
        if form == EXPERIMENT_DATA:
            if data[at] > 1:
                return BAD_EVENT
            head = np.int64(TYPE + data[at])
        if form != FREQUENCY:
            at += 1
        while at < end:
            counts[BROKEN_AT] = at
            kind: Int = head
            if head == 0:
                kind = np.int64(data[at])
                counts[BROKEN_KIND] = kind
                at += 1
                fits = kind == form + 1
                if form in (SYNC, FREQUENCY):
                    fits = kind in (FREQUENCY, CLOCK)
                if not fits:
                    return BAD_EVENT
            if store:
                entries.kind[k] = kind
                entries.batch[k] = row
                entries.first[k] = m
            at, m = _behind_entry(data, at, end, kind, entries.numbers, m, store)
            if at < 0:
                return -at
            k += 1
    counts[ROWS] = k
    counts[NUMBERS] = m
    return OK
