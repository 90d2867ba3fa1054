"""The verdict on a series of heap profiles: which allocation sites grow, settle, or are undecided.

A rise that chance does not explain is easy to find and says little: caches fill, load rises, batches pile
up. So growth is claimed only of a site that rises by more than sampling noise, goes on rising in the second
half of the series, keeps most of what it allocates there, never falls back far, and does not owe its rise
to one or two jumps. The rules were tuned, and their errors measured, on series from real Go heaps
(docs/growth.md). Imports ``kernels``, ``model``, numpy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from goretain.kernels.trends import (
    benjamini_hochberg,
    drawdowns,
    jumps,
    mann_kendall,
    rise_between,
    theil_sen,
)
from goretain.model.findings import Trend

F64 = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: Chance level of a test, and false discovery rate over the sites of a process.
CHANCE = 0.01
#: Fewer profiles decide nothing.
LEAST_PROFILES = 12
#: Samples that a site must have grown by, and those in the second half; below that a figure is noise.
LEAST_SAMPLES, LEAST_SECOND_SAMPLES = 4.0, 1.0
#: Share of the bytes allocated in the second half that must still be in use at its end.
LEAST_SURVIVAL = 0.5
#: Pace of the second half, as a share of that of the first.
LEAST_PACE = 0.4
#: Deepest fall, as a share of the range of values.
MOST_DRAWDOWN = 0.3
#: What must be left of the growth without its largest step: a share of it, and samples.
LEAST_WITHOUT_STEP, LEAST_SAMPLES_WITHOUT_STEP = 0.25, 3.0
#: Chance level of the rise that is left between the two largest jumps.
CHANCE_BETWEEN_JUMPS = 0.001
#: Standard errors that growth must be away from nothing: 1 % by chance, and 5 % in the second half.
LEAST_SURE, LEAST_SECOND_SURE = 2.326, 1.645
#: A site without a rise has a chance level above this in the whole series and in its second half.
NO_RISE = 0.05
#: A fall of this share of the range shows that a site can empty itself.
FALLS_BACK = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Heap profiles of one process in order, over the same sites.

    Attributes:
        seconds: float64[n], when each was taken, ascending.
        inuse, allocated: float64[s, n], bytes; allocated since the process began.
        inuse_samples, allocated_samples: float64[s, n], how many samples these figures rest on.
        rate: bytes, runtime.MemProfileRate.
    """

    seconds: F64
    inuse: F64
    allocated: F64
    inuse_samples: F64
    allocated_samples: F64
    rate: int

    @property
    def middle(self) -> int:
        """The profile with which the second half begins."""
        when = (self.seconds[0] + self.seconds[-1]) / 2
        return int(np.searchsorted(self.seconds, when).clip(0, len(self.seconds) - 1))


class Measures(NamedTuple):
    """Columns float64[s] that the rules are about.

    p, q: chance of a rise like this, alone (Mann-Kendall) and as a false discovery rate over all sites.
    p_second: the same of the second half alone. p_between: of the rise between the two largest jumps; NaN for
    sites that break another rule. first, second: pace of the halves, bytes a second. samples, second_samples:
    growth in samples. sure, second_sure: growth in standard errors of what was sampled. second_most: what the
    pace of the second half may be, 95 % sure. survival: growth of the second half, as a share of the bytes
    allocated in that time. drawdown: deepest fall as a share of the range of values. without_step,
    second_without_step: growth in samples without its largest step. variance: of the Mann-Kendall score.
    """

    p: F64
    q: F64
    p_second: F64
    p_between: F64
    first: F64
    second: F64
    samples: F64
    second_samples: F64
    sure: F64
    second_sure: F64
    second_most: F64
    survival: F64
    drawdown: F64
    without_step: F64
    second_without_step: F64
    variance: F64


@dataclass(frozen=True, slots=True, eq=False)
class Verdicts:
    """Of each site of a series.

    Attributes:
        series, measures: what was judged, and by which figures.
        broken: bool[s, len(RULES)], rules of growth that a site breaks.
        grows, settles: bool[s]; a site that does neither is undecided.
        settled: bool[s, len(SETTLED)], what shows that a site settles, whether it does or not.
    """

    series: Series
    measures: Measures
    broken: Flags
    settled: Flags
    grows: Flags
    settles: Flags

    def trend(self, site: int) -> Trend:
        """The verdict on one site."""
        return "grows" if self.grows[site] else "settles" if self.settles[site] else "undecided"

    def slope(self, site: int) -> tuple[float, float, float]:
        """Theil-Sen slope of bytes in use and its 95 % interval, bytes a second; NaN of a single moment."""
        one = slice(site, site + 1)
        found = theil_sen(self.series.seconds, self.series.inuse[one], self.measures.variance[one])
        return float(found.slope[0]), float(found.low[0]), float(found.high[0])


def slope_of(seconds: F64, y: F64) -> tuple[float, float, float]:
    """Theil-Sen slope of one series float64[n] and its 95 % interval, by second; NaN of a single moment."""
    variance = mann_kendall(seconds, y[None]).variance
    found = theil_sen(seconds, y[None], variance)
    return float(found.slope[0]), float(found.low[0]), float(found.high[0])


