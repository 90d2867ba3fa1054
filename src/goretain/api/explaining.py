"""The command ``explain`` as a function. Imports ``lab``, ``toolchain`` and ``reports`` when it runs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from goretain.api.targets import Progress

if TYPE_CHECKING:
    from goretain.reports.results import ExplainReport


def explain(
    file: str | os.PathLike[str],
    line: int | None = None,
    *,
    go: Sequence[str] = (),
    progress: Progress | None = None,
) -> ExplainReport:
    """What the compiler decided for a Go file, or one line of it: the compiler's own evidence.

    Args:
        file: a Go file that is part of a package that compiles; nothing of it is run.
        line: from 1; None: the whole file.
        go: versions, ``1.22``, to show side by side; empty: the one on PATH, else the newest supported.

    Raises:
        GoretainError: no such file or line, no such toolchain, or the package does not compile.
    """
    from goretain.lab.explain.explain import explain as ask
    from goretain.lab.explain.package import source_file
    from goretain.reports.explain import explain_report
    from goretain.toolchain import module_toolchain

    source = source_file(file)
    found = []
    for at, version in enumerate(go or (None,)):
        toolchain = module_toolchain(version)
        if progress is not None:
            progress(f"compiling with Go {toolchain.version}", at, max(len(go), 1))
        found.append(ask(toolchain, source, line))
    text = None if line is None else source.read_bytes().splitlines()[line - 1].decode("utf-8", "replace")
    return explain_report(found, os.fspath(file), line, text)
