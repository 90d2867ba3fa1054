"""The doctor's answer for people at a terminal. Imports ``reports``."""

from __future__ import annotations

from goretain.reports.results import Check, DoctorReport
from goretain.reports.results.doctor import Area, Status
from goretain.reports.text.page import Page, split_words
from goretain.reports.units import clean, plural

_STYLE: dict[Status, str] = {"ok": "green", "warning": "yellow", "problem": "bold red"}
_INDENT = " " * 12


def render_doctor(report: DoctorReport, width: int) -> Page:
    """One line a check, what to do under it, and the sum."""
    page = Page(min(width, 100))
    page.add((f"goretain {report.goretain}", "bold"))
    last: Area | None = None
    for check in report.checks:
        if check.area != last:
            page.title(_heading(check.area, report))
            last = check.area
        _line(page, check)
    page.add()
    page.words(_sum(report), style="bold")
    return page


def _heading(area: Area, report: DoctorReport) -> str:
    return {
        "goretain": "This installation",
        "machine": "This machine",
        "process": f"Process {report.pid}",
        "program": "Its program",
    }[area]


def _line(page: Page, check: Check) -> None:
    lead = [(f"  {check.status:<8}", _STYLE[check.status]), (f"  {check.name}: ", "bold")]
    page.pieces(split_words(clean(check.found)), lead=lead, hang=_INDENT, width=page.prose)
    if check.advice:
        page.words(check.advice, lead=[(f"{_INDENT}-> ", "dim")], hang=f"{_INDENT}   ")


def _sum(report: DoctorReport) -> str:
    problems = sum(check.status == "problem" for check in report.checks)
    warnings = sum(check.status == "warning" for check in report.checks)
    counts = ", ".join(
        [plural(problems, "problem")] * bool(problems) + [plural(warnings, "warning")] * bool(warnings)
    )
    if report.capture is None:
        return f"{counts or 'all is well here'}; for one process: goretain doctor PID"
    verdict = "can" if report.capture else "cannot"
    return f"process {report.pid} {verdict} be captured{f' ({counts})' if counts else ''}"
