"""What a generator family is, and the families that the verdict was tuned on.

A family draws one allocation site's life over a window of snapshots. Sizes are in samples of the profile (at
the default rate one sample is 512 KiB of small objects). Healthy families come to rest: what they build up
is there, to 95 %, after two thirds of the window, and no period of theirs is longer than that; of a program
whose warm-up or period is longer no method can tell growth. Leaks grow by 0.17 to 3 samples a snapshot.
The families of the published table are in ``heldout``: they were never used for tuning.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.growth.populations import Rng, Table, flushed, follow, garbage, leaked, load

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Draw:
    """What a family draws a site from.

    Attributes:
        code: random numbers of what the program's code decides: sizes, periods. Hosts of a fleet share them.
        rng: random numbers of what happens to one process.
        ticks: length of the window.
        rate: of the profile.
        busy: load of this process beside others.
    """

    code: Rng
    rng: Rng
    ticks: int
    rate: int
    busy: float = 1.0

    def size(self, low: int = 1024, high: int = 128) -> int:
        """Bytes of an object: from a low-th of the rate to a high-th."""
        return round(self.log_uniform(self.rate / low, self.rate / high))

    def samples(self, count: float, size: int) -> float:
        """Objects of a size that make so many samples."""
        return count * self.rate / size

    def level(self, size: int) -> float:
        """Objects of a healthy population: 4 to 64 samples."""
        return self.busy * self.samples(self.log_uniform(4, 64), size)

    def leak(self, size: int) -> float:
        """Objects that a leak loses in a tick: 0.17 to 3 samples."""
        return self.busy * self.samples(self.log_uniform(0.17, 3), size)

    def log_uniform(self, low: float, high: float) -> float:
        """A number whose logarithm is uniform."""
        return float(np.exp(self.uniform(np.log(low), np.log(high))))

    def within(self, low: float, high: float) -> float:
        """Ticks: a uniform share of the window."""
        return self.uniform(low, high) * self.ticks

    def uniform(self, low: float, high: float) -> float:
        """A number between."""
        return float(self.code.uniform(low, high))

    @property
    def time(self) -> Floats:
        """float64[ticks]: 0, 1, 2 ..."""
        return np.arange(self.ticks, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of site.

    Attributes:
        name: what it is, for the table.
        leaks: whether it grows for ever.
        draw: one site of it, as a population table.
    """

    name: str
    leaks: bool
    draw: Callable[[Draw], Table]


def steady(d: Draw) -> Table:
    size = d.size()
    return follow(np.full(d.ticks, d.level(size)), d.uniform(0, 0.2), size, d.rng)


def warm_up(d: Draw) -> Table:
    size, tau = d.size(), d.within(0.02, 0.22)
    return follow(d.level(size) * (1 - np.exp(-(d.time + 1) / tau)), d.uniform(0, 0.1), size, d.rng)


def sawtooth(d: Draw) -> Table:
    size, period = d.size(), max(round(d.within(0.1, 0.66)), 2)
    flushes = np.arange(d.rng.integers(period), d.ticks, period)
    return flushed(2 * d.level(size) / period * load(d.ticks, d.rng), flushes, size)


def waves(d: Draw) -> Table:
    size, period = d.size(), d.within(0.2, 0.66)
    wave = 1 + 0.5 * np.sin(2 * np.pi * (d.time / period + d.rng.uniform()))
    return follow(d.level(size) * wave * load(d.ticks, d.rng, 0.03), d.uniform(0.05, 0.3), size, d.rng)


def reload(d: Draw) -> Table:
    size, when = d.size(), d.within(0.1, 0.9)
    return follow(d.level(size) * np.where(d.time < when, 0.5, 1.0), d.uniform(0, 0.1), size, d.rng)


def short_lived(d: Draw) -> Table:
    size = d.size()
    return garbage(d.level(size) * load(d.ticks, d.rng), size)


def leak(d: Draw) -> Table:
    size = d.size()
    return leaked(d.rng.poisson(d.leak(size) * load(d.ticks, d.rng)).astype(np.float64), size)


def regular_bursts(d: Draw) -> Table:
    size, every = d.size(), max(round(d.within(0.04, 0.12)), 1)
    burst = (np.arange(d.ticks) + d.rng.integers(every)) % every == 0
    return leaked(d.leak(size) * every * burst * load(d.ticks, d.rng), size)


def leak_beside_cache(d: Draw) -> Table:
    """A leak at a site that also fills a cache."""
    size, tau = d.size(), d.within(0.02, 0.1)
    cache = 4 * d.samples(1, size) * (1 - np.exp(-(d.time + 1) / tau))
    lost = leaked(d.leak(size) * load(d.ticks, d.rng), size)
    return np.concatenate([follow(cache, 0.01, size, d.rng), lost])


TUNING = (
    Family("steady", False, steady),
    Family("warm-up", False, warm_up),
    Family("sawtooth", False, sawtooth),
    Family("waves", False, waves),
    Family("reload", False, reload),
    Family("short-lived", False, short_lived),
    Family("leak", True, leak),
    Family("regular bursts", True, regular_bursts),
    Family("leak beside a cache", True, leak_beside_cache),
)
