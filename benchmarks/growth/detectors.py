"""The verdict beside what people use: each says of every site of a heap whether it grows.

The others get the same threshold of size: two samples of growth, as much as a user would wait for.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from goretain.kernels.trends import mann_kendall, theil_sen
from goretain.profile.growth.verdict import CHANCE, Series, judge

Flags = NDArray[np.bool_]

_LEAST = 2.0


def goretain(series: Series) -> Flags:
    return judge(series).grows


def difference(series: Series) -> Flags:
    """The last profile has a tenth more than the first, and two samples: what -diff_base shows."""
    first, grown = series.inuse[:, 0], series.inuse[:, -1] - series.inuse[:, 0]
    return (grown > 0.1 * first) & (_samples(series) >= _LEAST)


def least_squares(series: Series) -> Flags:
    """A slope above zero at 1 %, by the usual test."""
    x = series.seconds - series.seconds.mean()
    y = series.inuse - series.inuse.mean(axis=1, keepdims=True)
    slope = y @ x / (x @ x)
    left = ((y - slope[:, None] * x) ** 2).sum(axis=1)
    error = np.sqrt(left / (len(x) - 2) / (x @ x))
    t = np.divide(slope, error, out=np.zeros(len(slope)), where=error > 0)
    p = np.array([0.5 * math.erfc(value / math.sqrt(2)) for value in t.tolist()])
    return (p < CHANCE) & (_samples(series) >= _LEAST)


def rank_test(series: Series) -> Flags:
    """Mann-Kendall at 1 %."""
    return (mann_kendall(series.seconds, series.inuse).p < CHANCE) & (_samples(series) >= _LEAST)


def robust_slope(series: Series) -> Flags:
    """Theil-Sen: the 98 % interval of the slope is above zero."""
    variance = mann_kendall(series.seconds, series.inuse).variance
    low = theil_sen(series.seconds, series.inuse, variance, 1 - 2 * CHANCE).low
    return (low > 0) & (_samples(series) >= _LEAST)


def _samples(series: Series) -> NDArray[np.float64]:
    return series.inuse_samples[:, -1] - series.inuse_samples[:, 0]


DETECTORS: dict[str, Callable[[Series], Flags]] = {
    "goretain": goretain,
    "difference": difference,
    "least squares": least_squares,
    "Mann-Kendall": rank_test,
    "Theil-Sen": robust_slope,
}
