"""Builds the answers of ``remedy``. Imports ``remedies``, ``model`` and this package."""

from __future__ import annotations

import goretain
from goretain.model.errors import UsageError
from goretain.remedies import Added, Remedy, find_remedy, remedies
from goretain.reports.results import AddedFile, RemedyAddReport, RemedyReport, RemedyRow, RemedySource


def remedy_report(wanted: str | None, pattern: str | None) -> RemedyReport:
    """The remedy of a name, those that mend a pattern (``GR103``), or all of them.

    Raises:
        UsageError: there is none.
    """
    chosen = (find_remedy(wanted),) if wanted is not None else remedies()
    if pattern is not None:
        chosen = tuple(remedy for remedy in chosen if pattern.upper() in remedy.patterns)
        if not chosen:
            codes = sorted({code for remedy in remedies() for code in remedy.patterns})
            raise UsageError(f"no remedy is for {pattern!r}", hint=f"there are some for {', '.join(codes)}")
    return RemedyReport(goretain=goretain.__version__, remedies=tuple(_row(remedy) for remedy in chosen))


def added_report(remedy: Remedy, added: Added) -> RemedyAddReport:
    """What copying a remedy did."""
    return RemedyAddReport(
        goretain=goretain.__version__,
        remedy=remedy.name,
        package=added.package,
        module=None if added.module is None else str(added.module),
        files=tuple(
            AddedFile(path=str(file.path), remedy=file.remedy, outcome=file.outcome) for file in added.files
        ),
    )


def _row(remedy: Remedy) -> RemedyRow:
    return RemedyRow(
        name=remedy.name,
        title=remedy.title,
        purpose=remedy.purpose,
        kind=remedy.kind,
        patterns=remedy.patterns,
        claims=remedy.claims,
        go=remedy.go,
        needs=remedy.needs,
        requires=remedy.requires,
        files=tuple(
            RemedySource(name=file.name, test=file.is_test, lines=file.text.count("\n"), text=file.text)
            for file in remedy.files
        ),
        text=remedy.text,
    )
