"""The verdict over a fleet: in-use memory of hosts that run one build, regressed on how long each has run.

One profile of each host is enough, where hosts were started at different times: what leaks is larger on
older hosts, what has settled is not. Everything works on columns, so that a table of profiles from
anywhere can be asked. Imports ``kernels``, ``model``, numpy, ``profile.sites`` and this room.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from goretain.kernels.trends import Slopes, benjamini_hochberg, mann_kendall, theil_sen
from goretain.model.errors import UsageError
from goretain.model.findings import Trend
from goretain.profile.growth.history import Look
from goretain.profile.growth.verdict import CHANCE, LEAST_PACE, LEAST_SAMPLES, LEAST_SURVIVAL, NO_RISE
from goretain.profile.sites.site import Site

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: Fewer hosts decide nothing.
LEAST_HOSTS = 12
#: Of the slope among the older hosts, whose lower end must be above zero.
INTERVAL = 0.8
#: Sites that are laid out beside all hosts at once.
_CHUNK = 1024


@dataclass(frozen=True, slots=True, eq=False)
class Fleet:
    """Heap profiles of processes of one build, one of each, by site.

    A site that a profile does not have has nothing in use there.

    Attributes:
        uptime: float64[h], seconds that each process had run.
        sites: how many sites there are.
        host, site: int64[k], of each amount.
        inuse, allocated, samples: float64[k], bytes in use, bytes allocated since the process began, and
            the samples that the former rests on.
    """

    uptime: F64
    sites: int
    host: I64
    site: I64
    inuse: F64
    allocated: F64
    samples: F64


class FleetVerdicts(NamedTuple):
    """Columns over sites.

    p, q: chance of a rise with uptime like this, alone and as a false discovery rate over all sites. slope,
    low, high: Theil-Sen, bytes a second of uptime, with its 80 % interval. samples: by which the oldest host
    is above the youngest, along that slope. older, older_low, older_high: slope among the older half of the
    hosts. younger: among the others. survival: the slope of what is in use, as a share of that of what is
    allocated, among the older half. grows, settles: bool; a site that does neither is undecided.
    """

    p: F64
    q: F64
    slope: F64
    low: F64
    high: F64
    samples: F64
    older: F64
    older_low: F64
    older_high: F64
    younger: F64
    survival: F64
    grows: Flags
    settles: Flags

    def trend(self, site: int) -> Trend:
        """The verdict on one site."""
        return "grows" if self.grows[site] else "settles" if self.settles[site] else "undecided"


def fleet_of(looks: Sequence[Look], started: Sequence[float]) -> tuple[tuple[Site, ...], Fleet]:
    """(the sites, their columns) of one heap profile of each process. started: of each, in Unix seconds.

    Raises:
        UsageError: there is no host.
    """
    known: dict[Site, int] = {}
    columns: list[tuple[I64, ...]] = []
    for look in looks:
        sites = np.array([known.setdefault(site, len(known)) for site in look.amounts.sites], np.int64)
        in_use, allocated = look.amounts.in_use, look.amounts.allocated
        assert in_use.samples is not None  # a look has a rate
        columns.append((sites, in_use.bytes, allocated.bytes, in_use.samples))
    if not columns:
        raise UsageError("no hosts: a verdict over a fleet needs profiles", hint=f"at least {LEAST_HOSTS}")
    host = np.repeat(np.arange(len(looks)), [len(row[0]) for row in columns])
    site, *amounts = map(np.concatenate, zip(*columns, strict=True))
    uptime = np.array([look.taken_at for look in looks]) - np.array(started, np.float64)
    return tuple(known), Fleet(uptime, len(known), host, site, *(one.astype(np.float64) for one in amounts))


def judge_fleet(fleet: Fleet) -> FleetVerdicts:
    """The verdict on every site over the hosts of one build. O(sites * hosts**2).

    Raises:
        UsageError: there is no host.
    """
    if not len(fleet.uptime):
        raise UsageError("no hosts: a verdict over a fleet needs profiles", hint=f"at least {LEAST_HOSTS}")
    order = np.argsort(fleet.uptime, kind="stable")
    uptime = fleet.uptime[order]
    half = len(uptime) // 2
    parts = [_measure(uptime, half, *dense) for dense in _dense(fleet, order)]
    joined = [np.concatenate(column) for column in zip(*parts, strict=True)] or [np.zeros(0)] * 10
    p, slope, low, high, samples, older, older_low, older_high, younger, survival = joined
    q = benjamini_hochberg(p)
    enough = len(uptime) >= LEAST_HOSTS and uptime[-1] > uptime[0]
    rises = (p < CHANCE) & (q < CHANCE) & (samples >= LEAST_SAMPLES)
    goes_on = (older_low > 0) & (older >= LEAST_PACE * younger) & (survival >= LEAST_SURVIVAL)
    grows = rises & goes_on & enough
    settles = ~grows & ((p >= NO_RISE) | ((p < CHANCE) & (older_high < LEAST_PACE * younger))) & enough
    return FleetVerdicts(
        p, q, slope, low, high, samples, older, older_low, older_high, younger, survival, grows, settles
    )


def _dense(fleet: Fleet, order: I64) -> Iterator[tuple[F64, F64, F64]]:
    """In use, allocated and samples of some sites at a time, float64[sites, hosts] in the order of uptime."""
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    for first in range(0, fleet.sites, _CHUNK):
        width = min(_CHUNK, fleet.sites - first)
        mine = np.flatnonzero((fleet.site >= first) & (fleet.site < first + width))
        at = (fleet.site[mine] - first) * len(order) + place[fleet.host[mine]]
        inuse, allocated, samples = (
            np.bincount(at, column[mine], width * len(order)).astype(np.float64).reshape(width, -1)
            for column in (fleet.inuse, fleet.allocated, fleet.samples)
        )
        yield inuse, allocated, samples


def _measure(uptime: F64, half: int, inuse: F64, allocated: F64, samples: F64) -> tuple[F64, ...]:
    """The columns of FleetVerdicts from p to survival, without q."""
    test = mann_kendall(uptime, inuse)
    whole = theil_sen(uptime, inuse, test.variance, INTERVAL)
    old = _slopes(uptime[half:], inuse[:, half:])
    made = _slopes(uptime[half:], allocated[:, half:]).slope
    total = samples.sum(axis=1)
    each = np.divide(inuse.sum(axis=1), total, out=np.full(len(total), np.inf), where=total > 0)
    return (
        test.p,
        *whole,
        whole.slope * (uptime[-1] - uptime[0]) / each,
        *old,
        _slopes(uptime[:half], inuse[:, :half]).slope,
        np.divide(old.slope, made, out=np.zeros(len(made)), where=made > 0),
    )


def _slopes(x: F64, y: F64) -> Slopes:
    return theil_sen(x, y, mann_kendall(x, y).variance, INTERVAL)
