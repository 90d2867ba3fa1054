"""Statistics of many series at once: rank correlation with time, robust slopes, many tests together.

In numpy alone: a program that watches others does not import a compiler for it. Imports numpy.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

#: Series whose pairs are compared at once: they stay in the processor's cache.
_ROWS = 256


class Kendall(NamedTuple):
    """Of each series: int64 score (rising pairs minus falling ones), float64 variance of it where nothing
    but chance orders the values, float64 one-sided p of a score as high as this.
    """

    score: I64
    variance: F64
    p: F64


class Slopes(NamedTuple):
    """Of each series, float64: units of y by units of x; NaN where no two x differ."""

    slope: F64
    low: F64
    high: F64


def mann_kendall(x: F64, y: F64) -> Kendall:
    """The Mann-Kendall test for a rise, of many series. O(s n**2).

    With ties in x it is Kendall's rank correlation; ties in x and y are in the variance (Kendall 1970, Rank
    Correlation Methods, 4th edition). The p is of the normal approximation with continuity correction, which
    is good from about 10 values on; 1 where all values are equal.

    Args:
        x: float64[n], when each value was taken, in any order.
        y: float64[s, n], finite.
    """
    order = np.argsort(x, kind="stable")
    score = np.zeros(len(y), np.int64)
    varies = np.flatnonzero((y != y[:, :1]).any(axis=1))
    for first in range(0, len(varies), _ROWS):
        some = varies[first : first + _ROWS]
        score[some] = _score(x[order], y[some][:, order])
    own, ties = _ties(x[None]), _ties(y)
    n = len(x)
    whole = n * (n - 1) * (2 * n + 5)
    variance = (whole - own[0] - ties[0]) / 18.0
    if n > 2:
        variance = variance + own[1] * ties[1] / (2.0 * n * (n - 1))
        variance = variance + own[2] * ties[2] / (9.0 * n * (n - 1) * (n - 2))
    # all ties: rounding leaves a little more or less than nothing
    variance[variance < 0.5] = 0.0
    towards = score - np.sign(score)
    z = np.divide(towards, np.sqrt(variance), out=np.zeros(len(y)), where=variance > 0)
    p = np.array([0.5 * math.erfc(value / math.sqrt(2)) for value in z.tolist()], np.float64)
    return Kendall(score, variance, np.where(variance > 0, p, 1.0))


def _score(x: F64, y: F64) -> I64:
    """int64[s]: rising pairs less falling ones. x: float64[n], ascending; y: float64[s, n]."""
    score = np.zeros(len(y), np.int64)
    for lag in range(1, y.shape[1]):
        later, earlier = y[:, lag:], y[:, :-lag]
        apart = x[lag:] > x[:-lag]
        if not apart.all():
            later, earlier = later[:, apart], earlier[:, apart]
        score += np.count_nonzero(later > earlier, axis=1) - np.count_nonzero(later < earlier, axis=1)
    return score


def _ties(y: F64) -> F64:
    """float64[3, s]: over groups of t equal values of a row the sums of t(t-1)(2t+5), t(t-1) and
    t(t-1)(t-2), exact up to 2**53.
    """
    ranked = np.sort(y, axis=1)
    begins = np.ones(y.shape, np.bool_)
    begins[:, 1:] = ranked[:, 1:] != ranked[:, :-1]
    group = np.flatnonzero(begins)
    t = np.diff(group, append=y.size).astype(np.float64)
    row = group // max(y.shape[1], 1)
    sums = (t * (t - 1) * (2 * t + 5), t * (t - 1), t * (t - 1) * (t - 2))
    return np.stack([np.bincount(row, each, len(y)) for each in sums])


def theil_sen(x: F64, y: F64, variance: F64, level: float = 0.95) -> Slopes:
    """The median of all pairs' slopes and its confidence interval, of many series (Sen 1968). O(s n**2).

    Args:
        x, y: as of :func:`mann_kendall`.
        variance: float64[s], of :func:`mann_kendall`.
        level: of the two-sided interval.
    """
    after, before = np.tril_indices(len(x), -1)
    gap = x[after] - x[before]
    apart = gap != 0
    after, before, gap = after[apart], before[apart], gap[apart]
    result = Slopes(*(np.full(len(y), np.nan) for _ in range(3)))
    if not len(gap):
        return result
    reach = NormalDist().inv_cdf(0.5 + level / 2)
    for s in range(len(y)):
        slopes = np.sort((y[s, after] - y[s, before]) / gap)
        width = reach * math.sqrt(variance[s])
        low, high = int((len(slopes) - width) // 2), math.ceil((len(slopes) + width) / 2)
        result.slope[s] = np.median(slopes)
        result.low[s] = slopes[max(low, 0)]
        result.high[s] = slopes[min(high, len(slopes) - 1)]
    return result


def benjamini_hochberg(p: F64) -> F64:
    """float64[s]: the false discovery rate at which each of s tests would still count (Benjamini and
    Hochberg 1995). O(s log s).
    """
    order = np.argsort(p, kind="stable")
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    adjusted = np.empty(len(p), np.float64)
    adjusted[order] = np.minimum.accumulate(scaled[::-1])[::-1].clip(max=1.0)
    return adjusted


def drawdowns(y: F64) -> F64:
    """float64[s]: the deepest fall from a value to a later one, of series float64[s, n]. O(s n)."""
    return np.asarray((np.maximum.accumulate(y, axis=1) - y).max(axis=1, initial=0.0), np.float64)


def jumps(y: F64) -> list[int]:
    """Where the one or two largest jumps of the level of float64[n] are: the index after each. O(n).

    Binary segmentation: the cut that leaves least variance, and then the better cut of the two parts.
    """
    first = _cut(y)
    if first is None:
        return []
    parts = [(cut, low, high) for low, high in ((0, first), (first, len(y))) if (cut := _cut(y[low:high]))]
    if not parts:
        return [first]
    cut, low, _ = max(parts, key=lambda part: _explained(y[part[1] : part[2]])[part[0] - 1])
    return sorted((first, low + cut))


def rise_between(x: F64, y: F64, cuts: list[int]) -> float:
    """One-sided p of a rise of float64[n] inside of the parts that cuts divide it into, all parts together.

    Mann-Kendall stratified (Hirsch, Slack and Smith 1982, over seasons): scores and variances add up, and
    what a jump at a cut adds does not count.
    """
    score = variance = 0.0
    for low, high in zip([0, *cuts], [*cuts, len(y)], strict=True):
        part = mann_kendall(x[low:high], y[None, low:high])
        score, variance = score + float(part.score[0]), variance + float(part.variance[0])
    if score <= 0 or variance <= 0:
        return 1.0
    return 0.5 * math.erfc((score - 1) / math.sqrt(2 * variance))


def _cut(y: F64) -> int | None:
    explained = _explained(y)
    return int(np.argmax(explained)) + 1 if len(explained) and explained.max() > 0 else None


def _explained(y: F64) -> F64:
    """float64[n - 1]: the sum of squares that a cut before each but the first value explains."""
    before = np.arange(1, len(y))
    after = len(y) - before
    sums = np.cumsum(y)
    gap = sums[:-1] / before - (sums[-1:] - sums[:-1]) / after
    return np.asarray(gap**2 * before * after / len(y), np.float64)
