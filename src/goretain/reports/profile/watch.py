"""The answer to a watch: growth by site, memory and goroutines of every target. Imports ``profile`` and
``reports``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

import goretain
from goretain.profile.growth.history import history_of
from goretain.profile.growth.verdict import F64
from goretain.profile.watch.moments import Moment, Watched
from goretain.reports.profile.footprint import footprint
from goretain.reports.profile.growth import growth_report
from goretain.reports.profile.standing import standing_trends
from goretain.reports.results import MemoryTrend, TargetReport, WatchReport


def watch_report(
    watched: Iterable[Watched],
    file: str,
    *,
    limit: int | None = None,
    top: int = 10,
) -> WatchReport:
    """What all looks together show.

    Args:
        watched: what is kept of each target.
        file: where it is kept.
        limit: of the memory of each, bytes; else GOMEMLIMIT, where that is known.
        top: rows of each list.
    """
    return WatchReport(
        goretain=goretain.__version__,
        file=file,
        targets=tuple(_target(one, limit, top) for one in watched),
    )


def _target(watched: Watched, limit: int | None, top: int) -> TargetReport:
    history = history_of([moment.look for moment in watched.moments])
    run = history.runs[history.judged] if history.runs else ()
    by_look = {id(moment.look): moment for moment in watched.moments}
    moments = [by_look[id(look)] for look in run]
    seconds = np.array([look.taken_at - run[0].taken_at for look in run], np.float64)
    standing = [moment.goroutines for moment in moments if moment.goroutines is not None]
    memory = _memory(moments, seconds)
    if limit is None and memory is not None and memory.pacing is not None:
        limit = memory.pacing.memory_limit
    takes = None if limit is None or memory is None else footprint(memory, limit)
    complete = len(standing) == len(moments) > 0
    return TargetReport(
        name=watched.name,
        looks=len(watched.moments),
        failed=len(watched.failed),
        failure=watched.failed[-1][1] if watched.failed else "",
        growth=growth_report(history, lambda _: watched.paths, limit=limit, takes=takes, top=top)
        if len(run) > 1
        else None,
        memory=memory,
        goroutines=standing_trends(standing, seconds, top) if complete else None,
        goroutine_count=tuple(each.total() for each in standing) if complete else (),
    )


def _memory(moments: Sequence[Moment], seconds: F64) -> MemoryTrend | None:
    if not moments or moments[0].memory is None or moments[-1].memory is None:
        return None
    first, last = moments[0].memory, moments[-1].memory
    resident = (moments[0].resident, moments[-1].resident)
    minutes = float(seconds[-1]) / 60
    return MemoryTrend(
        first=first,
        last=last,
        resident=None if resident[0] is None or resident[1] is None else (resident[0], resident[1]),
        collections_a_minute=(last.gc_count - first.gc_count) / minutes if minutes else 0.0,
        forced_a_minute=(last.gc_forced - first.gc_forced) / minutes if minutes else 0.0,
        pacing=moments[-1].pacing,
    )
