"""Whether what stays in use goes on growing with the iterations: grows, settles or undecided, and why.

The amounts are exact, so what is to be told apart is no noise but shapes: a leak, whose growth doubles when
the iterations double, though a slice or map takes it in steps; what is made once; a cache that fills and is
full; one that is emptied whenever it is full. Judged are the last four doublings. Imports numpy, ``model``
and the room.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goretain.gate.series import AN_OCTAVE
from goretain.model.findings import Trend
from goretain.profile.columns import I64

F64 = NDArray[np.float64]

#: Doublings that are judged.
OCTAVES = 4
#: Runs that a verdict needs: those doublings, and what was before them.
LEAST_RUNS = OCTAVES * AN_OCTAVE + 1
#: Growth rises at this many runs at least, and no rise is more than this share of it.
_LEAST_RISES, _LARGEST_RISE = 4, 0.7
#: What falls back by this share of its range empties itself. What grows may fall back by more, but not by as
#: much: a map of Go 1.23 keeps its old table for a while when it doubles.
_FALLS_BACK, _MAY_FALL = 0.3, 0.5
#: Each doubling adds at least so many times what the one before added: a leak 2, a logarithm 1. A slice that
#: grows by a quarter takes larger and smaller steps, but is one object.
_KEEPS_PACE, _ARRAY_KEEPS_PACE = 1.5, 0.8
#: Over two doublings; of a leak it is 4.
_TWICE = 1.6
#: What settles adds at each doubling at most this share of what the one before added.
_SLOWS_DOWN = 0.5
#: What rises by at most this share of what there was, and seldom, has its size: tables of a map that is used.
_SAME_SIZE = 0.125
#: The highest of the last two doublings is at most so many times what it was before, of what empties itself.
_SAME_HEIGHT = 1.5


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict on one series of amounts.

    Attributes:
        trend: what it does.
        reason: why, one sentence.
        decide: what would decide it, None where it is decided.
        rate: units per iteration, the median of what doublings added; low, high: the least and the most that
            one added. None of too few runs.
    """

    trend: Trend
    reason: str
    decide: str | None
    rate: float | None
    low: float | None
    high: float | None


def judge(
    iterations: I64,
    amounts: I64,
    least_rate: float,
    *,
    in_arrays: bool = False,
    decide: str = "more iterations",
) -> Judged:
    """Judge the amounts that runs of so many iterations left.

    Args:
        iterations, amounts: int64[r], in the order of the iterations.
        least_rate: units per iteration: what rises by less over the last two doublings, and does not show
            that it goes on, settles.
        in_arrays: whether no objects are added, but larger ones take their place.
        decide: what would decide what is undecided.
    """
    if len(iterations) < LEAST_RUNS:
        done = f"{len(iterations)} of {LEAST_RUNS}, with up to {int(iterations[-1]):,} iterations"
        few = f"too few runs to tell: {done}"
        return Judged("undecided", few, decide, None, None, None)
    n, y = (column[-LEAST_RUNS:].astype(np.float64) for column in (iterations, amounts))
    added = y[AN_OCTAVE:] - y[:-AN_OCTAVE]
    slopes = added / (n[AN_OCTAVE:] - n[:-AN_OCTAVE])
    trend, reason = _shape(n, y, added, amounts, least_rate, _ARRAY_KEEPS_PACE if in_arrays else _KEEPS_PACE)
    rate = float(np.median(slopes))
    known = decide if trend == "undecided" else None
    return Judged(trend, reason, known, rate, float(slopes.min()), float(slopes.max()))


def _shape(n: F64, y: F64, added: F64, whole: I64, least_rate: float, pace: float) -> tuple[Trend, str]:
    """Trend and reason of the last doublings.

    Args:
        n, y: float64[LEAST_RUNS].
        added: float64[LEAST_RUNS - AN_OCTAVE], by the doubling of the iterations to those of each run.
        pace: that each doubling keeps at least where it goes on.
        whole: of all runs.
    """
    last = 2 * AN_OCTAVE
    between = f"from {int(n[0]):,} to {int(n[-1]):,} iterations"
    before, now = int(whole[:-last].max()), int(y[-last:].max())
    if now <= before:
        return "settles", f"no more after {int(n[-1]):,} iterations than after {int(n[-last - 1]):,} or fewer"
    span = float(y.max() - y.min())
    fallen = float((np.maximum.accumulate(y) - y).max()) / span
    rises = np.diff(np.maximum.accumulate(y))
    count, largest = int((rises > 0).sum()), float(rises.max() / rises.sum())
    on = bool((added > 0).all()) and _keeps(added, AN_OCTAVE, pace) and _keeps(added, 2 * AN_OCTAVE, _TWICE)
    if on and fallen < _MAY_FALL and count >= _LEAST_RISES and largest <= _LARGEST_RISE:
        return "grows", f"it rose at {count} of {len(rises)} runs {between}, and did not slow down"
    if (now - before) / (n[-1] - n[-last - 1]) < least_rate:
        return "settles", f"the last two doublings, to {int(n[-1]):,} iterations, added next to nothing"
    if fallen >= _FALLS_BACK:
        if now <= _SAME_HEIGHT * before:
            return "settles", f"it falls back by {fallen:.0%} of its range, {between}"
        return "undecided", f"it falls back by {fallen:.0%} of its range, and rises higher each time"
    late = int((rises[-last:] > 0).sum())
    if now - before <= _SAME_SIZE * before and late < _LEAST_RISES:
        return "settles", f"it rose by {(now - before) / before:.1%} in the last two doublings, {between}"
    slower = added[AN_OCTAVE:] <= _SLOWS_DOWN * added[:-AN_OCTAVE]
    if slower.all() and (added >= 0).all():
        return "settles", f"each doubling {between} added less than half of the one before"
    if largest > _LARGEST_RISE or count < _LEAST_RISES:
        return "undecided", f"it rose at {count} of {len(rises)} runs {between}: it may be done with that"
    return "undecided", f"it rose {between}, at an uneven pace"


def _keeps(added: F64, distance: int, pace: float) -> bool:
    """Whether each doubling among the last ones added so many times what an earlier one did."""
    return bool((added[-AN_OCTAVE:] >= pace * added[-AN_OCTAVE - distance : -distance]).all())
