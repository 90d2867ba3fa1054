"""Where the number of goroutines grows, by looks at a program. Imports ``profile`` and ``reports``.

Looks come from dumps, which know creators and wait reasons, or, of very many goroutines, from profiles, which
do not: what stands at one place is one group all the same.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from goretain.profile.frames import NOWHERE
from goretain.profile.goroutines import Where, named_alike
from goretain.profile.growth.verdict import F64, LEAST_SAMPLES, Series, Verdicts, judge
from goretain.reports.results import StandingTrend
from goretain.snapshot import Frame

#: Wait reasons of a group that are named.
_STATES = 3


def standing_trends(looks: Sequence[Counter[Where]], seconds: F64, top: int) -> tuple[StandingTrend, ...]:
    """Groups whose number grows, or may: by as many as are needed to say so of samples.

    Args:
        looks: of each how many stand where; seconds: float64[n], when.
        top: rows.
    """
    looks = named_alike(looks)
    places = list(dict.fromkeys(place for look in looks for place in look))
    if not places or len(looks) < 2:
        return ()
    each = np.array([[look.get(place, 0) for look in looks] for place in places], np.float64)
    creators = list(_creators(places))
    table = np.concatenate([each, *(each[members].sum(axis=0)[None] for members in creators)])
    # How many began and ended between two looks nobody counts: at least those that are more were begun.
    begun = np.cumsum(np.maximum(np.diff(table, axis=1, prepend=0), 0), axis=1)
    verdicts = judge(Series(seconds, table, begun, table, begun, 1))
    rows = places + [_anywhere([places[at] for at in members]) for members in creators]
    shown = _shown(verdicts, creators)
    risen = table[:, -1] - table[:, 0]
    order = shown[np.lexsort((-risen[shown], ~verdicts.grows[shown]))][:top]
    return tuple(_row(rows[at], verdicts, at, whole=at >= len(places)) for at in order.tolist())


def _creators(places: Sequence[Where]) -> Iterator[list[int]]:
    """Places of every go statement whose goroutines stand at several."""
    members: dict[Frame, list[int]] = defaultdict(list)
    for at, place in enumerate(places):
        if place.created_at is not None:
            members[place.created_at].append(at)
    return (found for found in members.values() if len(found) > 1)


def _anywhere(places: Sequence[Where]) -> Where:
    """All goroutines of one go statement, wherever they stand."""
    starts = {place.start for place in places}
    states = sorted({place.state for place in places if place.state is not None})
    return Where(
        NOWHERE,
        None,
        starts.pop() if len(starts) == 1 else "",
        places[0].created_at,
        " or ".join(states) if 0 < len(states) <= _STATES else None,
    )


def _shown(verdicts: Verdicts, creators: Sequence[list[int]]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Rows that grow or may. A go statement counts as a whole only where none of its places says so alone."""
    table = verdicts.series.inuse
    rises = verdicts.grows | ((table[:, -1] - table[:, 0] >= LEAST_SAMPLES) & ~verdicts.settles)
    first = len(table) - len(creators)
    for whole, members in enumerate(creators, first):
        explained = verdicts.grows[whole] and not verdicts.grows[members].any()
        rises[whole] = explained
        rises[members] &= not explained
    return np.flatnonzero(rises)


def _row(where: Where, verdicts: Verdicts, at: int, *, whole: bool) -> StandingTrend:
    return StandingTrend(
        place=None if whole else where.place,
        own=where.own,
        start=where.start,
        created_at=where.created_at,
        state=where.state,
        trend=verdicts.trend(at),
        counts=tuple(map(int, verdicts.series.inuse[at].tolist())),
        an_hour=verdicts.slope(at)[0] * 3600,
    )
