"""The answer to an execution trace. Imports ``profile`` and ``reports``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import goretain
from goretain.kernels.tracewire import I64
from goretain.profile.trace import collector
from goretain.profile.trace.columns import Trace
from goretain.profile.trace.events import Event
from goretain.profile.trace.objects import TypeCount, type_counts
from goretain.profile.trace.states import ENDED_LABEL, States, means, states_of
from goretain.profile.trace.unended import Unended, unended
from goretain.reports.results import (
    CauseRow,
    CollectorSection,
    CycleRow,
    StateRow,
    TracedTypeRow,
    TraceReport,
    UnendedRow,
)
from goretain.snapshot import Frame

#: Parts that courses are divided into.
_PARTS = 24
_CUT_OFF = "its end is missing: what goroutines did last may be missing too"


def trace_report(trace: Trace, top: int = 10) -> TraceReport:
    """What goroutines did, which of them did not end, and what the collector did. top: rows of each list."""
    edges = np.linspace(0, max(trace.duration_ns, 1), _PARTS + 1).astype(np.int64)
    states = states_of(trace)
    rows, groups = _states(states, edges), unended(trace, states)
    types = type_counts(trace) if trace.tables.traces_objects else None
    created = trace.count(Event.GO_CREATE, Event.GO_CREATE_BLOCKED, Event.GO_CREATE_SYSCALL)
    ended = trace.count(Event.GO_DESTROY, Event.GO_DESTROY_SYSCALL, Event.GO_SWITCH_DESTROY)
    return TraceReport(
        goretain=goretain.__version__,
        name=trace.name,
        format=f"1.{trace.version}",
        events=len(trace),
        duration_ns=trace.duration_ns,
        edges_ns=tuple(edges.tolist()),
        states=tuple(rows[:top]),
        states_total=len(rows),
        goroutines_created=created,
        goroutines_ended=ended,
        goroutines_alive=sum(group.count for group in groups),
        unended=tuple(_unended(group) for group in groups[:top]),
        unended_total=len(groups),
        collector=_collector(trace, states, edges, top),
        types=None if types is None else _types(types[:top]),
        types_total=None if types is None else len(types),
        notes=(_CUT_OFF,) if trace.cut_off else (),
    )


def _states(states: States, edges: I64) -> list[StateRow]:
    courses = means(states, edges)
    at_end = np.bincount(states.label[states.last()[0]], minlength=len(states.labels))
    return sorted(
        (
            StateRow(
                state=label,
                mean=round(float(course.mean()), 3),
                at_end=int(count),
                course=tuple(np.round(course, 3).tolist()),
            )
            for label, course, count in zip(states.labels, courses, at_end, strict=True)
            if label != ENDED_LABEL
        ),
        key=lambda row: -row.mean,
    )


def _unended(group: Unended) -> UnendedRow:
    known = group.created > 0
    return UnendedRow(
        created_at=_known(group.creator.created_at),
        start=_known(group.creator.start),
        system=group.system,
        state=group.state,
        place=_known(group.place),
        count=group.count,
        asleep=group.asleep,
        created=group.created if known else None,
        ended=group.ended if known else None,
    )


def _types(counts: Sequence[TypeCount]) -> tuple[TracedTypeRow, ...]:
    return tuple(
        TracedTypeRow(
            type=row.name,
            value_bytes=row.value_bytes,
            before=row.before,
            allocated=row.allocated,
            freed=row.freed,
            left=row.left,
        )
        for row in counts
    )


def _collector(trace: Trace, states: States, edges: I64, top: int) -> CollectorSection:
    assists = collector.assists(trace, states)
    return CollectorSection(
        heap_bytes=tuple(collector.curve(trace, Event.HEAP_ALLOC, edges)),
        goal_bytes=tuple(collector.curve(trace, Event.HEAP_GOAL, edges)),
        cycles=tuple(
            CycleRow(
                begin_ns=cycle.begin_ns,
                end_ns=cycle.end_ns,
                heap_begin_bytes=cycle.heap_begin,
                heap_end_bytes=cycle.heap_end,
            )
            for cycle in collector.cycles(trace)
        ),
        workers=_causes(collector.workers(states)),
        assists=_causes(assists[:top]),
        assists_total=len(assists),
        assist_ns=sum(cause.total_ns for cause in assists),
        pauses=_causes(collector.pauses(trace, states)),
    )


def _causes(causes: Sequence[collector.Cause]) -> tuple[CauseRow, ...]:
    return tuple(
        CauseRow(
            name=cause.name,
            place=_known(cause.place),
            count=cause.count,
            total_ns=cause.total_ns,
            longest_ns=cause.longest_ns,
        )
        for cause in causes
    )


def _known(frame: Frame) -> Frame | None:
    return frame if frame.function else None
