"""What ``query`` answers. Imports msgspec, ``reports.notebook`` and this package."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from goretain.reports import notebook
from goretain.reports.results.parts import Look


class QueryColumn(msgspec.Struct, frozen=True, kw_only=True):
    """A column of the answer: its name, and its type in SQL."""

    name: str
    type: str


class QueryReport(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of ``goretain query``.

    Attributes:
        schema: names this shape.
        sql: what was asked.
        columns: of the rows.
        rows: values in the order of the columns; null is unknown.
        more: whether there are more rows than were asked for.
    """

    schema: Literal["goretain/query/1"] = "goretain/query/1"
    goretain: str
    look: Look
    sql: str
    columns: tuple[QueryColumn, ...]
    rows: tuple[tuple[Any, ...], ...]
    more: bool

    def _repr_html_(self) -> str:
        rows = [["" if value is None else str(value) for value in row] for row in self.rows]
        more = notebook.paragraph("there are more rows: limit=") if self.more else ""
        return notebook.table([column.name for column in self.columns], rows) + more
