"""``remedy`` as functions: what there is, and copying it.

Imports ``reports`` and ``remedies`` when they run.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from goretain.reports.results import RemedyAddReport, RemedyReport


def remedies(name: str | None = None, *, pattern: str | None = None) -> RemedyReport:
    """The remedy of a name, those that mend a pattern (``GR103``), or all of them.

    Raises:
        UsageError: there is none.
    """
    from goretain.reports.remedy import remedy_report

    return remedy_report(name, pattern)


def add_remedy(
    name: str,
    folder: str | os.PathLike[str] = ".",
    *,
    package: str | None = None,
    tests: bool = False,
    force: bool = False,
) -> RemedyAddReport:
    """Copy the Go files of a remedy into a directory.

    Args:
        name: of the remedy.
        folder: the directory of a Go package; it is made if it is not there.
        package: its name; by default that of the Go files there, else made of the directory's name.
        tests: whether to copy tests, too.
        force: whether to replace files that stand there and differ.

    Raises:
        UsageError: there is no such remedy, the package does not fit, the module's Go is too old, or files
            stand there that differ.
    """
    from goretain.remedies import add, find_remedy
    from goretain.reports.remedy import added_report

    remedy = find_remedy(name)
    return added_report(remedy, add(remedy, Path(folder), package=package, tests=tests, force=force))
