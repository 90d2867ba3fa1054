"""``goretain profile``. Imports the api, reports and click; heavy parts when it runs."""

from __future__ import annotations

import click
import rich_click

from goretain.cli import startup
from goretain.cli.options import TOP, debug_option, json_option, top_option


@click.command(cls=rich_click.RichCommand)
@click.argument("targets", metavar="FILE|URL...", nargs=-1, required=True)
@click.option(
    "--diff", "compare", is_flag=True, help="Show what changed from the first to the second of two."
)
@click.option(
    "--heap", "heap", metavar="TARGET", help="The program's PID, core or snapshot: say who holds what stays."
)
@click.option("--force", is_flag=True, help="Look at TARGET even if the memory limits say: no room.")
@top_option
@json_option
@debug_option
def profile(
    targets: tuple[str, ...],
    compare: bool,
    heap: str | None,
    force: bool,
    top: int | None,
    as_json: bool,
    debug: bool,  # noqa: ARG001 (main reads it: it must work when the arguments do not parse)
) -> None:
    """Say what profiles of a Go program say: what is allocated, what stays, who stands where.

    FILE is a profile of net/http/pprof, runtime/pprof or go test, or what a program printed: goroutine dumps,
    a panic, GODEBUG=gctrace=1, go test -bench; - is standard input. URL is where a program serves a profile:
    http://localhost:6060/debug/pprof/heap?gc=1. Profiles of one kind are added up. Figures of a heap profile
    are estimates: their error is shown, and nothing is claimed of fewer than 4 samples of small objects.
    """
    if compare and len(targets) != 2:
        raise click.UsageError("--diff compares two profiles: goretain profile --diff A B")
    if heap is not None:
        if compare:
            raise click.UsageError("--heap belongs to one point in time, --diff to two")
        startup.check("why", heap, force=force)
    from goretain import api
    from goretain.cli import terminal
    from goretain.cli.witness import Witness

    rows = TOP if top is None else top
    with terminal.Progress() as progress:
        if compare:
            changes = api.profile_diff(*targets, top=rows, progress=progress)
        elif heap is None:
            report = api.profile(targets, top=rows, progress=progress)
        else:
            with Witness(heap, None) as witness:
                report = api.profile(
                    targets, heap=heap, top=rows, progress=progress, force=force, on_phase=witness.note
                )
    if as_json:
        from goretain.reports import json

        terminal.write(json.render(changes if compare else report))
        return
    from goretain.reports import text

    width = terminal.width()
    page = text.render_profile_diff(changes, width) if compare else text.render_profile(report, width)
    terminal.show(page)
