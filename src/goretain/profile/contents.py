"""What a file holds: a profile, or what a program printed.

The structs are those of reports too. Sizes are bytes, None is unknown. Imports msgspec, ``columns`` and
``goroutines``.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from goretain.profile.columns import Profile
from goretain.profile.goroutines import Standing


class MemStats(msgspec.Struct, frozen=True, kw_only=True):
    """runtime.MemStats as a heap profile in text ends with it (runtime/pprof.writeHeapInternal).

    Attributes:
        heap_alloc, heap_objects: allocated and not yet swept; heap_in_use: spans that hold them.
        heap_idle: spans without objects; heap_released: the part of them that the system has back.
        heap_sys, stack_in_use, sys: heap, stacks and all that the runtime has of the system.
        total_alloc: since the start.
        next_gc: heap at which the next collection ends; gc_count, gc_forced: how many so far, and by
            runtime.GC; gc_cpu: their share of the processors since the start, 0 .. 1.
        max_rss: the largest resident size so far, None where the system does not tell.
    """

    heap_alloc: int
    heap_objects: int
    heap_in_use: int
    heap_idle: int
    heap_released: int
    heap_sys: int
    stack_in_use: int
    sys: int
    total_alloc: int
    next_gc: int
    gc_count: int
    gc_forced: int
    gc_cpu: float
    max_rss: int | None = None


class Collection(msgspec.Struct, frozen=True, kw_only=True):
    """A garbage collection as GODEBUG=gctrace=1 prints it (gcMarkTermination of runtime/mgc.go).

    Attributes:
        number: from 1 on; at: seconds since the start of the program.
        cpu_percent: of the processors, all collections since the start.
        pauses_ms: the world stood still (before and after marking); mark_ms: marking, while the program ran.
        assist_ms: processor time that goroutines marked while they allocated.
        start, end, live: heap as it began, as it ended, and what was marked; MiB are cut off.
        goal: that it was to end at; stacks, globals: that it scanned.
        procs: processors; forced: by runtime.GC or the two-minute rule.
    """

    number: int
    at: float
    cpu_percent: int
    pauses_ms: tuple[float, float]
    mark_ms: float
    assist_ms: float
    start: int
    end: int
    live: int
    goal: int
    stacks: int
    globals: int
    procs: int
    forced: bool


class Scavenge(msgspec.Struct, frozen=True, kw_only=True):
    """What was given back to the system, as GODEBUG=scavtrace=1 prints it (runtime/mgcscavenge.go).

    Attributes:
        background, eager: bytes given back since the line before, in the background and by allocation.
        released: bytes that the system has back now.
        utilisation: percent of the heap's memory that holds objects.
    """

    background: int
    eager: int
    released: int
    utilisation: int


class Benchmark(msgspec.Struct, frozen=True, kw_only=True):
    """One line of ``go test -bench``: name with its processors, iterations, unit -> value."""

    name: str
    iterations: int
    values: dict[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class Contents:
    """What was read of one file.

    Attributes:
        name: as the user named it, without a password.
        profile: None of what a program printed.
        memory: of a heap profile in text.
        goroutines: of a dump (debug=2, a panic, SIGQUIT).
        ended: what ended the program: ``panic: boom``, ``SIGQUIT: quit``; "" nothing.
        collections, scavenges, benchmarks: in the order of the file.
    """

    name: str
    profile: Profile | None = None
    memory: MemStats | None = None
    goroutines: tuple[Standing, ...] = ()
    ended: str = ""
    collections: tuple[Collection, ...] = ()
    scavenges: tuple[Scavenge, ...] = ()
    benchmarks: tuple[Benchmark, ...] = ()
