"""Claims and what became of them as Markdown: the page "Myths and facts" is one. Imports this package."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from goretain.reports.figures import figure, label
from goretain.reports.markdown import code, escape
from goretain.reports.results import LabClaim, LabReport
from goretain.reports.text.lab import verdict
from goretain.reports.units import plural


def render_lab(report: LabReport, *, patterns: Mapping[str, str] | None = None) -> str:
    """How many claims came out as what; then a chapter a topic, a section an experiment, in it its claims.

    Args:
        patterns: code of a pattern -> where it is explained; without, they are named and not linked.
    """
    lines = [_summary(report), ""]
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


#: Outcomes in the order of the summary, after their counts.
_OUTCOMES = {
    "true": "true",
    "false": "false",
    "partly": "partly true",
    "depends": "dependent on the runtime",
    "untestable": "not testable",
    None: "unknown",
}


def _summary(report: LabReport) -> str:
    """How many claims came out as what, on which Go."""
    found: Counter[str | None] = Counter(claim.outcome for claim in report.claims)
    each = ", ".join(f"{found[outcome]} {words}" for outcome, words in _OUTCOMES.items() if found[outcome])
    return f"{plural(len(report.claims), 'claim')} on Go {', '.join(report.go)}: {each}."


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
