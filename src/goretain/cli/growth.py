"""``goretain growth``. Imports the api, reports and click; heavy parts when it runs."""

from __future__ import annotations

import click
import rich_click

from goretain.cli.options import (
    FAILING,
    TOP,
    Size,
    debug_option,
    fail_on_option,
    json_option,
    top_option,
    trends_of,
)


@click.command(cls=rich_click.RichCommand)
@click.argument("targets", metavar="FILE...", nargs=-1, required=True)
@click.option("--limit", type=Size(), metavar="SIZE", help="Memory limit: say when it is reached (512MiB).")
@fail_on_option("never", "a site")
@top_option
@json_option
@debug_option
def growth(
    targets: tuple[str, ...],
    limit: int | None,
    fail_on: str,
    top: int | None,
    as_json: bool,
    debug: bool,  # noqa: ARG001 (main reads it: it must work when the arguments do not parse)
) -> int:
    """Say which allocation sites go on growing, by a series of heap profiles.

    FILE are heap profiles of one program that were taken one after another, in any order: at least 12,
    better 60, at even times, as curl fetches them from http://localhost:6060/debug/pprof/heap?gc=1.
    """
    from goretain import api
    from goretain.cli import terminal

    with terminal.Progress() as progress:
        report = api.growth(targets, limit=limit, top=TOP if top is None else top, progress=progress)
    if as_json:
        from goretain.reports import json

        terminal.write(json.render(report))
    else:
        from goretain.reports import text

        terminal.show(text.render_growth(report, terminal.width()))
    return int(bool(trends_of(report) & FAILING[fail_on]))
