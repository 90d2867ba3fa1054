"""One answer of all files that were read: heap, goroutines, other values.

Imports ``heap``, ``profile`` and ``reports``.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

import goretain
from goretain.profile.columns import I64, Profile
from goretain.profile.contents import Benchmark, Contents
from goretain.profile.goroutines import LEAKED, Group, Standing, counted, groups, standing
from goretain.profile.readers.gather import Gathered
from goretain.profile.sites.site import Site, sites_of
from goretain.reports.profile.heap import heap_section
from goretain.reports.results import (
    BenchmarkRow,
    CollectionSection,
    Look,
    ProfileFile,
    ProfileReport,
    StandingRow,
    StandingSection,
    ValueRow,
    ValueSection,
)

if TYPE_CHECKING:
    from goretain.heap.heap import Heap


def profile_report(
    read: Gathered, top: int = 10, *, target: str = "", heap: Heap | None = None
) -> ProfileReport:
    """What is allocated, what of it stays, who stands where.

    Args:
        read: files of any kinds; profiles of one kind are added up, as pprof does.
        top: rows of each list.
        target, heap: what to call a snapshot of the same program, and its heap.
    """
    heaps = [profile for profile in read.profiles if profile.is_heap]
    others: dict[tuple[str, ...], list[Profile]] = {}
    for profile in read.profiles:
        if not profile.is_heap and not counted(profile):
            others.setdefault(tuple(kind.name for kind in profile.types), []).append(profile)
    return ProfileReport(
        goretain=goretain.__version__,
        files=tuple(file_of(one) for one in read.files),
        heap=heap_section(heaps, top, heap) if heaps else None,
        joined=None if heap is None else _look(target, heap),
        goroutines=_goroutines(read, top),
        values=tuple(value_section(alike, top) for alike in others.values()),
        collections=_collections(read.files),
        benchmarks=benchmark_rows([run for one in read.files for run in one.benchmarks]),
    )


def _look(target: str, heap: Heap) -> Look:
    from goretain.reports.why import look_of  # loads numba

    return look_of(target, heap.snapshot)


def file_of(read: Contents) -> ProfileFile:
    """What is known of a file but its figures."""
    profile = read.profile
    if profile is None:
        return ProfileFile(
            name=read.name,
            kind="output",
            program="",
            build_id="",
            taken_at=None,
            seconds=None,
            rate=None,
            ended=read.ended or None,
        )
    return ProfileFile(
        name=read.name,
        kind="heap" if profile.is_heap else "goroutines" if counted(profile) else "values",
        program=profile.program,
        build_id=profile.build_id,
        taken_at=None if profile.time_ns is None else profile.time_ns / 1e9,
        seconds=None if profile.duration_ns is None else profile.duration_ns / 1e9,
        rate=profile.period if profile.is_heap else None,
        notes=_notes(profile),
        memory=read.memory,
    )


def _notes(profile: Profile) -> tuple[str, ...]:
    """What is to be known before the figures are believed."""
    notes = []
    if profile.is_heap:
        if profile.duration_ns:
            notes.append(
                "it is a difference of two (?seconds=N): what looks like in use is the change, and what is in"
                " use is not in it (golang/go#67942); fetch it without ?seconds"
            )
        if profile.period is None:
            notes.append("it does not say its sampling rate: how far off its figures are is unknown")
    return tuple(notes)


def goroutines_of(read: Contents) -> list[Standing] | None:
    """The goroutines of a file; None when it is not about them."""
    if read.profile is not None:
        return standing(read.profile) if counted(read.profile) else None
    return list(read.goroutines) or None


def _goroutines(read: Gathered, top: int) -> StandingSection | None:
    counts = [profile for profile in read.profiles if counted(profile)]
    printed = [one for contents in read.files for one in contents.goroutines]
    if not counts and not printed:
        return None
    found = groups([*(one for profile in counts for one in standing(profile)), *printed])
    return StandingSection(
        count=sum(group.count for group in found),
        leaked=not printed and all(profile.types[0].name == LEAKED for profile in counts),
        rows=tuple(_row(group) for group in found[:top]),
        rows_total=len(found),
    )


def _row(group: Group) -> StandingRow:
    return StandingRow(
        count=group.count,
        state=group.where.state,
        place=group.where.place,
        own=group.where.own,
        start=group.where.start,
        created_at=group.where.created_at,
        labels=tuple(f"{label.key}={label.value}{label.unit}" for label in group.labels),
        waiting_minutes=group.minutes,
    )


def _collections(read: Sequence[Contents]) -> CollectionSection | None:
    rows = [row for one in read for row in one.collections]
    scavenges = [row for one in read for row in one.scavenges]
    if not rows and not scavenges:
        return None
    return CollectionSection(
        processes=1 + sum(after.number <= before.number for before, after in pairwise(rows))
        if rows
        else None,
        longest_pause_ms=max((max(row.pauses_ms) for row in rows), default=None),
        rows=tuple(rows),
        scavenges=tuple(scavenges),
    )


def benchmark_rows(runs: Sequence[Benchmark]) -> tuple[BenchmarkRow, ...]:
    """The runs of each benchmark together, in the order of their first."""
    together: dict[str, list[Benchmark]] = {}
    for run in runs:
        together.setdefault(run.name, []).append(run)
    return tuple(
        BenchmarkRow(
            name=name,
            iterations=tuple(run.iterations for run in alike),
            values={
                unit: tuple(run.values[unit] for run in alike if unit in run.values)
                for unit in alike[0].values
            },
        )
        for name, alike in together.items()
    )


def value_section(profiles: Sequence[Profile], top: int, signs: Sequence[int] = ()) -> ValueSection:
    """Profiles of one kind by site, added up; signs: 1 or -1 of each: sites of sum 0 are left out then."""
    sums: dict[Site, I64] = {}
    types = profiles[0].types
    totals = np.zeros(len(types), np.int64)
    for profile, sign in zip(profiles, signs or [1] * len(profiles), strict=True):
        sites = sites_of(profile)
        columns = [sites.sums(sign * profile.values[:, at]) for at in range(len(types))]
        for site, values in zip(sites.sites, np.stack(columns, axis=1), strict=True):
            sums[site] = sums[site] + values if site in sums else values
        totals += sign * profile.values.sum(axis=0)
    shown = [(site, values) for site, values in sums.items() if values.any() or not signs]
    shown.sort(key=lambda item: -abs(int(item[1][-1])))
    return ValueSection(
        types=tuple(kind.name for kind in types),
        units=tuple(kind.unit for kind in types),
        totals=tuple(totals.tolist()),
        rows=tuple(
            ValueRow(place=site.allocates, own=site.own, values=tuple(values.tolist()))
            for site, values in shown[:top]
        ),
        rows_total=len(shown),
    )
