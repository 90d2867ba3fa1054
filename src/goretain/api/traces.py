"""The command ``trace`` as a function. Imports ``profile`` and ``reports`` when it runs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from goretain.api.targets import Progress
from goretain.model.saving import check_place, whole_file, write_all

if TYPE_CHECKING:
    from goretain.reports.results import TraceReport


def trace(
    target: str | os.PathLike[str],
    *,
    seconds: float | None = None,
    save: str | os.PathLike[str] | None = None,
    top: int = 10,
    progress: Progress | None = None,
) -> TraceReport:
    """What an execution trace says: what goroutines did, which did not end, what the collector did.

    Args:
        target: a file, ``-`` (standard input) or a URL; with ``seconds`` the address of a program that serves
            net/http/pprof, which is asked to trace itself for so long.
        save: a file for the trace, whole or not at all, for this user only.
        top: rows of each list.

    Raises:
        GoretainError: it cannot be fetched, is damaged or no trace of Go 1.22 or newer.
    """
    from goretain.profile.sources.source import read_source, without_password
    from goretain.profile.trace.capture import MOST_BYTES, capture
    from goretain.profile.trace.read import read_trace
    from goretain.reports.profile.trace import trace_report

    if save is not None:
        check_place(save)
    name = os.fspath(target)
    if progress is not None:
        doing = "reading" if seconds is None else f"tracing {seconds:g} s of"
        progress(f"{doing} {without_password(name)}", 0, 0)
    source = read_source(name, most=MOST_BYTES) if seconds is None else capture(name, seconds)
    if save is not None:
        with whole_file(save) as descriptor:
            write_all(descriptor, source.data)
    return trace_report(read_trace(source), top)
