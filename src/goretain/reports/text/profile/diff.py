"""``profile --diff`` for people at a terminal. Imports ``model`` and ``reports``."""

from __future__ import annotations

from goretain.model.units import iec
from goretain.reports.results import ProfileDiffReport, SiteChange
from goretain.reports.text.page import Page
from goretain.reports.text.parts import left_out
from goretain.reports.text.profile.places import head_of, path, split_path, stands
from goretain.reports.text.profile.values import values
from goretain.reports.units import number, plural, signed


def render_profile_diff(report: ProfileDiffReport, width: int) -> Page:
    """The report as lines of at most ``width`` columns."""
    page = Page(width)
    for file in report.files:
        head_of(page, file)
    if report.total is not None and report.in_use_bytes is not None:
        _changes(page, report, report.total)
    if report.goroutines is not None and report.count is not None:
        _standing_changes(page, report)
    if report.values is not None:
        values(page, report.values, title="What changed, by site", sign="+")
    return page


def _changes(page: Page, report: ProfileDiffReport, total: SiteChange) -> None:
    before, after = (iec(size) for size in total.in_use_bytes)
    page.fact(
        "in use", f"{before} -> {after} ({signed(total.in_use_change)}{_give(total.error)})", style="bold"
    )
    if report.same_process:
        page.fact("allocated", f"{iec(abs(total.allocated_change or 0))} between the two")
    else:
        page.fact(
            "compared", "two processes: their samples have nothing in common, and the errors of both count"
        )
    rows = [row for row in report.sites if not row.noise]
    page.title("What changed in use, by allocation site")
    if rows:
        heads = ("change", "error", "now", "samples", "site and its callers")
        body = [_change(row) for row in rows]
        page.table(heads, body, left=1, styles={0: "bold"}, split=split_path)
    else:
        page.add("  nothing that the sampling could not have made up")
    left_out(page, report.sites_total - report.noise_total, len(rows), "site")
    if report.noise_total:
        noise = f"{plural(report.noise_total, 'site')} with {signed(report.noise_bytes)} in all"
        page.words(
            f"noise: {noise}, within twice the error of sampling", lead=[("  ", "")], hang="  ", style="dim"
        )


def _give(error: float | None) -> str:
    return ", error unknown" if error is None else f", ±{iec(round(error))}" if error else ""


def _change(row: SiteChange) -> tuple[str, ...]:
    off = "unknown" if row.error is None else f"±{iec(round(row.error))}" if row.error else "exact"
    return (
        signed(row.in_use_change), off, iec(row.in_use_bytes[1]), number(row.samples),
        path(row.place, row.own, row.path),
    )  # fmt: skip


def _standing_changes(page: Page, report: ProfileDiffReport) -> None:
    assert report.goroutines is not None  # the caller asked
    assert report.count is not None
    before, after = report.count
    page.title(f"Goroutines: {before:,} -> {after:,} ({number(after - before, sign=True)})")
    if not report.goroutines:
        page.add("  as many at every place")
        return
    body = []
    for row in report.goroutines:
        state = f"  [{row.state}]" if row.state else ""
        change = number(row.count[1] - row.count[0], sign=True)
        body.append((change, number(row.count[1]), stands(row.place, row.own, row.start) + state))
    page.table(("change", "now", "stands at, began as"), body, left=1, styles={0: "bold"}, split=split_path)
    left_out(page, report.goroutines_total, len(body), "place")
