"""``query`` for people at a terminal. Imports ``reports``, and ``heap`` where its tables are shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from goretain.reports.results import QueryReport
from goretain.reports.text.page import Page
from goretain.reports.units import cells, clean, plural

_NUMBERS = ("INT", "DOUBLE", "FLOAT", "DECIMAL")
_WIDEST = 120
_EXAMPLE = "SELECT type, count(*), sum(size) FROM objects GROUP BY type ORDER BY 3 DESC LIMIT 10"


def render_query(report: QueryReport, width: int) -> Page:
    """The rows as a table, a line each; NULL is a dash."""
    page = Page(width)
    right = [column.type.endswith(_NUMBERS) or column.type.startswith(_NUMBERS) for column in report.columns]
    heads = [clean(column.name) for column in report.columns]
    rows = [[_cell(value) for value in row] for row in report.rows]
    widths = [max(cells(row[at]) for row in (heads, *rows)) for at in range(len(heads))]
    page.add((_line(heads, widths, right), "dim"))
    for row in rows:
        page.add(_line(row, widths, right))
    if report.more:
        page.add((f"more than {plural(len(rows), 'row')}: --limit", "dim"))
    return page


def render_tables(width: int) -> Page:
    """The tables and what their columns hold."""
    from goretain.heap.tables import TABLES  # takes numba, which doctor shows its page without

    page = Page(width)
    for table in TABLES:
        page.title(table.name)
        page.words(table.text, lead=[("  ", "")], hang="  ", style="dim")
        rows = [(column.name, column.type, column.text) for column in table.columns]
        page.table(("column", "type", "is"), rows, left=3, styles={0: "bold", 1: "dim"})
    page.add()
    page.words(f'for example: goretain query FILE "{_EXAMPLE}"', style="dim")
    return page


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    text = clean(text.replace("\n", " | "))
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def _line(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    parts = []
    for text, width, number in zip(row, widths, right, strict=True):
        gap = " " * (width - cells(text))
        parts.append(gap + text if number else text + gap)
    return "  ".join(parts).rstrip()
