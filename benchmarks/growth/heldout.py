"""The families of the published table: written down before their first run, and never used for tuning.

The same bounds hold as for the families of tuning (see ``families``): healthy ones come to rest within two
thirds of the window, leaks lose 0.17 to 3 samples a snapshot.
"""

from __future__ import annotations

import numpy as np

from benchmarks.growth.families import Draw, Family
from benchmarks.growth.populations import Table, expiring, flushed, follow, leaked, load, queue


def sliding_cache(d: Draw) -> Table:
    """Entries that expire, of a load that wanders: fills, then follows the load."""
    size, life = d.size(), max(round(d.within(0.05, 0.6)), 1)
    return expiring(d.level(size) / life * load(d.ticks, d.rng, 0.3, 0.8), life, size)


def sessions(d: Draw) -> Table:
    """Sessions that come and end at random."""
    size, life = d.size(), max(d.within(0.02, 0.2), 1.0)
    arrivals = d.rng.poisson(d.level(size) / life * load(d.ticks, d.rng, 0.2, 0.5))
    return queue(arrivals, 1 / life, size, d.rng)


def batches(d: Draw) -> Table:
    """A buffer that is flushed at irregular times."""
    size, flushes, at = d.size(), list[int](), 0.0
    while (at := at + d.rng.uniform(0.05, 0.5) * d.ticks) < d.ticks:
        flushes.append(int(at))
    births = d.level(size) / (0.25 * d.ticks) * load(d.ticks, d.rng, 0.3, 0.5)
    return flushed(births, np.array(flushes, np.int64), size)


def intern_table(d: Draw) -> Table:
    """Distinct values that are seen for the first time ever more rarely; nothing is let go."""
    size, tau = d.size(), d.within(0.02, 0.22)
    return leaked(d.rng.poisson(d.level(size) / tau * np.exp(-d.time / tau)).astype(np.float64), size)


def tenants(d: Draw) -> Table:
    """One or two customers that are loaded while it is watched."""
    size = d.size()
    loaded = d.rng.uniform(0.05, 0.66, int(d.rng.integers(1, 3))) * d.ticks
    target = 1 + sum((d.time >= when).astype(np.float64) for when in loaded)
    return follow(d.level(size) / 2 * target, d.uniform(0, 0.05), size, d.rng)


def traffic_ramp(d: Draw) -> Table:
    """State of requests while the morning's traffic comes up."""
    size, width, centre = d.size(), d.within(0.03, 0.1), d.within(0.1, 0.4)
    ramp = 0.3 + 0.7 / (1 + np.exp(-(d.time - centre) / width))
    return follow(d.level(size) * ramp * load(d.ticks, d.rng, 0.1, 0.5), d.uniform(0.2, 0.6), size, d.rng)


def high_water(d: Draw) -> Table:
    """Buffers that are kept for the highest load so far."""
    size = d.size()
    peak = np.maximum.accumulate(load(d.ticks, d.rng, 0.25, 0.5))
    return follow(d.level(size) / 2 * peak, d.uniform(0, 0.02), size, d.rng)


def large_objects(d: Draw) -> Table:
    """A handful of buffers about as large as the sampling rate, taken and given back."""
    size = d.size(low=4, high=1)
    life = max(d.within(0.02, 0.2), 1.0)
    return queue(d.rng.poisson(d.log_uniform(4, 64) / life * load(d.ticks, d.rng)), 1 / life, size, d.rng)


def request_leak(d: Draw) -> Table:
    """One object of some requests, of a load that comes and goes."""
    size = d.size()
    day = 1 + 0.6 * np.sin(2 * np.pi * (d.time / d.within(0.3, 1.2) + d.rng.uniform()))
    lost = d.leak(size) * day * load(d.ticks, d.rng, 0.3)
    return leaked(d.rng.poisson(lost).astype(np.float64), size)


def late_leak(d: Draw) -> Table:
    """A leak that begins while it is watched."""
    size = d.size()
    lost = d.leak(size) * load(d.ticks, d.rng, 0.2) * (d.time >= d.within(0, 0.3))
    return leaked(d.rng.poisson(lost).astype(np.float64), size)


def error_bursts(d: Draw) -> Table:
    """A leak on an error path: bursts of different size at irregular times."""
    size, gap = d.size(), max(d.within(0.03, 0.08), 1.0)
    bursts = d.rng.uniform(size=d.ticks) < 1 / gap
    return leaked(d.leak(size) * gap * bursts * load(d.ticks, d.rng, 0.5), size)


def large_leak(d: Draw) -> Table:
    """A leak of objects from a sixteenth of the sampling rate to half of it."""
    size = d.size(low=16, high=2)
    return leaked(d.rng.poisson(d.leak(size) * load(d.ticks, d.rng)).astype(np.float64), size)


def some_stay(d: Draw) -> Table:
    """A site of which a part is let go soon and the rest never."""
    size, stays, life = d.size(), d.uniform(0.7, 1.0), int(d.code.integers(1, 4))
    born = d.leak(size) / stays * load(d.ticks, d.rng, 0.2)
    return np.concatenate([leaked(born * stays, size), expiring(born * (1 - stays), life, size)])


def growing_map(d: Draw) -> Table:
    """A map that only grows, whose values are replaced now and then."""
    size = d.size()
    entries = np.cumsum(d.leak(size) * load(d.ticks, d.rng, 0.2))
    return follow(entries, d.uniform(0, 0.003), size, d.rng)


HELD_OUT = (
    Family("sliding cache", False, sliding_cache),
    Family("sessions", False, sessions),
    Family("batches", False, batches),
    Family("intern table", False, intern_table),
    Family("tenants loaded", False, tenants),
    Family("traffic ramp", False, traffic_ramp),
    Family("high-water buffers", False, high_water),
    Family("large objects", False, large_objects),
    Family("leak by request", True, request_leak),
    Family("leak begins late", True, late_leak),
    Family("error bursts", True, error_bursts),
    Family("leak of large objects", True, large_leak),
    Family("some are let go", True, some_stay),
    Family("map only grows", True, growing_map),
)
