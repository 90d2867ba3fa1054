"""The commands ``profile`` and ``growth`` as functions. Imports ``profile`` and ``reports`` when they run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from goretain.api.snapshot import Snapshot
from goretain.api.targets import Progress, open
from goretain.model.errors import UsageError

if TYPE_CHECKING:
    from goretain.api.answers import Target
    from goretain.profile.sources.source import Source
    from goretain.reports.results import GrowthReport, ProfileDiffReport, ProfileReport


def profile(
    targets: Sequence[str | os.PathLike[str]],
    *,
    heap: Target | None = None,
    top: int = 10,
    progress: Progress | None = None,
    **how: Any,
) -> ProfileReport:
    """What profiles, dumps and logs say: what is allocated, what of it stays, which goroutines stand where.

    Args:
        targets: files, ``-`` (standard input) or URLs; profiles of one kind are added up.
        heap: the same program as ``open`` takes it: who holds what is in use is said too.
        how: more arguments of ``open``.
        top: rows of each list.

    Raises:
        GoretainError: one cannot be fetched, is damaged or no profile.
    """
    from goretain.profile.readers.gather import gather
    from goretain.reports.profile.build import profile_report

    if not targets:
        raise UsageError("no profile is named", hint="give files or URLs")
    gathered = gather(_sources(targets, progress), len(targets))
    if heap is None:
        return profile_report(gathered, top)
    snapshot = heap if isinstance(heap, Snapshot) else open(heap, progress=progress, **how)
    return profile_report(gathered, top, target=snapshot.target, heap=snapshot.heap)


def profile_diff(
    first: str | os.PathLike[str],
    second: str | os.PathLike[str],
    *,
    top: int = 10,
    progress: Progress | None = None,
) -> ProfileDiffReport:
    """What changed from one profile to another, and what of it the sampling may have made up.

    Raises:
        GoretainError: one cannot be fetched, is damaged or no profile, or they are of different kinds.
    """
    from goretain.profile.readers.read import read_contents
    from goretain.reports.profile.diff import profile_diff

    before, after = map(read_contents, _sources((first, second), progress))
    return profile_diff(before, after, top)


def growth(
    targets: Sequence[str | os.PathLike[str]],
    *,
    limit: int | None = None,
    top: int = 10,
    progress: Progress | None = None,
) -> GrowthReport:
    """Which allocation sites go on growing, by heap profiles that were taken one after another.

    Args:
        targets: files of one program, in any order.
        limit: of its memory, in bytes: the report says when it is reached.
        top: rows of each list.

    Raises:
        GoretainError: one is damaged, no heap profile, or no two are of one process.
    """
    from goretain.profile.growth.history import heap_profile, history_of, look_of
    from goretain.profile.readers.read import read_contents
    from goretain.reports.profile.growth import growth_report
    from goretain.reports.profile.heap import heaviest_paths

    if not targets:
        raise UsageError("no profile is named", hint="give the files of a series of heap profiles")
    looks, last = [], None
    for contents in map(read_contents, _sources(targets, progress)):
        profile = heap_profile(contents)
        looks.append(look_of(profile, contents.name))
        if last is None or (profile.time_ns or 0) >= (last.time_ns or 0):
            last = profile
    assert last is not None  # there are targets
    return growth_report(
        history_of(looks),
        partial(heaviest_paths, [last]),
        program=last.program,
        build_id=last.build_id,
        limit=limit,
        top=top,
    )


def _sources(targets: Sequence[str | os.PathLike[str]], progress: Progress | None) -> Iterator[Source]:
    """The bytes of each, when they are asked for."""
    from goretain.profile.sources.source import read_source

    for done, target in enumerate(targets):
        if progress is not None:
            progress(f"reading {os.fspath(target)}", done, len(targets))
        yield read_source(os.fspath(target))
