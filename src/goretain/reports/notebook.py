"""Answers as a notebook shows them (``_repr_html_``): plain tables without styles or scripts, every foreign
name escaped.

Imports ``model`` and this package.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import PurePath
from typing import Any

from goretain.model.findings import Finding
from goretain.model.units import iec
from goretain.reports.results import ChainNode, ChainsReport, Look, QueryReport, WhyReport
from goretain.reports.text.parts import UNNAMED, with_loops
from goretain.reports.units import clean, moment, number, plural

#: Rows of a table; a notebook is not for more.
MOST = 200


class Findings(tuple[Finding, ...]):
    """Findings, most bytes first; a notebook shows them as a table."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return findings(self)


def why(report: WhyReport) -> str:
    """The answer of ``why``: the heap, findings, holders."""
    heap = report.heap
    live = f"live heap {iec(heap.reachable_bytes)} in {plural(heap.reachable_objects, 'object')}"
    parts = [_head(report.look), f"<p>{escape(live)}</p>"]
    if report.without is not None:
        freed = f"{iec(report.without.freed_bytes)} in {plural(report.without.freed_objects, 'object')}"
        names = " and ".join(report.without.holders)
        parts.append(f"<p>{_text(f'without {names}: {freed} come back')}</p>")
    rows = [
        (iec(row.retained_bytes), number(row.retained_objects), iec(row.shared_bytes), row.layer, row.name)
        for row in report.holders
    ]
    heads = ("retained", "objects", "shared", "layer", "holder")
    return "\n".join([*parts, findings(report.findings), _table(heads, rows)])


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
    return _table(heads, rows) if rows else "<p>no findings</p>"


def query(report: QueryReport) -> str:
    """The rows of a query; NULL is empty."""
    rows = [["" if value is None else str(value) for value in row] for row in report.rows]
    more = "<p>there are more rows: limit=</p>" if report.more else ""
    return _table([column.name for column in report.columns], rows) + more


def chains(report: ChainsReport) -> str:
    """The tree of chains, indented."""
    what = f"{report.kind} {report.name}: {iec(report.bytes)} in {plural(report.objects, 'object')}"
    rows: list[tuple[str, str, str]] = []

    def add(nodes: Iterable[ChainNode], depth: int) -> None:
        for node in nodes:
            ends = [end.type or UNNAMED for end in node.ends]
            arrow = f" -> {', '.join(ends)}" if ends else ""
            text = "\u00a0" * 4 * depth + with_loops(node.link, node.loops).strip() + arrow
            rows.append((iec(node.bytes), number(node.objects), text))
            add(node.children, depth + 1)

    add(report.chains, 0)
    routes = "".join(f"<li>{_text(chain.text)}</li>" for chain in report.routes)
    listed = f"<ul>{routes}</ul>" if routes else _table(("bytes", "objects", "chain"), rows)
    return f"{_head(report.look)}\n<p>{_text(what)}</p>\n{listed}"


def _head(look: Look) -> str:
    origin = f"pid {look.pid}, {look.go_version}, {moment(look.taken_at)}"
    return f"<p><b>{_text(PurePath(look.program).name)}</b> {_text(origin)}</p>"


def _table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    head = "".join(f"<th>{_text(text)}</th>" for text in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{_text(str(cell))}</td>" for cell in row) + "</tr>\n" for row in rows[:MOST]
    )
    left = f"<p>{plural(len(rows) - MOST, 'more row')}</p>" if len(rows) > MOST else ""
    return f"<table>\n<tr>{head}</tr>\n{body}</table>{left}"


def _text(text: str) -> str:
    """Foreign text: what could be an order to a terminal or to a browser is spelt out."""
    return "\u00a0".join(escape(clean(part)) for part in text.split("\u00a0"))
