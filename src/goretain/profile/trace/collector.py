"""What the garbage collector did: heap and goal over time, collections, pauses, marking and who paid for it.

Events of runtime/mgc.go, mgcpacer.go and mgcmark.go. Imports ``kernels``, ``snapshot``, numpy,
``profile.frames`` and this room.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from goretain.kernels.tracewire import I64
from goretain.profile.frames import own_frame
from goretain.profile.trace.columns import Trace
from goretain.profile.trace.events import Event
from goretain.profile.trace.states import States
from goretain.snapshot import Frame

#: How workers are labelled (gcMarkWorkerModeStrings).
_WORKER = "running: GC ("


class Cycle(NamedTuple):
    """A collection: from the beginning of marking to its end, nanoseconds; None beyond the trace.

    heap_begin, heap_end: bytes allocated as it began and as it ended, None unknown.
    """

    begin_ns: int | None
    end_ns: int | None
    heap_begin: int | None
    heap_end: int | None


@dataclass(frozen=True, slots=True)
class Cause:
    """Time by what took it: how often, nanoseconds in all and at the longest; place: "" for no single one."""

    name: str
    place: Frame
    count: int
    total_ns: int
    longest_ns: int


def curve(trace: Trace, event: Event, edges: I64) -> list[int | None]:
    """The largest value of a metric between the edges, carried on where it did not change; None before."""
    rows = trace.select(event)
    values, times = trace.number(rows, 0), trace.time[rows]
    out: list[int | None] = []
    latest: int | None = None
    bounds = np.searchsorted(times, edges[1:-1], "left").tolist()
    for low, high in zip([0, *bounds], [*bounds, len(rows)], strict=True):
        if high > low:
            latest = int(values[high - 1])
            out.append(int(values[low:high].max()))
        else:
            out.append(latest)
    return out


def cycles(trace: Trace) -> list[Cycle]:
    """The collections, in order of time."""
    rows = trace.select(Event.GC_BEGIN, Event.GC_END)
    heap_rows = trace.select(Event.HEAP_ALLOC)
    times, values = trace.time[heap_rows], trace.number(heap_rows, 0)

    def heap(time: int | None) -> int | None:
        at = 0 if time is None else int(np.searchsorted(times, time, "right"))
        return int(values[at - 1]) if at else None

    found: list[tuple[int | None, int | None]] = []
    begun: int | None = None
    for kind, time in zip(trace.events.kind[rows].tolist(), trace.time[rows].tolist(), strict=True):
        if kind == Event.GC_BEGIN:
            if begun is not None:
                found.append((begun, None))
            begun = time
        else:
            found.append((begun, time))
            begun = None
    if begun is not None:
        found.append((begun, None))
    return [Cycle(begin, end, heap(begin), heap(end)) for begin, end in found]


def pauses(trace: Trace) -> list[Cause]:
    """Why the world was stopped, and for how long; longest in all first."""
    rows, spent = _ranges(trace, Event.STW_BEGIN, Event.STW_END)
    keys = list(zip(trace.generation(rows).tolist(), trace.number(rows, 0).tolist(), strict=True))
    return _causes([(trace.tables.text(*key), Frame("")) for key in keys], spent)


def assists(trace: Trace) -> list[Cause]:
    """Where goroutines had to mark before they could allocate; with the time that they waited for it."""
    rows, spent = _ranges(trace, Event.GC_MARK_ASSIST_BEGIN, Event.GC_MARK_ASSIST_END)
    keys = list(zip(trace.generation(rows).tolist(), trace.number(rows, 0).tolist(), strict=True))
    places = {key: own_frame(trace.tables.frames(*key)) for key in set(keys)}
    return _causes([("assist", places[key]) for key in keys], spent)


def workers(states: States) -> list[Cause]:
    """Processor time of the background workers by their kind: dedicated, fractional, idle."""
    chosen = [at for at, name in enumerate(states.labels) if name.startswith(_WORKER)]
    rows = np.flatnonzero(np.isin(states.label, chosen))
    names = [states.labels[at].removeprefix("running: ") for at in states.label[rows].tolist()]
    return _causes([(name, Frame("")) for name in names], states.until[rows] - states.since[rows])


def _ranges(trace: Trace, begin: Event, end: Event) -> tuple[I64, I64]:
    """(events that begin, nanoseconds) of what goroutines began, up to its end or that of the trace."""
    rows = trace.select(begin, end)
    rows = rows[np.argsort(trace.events.goroutine[rows], kind="stable")]
    goroutine = trace.events.goroutine[rows]
    until = np.full(len(rows), trace.duration_ns)
    follows = goroutine[1:] == goroutine[:-1]
    until[:-1][follows] = trace.time[rows[1:]][follows]
    begins = trace.events.kind[rows] == begin
    return rows[begins], until[begins] - trace.time[rows[begins]]


def _causes(keys: list[tuple[str, Frame]], spent: I64) -> list[Cause]:
    sums: dict[tuple[str, Frame], list[int]] = {}
    for key, time in zip(keys, spent.tolist(), strict=True):
        row = sums.setdefault(key, [0, 0, 0])
        row[0] += 1
        row[1] += time
        row[2] = max(row[2], time)
    return sorted((Cause(*key, *row) for key, row in sums.items()), key=lambda cause: -cause.total_ns)
