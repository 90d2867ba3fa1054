"""Measure benchmarks: runs with more and more iterations until a budget is used up, and the verdict.

Imports this room.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from goretain.gate.build import Built
from goretain.gate.process import Settings
from goretain.gate.run import Found, Run, RunFailed, Stack, run
from goretain.gate.series import AN_OCTAVE, Series, ladder, side_by_side
from goretain.gate.verdict import Judged, judge
from goretain.model.findings import Trend
from goretain.profile.columns import I64

#: Why no more iterations were tried.
Stopped = Literal["iterations", "time", "memory"]
#: What rises by less per iteration, without showing that it goes on, settles: bytes, goroutines.
LEAST_BYTES, LEAST_GOROUTINES = 0.02, 0.0005


@dataclass(frozen=True, slots=True)
class Budget:
    """How far runs go.

    Attributes:
        iterations: of the largest run.
        seconds: for one benchmark.
        bytes: resident memory of a run.
    """

    iterations: int = 65_536
    seconds: float = 30.0
    bytes: int = 1 << 30


@dataclass(frozen=True, slots=True)
class SiteVerdict:
    """What a call stack leaves per iteration.

    Attributes:
        stack: innermost frame first.
        bytes, objects: the verdicts on both; the trend is that of the bytes.
        in_use_bytes, in_use_objects: after the last run.
    """

    stack: Stack
    bytes: Judged
    objects: Judged
    in_use_bytes: int
    in_use_objects: int


@dataclass(frozen=True, slots=True)
class StandingVerdict:
    """What stands at a call stack per iteration: stack, verdict, goroutines after the last run."""

    stack: Stack
    count: Judged
    left: int


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """A benchmark with its verdict.

    Attributes:
        name: as ``go test -bench`` prints it.
        skipped: the program skips it; failed: why it could not be measured. Nothing else is known then.
        series: what all runs left.
        stopped: why no more iterations were tried.
        total: of all call stacks together; sites: of each, those that keep most bytes per iteration first.
        goroutines: of all together; standing: of each call stack.
        seconds: that the runs took.
    """

    name: str
    skipped: bool = False
    failed: str | None = None
    series: Series | None = None
    stopped: Stopped = "iterations"
    total: SiteVerdict | None = None
    sites: tuple[SiteVerdict, ...] = ()
    goroutines: StandingVerdict | None = None
    standing: tuple[StandingVerdict, ...] = ()
    seconds: float = 0.0

    @property
    def trend(self) -> Trend | None:
        """It grows if anything of it does; None: it was not measured."""
        if self.total is None or self.goroutines is None:
            return None
        trends = {self.total.bytes.trend, self.goroutines.count.trend}
        trends |= {site.bytes.trend for site in self.sites} | {one.count.trend for one in self.standing}
        for trend in ("grows", "undecided"):
            if trend in trends:
                return trend
        return "settles"


@dataclass(slots=True)
class _Spent:
    """What runs took so far."""

    runs: list[Run] = field(default_factory=list)

    def over(self, budget: Budget) -> Stopped | None:
        """Why the next doubling is not for the budget."""
        last = self.runs[-AN_OCTAVE:]
        if len(self.runs) % AN_OCTAVE:
            return None
        if sum(run.seconds for run in self.runs) + 2 * sum(run.seconds for run in last) > budget.seconds:
            return "time"
        return "memory" if 2 * max(run.rss_bytes for run in last) > budget.bytes else None


def measure(
    built: Built,
    found: Found,
    settings: Settings,
    budget: Budget,
    on_run: Callable[[int], None] = lambda _: None,
) -> Measured:
    """Run a benchmark with more and more iterations, and judge what it left.

    Args:
        on_run: called with the number of iterations before each run.
    """
    if found.skipped or found.failed is not None:
        return Measured(found.name, found.skipped, found.failed)
    spent, stopped = _Spent(), None
    for iterations in ladder(budget.iterations):
        on_run(iterations)
        try:
            spent.runs.append(run(built, found.name, iterations, settings))
        except RunFailed as failed:
            return Measured(found.name, failed=failed.message)
        stopped = spent.over(budget)
        if stopped is not None:
            break
    return verdict_of(found.name, spent.runs, stopped or "iterations")


def verdict_of(name: str, runs: Sequence[Run], stopped: Stopped) -> Measured:
    """The verdict on runs of one benchmark, in the order of their iterations."""
    series = side_by_side(runs)
    sites = [
        _site(series, stack, size, objects)
        for stack, size, objects in zip(series.stacks, series.bytes, series.objects, strict=True)
    ]
    standing = [
        StandingVerdict(stack, judge(series.iterations, count, LEAST_GOROUTINES), int(count[-1]))
        for stack, count in zip(series.standing, series.goroutines, strict=True)
    ]
    everyone = series.goroutines.sum(axis=0)
    return Measured(
        name,
        series=series,
        stopped=stopped,
        total=_site(series, (), series.bytes.sum(axis=0), series.objects.sum(axis=0)),
        sites=tuple(sorted(sites, key=lambda site: -(site.bytes.rate or 0.0))),
        goroutines=StandingVerdict(
            (), judge(series.iterations, everyone, LEAST_GOROUTINES), int(everyone[-1])
        ),
        standing=tuple(sorted(standing, key=lambda one: -(one.count.rate or 0.0))),
        seconds=sum(run.seconds for run in runs),
    )


def _site(series: Series, stack: Stack, size: I64, objects: I64) -> SiteVerdict:
    return SiteVerdict(
        stack,
        judge(series.iterations, size, LEAST_BYTES),
        judge(series.iterations, objects, LEAST_GOROUTINES),
        int(size[-1]),
        int(objects[-1]),
    )
