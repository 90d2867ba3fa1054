"""The commands as functions: why, chains, query, export, diff, watch, rules.

Imports ``reports`` when they run, and this package.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from goretain.api.snapshot import Snapshot
from goretain.api.targets import Progress, check_file, open
from goretain.model.errors import GoretainError, UsageError
from goretain.model.saving import check_place, whole_file, write_all

if TYPE_CHECKING:
    from goretain.reports.results import By, ChainsReport, DiffReport, QueryReport, WhyReport

#: What ``open`` takes, or a snapshot that is open already.
Target = int | str | os.PathLike[str] | Snapshot


def why(
    target: Target,
    *,
    binary: str | os.PathLike[str] | None = None,
    debug_dirs: Sequence[str | os.PathLike[str]] = (),
    full: bool = False,
    with_data: bool = False,
    force: bool = False,
    max_pause: float | None = None,
    on_plan: Callable[[int], None] | None = None,
    on_phase: Callable[[str], None] | None = None,
    save: str | os.PathLike[str] | None = None,
    top: int = 10,
    min_bytes: int = 0,
    focus: str = "",
    without: Sequence[str] = (),
    spans: bool = False,
    progress: Progress | None = None,
) -> WhyReport:
    """Why the memory of a target is alive: ``open``, ``Snapshot.save`` where asked, ``Snapshot.why``.

    Raises:
        GoretainError: the target cannot be read or the snapshot cannot be saved.
    """
    if save is not None:
        check_place(save)
    snapshot = _opened(
        target,
        binary=binary,
        debug_dirs=debug_dirs,
        full=full,
        with_data=with_data,
        force=force,
        max_pause=max_pause,
        on_plan=on_plan,
        on_phase=on_phase,
        progress=progress,
    )
    if save is not None:
        snapshot.save(save)
    if progress is not None:
        progress("measuring", 0, 0)
    return snapshot.why(top=top, min_bytes=min_bytes, focus=focus, without=without, spans=spans)


def chains(
    target: Target,
    what: str,
    *,
    top: int = 10,
    min_bytes: int | None = 0,
    progress: Progress | None = None,
    **how: Any,
) -> ChainsReport:
    """All shortest chains to some objects, merged: ``open``, ``Snapshot.chains``.

    Args:
        what: a type, a holder, an object id or an address.
        min_bytes: chains that lead to less are left out; None is 1 % of everything chosen.
        how: more arguments of ``open``.

    Raises:
        GoretainError: the target cannot be read, or there is nothing of that name in it.
    """
    snapshot = _opened(target, progress=progress, **how)
    if progress is not None:
        progress("measuring", 0, 0)
    return snapshot.chains(what, top=top, min_bytes=min_bytes)


def query(
    target: Target,
    sql: str,
    *,
    limit: int = 100_000,
    memory: int = 1 << 30,
    progress: Progress | None = None,
    **how: Any,
) -> QueryReport:
    """Ask a heap in SQL: ``open``, ``Snapshot.query``.

    Args:
        sql: one SELECT.
        limit: rows to fetch.
        memory: bytes that the query may take.
        how: more arguments of ``open``.

    Raises:
        GoretainError: the target cannot be read, duckdb is missing, or the query cannot be run.
    """
    snapshot = _opened(target, progress=progress, **how)
    if progress is not None:
        progress("asking", 0, 0)
    return snapshot.query(sql, limit=limit, memory=memory)


def export(
    target: Target,
    path: str | os.PathLike[str] | None = None,
    form: str | None = None,
    *,
    what: str = "",
    progress: Progress | None = None,
    **how: Any,
) -> bytes:
    """The chains of a heap for other programs: ``open``, ``Snapshot.export``, and a file where asked.

    Args:
        path: the file to write, whole or not at all, for this user only.
        form: "pprof", "json", "dot", "svg" or "folded"; None is what the file's name says.
        what: only chains to a type, a holder or an object.
        how: more arguments of ``open``.

    Raises:
        GoretainError: the target cannot be read, there is nothing of that name, the file cannot be written.
    """
    from goretain.reports.export import format_of

    if path is not None:
        check_place(path)
    form = form or (format_of(os.fspath(path)) if path is not None else None)
    if form is None:
        raise UsageError("which format?", hint="--format pprof, json, dot, svg or folded; or -o heap.pb.gz")
    snapshot = _opened(target, progress=progress, **how)
    if progress is not None:
        progress("measuring", 0, 0)
    data = snapshot.export(form, what=what)
    if path is not None:
        with whole_file(path) as descriptor:
            write_all(descriptor, data)
    return data


def _opened(target: Target, **how: Any) -> Snapshot:
    return target if isinstance(target, Snapshot) else open(target, **how)


def diff(
    first: Target,
    second: Target,
    *more: Target,
    by: By | None = None,
    force: bool = False,
    top: int = 10,
    on_phase: Callable[[str], None] | None = None,
    progress: Progress | None = None,
) -> DiffReport:
    """What changed between two looks or more: growth by holder and by type, findings by fingerprint, objects
    that appeared and survived.

    Args:
        more: further looks, in order: what grew every time, what only once.
        by: count every look by "holder", "chain", "type" or "goroutine" too, instead of looking for findings.
        force: capture and analyse even if the memory limits say that there is no room.
        on_phase: told of each phase of each capture, as in ``open``.

    Raises:
        GoretainError: a target cannot be read.
    """
    from goretain.reports.diff import Series

    series = Series(by, findings=by is None)
    for target in (first, second, *more):
        if not isinstance(target, Snapshot):
            check_file(target)
    for target in (first, second, *more):
        snapshot = _opened(target, force=force, on_phase=on_phase, progress=progress)
        if progress is not None:
            progress("measuring", 0, 0)
        series.add(snapshot.target, snapshot.heap)
    return series.report(top)


def watch(
    pid: int,
    *,
    every: float,
    count: int = 2,
    by: By | None = None,
    force: bool = False,
    top: int = 10,
    save: str | os.PathLike[str] | None = None,
    on_phase: Callable[[str], None] | None = None,
    progress: Progress | None = None,
    sleep: Callable[[float], None] = time.sleep,
    on_stop: Callable[[BaseException], None] | None = None,
) -> DiffReport:
    """Look at a process ``count`` times, ``every`` seconds apart, and tell what changed.

    Args:
        by: also count every look by "holder", "chain", "type" or "goroutine", or look for findings
            ("pattern").
        force: capture and analyse even if the memory limits say that there is no room.
        save: a folder for the snapshots of all looks.
        on_phase: told of each phase of each capture, as in ``open``.
        sleep: how to wait.
        on_stop: told of what ended the watching early (KeyboardInterrupt, or the error of a process that
            could not be read again) once there were two looks; these are reported then. Without it the
            exception is raised and the looks are lost.

    Raises:
        GoretainError: the process cannot be read, or ends meanwhile.
        KeyboardInterrupt: the watching was interrupted.
    """
    from goretain.capture.frozen.interrupts import DeferredSignals, RememberedInterrupt
    from goretain.reports.diff import Series

    if count < 2:
        raise UsageError("growth is a question of two looks or more", hint="use --count 2")
    if save is not None:
        check_place(Path(save) / "look")
    series, seen = Series(by), 0
    try:
        with RememberedInterrupt() as interrupt:
            how = {"force": force, "on_phase": on_phase, "progress": progress}
            for snapshot in _looks(pid, every, count, sleep, how):
                if save is not None:
                    snapshot.save(Path(save) / f"{pid}-{seen + 1}.goretain")
                if progress is not None:
                    progress("measuring", 0, 0)
                with DeferredSignals():  # a look counts in full or not at all
                    series.add(snapshot.target, snapshot.heap)
                    seen += 1
                interrupt.check()
    except (KeyboardInterrupt, GoretainError) as reason:
        if on_stop is None or seen < 2:
            raise
        on_stop(reason)
    return series.report(top)


def _looks(
    pid: int, every: float, count: int, sleep: Callable[[float], None], how: dict[str, Any]
) -> Iterator[Snapshot]:
    """Snapshots at a steady pace, however long each takes. how: arguments of ``open``."""
    progress = how["progress"]
    due = time.monotonic()
    for look in range(count):
        while (left := due - time.monotonic()) > 0:
            if progress is not None:
                progress(f"look {look + 1} of {count} in {left:.0f} s", 0, 0)
            sleep(min(left, 1.0))
        due += every
        yield open(pid, **how)
