"""Claims and what became of them, for people at a terminal. Imports ``reports``."""

from __future__ import annotations

from goretain.reports.figures import figure, label
from goretain.reports.results import LabClaim, LabReport
from goretain.reports.text.page import Page
from goretain.reports.units import plural

_STYLES = {"true": "green", "false": "red", "partly": "yellow", "depends": "yellow"}


def render_lab(report: LabReport, width: int) -> Page:
    """Each claim with its outcome, what is so, and the figures."""
    page = Page(width)
    title = ""
    for claim in report.claims:
        if claim.title != title:
            title = claim.title
            page.title(title, claim.experiment)
        page.add()
        page.words(claim.claim, lead=[(f"  {claim.id}  ", "bold")], hang=" " * 7)
        page.fact("outcome", verdict(claim), indent=" " * 7, style=_STYLES.get(claim.outcome or "", ""))
        page.fact("fact", claim.correct, indent=" " * 7)
        names = dict.fromkeys(name for run in claim.runs for name in run.figures)
        for name in names:
            page.fact("", f"{label(name)}: {figure(claim.runs, name)}", indent=" " * 7)
        if claim.note:
            page.fact("note", claim.note, indent=" " * 7)
        if claim.source:
            page.fact("said in", claim.source, indent=" " * 7)
        if claim.pattern:
            page.fact("found by", f"goretain why, as {claim.pattern}", indent=" " * 7)
    _closing(page, report)
    return page


def render_lab_table(report: LabReport, width: int) -> Page:
    """One line a claim."""
    page = Page(width)
    rows = [(claim.id, claim.outcome or "unknown", claim.depends_on, claim.claim) for claim in report.claims]
    page.table(("claim", "outcome", "depends on", "what is said"), rows, left=4, styles={0: "bold"})
    _closing(page, report)
    return page


def render_lab_list(report: LabReport, width: int) -> Page:
    """Each experiment: what it is about and, below, its claims."""
    page = Page(width)
    ids: dict[tuple[str, str], list[str]] = {}
    for claim in report.claims:
        ids.setdefault((claim.experiment, claim.title), []).append(claim.id)
    below = [[f"{claim} " for claim in claims] for claims in ids.values()]
    page.table(("experiment", "about"), list(ids), left=2, styles={0: "bold"}, below=below)
    page.add()
    page.add(("  measure them here: goretain lab run [CLAIM|CODE|EXPERIMENT...]", "dim"))
    return page


def verdict(claim: LabClaim) -> str:
    """The outcome in words: with what decides, or why there is none."""
    if claim.outcome is None:
        reasons = [run.unavailable for run in claim.runs if run.unavailable]
        return f"unknown: {reasons[0] if reasons else 'something was not measured'}"
    if claim.outcome == "untestable":
        return f"can't be tested: {claim.reason}"
    if claim.outcome == "depends":
        by_outcome: dict[str, list[str]] = {}
        for run in claim.runs:
            by_outcome.setdefault(run.outcome or "unknown", []).append(".".join(run.go.split(".")[:2]))
        each = "; ".join(f"{outcome} on {', '.join(versions)}" for outcome, versions in by_outcome.items())
        return f"depends on {claim.depends_on or 'the version'}: {each}"
    return claim.outcome + (f" here; depends on {claim.depends_on}" if claim.depends_on else "")


def _closing(page: Page, report: LabReport) -> None:
    """How many came out as recorded, and what did not."""
    page.add()
    page.words(
        f"{plural(len(report.claims), 'claim')} on Go {', '.join(report.go)}:"
        f" {report.disagree or 'none'} not as recorded",
        lead=[("  ", "")],
        hang="  ",
    )
    for claim in report.claims:
        for run in claim.runs:
            for reason in run.wrong:
                page.words(
                    f"{claim.id} on Go {run.go}: {reason}", lead=[("  ", "")], hang="    ", style="red"
                )
