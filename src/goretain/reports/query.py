"""Builds the answer of ``query``. Imports ``heap``, ``snapshot`` and this package."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import goretain
from goretain.heap.tables import heap_tables
from goretain.reports.results import QueryColumn, QueryReport
from goretain.reports.why import look_of
from goretain.snapshot.sql import MEMORY, run

if TYPE_CHECKING:
    from goretain.heap.heap import Heap


def query_report(target: str, heap: Heap, sql: str, *, limit: int, memory: int = MEMORY) -> QueryReport:
    """Run one SELECT over the tables of a heap.

    Args:
        target: what to call the thing that was looked at.
        heap: measured as far as the query needs it.
        sql: one SELECT.
        limit: rows to fetch.
        memory: bytes that it may take.

    Raises:
        UsageError: duckdb is missing, or the query is not one SELECT over these tables.
        NotEnoughMemory: it would take more than ``memory``.
    """
    result = run(heap_tables(heap), sql, limit=limit, memory=memory)
    named = zip(result.names, result.types, strict=True)
    return QueryReport(
        goretain=goretain.__version__,
        look=look_of(target, heap.snapshot),
        sql=sql,
        columns=tuple(QueryColumn(name=name, type=kind) for name, kind in named),
        rows=result.rows,
        more=result.more,
    )


def render_csv(report: QueryReport) -> str:
    """The rows with a head line; NULL is an empty field."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(column.name for column in report.columns)
    writer.writerows(report.rows)
    return text.getvalue()
