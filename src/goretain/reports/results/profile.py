"""What ``profile`` answers. Imports msgspec, and structs of ``model``, ``profile``, ``snapshot`` and
this package."""

from __future__ import annotations

from typing import Literal

import msgspec

from goretain.model.findings import Chain
from goretain.profile.contents import Collection, MemStats, Scavenge
from goretain.reports.results.parts import Look
from goretain.snapshot import Frame


class ProfileFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file or URL that was read.

    Attributes:
        name: as the user named it.
        kind: what is in it.
        program, build_id: as it says, "" unknown.
        taken_at: Unix seconds; seconds: what it covers. None unknown.
        rate: of a heap profile, one sample in so many bytes; None unknown.
        memory: the runtime's statistics that a heap profile in text ends with.
        ended: what ended the program that printed it: ``panic: boom``; None when nothing did.
        notes: what is to be known before its figures are believed.
    """

    name: str
    kind: Literal["heap", "goroutines", "values", "output"]
    program: str
    build_id: str
    taken_at: float | None
    seconds: float | None
    rate: int | None
    notes: tuple[str, ...] = ()
    memory: MemStats | None = None
    ended: str | None = None


class HeldBy(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds sampled objects of a site, by a snapshot of the program.

    Attributes:
        holders: one, or all that share the object of the chain.
        samples, bytes: sampled objects of the site that it holds, and their sizes.
        chain: to the largest of them.
    """

    holders: tuple[str, ...]
    samples: int
    bytes: int
    chain: Chain


class SiteRow(msgspec.Struct, frozen=True, kw_only=True):
    """Where memory is allocated.

    Attributes:
        place: the frame that allocates.
        own: the innermost frame outside the standard library, the same as place where that is one; None
            when there is none.
        path: the heaviest call path to it, innermost first.
        allocated_bytes, allocated_objects: since the process began.
        allocated_samples: how many allocations were recorded; None when the rate is unknown.
        allocated_error: relative standard error of allocated_bytes; None unknown.
        in_use_bytes, in_use_objects, in_use_samples, in_use_error: what of it was in use.
        survival: in use / allocated bytes; None when nothing was allocated, or the profile is a difference.
        claimed: whether the in-use figure rests on enough samples to say anything; None unknown.
        held_by: who holds what is in use, most samples first; None without a snapshot, () when it has no
            sampled object of this site.
    """

    place: Frame
    own: Frame | None
    path: tuple[Frame, ...]
    allocated_bytes: int
    allocated_objects: int
    allocated_samples: int | None
    allocated_error: float | None
    in_use_bytes: int
    in_use_objects: int
    in_use_samples: int | None
    in_use_error: float | None
    survival: float | None
    claimed: bool | None
    held_by: tuple[HeldBy, ...] | None = None


class HeapSection(msgspec.Struct, frozen=True, kw_only=True):
    """Heap profiles, added up where there are several.

    Attributes:
        total: of all sites; its place and path are empty.
        allocated: sites, most allocated bytes first, the first ``top``.
        in_use: sites that keep something, most bytes in use first, the first ``top``.
        sites_total, in_use_total: how many there are of either.
        unclaimed_sites, unclaimed_bytes: those of in use that too few samples speak for.
    """

    total: SiteRow
    allocated: tuple[SiteRow, ...]
    in_use: tuple[SiteRow, ...]
    sites_total: int
    in_use_total: int
    unclaimed_sites: int
    unclaimed_bytes: int


class StandingRow(msgspec.Struct, frozen=True, kw_only=True):
    """Goroutines that stand at one place and began alike.

    Attributes:
        count: how many.
        state: wait reason or state; None where the profile does not say.
        place: the innermost frame outside the runtime; own: the innermost one outside the standard library.
        start: function that they began with.
        created_at: the go statement; None where the profile does not say.
        labels: ``key=value``, that all of them have.
        waiting_minutes: the longest wait; None unknown, or under a minute.
    """

    count: int
    state: str | None
    place: Frame
    own: Frame | None
    start: str
    created_at: Frame | None
    labels: tuple[str, ...]
    waiting_minutes: int | None


class StandingSection(msgspec.Struct, frozen=True, kw_only=True):
    """Goroutine profiles, added up where there are several.

    Attributes:
        count: goroutines.
        leaked: whether the profile is of leaked ones alone (goroutineleak).
        rows: most first, the first ``top``; rows_total: how many.
    """

    count: int
    leaked: bool
    rows: tuple[StandingRow, ...]
    rows_total: int


