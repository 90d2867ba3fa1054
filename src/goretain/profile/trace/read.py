"""Reads an execution trace into columns.

The header, batches and tables are those of internal/trace/tracev2 and runtime/trace*.go. Imports ``kernels``,
``model``, ``profile.sources`` and this room.
"""

from __future__ import annotations

import re

import numpy as np

from goretain.kernels import tracewire as wire
from goretain.kernels.tracewire import I64, Entries, Events
from goretain.model.errors import CorruptFile
from goretain.profile.sources.source import Source
from goretain.profile.trace.columns import Tables, Trace
from goretain.profile.trace.events import ARITY, STORED

_HEADER = re.compile(rb"go 1\.(\d{1,3}) trace\0*")
_HEADER_BYTES = 16
#: The first Go whose traces have this format, and the last whose format is known (1.27 writes that of 1.26).
_FIRST, _LAST = 22, 26
#: Bytes that are looked at together, of what needs no memory of the size of the trace.
_PART = 1 << 20
#: From this one on the end of a generation is marked.
_MARKED = 26
_REASONS = {
    wire.CUT_OFF: "it is cut off",
    wire.BAD_BATCH: "there should be a batch of events",
    wire.BAD_EVENT: "there is no event {kind}",
    wire.BAD_LENGTH: "a length is larger than what holds it",
    wire.BAD_TIME: "a time lies beyond all clocks",
}
_AGAIN = "fetch it again, and let the program end it: trace.Stop, or /debug/pprof/trace?seconds=5"


def read_trace(source: Source) -> Trace:
    """The events of a trace.

    Raises:
        CorruptFile: it is no trace, one of another format, or damaged; with the offset.
    """
    name, data = source.name, np.frombuffer(source.data, np.uint8)
    version = _version(source.data[:_HEADER_BYTES], name)
    counts = np.zeros(4, np.int64)
    row, batches = np.zeros(wire.BATCH_COLUMNS, np.int64), np.zeros((0, wire.BATCH_COLUMNS), np.int64)
    _check(wire.list_batches(data, _HEADER_BYTES, row, batches, counts), name, counts)
    if counts[wire.ROWS]:
        batches = np.zeros((int(counts[wire.ROWS]), wire.BATCH_COLUMNS), np.int64)
        wire.list_batches(data, _HEADER_BYTES, row, batches, counts)
    entries = _entries(data, batches, name)
    tables = Tables.of(source.data, batches, entries)
    rate = _rate(entries)
    events, kinds, duration = _events(data, batches, rate or 1, name)
    if not kinds.any():
        raise CorruptFile(name, len(data), "it has no events", hint=_AGAIN)
    if not rate:
        raise CorruptFile(name, None, "it does not say how fast its clock ticks", hint=_AGAIN)
    cut_off = version >= _MARKED and int(batches[-1, wire.END]) == len(data)
    return Trace(name, version, data, batches, kinds, events, tables, duration, cut_off)


def _version(header: bytes, name: str) -> int:
    known = _HEADER.fullmatch(header)
    if known is None:
        reason = "it does not begin as an execution trace does"
        raise CorruptFile(name, 0, reason, hint="goretain profile reads profiles and dumps")
    version = int(known[1])
    if not _FIRST <= version <= _LAST:
        reason = f"a trace in the format of Go 1.{version}; known are those of Go 1.{_FIRST} to 1.{_LAST}"
        raise CorruptFile(name, 0, reason, hint="go tool trace of the program's Go reads it")
    return version


def _check(status: int, name: str, counts: I64) -> None:
    if status != wire.OK:
        reason = _REASONS[status].format(kind=int(counts[wire.BROKEN_KIND]))
        raise CorruptFile(name, int(counts[wire.BROKEN_AT]), reason, hint=_AGAIN)


def _entries(data: wire.U8, batches: I64, name: str) -> Entries:
    def room(rows: int, numbers: int) -> Entries:
        return Entries(
            np.zeros(rows, np.uint8), np.zeros(rows, np.int32), np.zeros(rows, np.int64),
            np.zeros(numbers, np.int64),
        )  # fmt: skip

    counts = np.zeros(4, np.int64)
    entries = room(0, 0)
    _check(wire.read_entries(data, batches, entries, counts), name, counts)
    if counts[wire.ROWS]:
        entries = room(int(counts[wire.ROWS]), int(counts[wire.NUMBERS]))
        wire.read_entries(data, batches, entries, counts)
    return entries


def _events(data: wire.U8, batches: I64, rate: int, name: str) -> tuple[Events, I64, int]:
    """(events, how many of each kind, the time of the last)."""
    timed = np.flatnonzero(batches[:, wire.FORM] == wire.EVENTS)
    rows = timed[np.argsort(batches[timed, wire.THREAD], kind="stable")]
    # Every number ends with a byte below 128, and an event has two of them or more. That many are room enough
    # without a walk to count them; memory that is not written to costs nothing.
    most = sum(int(np.count_nonzero(data[at : at + _PART] < 0x80)) for at in range(0, len(data), _PART)) // 2
    room = Events(
        kind=np.empty(most, np.uint8),
        time=np.empty(most, np.int64),
        at=np.empty(most, np.int32),
        row=rows,
        start=np.zeros(len(rows) + 1, np.int64),
    )
    counts, kinds = np.zeros(4, np.int64), np.zeros(256, np.int64)
    clock = (int(batches[timed, wire.TICKS].min(initial=0x7FFF_FFFF_FFFF_FFFF)), 1e9 / rate)
    _check(wire.read_events(data, batches, (ARITY, STORED), clock, room, kinds, counts), name, counts)
    used = int(counts[wire.ROWS])
    events = room._replace(kind=room.kind[:used], time=room.time[:used], at=room.at[:used])
    return events, kinds, int(counts[wire.LAST_TIME])


def _rate(entries: Entries) -> int:
    """Ticks of the trace's clock a second, 0 unknown."""
    said = np.flatnonzero(entries.kind == wire.FREQUENCY)
    rates = entries.numbers[entries.first[said]]
    # Every generation says so; it is one clock, and they know it better every time.
    return int(rates[-1]) if len(said) and (rates > 0).all() else 0
