"""The looks of ``goretain diff PID --every``: what was seen is reported, however the watching ends.

Imports the api, ``reports``, ``capture``'s deferred signals and ``model``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from goretain import api
from goretain.capture.interrupts import DeferredSignals
from goretain.model.errors import GoretainError
from goretain.reports.growth import Series
from goretain.snapshot import check_place

if TYPE_CHECKING:
    from goretain.reports.results import DiffReport


def watch(
    pid: int, *, every: float, count: int, top: int, save: str | None, progress: api.Progress
) -> tuple[DiffReport, BaseException | None]:
    """Look at a process ``count`` times, ``every`` seconds apart.

    Returns:
        What changed, and what ended the watching early: KeyboardInterrupt, or the error of a process that
        could not be read again.

    Raises:
        GoretainError, KeyboardInterrupt: before there were two looks.
    """
    if save is not None:
        check_place(Path(save) / "look")
    series, seen, ended = Series(), 0, None
    try:
        for snapshot in _looks(pid, every, count, progress):
            if save is not None:
                snapshot.save(Path(save) / f"{pid}-{seen + 1}.goretain")
            progress("measuring", 0, 0)
            with DeferredSignals():  # a look counts in full or not at all
                series.add(snapshot.target, snapshot.heap)
                seen += 1
    except (KeyboardInterrupt, GoretainError) as reason:
        if seen < 2:
            raise
        ended = reason
    return series.report(top), ended


def _looks(pid: int, every: float, count: int, progress: api.Progress) -> Iterator[api.Snapshot]:
    """Snapshots at a steady pace, however long each takes."""
    due = time.monotonic()
    for look in range(count):
        while (left := due - time.monotonic()) > 0:
            progress(f"look {look + 1} of {count} in {left:.0f} s", 0, 0)
            time.sleep(min(left, 1.0))
        due += every
        yield api.open(pid, progress=progress)
