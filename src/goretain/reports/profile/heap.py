"""Heap profiles by allocation site: what is allocated, what of it stays, how sure.

Imports ``heap``, ``profile`` and ``reports``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from goretain.profile.columns import Profile
from goretain.profile.frames import NOWHERE
from goretain.profile.sites.sampling import F64, MOST_ERROR, error, unsure
from goretain.profile.sites.site import Site, SiteAmounts, amounts_by_site, series, sites_of
from goretain.reports.results import HeapSection, SiteRow
from goretain.snapshot import Frame

if TYPE_CHECKING:
    from goretain.heap.heap import Heap


def heap_section(profiles: Sequence[Profile], top: int, heap: Heap | None = None) -> HeapSection:
    """The sites of heap profiles, added up; heap: of the same program, to say who holds what is in use."""
    amounts = added([amounts_by_site(profile) for profile in profiles])
    difference = any(profile.duration_ns for profile in profiles)  # ?seconds=N: in use is not in it
    allocated = np.argsort(-amounts.allocated.bytes, kind="stable")
    keeping = np.flatnonzero(amounts.in_use.bytes)
    kept = keeping[np.argsort(-amounts.in_use.bytes[keeping], kind="stable")]
    shown = {*allocated[:top].tolist(), *kept[:top].tolist()}
    paths = heaviest_paths(profiles, [amounts.sites[at] for at in shown])
    rows = {at: _row(amounts, at, paths[amounts.sites[at]], difference) for at in shown}
    if heap is not None:
        from goretain.reports.profile.holders import holders_of_sites  # loads numba

        held = holders_of_sites(heap, [amounts.sites[at] for at in kept[:top].tolist()])
        for at in kept[:top].tolist():
            rows[at] = msgspec.structs.replace(rows[at], held_by=held.get(amounts.sites[at], ()))
    doubtful = unsure(amounts.in_use.bytes, amounts.in_use.variance)
    unclaimed = keeping[doubtful[keeping]] if doubtful is not None else keeping[:0]
    return HeapSection(
        total=_total(amounts, difference),
        allocated=tuple(rows[at] for at in allocated[:top].tolist()),
        in_use=tuple(rows[at] for at in kept[:top].tolist()),
        sites_total=len(amounts.sites),
        in_use_total=len(kept),
        unclaimed_sites=len(unclaimed),
        unclaimed_bytes=int(amounts.in_use.bytes[unclaimed].sum()),
    )


def added(profiles: Sequence[SiteAmounts]) -> SiteAmounts:
    """The sites of all, each with the sum of what they say of it."""
    together = series(profiles)
    sums = (part.each(partial(np.sum, axis=0)) for part in (together.allocated, together.in_use))
    return SiteAmounts(together.sites, *sums)


def heaviest_paths(profiles: Sequence[Profile], wanted: Sequence[Site]) -> dict[Site, tuple[Frame, ...]]:
    """Per site the call path that keeps most, or allocated most where nothing is kept; innermost first."""
    best: dict[Site, tuple[float, tuple[Frame, ...]]] = dict.fromkeys(wanted, (-1.0, ()))
    for profile in profiles:
        sites = sites_of(profile)
        weight = _weights(profile)
        of_stack = np.zeros(len(profile.stacks))
        np.add.at(of_stack, profile.stack, weight)
        order = np.argsort(of_stack, kind="stable")  # the heaviest of a site is written last
        heaviest = np.full(len(sites.sites), -1, np.int64)
        heaviest[sites.of_stack[order]] = order
        numbers = {site: at for at, site in enumerate(sites.sites)}
        for site in best.keys() & numbers.keys():
            stack = int(heaviest[numbers[site]])
            if stack >= 0 and of_stack[stack] > best[site][0]:
                best[site] = float(of_stack[stack]), profile.stacks.frames(stack)
    return {site: frames for site, (_, frames) in best.items()}


def _weights(profile: Profile) -> F64:
    """float64[n]: bytes in use decide, and where they are alike those allocated."""
    in_use, allocated = (profile.column(name) for name in ("inuse_space", "alloc_space"))
    assert in_use is not None  # both are columns of a heap profile
    assert allocated is not None
    return np.maximum(in_use, 0) + 1e-6 * np.maximum(allocated, 0)


def _total(amounts: SiteAmounts, difference: bool) -> SiteRow:
    whole = (part.each(partial(np.sum, keepdims=True)) for part in (amounts.allocated, amounts.in_use))
    return _row(SiteAmounts((Site(NOWHERE, None),), *whole), 0, (), difference)


def _row(amounts: SiteAmounts, at: int, path: tuple[Frame, ...], difference: bool) -> SiteRow:
    site, allocated, in_use = amounts.sites[at], amounts.allocated, amounts.in_use
    size = int(in_use.bytes[at])
    off = error(size, None if in_use.variance is None else float(in_use.variance[at]))
    return SiteRow(
        place=site.allocates,
        own=site.own,
        path=path,
        allocated_bytes=int(allocated.bytes[at]),
        allocated_objects=int(allocated.objects[at]),
        allocated_samples=None if allocated.samples is None else int(allocated.samples[at]),
        allocated_error=error(
            int(allocated.bytes[at]), None if allocated.variance is None else float(allocated.variance[at])
        ),
        in_use_bytes=size,
        in_use_objects=int(in_use.objects[at]),
        in_use_samples=None if in_use.samples is None else int(in_use.samples[at]),
        in_use_error=off,
        survival=size / int(allocated.bytes[at]) if allocated.bytes[at] > 0 and not difference else None,
        claimed=None if off is None else off <= MOST_ERROR,
    )
