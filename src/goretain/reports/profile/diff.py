"""The difference of two profiles, and what of it is noise. Imports ``profile`` and ``reports``."""

from __future__ import annotations

import msgspec
import numpy as np

import goretain
from goretain.model.errors import UsageError
from goretain.profile.columns import Profile
from goretain.profile.contents import Contents
from goretain.profile.frames import NOWHERE
from goretain.profile.goroutines import Standing, counts, named_alike
from goretain.profile.sites.change import Change, changed
from goretain.profile.sites.sampling import MOST_ERROR
from goretain.profile.sites.site import amounts_by_site
from goretain.reports.profile.build import file_of, goroutines_of, value_section
from goretain.reports.profile.heap import heaviest_paths
from goretain.reports.results import ProfileDiffReport, ProfileFile, SiteChange, StandingChange
from goretain.snapshot import Frame


def profile_diff(first: Contents, second: Contents, top: int = 10) -> ProfileDiffReport:
    """What changed from the first profile to the second.

    Args:
        top: rows of each list.

    Raises:
        UsageError: they are of different kinds, or already differences.
    """
    before, after = first.profile, second.profile
    if before is not None and after is not None and before.is_heap and after.is_heap:
        return _heap(first, before, second, after, top)
    stood, stand = goroutines_of(first), goroutines_of(second)
    if stood is not None and stand is not None:
        return _goroutines(first, stood, second, stand, top)
    if before is None or after is None or stood or stand or before.types != after.types:
        raise UsageError(
            "a difference needs two profiles of one kind, or goroutines twice",
            hint="fetch the same one twice: .../debug/pprof/heap?gc=1",
        )
    return ProfileDiffReport(
        goretain=goretain.__version__,
        files=(file_of(first), file_of(second)),
        values=value_section([before, after], top, (-1, 1)),
    )


def _heap(first: Contents, before: Profile, second: Contents, after: Profile, top: int) -> ProfileDiffReport:
    for one, profile in ((first, before), (second, after)):
        if profile.duration_ns:
            raise UsageError(
                f"{one.name} is a difference already (?seconds=N): what was in use is not in it",
                hint="fetch both without ?seconds",
            )
    change, notes = _compared(before, after)
    size = change.after - change.before
    noise = change.noise if change.noise is not None else np.zeros(len(size), np.bool_)
    moved = np.flatnonzero(size)
    order = moved[np.lexsort((-np.abs(size[moved]), noise[moved]))][:top]
    paths = heaviest_paths([after, before], [change.sites[at] for at in order.tolist()])
    notes += _same_collection(first, second, change)
    return ProfileDiffReport(
        goretain=goretain.__version__,
        files=(file_of(first), _with_notes(second, notes)),
        same_process=change.same_process,
        in_use_bytes=(int(change.before.sum()), int(change.after.sum())),
        total=_total(change),
        sites=tuple(_row(change, at, paths[change.sites[at]]) for at in order.tolist()),
        sites_total=len(moved),
        noise_total=int(noise[moved].sum()),
        noise_bytes=int(size[moved][noise[moved]].sum()),
    )


def _compared(before: Profile, after: Profile) -> tuple[Change, tuple[str, ...]]:
    """What changed, whichever is the older one, and what is to be known of it."""
    amounts = amounts_by_site(before), amounts_by_site(after)
    change = changed(*amounts)
    if before.program and after.program and before.program != after.program:
        return change, (f"of another program than the first: {before.program} and {after.program}",)
    if change.same_process or not _is_older(after, before):
        return change, ()
    backwards = changed(*reversed(amounts))
    if not backwards.same_process:
        return change, ()
    return backwards.backwards(), ("it is older than the first: what grew shows as a fall",)


def _is_older(one: Profile, other: Profile) -> bool:
    return one.time_ns is not None and other.time_ns is not None and one.time_ns < other.time_ns


def _same_collection(first: Contents, second: Contents, change: Change) -> tuple[str, ...]:
    """In use is as of the last garbage collection: without one between them, two profiles say the same."""
    if first.memory is not None and second.memory is not None:
        still = change.same_process and first.memory.gc_count == second.memory.gc_count
        return ("both show the same garbage collection: add ?gc=1 to the address",) if still else ()
    if not change.nothing:
        return ()
    return ("both show the same garbage collection (add ?gc=1 to the address), or nothing was sampled since",)


def _with_notes(read: Contents, notes: tuple[str, ...]) -> ProfileFile:
    file = file_of(read)
    return msgspec.structs.replace(file, notes=(*file.notes, *notes)) if notes else file


def _row(change: Change, at: int, path: tuple[Frame, ...]) -> SiteChange:
    site = change.sites[at]
    return SiteChange(
        place=site.allocates,
        own=site.own,
        path=path,
        in_use_bytes=(int(change.before[at]), int(change.after[at])),
        in_use_change=int(change.after[at] - change.before[at]),
        allocated_change=None if change.allocated is None else int(change.allocated[at]),
        samples=None if change.samples is None else int(change.samples[at]),
        error=None if change.variance is None else float(np.sqrt(change.variance[at])),
        noise=None if change.noise is None else bool(change.noise[at]),
    )


def _total(change: Change) -> SiteChange:
    size = int((change.after - change.before).sum())
    off = None if change.variance is None else float(np.sqrt(change.variance.sum()))
    return SiteChange(
        place=NOWHERE,
        own=None,
        path=(),
        in_use_bytes=(int(change.before.sum()), int(change.after.sum())),
        in_use_change=size,
        allocated_change=None if change.allocated is None else int(change.allocated.sum()),
        samples=None if change.samples is None else int(change.samples.sum()),
        error=off,
        noise=None if off is None else off > MOST_ERROR * abs(size),
    )


def _goroutines(
    first: Contents, stood: list[Standing], second: Contents, stand: list[Standing], top: int
) -> ProfileDiffReport:
    before, after = named_alike([counts(goroutines, by_creator=False) for goroutines in (stood, stand)])
    mixed = (first.profile is None) != (second.profile is None)
    notes = ("a dump and a profile, which has no wait reasons: compared by place",) if mixed else ()
    rows = [
        StandingChange(
            place=where.place,
            own=where.own,
            start=where.start,
            state=where.state,
            count=(before[where], after[where]),
        )
        for where in {**after, **before}
        if before[where] != after[where]
    ]
    rows.sort(key=lambda row: -abs(row.count[1] - row.count[0]))
    return ProfileDiffReport(
        goretain=goretain.__version__,
        files=(file_of(first), _with_notes(second, notes)),
        goroutines=tuple(rows[:top]),
        goroutines_total=len(rows),
        count=(before.total(), after.total()),
    )
