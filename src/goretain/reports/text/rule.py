"""The list of patterns for people at a terminal. Imports ``reports``."""

from __future__ import annotations

from goretain.reports.results import RuleReport
from goretain.reports.text.page import Page


def render_rules(report: RuleReport, width: int) -> Page:
    """One line a pattern."""
    page = Page(width)
    rows = [(rule.code, rule.name, rule.severity, rule.title) for rule in report.rules]
    page.table(("code", "name", "severity", "title"), rows, left=4, styles={0: "bold"})
    page.add()
    page.add(("  what one means: goretain rule CODE", "dim"))
    return page
