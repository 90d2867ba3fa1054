"""Populations of objects over time: what healthy and leaking code does to a heap, tick by tick.

A population table is int64[k, 4]: tick of birth, objects, bytes of each, tick of death (that of birth:
garbage; the number of ticks: never).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.int64]
Rng = np.random.Generator


def follow(target: NDArray[np.float64], churn: float, size: int, rng: Rng, *, oldest: bool = False) -> Table:
    """A population that is kept at a target.

    Args:
        target: float64[ticks], objects that are alive after each tick.
        churn: share of them that is replaced in a tick, at random.
        oldest: whether the oldest make room when the target falls; else any.
    """
    ticks = len(target)
    alive = np.zeros(ticks, np.int64)
    rows: list[tuple[int, int, int, int]] = []
    for tick, wanted in enumerate(np.maximum(np.rint(target), 0).astype(np.int64).tolist()):
        dead = rng.binomial(alive, churn)
        excess = int(alive.sum() - dead.sum()) - wanted
        if excess > 0:
            left = alive - dead
            if oldest:
                dead += np.diff(np.minimum(np.cumsum(left), excess), prepend=0)
            else:
                dead += rng.multivariate_hypergeometric(left, excess)
        rows += [(birth, int(dead[birth]), size, tick) for birth in np.flatnonzero(dead).tolist()]
        alive -= dead
        alive[tick] = max(-excess, 0)
    rows += [(birth, int(alive[birth]), size, ticks) for birth in np.flatnonzero(alive).tolist()]
    return np.array(rows, np.int64).reshape(-1, 4)


def expiring(births: NDArray[np.float64], life: int, size: int) -> Table:
    """Objects that live for a number of ticks each."""
    tick = np.arange(len(births))
    return _table(tick, births, size, tick + life)


def queue(births: NDArray[np.int64], ending: float, size: int, rng: Rng) -> Table:
    """Objects of which each ends in a tick with the same chance."""
    rows: list[tuple[int, int, int, int]] = []
    for birth, alive in enumerate(births.tolist()):
        lives = np.minimum(rng.geometric(ending, alive), len(births) - birth)
        deaths, counts = np.unique(birth + lives, return_counts=True)
        rows += [(birth, n, size, death) for death, n in zip(deaths.tolist(), counts.tolist(), strict=True)]
    return np.array(rows, np.int64).reshape(-1, 4)


def flushed(births: NDArray[np.float64], flushes: NDArray[np.int64], size: int) -> Table:
    """Objects that pile up until the next flush takes all of them; flushes: ticks, ascending."""
    tick = np.arange(len(births))
    ends = np.append(flushes, len(births))
    return _table(tick, births, size, ends[np.searchsorted(ends, tick, side="right").clip(max=len(ends) - 1)])


def leaked(births: NDArray[np.float64], size: int) -> Table:
    """Objects that are never let go."""
    return _table(np.arange(len(births)), births, size, np.full(len(births), len(births)))


def garbage(births: NDArray[np.float64], size: int) -> Table:
    """Objects that die in the tick of their birth."""
    tick = np.arange(len(births))
    return _table(tick, births, size, tick)


def load(ticks: int, rng: Rng, spread: float = 0.15, memory: float = 0.0) -> NDArray[np.float64]:
    """float64[ticks] around 1: how busy the program is; memory: correlation from tick to tick."""
    noise = rng.normal(0, spread * np.sqrt(1 - memory**2), ticks)
    noise[0] = rng.normal(0, spread)
    for tick in range(1, ticks):
        noise[tick] += memory * noise[tick - 1]
    return np.exp(noise - spread**2 / 2)


def _table(
    birth: NDArray[np.int64], births: NDArray[np.float64], size: int, death: NDArray[np.int64]
) -> Table:
    counts = np.rint(births).astype(np.int64)
    some = counts > 0
    sizes = np.full(len(counts), size)
    return np.stack([birth, counts, sizes, death], axis=1)[some].astype(np.int64)