def seconds_to(limit: float, now: float, slope: float) -> float | None:
    """Until something of ``now`` bytes reaches a limit at a slope in bytes a second; None: never."""
    return max(limit - now, 0.0) / slope if slope > 0 else None


#: What a site that grows does, in the order in which it is said that one does not.
RULES = ("profiles", "rise", "samples", "noise", "survival", "pace", "drawdown", "step", "jumps")
#: What shows that a site does not go on growing.
SETTLED = ("no rise", "slower", "falls back")


def judge(series: Series) -> Verdicts:
    """The verdict on every site of a series. O(s n**2)."""
    m = measure(series)
    span = np.ptp(series.inuse_samples, axis=1)
    broken = np.stack(
        [
            np.full(len(m.p), len(series.seconds) < LEAST_PROFILES),
            (m.p >= CHANCE) | (m.q >= CHANCE),
            (m.samples < LEAST_SAMPLES) | (m.second_samples < LEAST_SECOND_SAMPLES),
            (m.sure < LEAST_SURE) | (m.second_sure < LEAST_SECOND_SURE),
            m.survival < LEAST_SURVIVAL,
            m.second < LEAST_PACE * m.first,
            m.drawdown >= MOST_DRAWDOWN,
            (m.without_step < np.maximum(LEAST_SAMPLES_WITHOUT_STEP, LEAST_WITHOUT_STEP * m.samples))
            | (m.second_without_step < LEAST_SECOND_SAMPLES),
        ],
        axis=1,
    )
    m = m._replace(p_between=_between_jumps(series, _unbroken(broken)))
    broken = np.concatenate([broken, (m.p_between >= CHANCE_BETWEEN_JUMPS)[:, None]], axis=1)
    settled = np.stack(
        [
            (m.p >= NO_RISE) & (m.p_second >= NO_RISE),
            m.second_most < LEAST_PACE * m.first,
            (m.drawdown >= FALLS_BACK) & (m.p >= CHANCE) & (span >= LEAST_SAMPLES),
        ],
        axis=1,
    )
    grows = _unbroken(broken)
    return Verdicts(series, m, broken, settled, grows, ~grows & ~broken[:, 0] & settled.any(axis=1))


def _unbroken(broken: Flags) -> Flags:
    return np.asarray(~broken.any(axis=1), np.bool_)


def measure(series: Series) -> Measures:
    """The figures that the rules are about; p_between is left at NaN."""
    half, x, y = series.middle, series.seconds, series.inuse
    whole, second = mann_kendall(x, y), mann_kendall(x[half:], y[:, half:])
    count, new = series.inuse_samples, series.allocated_samples
    steps = np.diff(count, axis=1)
    grown, later = count[:, -1] - count[:, 0], count[:, -1] - count[:, half]
    born = np.maximum(new[:, -1] - new[:, half], 0)
    # what is in use at both ends bounds what can have come and gone by chance
    turnover = np.minimum(_turnover(born, later), count[:, half] + count[:, -1])
    each = _share(y.sum(axis=1), count.sum(axis=1))  # bytes that a sample stands for
    error = _share(each * np.sqrt(turnover), np.full(len(y), x[-1] - x[half]))
    return Measures(
        p=whole.p,
        q=benjamini_hochberg(whole.p),
        p_second=second.p,
        p_between=np.full(len(y), np.nan),
        first=_pace(series, 0, half),
        second=_pace(series, half, -1),
        samples=grown,
        second_samples=later,
        sure=_sure(grown, np.maximum(new[:, -1] - new[:, 0], 0)),
        second_sure=_sure(later, born),
        second_most=_pace(series, half, -1) + LEAST_SECOND_SURE * error,
        survival=_share(y[:, -1] - y[:, half], series.allocated[:, -1] - series.allocated[:, half]),
        drawdown=_share(drawdowns(y), np.ptp(y, axis=1)),
        without_step=grown - steps.max(axis=1, initial=0.0),
        second_without_step=later - steps[:, half:].max(axis=1, initial=0.0),
        variance=whole.variance,
    )


def _pace(series: Series, begin: int, end: int) -> F64:
    """Bytes a second from one profile to another; 0 where no time is between them."""
    grown = series.inuse[:, end] - series.inuse[:, begin]
    return _share(grown, np.full(len(grown), series.seconds[end] - series.seconds[begin]))


def _turnover(born: F64, grown: F64) -> F64:
    """Samples that came and went: the variance of growth where both happen by chance."""
    return np.maximum(2 * born - grown, 0)


def _sure(grown: F64, born: F64) -> F64:
    return grown / np.sqrt(np.maximum(_turnover(born, grown), 1e-9))


def _share(part: F64, whole: F64) -> F64:
    """part / whole; 0 of nothing."""
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


def _between_jumps(series: Series, candidates: Flags) -> F64:
    p = np.full(len(candidates), np.nan)
    for site in np.flatnonzero(candidates).tolist():
        y = series.inuse[site]
        p[site] = rise_between(series.seconds, y, jumps(y))
    return p
