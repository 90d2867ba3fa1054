"""The answer to a series of heap profiles. Imports ``profile`` and ``reports``."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

import goretain
from goretain.model.errors import UsageError
from goretain.profile.growth.history import History, Look, series_of
from goretain.profile.growth.reasons import confidence
from goretain.profile.growth.verdict import F64, Verdicts, judge, seconds_to, slope_of
from goretain.profile.sites.site import Site
from goretain.reports.profile.footprint import Footprint
from goretain.reports.results import GrowthReport, Run, TrendRow
from goretain.reports.units import plural
from goretain.snapshot import Frame

_HOUR = 3600.0
#: Undecided sites that rose by less than this share of all that is in use are counted only.
_CRUMBS = 0.001


def growth_report(
    history: History,
    paths: Callable[[list[Site]], Mapping[Site, tuple[Frame, ...]]],
    *,
    program: str = "",
    build_id: str = "",
    limit: int | None = None,
    takes: Footprint | None = None,
    top: int = 10,
) -> GrowthReport:
    """Which sites grow, settle or are undecided, in the run that says most.

    Args:
        paths: gives a call path to each of some sites.
        program, build_id: what the profiles are of, "" unknown.
        limit: of the memory, bytes; takes: what counts against it, None: what is in use.
        top: rows of each list.

    Raises:
        UsageError: no two profiles are of one process.
    """
    sites, series = series_of(_judged(history))
    verdicts = judge(series)
    total = series.inuse.sum(axis=0)
    slopes = np.array([verdicts.slope(at)[0] for at in np.flatnonzero(verdicts.grows).tolist()])
    takes = takes or Footprint(float(total[-1]), 1.0)
    chosen, totals = _chosen(verdicts, slopes, top)
    ways = paths([sites[at] for order in chosen for at in order])
    grows, undecided, settles = (
        tuple(_row(verdicts, at, sites[at], ways[sites[at]], takes, limit) for at in order)
        for order in chosen
    )
    return GrowthReport(
        goretain=goretain.__version__,
        program=program,
        build_id=build_id,
        runs=tuple(
            Run(profiles=len(one), first_at=one[0].taken_at, last_at=one[-1].taken_at) for one in history.runs
        ),
        judged=history.judged,
        repeated=history.repeated,
        rate=series.rate,
        seconds=tuple(series.seconds.tolist()),
        in_use_bytes=tuple(map(int, total.tolist())),
        bytes_an_hour=_an_hour(*slope_of(series.seconds, total)),
        limit_bytes=limit,
        limit_seconds=_until(limit, takes, float(slopes.sum())),
        limit_now_bytes=None if limit is None else int(takes.now),
        limit_by_byte=None if limit is None else takes.by_byte,
        grows=grows,
        undecided=undecided,
        settles=settles,
        grows_total=totals[0],
        undecided_total=totals[1],
        settles_total=totals[2],
        notes=_notes(history),
    )


def _judged(history: History) -> tuple[Look, ...]:
    run = history.runs[history.judged]
    if len(run) < 2:
        raise UsageError(
            "growth needs two profiles of one process, and better thirty",
            hint="fetch .../debug/pprof/heap?gc=1 again and again, and give all files",
        )
    return run


def _chosen(
    verdicts: Verdicts, slopes: F64, top: int
) -> tuple[tuple[list[int], list[int], list[int]], tuple[int, int, int]]:
    """Sites to show that grow, are undecided and settle, and how many there are of each."""
    series = verdicts.series
    risen = series.inuse[:, -1] - series.inuse[:, 0]
    grows = np.flatnonzero(verdicts.grows)
    settles = np.flatnonzero(verdicts.settles)
    kept = settles[series.inuse[settles, -1] > 0]
    undecided = np.flatnonzero(~verdicts.grows & ~verdicts.settles)
    shown = undecided[risen[undecided] > _CRUMBS * series.inuse[:, -1].sum()]
    orders = (
        grows[np.argsort(-slopes, kind="stable")],
        shown[np.argsort(-risen[shown], kind="stable")],
        kept[np.argsort(-series.inuse[kept, -1], kind="stable")],
    )
    chosen = tuple(order[:top].tolist() for order in orders)
    return (chosen[0], chosen[1], chosen[2]), (len(grows), len(undecided), len(settles))


def _row(
    verdicts: Verdicts, at: int, site: Site, path: tuple[Frame, ...], takes: Footprint, limit: int | None
) -> TrendRow:
    m = verdicts.measures
    slope = verdicts.slope(at)
    return TrendRow(
        place=site.allocates,
        own=site.own,
        path=path,
        trend=verdicts.trend(at),
        confidence=confidence(verdicts, at),
        in_use_bytes=tuple(map(int, verdicts.series.inuse[at].tolist())),
        samples=float(m.samples[at]),
        chance=float(m.p[at]),
        survival=float(m.survival[at]),
        bytes_an_hour=_an_hour(*slope),
        limit_seconds=_until(limit, takes, slope[0]) if verdicts.grows[at] else None,
    )


def _until(limit: int | None, takes: Footprint, slope: float) -> float | None:
    return None if limit is None else seconds_to(limit, takes.now, slope * takes.by_byte)


def _an_hour(*slopes: float) -> tuple[float, float, float] | None:
    if any(map(math.isnan, slopes)):
        return None
    slope, low, high = (value * _HOUR for value in slopes)
    return slope, low, high


def _notes(history: History) -> tuple[str, ...]:
    notes = []
    if len(history.runs) > 1:
        judged = len(history.runs[history.judged])
        what = plural(len(history.runs), "process", "processes")
        notes.append(
            f"the profiles are of {what}: the program was started anew, or they are of several hosts;"
            f" judged are the {judged} of one"
        )
    if history.repeated:
        notes.append(
            f"{plural(history.repeated, 'profile')} left out that said nothing new: no garbage collection"
            " came between (?gc=1 asks for one), or nothing was sampled"
        )
    return tuple(notes)
