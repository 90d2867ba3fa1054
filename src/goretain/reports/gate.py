"""The answer of the gate. Imports ``gate`` and ``reports``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any, TypeVar

import goretain
from goretain.gate.allowed import Allowance, Ruling, allowance, unseen
from goretain.gate.compare import Compared, Course
from goretain.gate.config import Config
from goretain.gate.measure import Measured, SiteVerdict, StandingVerdict
from goretain.gate.package import PackageMeasured, Plan
from goretain.gate.run import Stack
from goretain.gate.series import Series
from goretain.gate.verdict import Judged
from goretain.profile.columns import I64
from goretain.reports.results import (
    GateBase,
    GateBenchmark,
    GatePackage,
    GateReport,
    KnownSite,
    PerIteration,
    RetainedRow,
    StandingLeft,
)

Judgement = TypeVar("Judgement", SiteVerdict, StandingVerdict)


def gate_report(
    measured: Sequence[PackageMeasured],
    configs: Sequence[Config],
    plan: Plan,
    top: int,
    base: GateBase | None = None,
) -> GateReport:
    """The verdicts as they are shown.

    Args:
        base: what the measured are compared with.
        configs: what holds for each package.
        top: rows of each list.
    """
    said = [
        [allowance(config, one.package.path, each) for each in one.benchmarks]
        for one, config in zip(measured, configs, strict=True)
    ]
    packages = tuple(_package(*each, top) for each in zip(measured, configs, said, strict=True))
    missing: list[KnownSite] = []
    for config in {config.path: config for config in configs}.values():
        ran = [
            (one.package.path, *each)
            for one, its, allowances in zip(measured, configs, said, strict=True)
            if its.path == config.path
            for each in zip(one.benchmarks, allowances, strict=True)
        ]
        missing += [
            KnownSite(config=str(config.path), function=known.function, reason=known.reason)
            for known in unseen(config, ran)
        ]
    benchmarks = [each for one in packages for each in one.benchmarks]
    verdicts = [each.verdict for each in benchmarks]
    return GateReport(
        goretain=goretain.__version__,
        cpu=plan.settings.cpu,
        iterations=plan.budget.iterations,
        seconds=plan.budget.seconds,
        memory=plan.budget.bytes,
        base=base,
        packages=packages,
        unseen=tuple(missing) if base is None else (),  # that it grows no more shows without a base
        grows=verdicts.count("grows"),
        undecided=verdicts.count("undecided"),
        allowed=verdicts.count("allowed"),
        settles=verdicts.count("settles"),
        skipped=sum(each.skipped for each in benchmarks),
        failed=sum(one.failed is not None for one in packages)
        + sum(each.failed is not None for each in benchmarks),
    )


def _package(one: PackageMeasured, config: Config, said: Sequence[Allowance], top: int) -> GatePackage:
    return GatePackage(
        path=one.package.path,
        go=one.go,
        config=None if config.path is None else str(config.path),
        failed=None if one.failed is None else f"{one.failed}\nhint: {one.hint}",
        benchmarks=tuple(
            _benchmark(each, its, top, compared)
            for each, its, compared in zip_longest(one.benchmarks, said, one.compared)
        ),
        notes=one.notes,
    )


def _benchmark(one: Measured, said: Allowance, top: int, compared: Compared | None) -> GateBenchmark:
    if one.series is None or one.total is None or one.goroutines is None:
        return GateBenchmark(name=one.name, trend=None, verdict=None, skipped=one.skipped, failed=one.failed)
    series, courses = one.series, compared.courses if compared else {}
    standing = [
        (each, ruling)
        for each, ruling in zip(one.standing, said.standing, strict=False)
        if each.count.trend != "settles"
    ]
    return GateBenchmark(
        name=one.name,
        trend=one.trend,
        verdict=said.verdict,
        skipped=False,
        failed=None,
        iterations=tuple(series.iterations.tolist()),
        stopped=one.stopped,
        seconds=one.seconds,
        total=_row(one.total, said.total, series.bytes.sum(axis=0), series.objects.sum(axis=0), {}),
        goroutines=_left(one.goroutines, said.goroutines, series.goroutines.sum(axis=0), {}),
        sites=_rows(series, _first(zip(one.sites, said.sites, strict=False), top), courses),
        standing=_standing(series, _first(standing, top), courses),
        settles_total=sum(site.bytes.trend == "settles" for site in one.sites),
        **_removed(compared, top),
    )


def _removed(compared: Compared | None, top: int) -> dict[str, Any]:
    """The call stacks of which a change leaves less."""
    if compared is None or compared.removed is None or compared.removed.series is None:
        return {}
    gone, series = compared.removed, compared.removed.series
    sites = [(site, Ruling()) for site in gone.sites if site.bytes.trend == "grows"]
    standing = [(one, Ruling()) for one in gone.standing if one.count.trend == "grows"]
    return {
        "removed": _rows(series, sites[:top], compared.less),
        "removed_standing": _standing(series, standing[:top], compared.less),
    }


def _first(rows: Iterable[tuple[Judgement, Ruling]], top: int) -> list[tuple[Judgement, Ruling]]:
    """The first rows of each kind: what grows and may not, is undecided and may not be, may, settles."""
    kinds: list[list[tuple[Judgement, Ruling]]] = [[], [], [], []]
    for judged, ruling in rows:
        trend = (judged.bytes if isinstance(judged, SiteVerdict) else judged.count).trend
        kind = 3 if trend == "settles" else 2 if ruling.over is None else 1 if trend == "undecided" else 0
        kinds[kind].append((judged, ruling))
    return [row for kind in kinds for row in kind[:top]]


def _rows(
    series: Series, rows: Sequence[tuple[SiteVerdict, Ruling]], courses: Mapping[Stack, Course]
) -> tuple[RetainedRow, ...]:
    at = {stack: number for number, stack in enumerate(series.stacks)}
    return tuple(
        _row(site, ruling, series.bytes[at[site.stack]], series.objects[at[site.stack]], courses)
        for site, ruling in rows
    )


def _standing(
    series: Series, rows: Sequence[tuple[StandingVerdict, Ruling]], courses: Mapping[Stack, Course]
) -> tuple[StandingLeft, ...]:
    left = dict(zip(series.standing, series.goroutines, strict=True))
    return tuple(_left(one, ruling, left[one.stack], courses) for one, ruling in rows)


def _row(
    site: SiteVerdict, ruling: Ruling, size: I64, objects: I64, courses: Mapping[Stack, Course]
) -> RetainedRow:
    return RetainedRow(
        stack=site.stack,
        bytes=_amount(site.bytes, size),
        objects=_amount(site.objects, objects),
        over=ruling.over,
        allowed=ruling.allowed,
        course=courses.get(site.stack),
    )


def _left(one: StandingVerdict, ruling: Ruling, count: I64, courses: Mapping[Stack, Course]) -> StandingLeft:
    return StandingLeft(
        stack=one.stack,
        count=_amount(one.count, count),
        over=ruling.over,
        allowed=ruling.allowed,
        course=courses.get(one.stack),
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
