"""The answer of the gate. Imports ``gate`` and ``reports``."""

from __future__ import annotations

from collections.abc import Sequence

import goretain
from goretain.gate.measure import Measured, SiteVerdict
from goretain.gate.package import PackageMeasured, Plan
from goretain.gate.series import Series
from goretain.gate.verdict import Judged
from goretain.model.findings import Trend
from goretain.profile.columns import I64
from goretain.reports.results import (
    GateBenchmark,
    GatePackage,
    GateReport,
    PerIteration,
    RetainedRow,
    StandingLeft,
)

_ORDER: tuple[Trend, ...] = ("grows", "undecided", "settles")


def gate_report(measured: Sequence[PackageMeasured], plan: Plan, top: int) -> GateReport:
    """The verdicts as they are shown. top: rows of each list."""
    packages = tuple(
        GatePackage(
            path=one.package.path,
            go=one.go,
            failed=one.failed,
            benchmarks=tuple(_benchmark(each, top) for each in one.benchmarks),
        )
        for one in measured
    )
    benchmarks = [each for one in packages for each in one.benchmarks]
    trends = [each.trend for each in benchmarks]
    return GateReport(
        goretain=goretain.__version__,
        cpu=plan.settings.cpu,
        iterations=plan.budget.iterations,
        seconds=plan.budget.seconds,
        memory=plan.budget.bytes,
        packages=packages,
        grows=trends.count("grows"),
        undecided=trends.count("undecided"),
        settles=trends.count("settles"),
        skipped=sum(each.skipped for each in benchmarks),
        failed=sum(one.failed is not None for one in packages)
        + sum(each.failed is not None for each in benchmarks),
    )


def _benchmark(one: Measured, top: int) -> GateBenchmark:
    if one.series is None or one.total is None or one.goroutines is None:
        return GateBenchmark(name=one.name, trend=None, skipped=one.skipped, failed=one.failed)
    series = one.series
    left = dict(zip(series.standing, series.goroutines, strict=True))
    standing = [each for each in one.standing if each.count.trend != "settles"]
    return GateBenchmark(
        name=one.name,
        trend=one.trend,
        skipped=False,
        failed=None,
        iterations=tuple(series.iterations.tolist()),
        stopped=one.stopped,
        seconds=one.seconds,
        total=_row(one.total, series.bytes.sum(axis=0), series.objects.sum(axis=0)),
        goroutines=StandingLeft(stack=(), count=_amount(one.goroutines.count, series.goroutines.sum(axis=0))),
        sites=_sites(one, series, top),
        standing=tuple(
            StandingLeft(stack=each.stack, count=_amount(each.count, left[each.stack]))
            for each in sorted(standing, key=lambda each: _ORDER.index(each.count.trend))[:top]
        ),
        settles_total=sum(site.bytes.trend == "settles" for site in one.sites),
    )


def _sites(one: Measured, series: Series, top: int) -> tuple[RetainedRow, ...]:
    at = {stack: number for number, stack in enumerate(series.stacks)}
    chosen = [
        site for trend in _ORDER for site in [each for each in one.sites if each.bytes.trend == trend][:top]
    ]
    return tuple(_row(site, series.bytes[at[site.stack]], series.objects[at[site.stack]]) for site in chosen)


def _row(site: SiteVerdict, size: I64, objects: I64) -> RetainedRow:
    return RetainedRow(
        stack=site.stack, bytes=_amount(site.bytes, size), objects=_amount(site.objects, objects)
    )


def _amount(judged: Judged, left: I64) -> PerIteration:
    return PerIteration(
        trend=judged.trend,
        reason=judged.reason,
        decide=judged.decide,
        rate=judged.rate,
        low=judged.low,
        high=judged.high,
        left=tuple(left.tolist()),
    )
