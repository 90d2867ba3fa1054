"""Claims and what became of them as Markdown: the page "Myths and facts" is one. Imports this package."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from goretain.reports.figures import figure, label
from goretain.reports.markdown import code, escape
from goretain.reports.results import LabClaim, LabReport
from goretain.reports.text.lab import verdict


def render_lab(report: LabReport, *, patterns: Mapping[str, str] | None = None) -> str:
    """A chapter for each topic, a section for each experiment, and under it its claims.

    Args:
        patterns: code of a pattern -> where it is explained; without, they are named and not linked.
    """
    lines: list[str] = []
    topic = title = ""
    for claim in report.claims:
        if claim.topic != topic:
            topic = claim.topic
            lines += [f"## {topic[0].upper()}{topic[1:]}", ""]
        if claim.title != title:
            title = claim.title
            lines += [f"### {escape(title)}", ""]
        lines += [*_claim(claim, patterns or {}), ""]
    return "\n".join(lines).rstrip() + "\n"


def _claim(claim: LabClaim, patterns: Mapping[str, str]) -> Iterator[str]:
    """A heading, the outcome with the fact, the figures, where it is said, what finds it."""
    yield f"#### {claim.id}: {escape(claim.claim)}"
    yield ""
    yield f"**{_first(verdict(claim))}.** {escape(claim.correct)}"
    if claim.note:
        yield escape(claim.note)
    names = dict.fromkeys(name for run in claim.runs for name in run.figures)
    if names:
        yield ""
        yield from (f"- {escape(label(name))}: {code(figure(claim.runs, name))}" for name in names)
    if claim.source:
        yield ""
        yield f"Said in {escape(claim.source)}."
    if claim.pattern:
        place = patterns.get(claim.pattern)
        yield ""
        yield f"goretain finds such memory as {f'[{claim.pattern}]({place})' if place else claim.pattern}."


def _first(text: str) -> str:
    return text[0].upper() + text[1:]
