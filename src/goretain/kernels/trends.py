"""Statistics of many series at once: rank correlation with time, robust slopes, many tests together.

Imports numpy and ``kernels.jit``.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from goretain.kernels.jit import Int, kernel

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


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
    score, ties, pairs, triples = (np.zeros(len(y), np.int64) for _ in range(4))
    _score(x, np.ascontiguousarray(y), score)
    _ties(np.ascontiguousarray(y), ties, pairs, triples)
    own = tuple(np.zeros(1, np.int64) for _ in range(3))
    _ties(np.ascontiguousarray(x).reshape(1, -1), *own)
    n = len(x)
    whole = n * (n - 1) * (2 * n + 5)
    variance = (whole - own[0] - ties) / 18.0
    if n > 2:
        variance = variance + own[1] * pairs / (2.0 * n * (n - 1))
        variance = variance + own[2] * triples.astype(np.float64) / (9.0 * n * (n - 1) * (n - 2))
    # all ties: rounding leaves a little more or less than nothing
    variance[variance < 0.5] = 0.0
    towards = score - np.sign(score)
    z = np.divide(towards, np.sqrt(variance), out=np.zeros(len(y)), where=variance > 0)
    p = np.array([0.5 * math.erfc(value / math.sqrt(2)) for value in z.tolist()], np.float64)
    return Kendall(score, variance, np.where(variance > 0, p, 1.0))


@kernel
def _score(x: F64, y: F64, score: I64) -> None:
    """Sum of the signs of all pairs' slopes."""
    for s in range(y.shape[0]):
        row = y[s]
        total: Int = np.int64(0)
        for i in range(row.shape[0]):
            for j in range(i):
                rise = (row[i] > row[j]) - (row[i] < row[j])
                total += rise if x[i] > x[j] else (-rise if x[i] < x[j] else 0)
        score[s] = total


@kernel
def _ties(y: F64, weighted: I64, pairs: I64, triples: I64) -> None:
    """Over groups of t equal values the sums of t(t-1)(2t+5), t(t-1) and t(t-1)(t-2)."""
    for s in range(y.shape[0]):
        row = y[s]
        for i in range(row.shape[0]):
            equal: Int = np.int64(0)
            for j in range(row.shape[0]):
                equal += row[i] == row[j]
            # each of the t members of a group adds a t-th of the group's sum
            weighted[s] += (equal - 1) * (2 * equal + 5)
            pairs[s] += equal - 1
            triples[s] += (equal - 1) * (equal - 2)


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