class ValueRow(msgspec.Struct, frozen=True, kw_only=True):
    """Samples of one site; values in the order of the section's types."""

    place: Frame
    own: Frame | None
    values: tuple[int, ...]


class ValueSection(msgspec.Struct, frozen=True, kw_only=True):
    """A profile of another kind: contention (block, mutex), processor time.

    Attributes:
        types, units: of the values: ``delay`` in ``nanoseconds``.
        totals: of all samples.
        rows: most of the last value first, the first ``top``; rows_total: how many.
    """

    types: tuple[str, ...]
    units: tuple[str, ...]
    totals: tuple[int, ...]
    rows: tuple[ValueRow, ...]
    rows_total: int


class CollectionSection(msgspec.Struct, frozen=True, kw_only=True):
    """What GODEBUG=gctrace=1,scavtrace=1 printed.

    Attributes:
        processes: how often the numbering began; None without collections.
        longest_pause_ms: of the world standing still; None without collections.
        rows, scavenges: all, in the order of the files.
    """

    processes: int | None
    longest_pause_ms: float | None
    rows: tuple[Collection, ...]
    scavenges: tuple[Scavenge, ...]


class BenchmarkRow(msgspec.Struct, frozen=True, kw_only=True):
    """All runs of one benchmark: iterations of each, unit -> value of each."""

    name: str
    iterations: tuple[int, ...]
    values: dict[str, tuple[float, ...]]


class ProfileReport(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of ``goretain profile``: what is allocated, what of it stays, who stands where.

    Attributes:
        schema: names this shape.
        files: what was read.
        heap, goroutines: None when no file holds such a profile.
        joined: the snapshot that says who holds what; None without one.
        values: a section for each other kind.
        collections: garbage collections that a program printed; None without any.
        benchmarks: of ``go test -bench``.
    """

    schema: Literal["goretain/profile/1"] = "goretain/profile/1"
    goretain: str
    files: tuple[ProfileFile, ...]
    heap: HeapSection | None
    goroutines: StandingSection | None
    joined: Look | None = None
    values: tuple[ValueSection, ...] = ()
    collections: CollectionSection | None = None
    benchmarks: tuple[BenchmarkRow, ...] = ()


class SiteChange(msgspec.Struct, frozen=True, kw_only=True):
    """An allocation site before and after.

    Attributes:
        place, own, path: as in a SiteRow.
        in_use_bytes: before and after; in_use_change: the difference.
        allocated_change: bytes that were allocated between the two; None when they are of two processes.
        samples: that came or went between the two, what the change rests on; None unknown.
        error: standard error of in_use_change in bytes; None unknown.
        noise: whether the change is too small for its error to be told from chance; None unknown.
    """

    place: Frame
    own: Frame | None
    path: tuple[Frame, ...]
    in_use_bytes: tuple[int, int]
    in_use_change: int
    allocated_change: int | None
    samples: int | None
    error: float | None
    noise: bool | None


class StandingChange(msgspec.Struct, frozen=True, kw_only=True):
    """Goroutines of one place and start before and after."""

    place: Frame
    own: Frame | None
    start: str
    state: str | None
    count: tuple[int, int]


class ProfileDiffReport(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of ``goretain profile --diff``: what changed from one profile to another.

    Attributes:
        schema: names this shape.
        files: the two.
        same_process: whether what was allocated only grew, as in one process; None of other profiles.
        in_use_bytes: of all sites, before and after; None of other profiles than the heap's.
        total: the change of all sites together; None of other profiles.
        sites: those that changed, first those whose change is none of noise, the ``top`` by bytes.
        sites_total: how many changed; noise_total: how many of them are noise.
        noise_bytes: their changes together.
        goroutines: where more or fewer stand, the ``top``; None of other profiles.
        goroutines_total: how many such places; count: goroutines before and after.
        values: the change of a profile of another kind, by site; None of heaps and goroutines.
    """

    schema: Literal["goretain/profile-diff/1"] = "goretain/profile-diff/1"
    goretain: str
    files: tuple[ProfileFile, ProfileFile]
    same_process: bool | None = None
    in_use_bytes: tuple[int, int] | None = None
    total: SiteChange | None = None
    sites: tuple[SiteChange, ...] = ()
    sites_total: int = 0
    noise_total: int = 0
    noise_bytes: int = 0
    goroutines: tuple[StandingChange, ...] | None = None
    goroutines_total: int = 0
    count: tuple[int, int] | None = None
    values: ValueSection | None = None
