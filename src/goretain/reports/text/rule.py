"""Patterns for people at a terminal: the list of all, the document of one. Imports ``reports``."""

from __future__ import annotations

from goretain.reports.results import Rule, RuleReport
from goretain.reports.text.page import Page


def render_rules(report: RuleReport, width: int) -> Page:
    """One line a pattern."""
    page = Page(width)
    rows = [(rule.code, rule.name, rule.severity, rule.title) for rule in report.rules]
    page.table(("code", "name", "severity", "title"), rows, left=4, styles={0: "bold"})
    page.add()
    page.add(("  what one means: goretain rule CODE", "dim"))
    return page


def render_rule(rule: Rule) -> str:
    """The document of one pattern and the remedies that mend it, as Markdown."""
    if not rule.remedies:
        return rule.text
    names = "\n".join(f"- `goretain remedy show {name}`" for name in rule.remedies)
    return f"{rule.text}\n## Go source to copy\n{names}\n"
