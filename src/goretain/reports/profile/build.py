"""One answer of all files that were read: heap, goroutines, other values.

Imports ``profile`` and ``reports``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

import goretain
from goretain.profile.columns import I64, INUSE_SPACE, Profile
from goretain.profile.goroutines import LEAKED, Group, counted, groups, standing
from goretain.profile.sites import Site, sites_of
from goretain.reports.profile.heap import heap_section
from goretain.reports.results import (
    ProfileFile,
    ProfileReport,
    StandingRow,
    StandingSection,
    ValueRow,
    ValueSection,
)


@dataclass(frozen=True, slots=True)
class Read:
    """A profile and what it was called."""

    name: str
    profile: Profile


def profile_report(read: Sequence[Read], top: int = 10) -> ProfileReport:
    """What is allocated, what of it stays, who stands where.

    Args:
        read: profiles of any kinds; those of one kind are added up, as pprof does.
        top: rows of each list.
    """
    profiles = [one.profile for one in read]
    heaps = [profile for profile in profiles if profile.is_heap]
    counts = [profile for profile in profiles if counted(profile)]
    others: dict[tuple[str, ...], list[Profile]] = {}
    for profile in profiles:
        if not profile.is_heap and not counted(profile):
            others.setdefault(tuple(kind.name for kind in profile.types), []).append(profile)
    return ProfileReport(
        goretain=goretain.__version__,
        files=tuple(file_of(one) for one in read),
        heap=heap_section(heaps, top) if heaps else None,
        goroutines=_goroutines(counts, top) if counts else None,
        values=tuple(_values(alike, top) for alike in others.values()),
    )


def file_of(read: Read) -> ProfileFile:
    """What is known of a file but its figures."""
    profile = read.profile
    return ProfileFile(
        name=read.name,
        kind="heap" if profile.is_heap else "goroutines" if counted(profile) else "values",
        program=profile.program,
        build_id=profile.build_id,
        taken_at=None if profile.time_ns is None else profile.time_ns / 1e9,
        seconds=None if profile.duration_ns is None else profile.duration_ns / 1e9,
        rate=profile.period if profile.is_heap else None,
        notes=_notes(profile),
    )


def _notes(profile: Profile) -> tuple[str, ...]:
    """What is to be known before the figures are believed."""
    notes = []
    if profile.is_heap:
        in_use = profile.column(INUSE_SPACE)
        assert in_use is not None  # it is one of a heap profile's
        if profile.duration_ns or (in_use < 0).any():
            notes.append(
                "it is a difference of two (?seconds=N): what looks like in use is the change, and what is in"
                " use is not in it (golang/go#67942); fetch it without ?seconds"
            )
        if profile.period is None:
            notes.append("it does not say its sampling rate: how far off its figures are is unknown")
    return tuple(notes)


def _goroutines(profiles: Sequence[Profile], top: int) -> StandingSection:
    found = groups(one for profile in profiles for one in standing(profile))
    return StandingSection(
        count=sum(group.count for group in found),
        leaked=all(profile.types[0].name == LEAKED for profile in profiles),
        rows=tuple(_row(group) for group in found[:top]),
        rows_total=len(found),
    )


def _row(group: Group) -> StandingRow:
    return StandingRow(
        count=group.count,
        state=group.state,
        place=group.place,
        own=group.own,
        start=group.start,
        created_at=group.created_at,
        labels=tuple(f"{label.key}={label.value}{label.unit}" for label in group.labels),
        waiting_minutes=group.minutes,
    )


def _values(profiles: Sequence[Profile], top: int) -> ValueSection:
    sums: dict[Site, I64] = {}
    for profile in profiles:
        sites = sites_of(profile)
        columns = [sites.sums(profile.values[:, at]) for at in range(len(profile.types))]
        for site, values in zip(sites.sites, np.stack(columns, axis=1), strict=True):
            sums[site] = sums[site] + values if site in sums else values
    rows = sorted(sums.items(), key=lambda item: -int(item[1][-1]))
    types = profiles[0].types
    totals = np.sum([profile.values.sum(axis=0) for profile in profiles], axis=0)
    return ValueSection(
        types=tuple(kind.name for kind in types),
        units=tuple(kind.unit for kind in types),
        totals=tuple(totals.tolist()),
        rows=tuple(
            ValueRow(place=site.allocates, own=site.own, values=tuple(values.tolist()))
            for site, values in rows[:top]
        ),
        rows_total=len(rows),
    )
