"""The command ``profile`` as functions. Imports ``profile`` and ``reports`` when they run."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from goretain.api.targets import Progress
from goretain.model.errors import UsageError

if TYPE_CHECKING:
    from goretain.profile.contents import Contents
    from goretain.reports.results import GrowthReport, ProfileDiffReport, ProfileReport


def profile(
    targets: Sequence[str | os.PathLike[str]], *, top: int = 10, progress: Progress | None = None
) -> ProfileReport:
    """What profiles, dumps and logs say: what is allocated, what of it stays, which goroutines stand where.

    Args:
        targets: files, ``-`` (standard input) or URLs; profiles of one kind are added up.
        top: rows of each list.

    Raises:
        GoretainError: one cannot be fetched, is damaged or no profile.
    """
    from goretain.reports.profile import profile_report

    if not targets:
        raise UsageError("no profile is named", hint="give files or URLs")
    return profile_report([_read(target, progress) for target in targets], top)


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
    from goretain.reports.profile import profile_diff

    return profile_diff(_read(first, progress), _read(second, progress), top)


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
    from goretain.profile.history import history_of, look_of
    from goretain.reports.profile import growth_report

    if not targets:
        raise UsageError("no profile is named", hint="give the files of a series of heap profiles")
    looks, last = [], None
    for target in targets:
        contents = _read(target, progress)
        if contents.profile is None:
            raise UsageError(f"{contents.name} is no heap profile", hint="fetch .../debug/pprof/heap?gc=1")
        looks.append(look_of(contents.profile, contents.name))
        if last is None or (contents.profile.time_ns or 0) >= (last.time_ns or 0):
            last = contents.profile
    assert last is not None  # there are targets
    return growth_report(history_of(looks), [last], limit=limit, top=top)


def _read(target: str | os.PathLike[str], progress: Progress | None) -> Contents:
    from goretain.profile.read import read_contents
    from goretain.profile.source import read_source

    if progress is not None:
        progress(f"reading {os.fspath(target)}", 0, 0)
    return read_contents(read_source(os.fspath(target)))
