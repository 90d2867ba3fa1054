"""Parts of ``diff`` at a terminal: the changes by one kind of thing, findings, how builds fit. Imports
``model`` and ``reports``."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

from goretain.model.units import iec
from goretain.reports.results import DiffReport, FindingRow, GrowthRow
from goretain.reports.text.page import Page
from goretain.reports.text.parts import left_out
from goretain.reports.units import UNNAMED, number, plural, signed

Row = TypeVar("Row", GrowthRow, FindingRow)

_NOUNS = {
    "holder": "holder",
    "chain": "chain",
    "pattern": "finding",
    "type": "type",
    "goroutine": "goroutine group",
}
_STEPS = 3  # intervals whose growth has room in a line
_ID = 12  # digits of a build ID that a reader compares


def with_roots(row: GrowthRow) -> str:
    """A row's name, and how many roots it sums up where that changed."""
    name = row.name or UNNAMED
    if row.roots and row.roots[0] != row.roots[-1] and max(row.roots) > 1:
        name += f" ({row.roots[0]:,} -> {row.roots[-1]:,} of them)"
    return name


def builds(page: Page, report: DiffReport) -> None:
    """That the looks are of several builds, and what of the first and the last could not be matched."""
    if report.same_build:
        return
    first, last = report.looks[0], report.looks[-1]
    whose = "of different programs" if report.same_program is False else "of one program"
    known = "" if report.same_program is not None else " (by all that is known)"
    versions = dict.fromkeys(look.go_version for look in report.looks)
    page.fact(
        "builds",
        f"different builds {whose}{known}: {_build(first.build_id)} and {_build(last.build_id)}, "
        f"{' and '.join(versions)}; compared by names, without lines, addresses and numbers of closures "
        "(main.f.func*)",
        style="yellow",
    )
    unmatched = [fit for fit in report.matched if fit.only_first or fit.only_last]
    if not unmatched:
        page.fact("matched", "all names are in both")
    for fit in unmatched:
        noun = _NOUNS.get(fit.what, fit.what)
        gone = f"{fit.only_first:,} only in the first ({iec(fit.only_first_bytes)}): gone, or renamed"
        new = f"{fit.only_last:,} only in the last ({iec(fit.only_last_bytes)}): new, or renamed"
        parts = [
            plural(fit.both, noun) + " in both",
            gone if fit.only_first else "",
            new if fit.only_last else "",
        ]
        page.fact("matched", "; ".join(part for part in parts if part))


def _build(build_id: str) -> str:
    return build_id.rpartition("/")[2][:_ID] or "one that does not say its build"


def findings(page: Page, report: DiffReport, least: int) -> None:
    """Findings by fingerprint: new, gone, grown, shrunk, and how many are as they were."""
    found = [row for row in report.findings or () if row.delta_bytes is None or abs(row.delta_bytes) >= least]
    same = f"{report.findings_same:,} unchanged" if report.findings_same else ""
    if not found:
        page.title("Findings: no change", same)
        left_out(page, report.findings_total or 0, 0, "small change")
        return
    if report.by == "pattern" and len(report.looks) > 2:
        for title, rows in _by_growth(found, len(report.looks) - 1):
            page.title(title)
            _findings_table(page, rows, report)
        if same:
            page.add((f"  {same}", "dim"))
    else:
        page.title("Findings that changed", same)
        _findings_table(page, found, report)
    left_out(page, report.findings_total or 0, len(found), "change")
    for missing in report.not_judged:
        text = f"{missing.code} is unknown: {missing.reason}"
        page.words(text, lead=[("  ", "")], hang="    ", style="dim")


def _findings_table(page: Page, found: Sequence[FindingRow], report: DiffReport) -> None:
    steps = _has_steps(report)
    page.table(
        ("before", "after", "change", *(("by interval",) if steps else ()), "objects", "", "finding"),
        [
            (
                *_figures(row, steps),
                row.course,
                f"{row.code} {row.pattern}: {row.chain.text}",
            )
            for row in found
        ],
        left=2,
        styles={2: "bold"},
    )


def lines(page: Page, report: DiffReport, least: int) -> None:
    """What changed by one kind of thing; of three or more looks what grew every time stands first."""
    assert report.by is not None
    noun = _NOUNS[report.by]
    shown = [row for row in report.lines if abs(row.weight) >= least]
    if not shown:
        page.title(f"By {report.by}: no change")
        left_out(page, report.lines_total, 0, "small change")
        return
    steps = _has_steps(report)
    columns = ("before", "after", "change", *(("by interval",) if steps else ()), "objects", "", noun)
    for title, rows in _by_growth(shown, len(report.looks) - 1):
        page.title(title)
        cells = [(*_figures(row, steps), row.course, with_roots(row)) for row in rows]
        page.table(columns, cells, left=2, styles={2: "bold"})
    left_out(page, report.lines_total, len(shown), "change")


def _by_growth(rows: Sequence[Row], intervals: int) -> list[tuple[str, list[Row]]]:
    """The rows under headings that say how often they grew; those without rows are left out."""
    grown = [row for row in rows if (row.delta_bytes or 0) > 0]
    rest = [row for row in rows if (row.delta_bytes or 0) <= 0]
    if intervals == 1:
        groups = [("Grew", grown), ("Did not grow", rest)]
    else:
        groups = [
            (f"Grew every time, in all of {intervals} intervals", [r for r in grown if r.grew == intervals]),
            ("Grew in some intervals, not in all", [r for r in grown if r.grew not in (1, intervals)]),
            ("Grew only once", [r for r in grown if r.grew == 1]),
            ("Did not grow", rest),
        ]
    return [(title, found) for title, found in groups if found]


def _has_steps(report: DiffReport) -> bool:
    return 1 < len(report.looks) - 1 <= _STEPS


def _figures(row: GrowthRow | FindingRow, steps: bool) -> tuple[str, ...]:
    sizes, counts = row.bytes, row.objects
    by_interval = ", ".join(_step(*pair) for pair in pairwise(sizes))
    objects = f"{number(counts[0])} -> {number(counts[-1])}"
    if counts[0] == counts[-1]:
        objects = number(counts[0])
    change = signed(row.delta_bytes)
    return (iec(sizes[0]), iec(sizes[-1]), change, *((by_interval,) if steps else ()), objects)


def _step(before: int | None, after: int | None) -> str:
    return signed(None if before is None or after is None else after - before)
