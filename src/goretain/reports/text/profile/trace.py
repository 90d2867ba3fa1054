"""``trace`` for people at a terminal. Imports ``model`` and ``reports``."""

from __future__ import annotations

from collections.abc import Sequence

from goretain.model.units import duration, iec
from goretain.reports.results import CauseRow, CollectorSection, CycleRow, TraceReport, UnendedRow
from goretain.reports.text.page import Page
from goretain.reports.text.parts import left_out
from goretain.reports.text.profile.growth import curve
from goretain.reports.text.profile.places import split_path, spot
from goretain.reports.units import clean, number, percent, plural

_UNKNOWN = "-"


def render_trace(report: TraceReport, width: int) -> Page:
    """The report as lines of at most ``width`` columns."""
    page = Page(width)
    _head(page, report)
    page.title("Goroutines by state", "how many on average, and over time")
    page.table(
        ("mean", "at the end", "course", "state"),
        [
            (
                f"{row.mean:,.1f}",
                number(row.at_end),
                curve([round(1000 * mean) for mean in row.course]),
                row.state,
            )
            for row in report.states
        ],
        left=2,
        styles={0: "bold"},
    )
    left_out(page, report.states_total, len(report.states), "state")
    page.title("Goroutines that did not end", "asleep: they did nothing in the second half of the trace")
    if report.unended:
        heads = ("count", "asleep", "begun", "ended", "stands at <- began as <- begun by")
        page.table(
            heads, [_group(row) for row in report.unended], left=1, styles={0: "bold"}, split=_split_group
        )
    left_out(page, report.unended_total, len(report.unended), "group")
    _collector(page, report.collector, report.duration_ns)
    _types(page, report)
    return page


def _head(page: Page, report: TraceReport) -> None:
    said = f"{duration(report.duration_ns)}, {plural(report.events, 'event')}, format of Go {report.format}"
    page.words(said, lead=[(clean(report.name), "bold"), ("  ", "")], hang="  ", style="dim")
    page.fact(
        "goroutines",
        f"{report.goroutines_created:,} begun, {report.goroutines_ended:,} ended, "
        f"{report.goroutines_alive:,} alive at the end",
        style="bold",
    )
    for note in report.notes:
        page.fact("note", note, style="yellow")


def _split_group(text: str) -> list[str]:
    """The frames of a group; its state may stand on a line of its own."""
    first, *others = split_path(text)
    state, end, place = first.partition("] ")
    return [f"{state}]", f" {place}", *others] if end else [first, *others]


def _group(row: UnendedRow) -> tuple[str, ...]:
    parts = [spot(row.created_at)] if row.created_at is not None else []
    if row.start is not None:
        parts.append(f"go {spot(row.start)}")
    stands = "" if row.place is None or row.place == row.start else f" {spot(row.place)}"
    parts.append(f"[{row.state}]{stands}")
    begun, ended = (_UNKNOWN if count is None else number(count) for count in (row.created, row.ended))
    return (number(row.count), number(row.asleep), begun, ended, " <- ".join(reversed(parts)))


def _collector(page: Page, section: CollectorSection, duration_ns: int) -> None:
    page.title("Garbage collector", "heap and goal over time; time by cause")
    for name, values in (("heap", section.heap_bytes), ("goal", section.goal_bytes)):
        known = [value for value in values if value is not None]
        if known:
            page.fact(
                name, f"{curve([value or 0 for value in values])} {iec(min(known))} .. {iec(max(known))}"
            )
    page.fact("cycles", _cycles(section.cycles, duration_ns))
    rows = [_cause(row) for row in (*section.workers, *section.assists)]
    rows += [_cause(row, "pause: ") for row in section.pauses]
    if rows:
        page.table(
            ("in all", "longest", "times", "cause"),
            rows,
            left=1,
            styles={0: "bold"},
        )
    left_out(page, section.assists_total, len(section.assists), "line that assisted")


def _cycles(cycles: Sequence[CycleRow], duration_ns: int) -> str:
    if not cycles:
        return "none"
    marking = sum(
        (duration_ns if cycle.end_ns is None else cycle.end_ns) - (cycle.begin_ns or 0) for cycle in cycles
    )
    return f"{plural(len(cycles), 'collection')}, marking in {percent(marking, duration_ns)} of the time"


def _cause(row: CauseRow, kind: str = "") -> tuple[str, ...]:
    where = f" {spot(row.place)}" if row.place is not None else ""
    return (duration(row.total_ns), duration(row.longest_ns), number(row.count), kind + row.name + where)


def _types(page: Page, report: TraceReport) -> None:
    if report.types is None:
        return
    page.title("Types allocated and not freed", "objects; garbage that no sweep has come to is not freed")
    page.table(
        ("left", "allocated", "freed", "before", "value", "type"),
        [
            (
                number(row.left),
                number(row.allocated),
                number(row.freed),
                number(row.before),
                _UNKNOWN if row.value_bytes is None else iec(row.value_bytes),
                row.type,
            )
            for row in report.types
        ],
        left=1,
        styles={0: "bold"},
    )
    left_out(page, report.types_total or 0, len(report.types), "type")
