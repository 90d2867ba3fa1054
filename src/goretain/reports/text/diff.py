"""``diff`` for people at a terminal. Imports ``model`` and ``reports``."""

from __future__ import annotations

from collections.abc import Sequence

from goretain.model.findings import Confidence
from goretain.model.units import duration, iec
from goretain.reports.results import DiffReport, GrowthRow
from goretain.reports.text.changes import builds, findings, lines, with_roots
from goretain.reports.text.page import Page
from goretain.reports.text.parts import head, left_out, types_table
from goretain.reports.units import number, signed

_LEVEL = {"proved": "green", "likely": "bold red", "undecided": "magenta"}


def render_diff(report: DiffReport, width: int, *, small: bool = False) -> Page:
    """The report as lines of at most ``width`` columns.

    Args:
        small: also show changes of less than 0.1% of the live heap.
    """
    page = Page(width)
    head(page, report.looks[-1])
    _summary(page, report)
    _survivors(page, report)
    builds(page, report)
    for note in dict.fromkeys([*report.notes, *(note for look in report.looks for note in look.notes)]):
        page.fact("note", note, style="yellow")
    if report.verdict:
        page.fact("verdict", report.verdict, style="bold")
    least = 0 if small else max(1, report.live_bytes[-1] // 1000)
    if report.findings is not None:
        findings(page, report, least)
    if report.by is None:
        _overview(page, report, least)
    elif report.by != "pattern":
        lines(page, report, least)
    return page


def _overview(page: Page, report: DiffReport, least: int) -> None:
    shared = any(abs(row.weight) >= least for row in report.shared)
    unchanged = "Holders: no change" + (" in what one alone holds" if shared else "")
    _growth(page, ("Holders that changed", unchanged, "holder"), report.holders, report.holders_total, least)
    if shared:
        heads = ("Shared memory that changed, by all its holders", "", "holders")
        _growth(page, heads, report.shared, report.shared_total, least)
    _growth(page, ("Types that changed", "Types: no change", "type"), report.types, report.types_total, least)
    _survivor_tables(page, report, least)


def _summary(page: Page, report: DiffReport) -> None:
    seconds = report.looks[-1].taken_at - report.looks[0].taken_at
    page.fact("looks", f"{len(report.looks)} in {duration(int(abs(seconds) * 1e9))}")
    grown = report.live_bytes[-1] - report.live_bytes[0]
    change = [signed(grown), f"{number(report.live_objects[-1] - report.live_objects[0], sign=True)} objects"]
    if report.same_process and seconds >= 1 and grown:
        change.append(f"{signed(int(grown / seconds * 3600))} an hour")
    sizes = " -> ".join(iec(size) for size in report.live_bytes)
    page.fact("live heap", f"{sizes} ({', '.join(change)})", style="bold")
    if any(report.shared_bytes):
        before, after = (iec(size) for size in report.shared_bytes)
        page.fact("shared", f"{before} -> {after} of it held by several holders together")
    if report.confidence:
        page.fact("growth", _reason(report.confidence), style=_LEVEL[report.confidence.level])


def _survivors(page: Page, report: DiffReport) -> None:
    if report.same_process:
        new = f"{iec(report.survivors_bytes)} in {number(report.survivors_objects)} objects"
        page.fact("new", f"{new} appeared after the first look and outlived a garbage collection")
    else:
        what = "several processes" if report.same_build else "several builds"
        text = f"by name: the looks are of {what}, so objects cannot be followed from one to the other"
        page.fact("compared", text)


def _survivor_tables(page: Page, report: DiffReport, least: int) -> None:
    holders = [row for row in report.survivors_by_holder if row.bytes >= least]
    if holders:
        page.title("New, and outlived a garbage collection, by holder")
        rows = [(iec(row.bytes), number(row.objects), row.holder) for row in holders]
        page.table(("bytes", "objects", "holder"), rows, left=1, styles={0: "bold"})
    types = [row for row in report.survivors_by_type if row.bytes >= least]
    types_table(page, "The same by type", types, report.survivors_bytes or 0)


def _growth(
    page: Page, heads: tuple[str, str, str], rows: Sequence[GrowthRow], total: int, least: int
) -> None:
    """A table of what changed; heads: its title, the title when nothing did, what the rows are."""
    title, unchanged, noun = heads
    shown = [row for row in rows if abs(row.weight) >= least]
    if not shown:
        page.title(unchanged)
        left_out(page, total, 0, "small change")
        return
    page.title(title)
    judged = any(len(row.bytes) > 2 for row in shown)  # two looks decide nothing; the head says so
    columns = ("change", "now", "objects", *(("growth",) if judged else ()), noun)
    page.table(columns, [_cells(row, judged) for row in shown], left=2 if judged else 1, styles={0: "bold"})
    left_out(page, total, len(shown), "change")
    likely = [row.confidence for row in shown if row.confidence and row.confidence.level == "likely"]
    for reason in dict.fromkeys(_reason(confidence) for confidence in likely):
        page.words(reason, lead=[("  ", "")], hang="  ", style="dim")


def _cells(row: GrowthRow, judged: bool) -> tuple[str, ...]:
    growth = (row.confidence.level if row.confidence else "-",) if judged else ()
    objects = number(row.delta_objects, sign=True)
    return (signed(row.delta_bytes), iec(row.bytes[-1]), objects, *growth, with_roots(row))


def _reason(confidence: Confidence) -> str:
    decide = f"; to decide: {confidence.decide}" if confidence.decide else ""
    return f"{confidence.level}: {confidence.reason}{decide}"
