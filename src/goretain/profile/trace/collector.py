"""What the garbage collector did: heap and goal over time, collections, pauses, marking and who paid for it.

Events of runtime/mgc.go, mgcpacer.go and mgcmark.go. Imports ``kernels``, ``snapshot``, numpy,
``profile.frames`` and this room.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from goretain.kernels.traceorder import sample_between
from goretain.kernels.tracewire import I32, I64
from goretain.profile.frames import NOWHERE, own_frame
from goretain.profile.trace.columns import Key, Trace, distinct
from goretain.profile.trace.events import Event
from goretain.profile.trace.states import States
from goretain.snapshot import Frame


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
    out: list[int | None] = []
    latest: int | None = None
    for most, when, value in _sampled(trace, event, edges).tolist():
        if when < 0:
            out.append(latest)
        else:
            out.append(most)
            latest = value
    return out


def cycles(trace: Trace) -> list[Cycle]:
    """The collections, in the order of their sequence numbers."""
    rows = trace.select(Event.GC_BEGIN, Event.GC_END)
    rows = rows[np.argsort(trace.number(rows, 0), kind="stable")]
    times = np.maximum.accumulate(trace.time[rows])
    found: list[tuple[int | None, int | None]] = []
    begun: int | None = None
    for kind, time in zip(trace.events.kind[rows].tolist(), times.tolist(), strict=True):
        if kind == Event.GC_BEGIN:
            if begun is not None:
                found.append((begun, None))
            begun = time
        else:
            found.append((begun, time))
            begun = None
    if begun is not None:
        found.append((begun, None))
    heap = _heap_at(trace, times)
    return [Cycle(begin, end, heap.get(begin), heap.get(end)) for begin, end in found]


def _heap_at(trace: Trace, times: I64) -> dict[int | None, int]:
    """Time -> bytes that were allocated, as of the latest that was said by then; times ascend."""
    asked = np.unique(times)
    behind = np.concatenate(([-1], asked + 1, [trace.duration_ns + 2]))
    found: dict[int | None, int] = {}
    latest: int | None = None
    for time, (_, when, value) in zip(
        asked.tolist(), _sampled(trace, Event.HEAP_ALLOC, behind).tolist(), strict=False
    ):
        latest = value if when >= 0 else latest
        if latest is not None:
            found[time] = latest
    return found


def _sampled(trace: Trace, event: Event, edges: I64) -> I64:
    """int64[k, 3], of a metric between edges: its largest value, when its latest came (-1 none), and that."""
    out = np.full((len(edges) - 1, 3), -1, np.int64)
    sample_between(trace.data, trace.events, trace.listed(event), edges, out)
    return out


def pauses(trace: Trace, states: States) -> list[Cause]:
    """Why the world was stopped, and for how long; longest in all first."""
    rows, spent = _ranges(trace, states, Event.STW_BEGIN, Event.STW_END)
    return _named(trace, rows, spent, lambda key: (trace.tables.text(*key), NOWHERE))


def assists(trace: Trace, states: States) -> list[Cause]:
    """Where goroutines had to mark before they could allocate; with the time that they waited for it."""
    rows, spent = _ranges(trace, states, Event.GC_MARK_ASSIST_BEGIN, Event.GC_MARK_ASSIST_END)
    return _named(trace, rows, spent, lambda key: ("assist", own_frame(trace.tables.frames(*key))))


def workers(states: States) -> list[Cause]:
    """Processor time of the background workers by their kind: dedicated, fractional, idle."""
    found = [np.flatnonzero(states.label == at) for at, name in enumerate(states.labels) if _is_worker(name)]
    rows = np.concatenate(found) if found else np.zeros(0, np.int64)
    names = [(name.removeprefix("running: "), NOWHERE) for name in states.labels]
    return _causes(names, states.label[rows], states.until(rows) - states.since[rows])


def _is_worker(label: str) -> bool:
    return label.startswith("running: GC (")  # gcMarkWorkerModeStrings


def _ranges(trace: Trace, states: States, begin: Event, end: Event) -> tuple[I64, I64]:
    """(events that begin, nanoseconds) of what goroutines began, up to its end or that of the trace."""
    goroutine, rows = states.passing.T.astype(np.int64)
    kinds = trace.events.kind[rows]
    chosen = (kinds == begin) | (kinds == end)
    goroutine, rows = goroutine[chosen], rows[chosen]
    until = np.full(len(rows), trace.duration_ns)
    follows = goroutine[1:] == goroutine[:-1]
    until[:-1][follows] = trace.time[rows[1:]][follows]
    begins = trace.events.kind[rows] == begin
    return rows[begins], np.maximum(until[begins] - trace.time[rows[begins]], 0)


def _named(trace: Trace, rows: I64, spent: I64, name: Callable[[Key], tuple[str, Frame]]) -> list[Cause]:
    """Time by what the first numbers of events name."""
    generation, number = trace.generation(rows), trace.number(rows, 0)
    one, which = distinct(generation, number)
    keys = zip(generation[one].tolist(), number[one].tolist(), strict=True)
    return _causes([name(key) for key in keys], which, spent)


def _causes(names: list[tuple[str, Frame]], which: I32 | I64, spent: I64) -> list[Cause]:
    """Time by cause, most first. which: the name of each row."""
    known = {name: at for at, name in enumerate(dict.fromkeys(names))}
    which = np.array([known[name] for name in names], np.int64)[which] if names else which
    count, total, longest = (np.zeros(len(known), np.int64) for _ in range(3))
    np.add.at(count, which, 1)
    np.add.at(total, which, spent)
    np.maximum.at(longest, which, spent)
    sums = zip(known, count.tolist(), total.tolist(), longest.tolist(), strict=True)
    found = [Cause(*name, *row) for name, *row in sums if row[0]]
    return sorted(found, key=lambda cause: -cause.total_ns)
