"""What ``gate`` answers. Imports msgspec, ``model``, and ``snapshot`` for a frame."""

from __future__ import annotations

from typing import Literal

import msgspec

from goretain.model.findings import Trend
from goretain.snapshot import Frame

#: What a change did to a call stack.
Course = Literal["new", "more", "less", "gone"]


class PerIteration(msgspec.Struct, frozen=True, kw_only=True):
    """An amount that iterations leave in use.

    Attributes:
        trend: the verdict; reason: why; decide: what would decide it, None where it is decided.
        rate: per iteration, the median of what the last doublings added; low, high: the least and the most
            that one added. None of too few runs.
        left: after each run.
    """

    trend: Trend
    reason: str
    decide: str | None
    rate: float | None
    low: float | None
    high: float | None
    left: tuple[int, ...]


class RetainedRow(msgspec.Struct, frozen=True, kw_only=True):
    """What is in use of a call stack.

    Attributes:
        stack: innermost frame first; none: of all.
        bytes, objects: the amounts.
        over: which limit it is over; allowed: why it may grow. Both None: it settles, or others speak for it.
        course: with --compare, which makes amounts those that the change adds, what became of it.
    """

    stack: tuple[Frame, ...]
    bytes: PerIteration
    objects: PerIteration
    over: str | None
    allowed: str | None
    course: Course | None = None


class StandingLeft(msgspec.Struct, frozen=True, kw_only=True):
    """Goroutines that are left at a call stack (none: of all); the rest as in a RetainedRow."""

    stack: tuple[Frame, ...]
    count: PerIteration
    over: str | None
    allowed: str | None
    course: Course | None = None


class KnownSite(msgspec.Struct, frozen=True, kw_only=True):
    """A known site of a goretain.toml: the file, the function as it is written there, and the reason."""

    config: str
    function: str
    reason: str


class GateBenchmark(msgspec.Struct, frozen=True, kw_only=True):
    """A benchmark.

    Attributes:
        name: as ``go test -bench`` prints it.
        trend: it grows if anything of it does; None: it was not measured.
        verdict: the same of what is over its limits; "allowed" where all that does not settle may grow.
        skipped: it skips itself; failed: why it could not be measured.
        iterations: of each run.
        stopped: why there were no more: "iterations" (all that were asked for), "time" or "memory".
        seconds: that the runs took.
        total: of all call stacks together; goroutines: of all together. None: it was not measured.
        sites: call stacks that grow, are undecided, may do so, and settle, the first ``top`` of each; none of
            too few runs to judge.
        standing: call stacks of goroutines, likewise, but those that settle.
        settles_total: how many call stacks settle.
        removed, removed_standing: with --compare, call stacks of which the change leaves less.
    """

    name: str
    trend: Trend | None
    verdict: Literal["grows", "undecided", "allowed", "settles"] | None
    skipped: bool
    failed: str | None
    iterations: tuple[int, ...] = ()
    stopped: Literal["iterations", "time", "memory"] = "iterations"
    seconds: float = 0.0
    total: RetainedRow | None = None
    goroutines: StandingLeft | None = None
    sites: tuple[RetainedRow, ...] = ()
    standing: tuple[StandingLeft, ...] = ()
    settles_total: int = 0
    removed: tuple[RetainedRow, ...] = ()
    removed_standing: tuple[StandingLeft, ...] = ()


class GatePackage(msgspec.Struct, frozen=True, kw_only=True):
    """A package.

    Attributes:
        path: import path; go: the version that built it, "" none did.
        config: the goretain.toml that holds for it; None: there is none.
        failed: why it could not be measured.
        notes: on the comparison.
    """

    path: str
    go: str
    config: str | None
    failed: str | None
    benchmarks: tuple[GateBenchmark, ...]
    notes: tuple[str, ...] = ()


class GateBase(msgspec.Struct, frozen=True, kw_only=True):
    """What --compare compared.

    Attributes:
        revision: as it was given; commit: its full name.
        head: commit of the work tree, "" none yet; uncommitted: whether it has changes that are in no commit.
    """

    revision: str
    commit: str
    head: str
    uncommitted: bool


class GateReport(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of ``goretain gate``: what each iteration of benchmarks leaves in use.

    Attributes:
        schema: names this shape.
        cpu: GOMAXPROCS of the runs.
        iterations, seconds, memory: that a benchmark was allowed.
        base: what is compared with; None: nothing, else all amounts are those that the change adds.
        packages: in the order of their paths.
        unseen: known sites that none of these benchmarks shows any more.
        grows, undecided, allowed, settles: how many benchmarks have that verdict; skipped, failed: were not
            measured, where a failed package counts as one.
    """

    schema: Literal["goretain/gate/1"] = "goretain/gate/1"
    goretain: str
    cpu: int
    iterations: int
    seconds: float
    memory: int
    base: GateBase | None
    packages: tuple[GatePackage, ...]
    unseen: tuple[KnownSite, ...]
    grows: int
    undecided: int
    allowed: int
    settles: int
    skipped: int
    failed: int
