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

from goretain.kernels.jit import Int, checked, inlined_checked
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
# What an event does to the goroutine that runs on its thread: its first number is what runs now; none does;
# its numbers are a goroutine, a thread and a status.
KEEPS, STARTS, STOPS, STATES = 0, 1, 2, 3
_RUNNING, _IN_SYSCALL = 2, 3
#: Arity of what is no event.
NO_EVENT = 255
# What is wrong where a walk stops.
OK, CUT_OFF, BAD_BATCH, BAD_EVENT, BAD_LENGTH, BAD_TIME = 0, 1, 2, 3, 4, 5
# Counters of a walk.
ROWS, NUMBERS, BROKEN_AT, BROKEN_KIND = 0, 1, 2, 3
_LATEST = 1 << 62


class Events(NamedTuple):
    """Timed events, by thread and in its order.

    kind: uint8[n]; batch: int32[n]; time: int64[n], nanoseconds since the trace began; goroutine: int64[n],
    what ran on the thread as it happened, 0 none; first: int32[n], into numbers: int64[m], which follow the
    time in the event.
    """

    kind: U8
    batch: I32
    time: I64
    goroutine: I64
    first: I32
    numbers: I64


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


@inlined_checked
def _runs(running: Int, does: Int, thread: Int, numbers: I64, m: Int) -> Int:
    """The goroutine that runs on a thread behind an event whose numbers are those from ``m`` on."""
    if does == KEEPS:
        return running
    if does == STOPS:
        return np.int64(0)
    if does == STARTS:
        return numbers[m]
    status = numbers[m + 2]
    here = status == _RUNNING or (status == _IN_SYSCALL and numbers[m + 1] == thread)
    return numbers[m] if here else running


@checked
def read_events(
    data: U8,
    batches: I64,
    rows: I64,
    shape: tuple[U8, U8],
    clock: tuple[Int, float],
    events: Events,
    counts: I64,
) -> Int:
    """Walks the timed events of ``rows`` of batches and stores them; every event takes two bytes or more.

    Args:
        rows: int64[b], those of one thread together, in the order of the file.
        shape: arity uint8[256], numbers behind the kind, time included, or NO_EVENT; effect uint8[256].
        clock: ticks as the trace begins, nanoseconds a tick.
        counts: int64[4], filled in any case.

    Returns OK, or what is wrong with the event at counts[BROKEN_AT].
    """
    arity, effect = shape
    k = 0
    m = 0
    running: Int = np.int64(0)
    for q in range(rows.shape[0]):
        row = rows[q]
        thread = batches[row, THREAD]
        if q == 0 or thread != batches[rows[q - 1], THREAD]:
            running = np.int64(0)
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
            events.kind[k] = kind
            events.batch[k] = row
            events.time[k] = np.int64(min((ticks - clock[0]) * clock[1], _LATEST))
            events.goroutine[k] = running
            events.first[k] = m
            count: Int = np.int64(arity[kind]) - 1
            for place in range(count):
                events.numbers[m + place], at = varint(data, at, end)
                if at < 0:
                    return CUT_OFF
            running = _runs(running, effect[kind], thread, events.numbers, m)
            m += count
            k += 1
    counts[ROWS] = k
    counts[NUMBERS] = m
    return OK


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
