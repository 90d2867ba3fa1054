"""``goretain query``. Imports the api, reports and click; heavy parts when it runs."""

from __future__ import annotations

import sys
from typing import Any

import click
import rich_click

from goretain.cli import startup
from goretain.cli.options import Size, debug_option, json_option, target_options

#: Rows that are shown, and rows that are written, unless --limit says otherwise.
_SHOWN, _WRITTEN = 100, 100_000


@click.command(cls=rich_click.RichCommand)
@click.argument("target", required=False)
@click.argument("sql", required=False)
@click.option(
    "--limit",
    type=click.IntRange(1),
    metavar="N",
    help=f"Rows at most. [default: {_SHOWN}; {_WRITTEN} for JSON and CSV]",
)
@click.option("--memory", type=Size(), default="1GiB", show_default=True, help="What the query may take.")
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values with a head line.")
@json_option
@target_options
@debug_option
def query(
    target: str | None,
    sql: str | None,
    limit: int | None,
    memory: int,
    as_csv: bool,
    as_json: bool,
    debug: bool,  # noqa: ARG001 (main reads it: it must work when the arguments do not parse)
    **how: Any,
) -> None:
    """Ask the heap of TARGET in SQL.

    SQL is one SELECT over the tables objects, edges, roots, types, maps, map_entries, dominators,
    goroutines, waits and spans ('-' reads it from standard input). Without arguments the tables and their
    columns are shown; docs/query.md has recipes. Queries read nothing but the heap.
    """
    if as_csv and as_json:
        raise click.UsageError("--csv and --json are two formats; choose one")
    from goretain.cli import terminal

    if target is None:
        from goretain.reports import text

        terminal.show(text.render_tables(terminal.width()))
        return
    if sql is None:
        raise click.UsageError("give the SQL behind the target; 'goretain query' alone shows the tables")
    startup.check("why", target, force=how["force"])
    report = _run(target, sys.stdin.read() if sql == "-" else sql, limit, memory, as_csv or as_json, how)
    if as_json:
        from goretain.reports import json

        terminal.write(json.render(report))
    elif as_csv:
        from goretain.reports.query import render_csv

        terminal.write(render_csv(report))
        if report.more:
            click.echo(f"more than {len(report.rows):,} rows: --limit", err=True)
    else:
        from goretain.reports import text

        terminal.show(text.render_query(report, terminal.width()))


def _run(target: str, sql: str, limit: int | None, memory: int, written: bool, how: dict[str, Any]) -> Any:
    from goretain import api
    from goretain.cli.terminal import Progress
    from goretain.cli.witness import Witness

    with Witness(target, how["max_pause"]) as witness, Progress() as progress:
        return api.query(
            target,
            sql,
            limit=limit or (_WRITTEN if written else _SHOWN),
            memory=memory,
            on_phase=witness.note,
            progress=progress,
            **how,
        )
