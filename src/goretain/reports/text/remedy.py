"""Remedies for people at a terminal. Imports ``reports``."""

from __future__ import annotations

from goretain.reports.results import RemedyAddReport, RemedyReport, RemedyRow
from goretain.reports.text.page import Page


def render_remedies(report: RemedyReport, width: int) -> Page:
    """One line a remedy."""
    page = Page(width)
    rows = [(remedy.name, " ".join(remedy.patterns) or "-", remedy.title) for remedy in report.remedies]
    page.table(("name", "mends", "title"), rows, left=3, styles={0: "bold"})
    page.add()
    page.add(("  what one does: goretain remedy show NAME; copy it: goretain remedy add NAME", "dim"))
    return page


def render_remedy(remedy: RemedyRow) -> str:
    """The document of one remedy and what its declaration says, as Markdown."""
    facts = [f"- Go {remedy.go} or newer: {remedy.needs}"]
    if remedy.patterns:
        facts.append(f"- mends {', '.join(remedy.patterns)}: `goretain rule {remedy.patterns[0]}`")
    if remedy.claims:
        facts.append(f"- measured in {', '.join(remedy.claims)}: `goretain lab run {remedy.claims[0]}`")
    if remedy.requires:
        facts.append(f"- stands on {', '.join(remedy.requires)}, which is copied with it")
    facts.append(f"- copy it: `goretain remedy add {remedy.name}`")
    return f"{remedy.text}\n## Facts\n" + "\n".join(facts) + "\n"


def render_added(report: RemedyAddReport, width: int) -> Page:
    """What was done to which file, and what to do next."""
    page = Page(width)
    rows = [(file.outcome, file.path) for file in report.files]
    page.table(("done", "file"), rows, left=2, styles={0: "bold"})
    page.add()
    page.words(f"package {report.package}; no dependency was added", lead=[("  ", "")], hang="  ")
    if report.module is None:
        note = "there is no go.mod above: the files compile as part of a module that says go 1.21 or newer"
        page.words(note, lead=[("  ", "")], hang="  ")
    kept = [file.path for file in report.files if file.outcome == "kept"]
    if kept:
        note = f"{', '.join(kept)} had been changed and was kept: see that it still fits"
        page.words(note, lead=[("  ", "")], hang="  ")
    return page
