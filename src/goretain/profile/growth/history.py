"""Heap profiles of one program in the order of time: where it was restarted, and the series of one run.

In one process all that was allocated and freed only grows; where it does not, the program was started anew
and its samples have nothing in common with those before. Imports ``model``, numpy, ``profile``'s contents and
sites, and this room.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from goretain.model.errors import UsageError
from goretain.profile.columns import Profile
from goretain.profile.contents import Contents
from goretain.profile.growth.verdict import Series
from goretain.profile.sites.change import changed
from goretain.profile.sites.site import Site, SiteAmounts, amounts_by_site, series


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One heap profile.

    Attributes:
        taken_at: Unix seconds.
        rate: bytes, one sample in so many.
        amounts: by site.
        collections: garbage collections that the process had finished by then; None unknown.
    """

    taken_at: float
    rate: int
    amounts: SiteAmounts
    collections: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Profiles of one program.

    Attributes:
        runs: of each process that the profiles are of, its looks in the order of time.
        repeated: profiles left out, as they say what the one before does: no garbage collection came between.
    """

    runs: tuple[tuple[Look, ...], ...]
    repeated: int

    @property
    def judged(self) -> int:
        """Which run says most: that of most profiles, the last of several."""
        return max(range(len(self.runs)), key=lambda at: (len(self.runs[at]), at))


def heap_profile(contents: Contents) -> Profile:
    """The heap profile that a file holds. Raises UsageError: it holds none."""
    if contents.profile is None or not contents.profile.is_heap:
        hint = "growth is judged from .../debug/pprof/heap?gc=1"
        raise UsageError(f"{contents.name} is no heap profile", hint=hint)
    return contents.profile


def look_of(profile: Profile, name: str, collections: int | None = None) -> Look:
    """A heap profile as a look. collections: finished by then, where it is known.

    Raises:
        UsageError: it is a difference of two, or does not say when and how it was taken.
    """
    amounts = amounts_by_site(profile)
    if profile.duration_ns or (amounts.in_use.bytes < 0).any():
        raise UsageError(
            f"{name} is a difference already (?seconds=N): what was in use is not in it",
            hint="fetch them without ?seconds",
        )
    if profile.time_ns is None or profile.period is None:
        missing = "when it was taken" if profile.time_ns is None else "its sampling rate"
        raise UsageError(f"{name} does not say {missing}", hint="take profiles as the program serves them")
    return Look(profile.time_ns / 1e9, profile.period, amounts, collections)


def history_of(looks: Sequence[Look]) -> History:
    """The runs of a program. looks: one or more, in any order."""
    runs: list[list[Look]] = []
    repeated = 0
    for look in sorted(looks, key=lambda look: look.taken_at):
        last = runs[-1][-1] if runs else None
        change = changed(last.amounts, look.amounts) if last and last.rate == look.rate else None
        collected = _collections_between(last, look) if last else None
        if change is None or change.allocated is None or (collected is not None and collected < 0):
            runs.append([look])
        elif collected == 0 or (collected is None and change.nothing):
            repeated += 1
        else:
            runs[-1].append(look)
    return History(tuple(map(tuple, runs)), repeated)


def _collections_between(first: Look, second: Look) -> int | None:
    if first.collections is None or second.collections is None:
        return None
    return second.collections - first.collections


def series_of(run: Sequence[Look]) -> tuple[tuple[Site, ...], Series]:
    """The sites of a run and what they do. Looks of one rate, in the order of time."""
    together = series([look.amounts for look in run])
    in_use, allocated = together.in_use, together.allocated
    assert in_use.samples is not None  # look_of takes none whose rate is unknown
    assert allocated.samples is not None
    inuse, total, inuse_samples, samples = (
        np.ascontiguousarray(column.T, np.float64)
        for column in (in_use.bytes, allocated.bytes, in_use.samples, allocated.samples)
    )
    seconds = np.array([look.taken_at - run[0].taken_at for look in run], np.float64)
    return together.sites, Series(seconds, inuse, total, inuse_samples, samples, run[0].rate)
