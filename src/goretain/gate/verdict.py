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
#: What falls back by this share of its range empties itself.
_FALLS_BACK = 0.3
#: The last doubling adds at least so many times what two doublings before added: a leak 4, a logarithm 1.
_KEEPS_PACE = 1.6
#: What settles adds at each doubling at most this share of what the one before added.
_SLOWS_DOWN = 0.5
#: The highest of the last two doublings is at most so many times what it was before, of what empties itself.
_SAME_HEIGHT = 1.5


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict on one series of amounts.

    Attributes:
        trend: what it does.
        reason: why, one sentence.
        decide: what would decide it, None where it is decided.
        rate: units per iteration over the last doublings (Theil-Sen); low, high: of each doubling, the least
            and the most. None of too few runs.
    """

    trend: Trend
    reason: str
    decide: str | None
    rate: float | None
    low: float | None
    high: float | None


def judge(iterations: I64, amounts: I64, least_rate: float) -> Judged:
    """Judge the amounts that runs of so many iterations left.

    Args:
        iterations, amounts: int64[r], in the order of the iterations.
        least_rate: units per iteration: what rises by less over the last two doublings, and does not show
            that it goes on, settles.
    """
    if len(iterations) < LEAST_RUNS:
        return _few(iterations)
    n, y = (column[-LEAST_RUNS:].astype(np.float64) for column in (iterations, amounts))
    middle, at = (np.median(column[1:].reshape(OCTAVES, AN_OCTAVE), axis=1) for column in (y, n))
    added = np.diff(middle)
    slopes = added / np.diff(at)
    trend, reason = _shape(n, y, added, amounts, least_rate)
    decide = None
    if trend == "undecided":
        decide = f"more iterations than {int(n[-1]):,}"
    rate = theil_sen(n, y)
    return Judged(trend, reason, decide, rate, float(slopes.min()), float(slopes.max()))


def theil_sen(n: F64, y: F64) -> float:
    """The median of the slopes between any two points."""
    first, second = np.triu_indices(len(n), 1)
    return float(np.median((y[second] - y[first]) / (n[second] - n[first])))


def _few(iterations: I64) -> Judged:
    most = int(iterations[-1]) if len(iterations) else 0
    return Judged(
        "undecided",
        f"{len(iterations)} runs with up to {most:,} iterations are too few",
        f"{LEAST_RUNS} runs, which take more time",
        None,
        None,
        None,
    )


def _shape(n: F64, y: F64, added: F64, whole: I64, least_rate: float) -> tuple[Trend, str]:
    """Trend and reason of the last doublings.

    Args:
        n, y: float64[LEAST_RUNS].
        added: float64[OCTAVES - 1], by the middle of a doubling over that of the one before.
        whole: of all runs.
    """
    last = 2 * AN_OCTAVE
    between = f"from {int(n[0]):,} to {int(n[-1]):,} iterations"
    before, now = int(whole[:-last].max()), int(y[-last:].max())
    if now <= before:
        return "settles", f"no more after {int(n[-1]):,} iterations than after {int(n[-last - 1]):,} or fewer"
    span = float(y.max() - y.min())
    fallen = float((np.maximum.accumulate(y) - y).max()) / span
    if fallen >= _FALLS_BACK:
        if now <= _SAME_HEIGHT * before:
            return "settles", f"it falls back by {fallen:.0%} of its range, {between}"
        return "undecided", f"it falls back by {fallen:.0%} of its range, and rises higher each time"
    rises = np.diff(np.maximum.accumulate(y))
    count, largest = int((rises > 0).sum()), float(rises.max() / (y[-1] - y[0]))
    grows = (added > 0).all() and added[-1] >= _KEEPS_PACE * added[0]
    if grows and count >= _LEAST_RISES and largest <= _LARGEST_RISE:
        return "grows", f"it rose at {count} of {len(rises)} runs {between}, and did not slow down"
    if (now - before) / (n[-1] - n[-last - 1]) < least_rate:
        return "settles", f"the last two doublings, to {int(n[-1]):,} iterations, added next to nothing"
    if (added[1:] <= _SLOWS_DOWN * added[:-1]).all() and (added >= 0).all():
        return "settles", f"each doubling {between} added less than half of the one before"
    if largest > _LARGEST_RISE or count < _LEAST_RISES:
        return "undecided", f"it rose at {count} of {len(rises)} runs {between}: it may be done with that"
    return "undecided", f"it rose {between}, at an uneven pace"
