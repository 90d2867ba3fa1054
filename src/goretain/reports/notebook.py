"""The parts of what a notebook shows of an answer (``_repr_html_``): plain tables without styles or scripts,
every foreign name escaped.

Answers put them together themselves, so nothing here knows their shape. Imports ``model`` and
``reports.units``.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import PurePath
from typing import Any

from goretain.model.findings import Finding
from goretain.model.units import iec
from goretain.reports.units import clean, number, plural

#: Rows of a table; a notebook is not for more.
MOST = 200


class Findings(tuple[Finding, ...]):
    """Findings, most bytes first; a notebook shows them as a table."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return findings(self)


def findings(found: Sequence[Finding]) -> str:
    """One row each: pattern, bytes, chain, fix."""
    rows = [
        (
            f"{finding.code} {finding.pattern}", finding.severity, finding.confidence.level,
            iec(finding.saving_bytes), iec(finding.retained_bytes), number(finding.count),
            finding.chain.text, finding.fix,
        )
        for finding in found
    ]  # fmt: skip
    heads = ("pattern", "severity", "confidence", "saves", "retained", "count", "chain", "fix")
    return table(heads, rows) if rows else "<p>no findings</p>"


def heading(program: str, origin: str) -> str:
    """The program in bold, and where what is shown comes from."""
    return f"<p><b>{_text(PurePath(program).name)}</b> {_text(origin)}</p>"


def paragraph(text: str) -> str:
    """A line of its own."""
    return f"<p>{_text(text)}</p>"


def listing(texts: Sequence[str]) -> str:
    """A list."""
    return f"<ul>{''.join(f'<li>{_text(text)}</li>' for text in texts)}</ul>"


def table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Rows below heads, the first ``MOST``, and how many more there are."""
    head = "".join(f"<th>{_text(text)}</th>" for text in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{_text(str(cell))}</td>" for cell in row) + "</tr>\n" for row in rows[:MOST]
    )
    left = f"<p>{plural(len(rows) - MOST, 'more row')}</p>" if len(rows) > MOST else ""
    return f"<table>\n<tr>{head}</tr>\n{body}</table>{left}"


def _text(text: str) -> str:
    """Foreign text: what could be an order to a terminal or to a browser is spelt out."""
    return "\u00a0".join(escape(clean(part)) for part in text.split("\u00a0"))
