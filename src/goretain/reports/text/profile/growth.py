"""``growth`` for people at a terminal. Imports ``model`` and ``reports``."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import PurePath

from goretain.model.units import duration, iec
from goretain.reports.results import GrowthReport, TrendRow
from goretain.reports.text.page import Page
from goretain.reports.text.parts import left_out
from goretain.reports.text.profile.places import path, split_path, spot
from goretain.reports.units import clean, moment, plural, signed

_BARS = "▁▂▃▄▅▆▇█"
#: Columns of a curve.
_CURVE = 24


def render_growth(report: GrowthReport, width: int) -> Page:
    """The report as lines of at most ``width`` columns."""
    page = Page(width)
    growth(page, report)
    return page


def growth(page: Page, report: GrowthReport, name: str = "") -> None:
    """The parts of the report. name: of the target; else that of the program."""
    _head(page, report, name)
    page.title("Sites that grow", "slope of bytes in use, by Theil-Sen, and its 95% interval")
    if report.grows:
        page.table(
            ("an hour", "between", "in use", "course", "site and its callers"),
            [_growing(row) for row in report.grows],
            left=2,
            styles={0: "bold red"},
            split=split_path,
        )
        for row in report.grows:
            _reason(page, row)
    else:
        page.add("  none that these profiles show")
    left_out(page, report.grows_total, len(report.grows), "site")
    if report.undecided:
        page.title("Undecided, of those that rose by a thousandth or more")
        _course(page, report.undecided)
        for row in report.undecided:
            _reason(page, row)
    if report.settles:
        page.title("Largest sites that settle")
        _course(page, report.settles)


def _head(page: Page, report: GrowthReport, name: str) -> None:
    run = report.runs[report.judged]
    said = [plural(run.profiles, "profile"), duration(int((run.last_at - run.first_at) * 1e9))]
    said.append(f"until {moment(run.last_at)}")
    name = name or (PurePath(report.program).name if report.program else "heap")
    page.words(", ".join(said), lead=[(clean(name), "bold"), ("  ", "")], hang="  ", style="dim")
    first, last = report.in_use_bytes[0], report.in_use_bytes[-1]
    hourly = "" if report.bytes_an_hour is None else f", {signed(round(report.bytes_an_hour[0]))} an hour"
    page.fact("in use", f"{iec(first)} -> {iec(last)} ({signed(last - first)}{hourly})", style="bold")
    page.fact("course", curve(report.in_use_bytes))
    counts = (
        f"{plural(report.grows_total, 'site')} {'grows' if report.grows_total == 1 else 'grow'}, "
        f"{report.settles_total:,} settle, {report.undecided_total:,} undecided"
    )
    page.fact("verdict", counts, style="bold red" if report.grows_total else "bold")
    if report.limit_bytes is not None:
        page.fact("limit", f"{iec(report.limit_bytes)}: {_limit(report, report.limit_bytes)}")
    rate = "every allocation" if report.rate == 1 else f"one in {iec(report.rate)}"
    page.fact("sampling", f"{rate}; claims need 4 samples of growth")
    for note in report.notes:
        page.fact("note", note, style="yellow")


def _limit(report: GrowthReport, limit: int) -> str:
    now, by_byte = report.limit_now_bytes or 0, report.limit_by_byte or 1.0
    takes = f" ({iec(now)} now)"
    if by_byte > 1:
        takes = f" ({iec(now)} now, with garbage, and {by_byte:.3g} bytes more for each more in use)"
    if now >= limit:
        return f"reached{takes}"
    if report.limit_seconds is None:
        return f"not reached by the sites that grow{takes}"
    return f"reached in {duration(int(report.limit_seconds * 1e9))} if what grows goes on as it does{takes}"


def _growing(row: TrendRow) -> tuple[str, ...]:
    slope, low, high = row.bytes_an_hour or (0.0, 0.0, 0.0)
    between = f"{signed(round(low))} .. {signed(round(high))}"
    return (signed(round(slope)), between, iec(row.in_use_bytes[-1]), curve(row.in_use_bytes), _where(row))


def _course(page: Page, rows: Sequence[TrendRow]) -> None:
    body = [
        (
            signed(row.in_use_bytes[-1] - row.in_use_bytes[0]),
            iec(row.in_use_bytes[-1]),
            curve(row.in_use_bytes),
            _where(row),
        )
        for row in rows
    ]
    heads = ("change", "in use", "course", "site and its callers")
    page.table(heads, body, left=2, styles={0: "bold"}, split=split_path)


def _reason(page: Page, row: TrendRow) -> None:
    confidence = row.confidence
    decide = f"; to decide: {confidence.decide}" if confidence.decide else ""
    page.words(
        f"{spot(row.own or row.place)}: {confidence.reason}{decide}",
        lead=[("  ", "")],
        hang="    ",
        style="dim",
    )


def _where(row: TrendRow) -> str:
    return path(row.place, row.own, row.path)


def curve(values: Sequence[int], columns: int = _CURVE) -> str:
    """Values from nothing to the largest as bars; many are thinned to their means."""
    count = min(len(values), columns)
    edges = [len(values) * at // count for at in range(count + 1)] if count else []
    means = [sum(values[a:b]) / (b - a) for a, b in pairwise(edges)]
    most = max(means, default=0)
    return "".join(_BARS[min(int(value / most * 8), 7) if most > 0 and value > 0 else 0] for value in means)
