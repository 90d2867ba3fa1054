"""Allocation sites: the samples of profiles by where in the program they were allocated.

A site is two frames: the one that allocates, and the innermost one outside the standard library, which is
the line of the program that led there. They are the same where the program allocates itself; a buffer that
grows in ``bytes`` is a site for each line that writes to one. Sites are told apart by function, file and line
and so are the same in any profile of one source. Imports ``profile``'s columns and frames, ``snapshot`` and
numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from goretain.profile.columns import I32, I64, Profile, Stacks
from goretain.profile.frames import NOWHERE, layer_of
from goretain.profile.sites.sampling import Amounts, allocated, in_use
from goretain.snapshot import Frame, Layer

Number = TypeVar("Number", np.int64, np.float64)


class Site(NamedTuple):
    """Where memory is allocated.

    allocates: the innermost frame; own: the innermost one outside the standard library, None when there is
    none on the stack.
    """

    allocates: Frame
    own: Frame | None


@dataclass(frozen=True, slots=True, eq=False)
class Sites:
    """The sites of one profile.

    Attributes:
        sites: each once, in the order in which the profile names them first.
        of_stack: int32[s], the site of each stack.
        of_sample: int32[n], the site of each sample.
    """

    sites: tuple[Site, ...]
    of_stack: I32
    of_sample: I32

    def sums(self, values: NDArray[Number]) -> NDArray[Number]:
        """[len(sites)], values of samples added up by site; whole numbers exactly."""
        added = np.zeros(len(self.sites), values.dtype)
        np.add.at(added, self.of_sample, values)
        return added


def sites_of(profile: Profile) -> Sites:
    """The sites of a profile."""
    stacks = profile.stacks
    inner, own = _ends(stacks)
    pairs = inner.astype(np.int64) * (len(stacks.function) + 1) + own
    _, first, of_stack = np.unique(pairs, return_index=True, return_inverse=True)
    frames = [stacks.frame_at(number) for number in range(len(stacks.function))]

    def frame(number: int) -> Frame:
        return frames[number] if number >= 0 else NOWHERE

    sites = tuple(Site(frame(inner[at]), frames[own[at]] if own[at] >= 0 else None) for at in first.tolist())
    of_stack = of_stack.astype(np.int32)
    return Sites(sites, of_stack, of_stack[profile.stack])


def _ends(stacks: Stacks) -> tuple[I32, I32]:
    """Per stack its innermost frame, and the innermost one outside the standard library; -1 for none."""
    programs = np.array([layer_of(name) == Layer.PROGRAM for name in stacks.names], np.bool_)
    size = np.diff(stacks.start)
    inner = np.full(len(stacks), -1, np.int32)
    inner[size > 0] = stacks.frame[stacks.start[:-1][size > 0]]
    owner = np.repeat(np.arange(len(stacks)), size)
    is_own = programs[stacks.function[stacks.frame]]
    which, at = np.unique(owner[is_own], return_index=True)
    own = np.full(len(stacks), -1, np.int32)
    own[which] = stacks.frame[is_own][at]
    return inner, own


@dataclass(frozen=True, slots=True, eq=False)
class SiteAmounts:
    """Heap profiles by site.

    The arrays of both amounts have a place for each site in their last dimension: of one profile they are
    [sites], of a series [profiles, sites].
    """

    sites: tuple[Site, ...]
    allocated: Amounts
    in_use: Amounts


def amounts_by_site(profile: Profile, sites: Sites | None = None) -> SiteAmounts:
    """A heap profile by site. sites: of this profile, where they are known already."""
    sites = sites or sites_of(profile)
    return SiteAmounts(sites.sites, allocated(profile).each(sites.sums), in_use(profile).each(sites.sums))


def series(profiles: Sequence[SiteAmounts]) -> SiteAmounts:
    """Several profiles side by side over the sites of all; a site that a profile lacks has 0 there."""
    known: dict[Site, int] = {}
    places = [
        np.array([known.setdefault(site, len(known)) for site in one.sites], np.int64) for one in profiles
    ]

    def laid(rows: Sequence[Amounts]) -> Amounts:
        samples = [row.samples for row in rows if row.samples is not None]
        variance = [row.variance for row in rows if row.variance is not None]
        return Amounts(
            _laid([row.objects for row in rows], places, len(known)),
            _laid([row.bytes for row in rows], places, len(known)),
            _laid(samples, places, len(known)) if len(samples) == len(rows) else None,
            _laid(variance, places, len(known)) if len(variance) == len(rows) else None,
        )

    return SiteAmounts(
        tuple(known), laid([one.allocated for one in profiles]), laid([one.in_use for one in profiles])
    )


def _laid(rows: Sequence[NDArray[Number]], places: Sequence[I64], width: int) -> NDArray[Number]:
    """Rows of different sites in one array: [rows, width]."""
    out = np.zeros((len(rows), width), rows[0].dtype if rows else np.int64)
    for line, place, row in zip(out, places, rows, strict=True):
        line[place] = row
    return out
