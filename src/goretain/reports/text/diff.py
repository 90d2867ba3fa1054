"""``diff`` for people at a terminal. Imports ``model`` and ``reports``."""

from __future__ import annotations

from goretain.model.findings import Confidence
from goretain.reports.results import DiffReport, GrowthRow
from goretain.reports.text.page import Page
from goretain.reports.text.parts import UNNAMED, head, types_table
from goretain.reports.units import duration, iec, number, signed


def render_diff(report: DiffReport, width: int) -> Page:
    """The report as lines of at most ``width`` columns."""
    page = Page(width)
    first, last = report.looks[0], report.looks[-1]
    head(page, last)
    seconds = last.taken_at - first.taken_at
    page.fact("looks", f"{len(report.looks)} in {duration(int(abs(seconds) * 1e9))}")
    grown = report.live_bytes[-1] - report.live_bytes[0]
    objects = number(report.live_objects[-1] - report.live_objects[0], sign=True)
    pace = (
        f", {signed(int(grown / seconds * 3600))} an hour"
        if report.same_process and seconds >= 1 and grown
        else ""
    )
    sizes = " -> ".join(iec(size) for size in report.live_bytes)
    page.fact("live heap", f"{sizes} ({signed(grown)}, {objects} objects{pace})", style="bold")
    _survivors(page, report)
    for note in dict.fromkeys(note for look in report.looks for note in look.notes):
        page.fact("note", note, style="yellow")
    _growth(page, "Holders", report.holders, report.holders_total)
    _growth(page, "Types", report.types, report.types_total)
    _survivor_tables(page, report)
    return page


def _survivors(page: Page, report: DiffReport) -> None:
    if not report.same_process:
        what = "two processes of one program" if report.same_build else "two builds"
        page.fact(
            "compared",
            f"by name: the looks are of {what}, so objects cannot be followed from one to the other",
        )
        return
    new = f"{iec(report.survivors_bytes)} in {number(report.survivors_objects)} objects"
    page.fact("new", f"{new} appeared after the first look and outlived a garbage collection")


def _survivor_tables(page: Page, report: DiffReport) -> None:
    if not report.survivors_bytes:
        return
    if report.survivors_by_holder:
        page.title("New and outlived a garbage collection", "by holder")
        rows = [(iec(row.bytes), number(row.objects), row.holder) for row in report.survivors_by_holder]
        page.table(("bytes", "objects", "holder"), rows, left=1, styles={0: "bold"})
    types_table(page, "The same by type", report.survivors_by_type, report.survivors_bytes)


def _growth(page: Page, title: str, rows: tuple[GrowthRow, ...], total: int) -> None:
    if not rows:
        page.title(f"{title}: no change")
        return
    page.title(f"{title} that changed", f"{len(rows):,} of {total:,}" if total > len(rows) else "")
    page.table(
        ("change", "now", "objects", "growth", title[:-1].lower()),
        [_growth_cells(row) for row in rows],
        left=2,
        styles={0: "bold"},
    )
    for reason in dict.fromkeys(_reason(row.confidence) for row in rows if row.confidence):
        page.words(reason, lead=[("  ", "")], hang="  ", style="dim")


def _growth_cells(row: GrowthRow) -> tuple[str, ...]:
    name = row.name or UNNAMED
    if row.roots and row.roots[0] != row.roots[-1]:
        name += f" ({row.roots[0]:,} -> {row.roots[-1]:,})"
    growth = row.confidence.level if row.confidence else "-"
    return (signed(row.delta_bytes), iec(row.bytes[-1]), number(row.delta_objects, sign=True), growth, name)


def _reason(confidence: Confidence) -> str:
    decide = f"; to decide: {confidence.decide}" if confidence.decide else ""
    return f"{confidence.level}: {confidence.reason}{decide}"
