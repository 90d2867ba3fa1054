"""Measure benchmarks: runs with more and more iterations until a budget is used up, and the verdict.

Imports this room.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

import numpy as np

from goretain.gate.build import Built
from goretain.gate.process import Settings
from goretain.gate.run import Found, Run, RunFailed, Stack, run
from goretain.gate.series import AN_OCTAVE, Series, ladder, side_by_side
from goretain.gate.verdict import LEAST_RUNS, Judged, judge
from goretain.model.findings import Trend
from goretain.profile.columns import I64

#: Why no more iterations were tried.
Stopped = Literal["iterations", "time", "memory"]
#: Runs where the budget is enough for all of them: two doublings more than are judged.
_STEPS = LEAST_RUNS + 2 * AN_OCTAVE
#: So much slower than its first iteration a benchmark may be, whose allocations are recorded.
_AT_ONCE = 4
#: What rises by less per iteration, without showing that it goes on, settles: bytes; objects and goroutines.
LEAST_BYTES, LEAST_NUMBER = 0.02, 0.0005


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
    """

    stack: Stack
    bytes: Judged
    objects: Judged


@dataclass(frozen=True, slots=True)
class StandingVerdict:
    """What stands at a call stack per iteration: stack and verdict."""

    stack: Stack
    count: Judged


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """A benchmark with its verdict.

    Attributes:
        name: as ``go test -bench`` prints it.
        skipped: the program skips it; failed: why it could not be measured. Nothing else is known then.
        series: what all runs left.
        stopped: why no more iterations were tried.
        total: of all call stacks together; sites: of each, those that keep most bytes per iteration
            first; none of too few runs.
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


def measure(
    built: Built,
    found: Found,
    settings: Settings,
    budget: Budget,
    on_run: Callable[[int], None] = lambda _: None,
    like: Sequence[int] = (),
) -> Measured:
    """Run a benchmark with more and more iterations, and judge what it left.

    Args:
        on_run: called with the number of iterations before each run.
        like: numbers of iterations of another measurement that it is to be compared with.
    """
    if found.skipped or found.failed is not None:
        return Measured(found.name, found.skipped, found.failed)

    def one(iterations: int) -> Run:
        on_run(iterations)
        return run(built, found.name, iterations, settings)

    steps = tuple(ladder(budget.iterations))
    runs: list[Run] = []
    stopped: Stopped = "iterations"
    try:
        if like:
            runs, stopped = _climb(like, one, budget)
        elif _AT_ONCE * found.seconds * sum(steps[-_STEPS:]) < budget.seconds:
            runs, stopped = _climb(steps[-_STEPS:], one, budget)
        if not like and len(runs) < LEAST_RUNS and len(runs) < len(steps):
            runs, stopped = _climb(steps, one, budget)
    except RunFailed as failed:
        return Measured(found.name, failed=failed.message)
    # The last ones alone, so that a slow first iteration, which decides where runs begin, changes no figure.
    return verdict_of(found.name, runs[-_STEPS:], stopped)


def _climb(steps: Sequence[int], one: Callable[[int], Run], budget: Budget) -> tuple[list[Run], Stopped]:
    """Runs of so many iterations each, until the next doubling is not for the budget."""
    runs: list[Run] = []
    for at, iterations in enumerate(steps):
        runs.append(one(iterations))
        coming = steps[at + 1 : at + 1 + AN_OCTAVE]
        if (at + 1) % AN_OCTAVE or not coming:
            continue
        spent = [run.seconds for run in runs]
        if sum(spent) + sum(_expected(runs, spent, coming)) > budget.seconds:
            return runs, "time"
        if max(_expected(runs, [float(run.rss_bytes) for run in runs], coming)) > budget.bytes:
            return runs, "memory"
    return runs, "iterations"


def _expected(runs: Sequence[Run], took: Sequence[float], coming: Sequence[int]) -> list[float]:
    """What runs of so many iterations will take, by what the last ones took: so much each, and so much more
    for every iteration.
    """
    last = slice(-2 * AN_OCTAVE, None)
    n, y = np.array([run.iterations for run in runs][last]), np.array(took[last])
    each = max(float(np.polyfit(n, y, 1)[0]), 0.0)
    return [float(y.max()) + each * (number - int(n[-1])) for number in coming]


def verdict_of(name: str, runs: Sequence[Run], stopped: Stopped) -> Measured:
    """The verdict on runs of one benchmark, in the order of their iterations."""
    series, decide = side_by_side(runs), _more(runs, stopped)
    sites: list[SiteVerdict] = []
    standing: list[StandingVerdict] = []
    if len(runs) >= LEAST_RUNS:
        sites = [
            _site(series, stack, size, objects, decide)
            for stack, size, objects in zip(series.stacks, series.bytes, series.objects, strict=True)
        ]
        standing = [
            _standing(series, stack, count, decide)
            for stack, count in zip(series.standing, series.goroutines, strict=True)
        ]
    return Measured(
        name,
        series=series,
        stopped=stopped,
        total=_site(series, (), series.bytes.sum(axis=0), series.objects.sum(axis=0), decide),
        sites=tuple(sorted(sites, key=lambda site: -(site.bytes.rate or 0.0))),
        goroutines=_standing(series, (), series.goroutines.sum(axis=0), decide),
        standing=tuple(sorted(standing, key=lambda one: -(one.count.rate or 0.0))),
        seconds=sum(run.seconds for run in runs),
    )


def _site(series: Series, stack: Stack, size: I64, objects: I64, decide: str) -> SiteVerdict:
    return SiteVerdict(
        stack,
        judge(series.iterations, size, LEAST_BYTES, in_arrays=_adds_none(objects), decide=decide),
        judge(series.iterations, objects, LEAST_NUMBER, decide=decide),
    )


def _standing(series: Series, stack: Stack, count: I64, decide: str) -> StandingVerdict:
    return StandingVerdict(stack, judge(series.iterations, count, LEAST_NUMBER, decide=decide))


def _adds_none(objects: I64) -> bool:
    """Whether the number of objects did not rise over the doublings that are judged."""
    judged = objects[-LEAST_RUNS:]
    return bool(judged[-1] <= judged[0])


def _more(runs: Sequence[Run], stopped: Stopped) -> str:
    """What gives more iterations."""
    last = runs[-1]
    if stopped == "iterations":
        *_, least = islice(ladder(1 << 30), LEAST_RUNS)
        return f"--iterations {max(4 * last.iterations, least)}"
    if stopped == "memory":
        return f"--memory {4 * last.rss_bytes >> 20}MiB, for runs that need it"
    wanted = max(4 * last.iterations, sum(islice(ladder(1 << 30), LEAST_RUNS)))
    seconds = 2 + int(4 * wanted * last.seconds / last.iterations)
    return f"--time {seconds}s, for more than {last.iterations:,} iterations"
