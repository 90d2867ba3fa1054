"""What ``trace`` answers. Imports msgspec, and ``snapshot`` for a frame."""

from __future__ import annotations

from typing import Literal

import msgspec

from goretain.snapshot import Frame


class StateRow(msgspec.Struct, frozen=True, kw_only=True):
    """Goroutines in one state.

    Attributes:
        state: ``running``, ``runnable``, ``in a system call``, ``waiting: chan receive``.
        mean: how many were in it, over all of the trace; at_end: how many as it ends.
        course: the same between each two of the report's ``edges_ns``.
    """

    state: str
    mean: float
    at_end: int
    course: tuple[float, ...]


class UnendedRow(msgspec.Struct, frozen=True, kw_only=True):
    """Goroutines that are alive as the trace ends, of one creator and standing in one place.

    Attributes:
        created_at: the line of the go statement, None of goroutines from before the trace.
        start: the function that it starts, None unknown. system: whether the runtime's own began so.
        state: as in a StateRow; place: where they stand, None unknown.
        count: how many; asleep: how many of them did nothing in the second half of the trace.
        created, ended: how many of that creator began and ended while traced, wherever they stand; None from
            before the trace.
    """

    created_at: Frame | None
    start: Frame | None
    system: bool
    state: str
    place: Frame | None
    count: int
    asleep: int
    created: int | None
    ended: int | None


class CycleRow(msgspec.Struct, frozen=True, kw_only=True):
    """A garbage collection, from the beginning of marking to its end; None lies beyond the trace.

    Attributes:
        begin_ns, end_ns: since the trace began. heap_begin_bytes, heap_end_bytes: allocated then.
    """

    begin_ns: int | None
    end_ns: int | None
    heap_begin_bytes: int | None
    heap_end_bytes: int | None


class CauseRow(msgspec.Struct, frozen=True, kw_only=True):
    """Time by what took it.

    Attributes:
        name: ``GC (dedicated)``, ``assist``, ``stop-the-world (GC mark termination)``.
        place: of an assist the line that allocated; None: of no single one.
        count, total_ns, longest_ns: how often, how long in all and at the longest.
    """

    name: str
    place: Frame | None
    count: int
    total_ns: int
    longest_ns: int


class CollectorSection(msgspec.Struct, frozen=True, kw_only=True):
    """What the garbage collector did.

    Attributes:
        heap_bytes, goal_bytes: largest between each two of the report's ``edges_ns``, None unknown.
        cycles: the collections.
        workers: processor time of background marking by kind of worker.
        assists: marking that goroutines did before they could allocate, by line, waiting for it included.
        assists_total, assist_ns: how many lines, and the time of all.
        pauses: why the world was stopped.
    """

    heap_bytes: tuple[int | None, ...]
    goal_bytes: tuple[int | None, ...]
    cycles: tuple[CycleRow, ...]
    workers: tuple[CauseRow, ...]
    assists: tuple[CauseRow, ...]
    assists_total: int
    assist_ns: int
    pauses: tuple[CauseRow, ...]


class TracedTypeRow(msgspec.Struct, frozen=True, kw_only=True):
    """Objects of one type.

    Attributes:
        type: without paths of packages; of an array that was allocated as such, the type of one value.
        value_bytes: of one value, None of memory without a type.
        before: how many there were as the trace began; allocated, freed: while traced.
        left: of those allocated while traced, how many were not freed.
    """

    type: str
    value_bytes: int | None
    before: int
    allocated: int
    freed: int
    left: int


class TraceReport(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of ``goretain trace``.

    Attributes:
        schema: names this shape.
        name: as the user named the trace.
        format: the Go whose format it has: ``1.26``, which 1.27 writes too.
        events, duration_ns: how many, and from the beginning to the last.
        edges_ns: what courses and curves are divided by, since the trace began.
        states: by how many goroutines were in them; states_total: how many states.
        goroutines_created, goroutines_ended, goroutines_alive: while traced, and as it ends.
        unended: the groups alive as it ends: those that began while traced, older ones, the runtime's own;
            unended_total: how many.
        collector: what the garbage collector did.
        types: of a trace with allocations, by how many are left; None of others; types_total: how many.
        notes: what is to be known.
    """

    schema: Literal["goretain/trace/1"] = "goretain/trace/1"
    goretain: str
    name: str
    format: str
    events: int
    duration_ns: int
    edges_ns: tuple[int, ...]
    states: tuple[StateRow, ...]
    states_total: int
    goroutines_created: int
    goroutines_ended: int
    goroutines_alive: int
    unended: tuple[UnendedRow, ...]
    unended_total: int
    collector: CollectorSection
    types: tuple[TracedTypeRow, ...] | None
    types_total: int | None
    notes: tuple[str, ...] = ()
