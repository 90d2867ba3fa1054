"""``goretain diff``. Imports the api, reports, ``model`` and click; heavy parts when it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import rich_click

from goretain.cli import startup
from goretain.cli.options import TOP, Span, one_format, report_options
from goretain.model.pids import is_pid

if TYPE_CHECKING:
    from goretain.reports.results import DiffReport


@click.command(cls=rich_click.RichCommand)
@click.argument("first", metavar="A")
@click.argument("last", metavar="B", required=False)
@click.option(
    "--every", type=Span(), metavar="TIME", help="Look at process A again after this time (30s, 5m)."
)
@click.option(
    "--count", type=click.IntRange(2), default=2, show_default=True, help="How many looks with --every."
)
@click.option("--save", metavar="FOLDER", help="With --every: save every look into this folder.")
@click.option("--force", is_flag=True, help="Go on even if the memory limits say that there is no room.")
@report_options
def diff(
    first: str,
    last: str | None,
    every: float | None,
    count: int,
    save: str | None,
    force: bool,
    top: int | None,
    as_json: bool,
    markdown: bool,
    debug: bool,  # noqa: ARG001 (main reads it: it must work when the arguments do not parse)
) -> None:
    """Show what changed from A to B.

    A and B are saved snapshots, cores or PIDs. With --every, A is the PID of a running program, which is
    looked at again and again: 'goretain diff PID --every 30s --count 6'. Two looks show what grew, more
        looks whether it goes on. Ctrl-C ends it and reports the looks so far.
    """
    one_format(as_json, markdown)
    if (last is None) == (every is None):
        raise click.UsageError("give either two targets, or one PID and --every")
    if every is not None and not is_pid(first):
        raise click.UsageError(f"--every needs the PID of a running program, not {first!r}")
    if save is not None and every is None:
        raise click.UsageError("--save belongs to --every")
    later = () if last is None else (last,)
    for target in (first, *later):
        startup.check("diff", target, force=force)
    from goretain import api
    from goretain.cli.terminal import Progress
    from goretain.cli.witness import Witness

    ended: list[BaseException] = []
    with Witness(first, None, *later) as witness, Progress() as progress:
        if every is not None:
            report = api.watch(
                int(first),
                every=every,
                count=count,
                force=force,
                on_phase=witness.note,
                top=TOP if top is None else top,
                save=save,
                progress=progress,
                on_stop=ended.append,
            )
        else:
            assert last is not None  # one of them is given
            report = api.diff(
                first,
                last,
                force=force,
                on_phase=witness.note,
                top=TOP if top is None else top,
                progress=progress,
            )
    _print(report, as_json, markdown, small=top is not None and top > TOP)
    for reason in ended:
        raise reason


def _print(report: DiffReport, as_json: bool, markdown: bool, *, small: bool) -> None:
    from goretain.cli import terminal

    if as_json:
        from goretain.reports import json

        terminal.write(json.render(report))
    elif markdown:
        from goretain.reports.markdown import render_diff

        terminal.write(render_diff(report))
    else:
        from goretain.reports import text

        terminal.show(text.render_diff(report, terminal.width(), small=small))
