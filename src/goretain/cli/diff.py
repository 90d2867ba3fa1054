"""``goretain diff``. Imports the api, reports, ``model`` and click; heavy parts when it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import rich_click

from goretain.cli import startup
from goretain.cli.options import TOP, Span, one_format, report_options
from goretain.model.pids import is_pid

if TYPE_CHECKING:
    from goretain.reports.results import By, DiffReport


@click.command(cls=rich_click.RichCommand)
@click.argument("targets", metavar="A B [C ...]", nargs=-1, required=True)
@click.option(
    "--every", type=Span(), metavar="TIME", help="Look at process A again after this time (30s, 5m)."
)
@click.option("--count", type=click.IntRange(2), help="How many looks with --every. [default: 2]")
@click.option(
    "--by",
    type=click.Choice(["holder", "chain", "pattern", "type", "goroutine"]),
    help="What to list the changes by: every line with bytes and objects before and after.",
)
@click.option("--save", metavar="FOLDER", help="With --every: save every look into this folder.")
@click.option("--force", is_flag=True, help="Go on even if the memory limits say that there is no room.")
@report_options
def diff(
    targets: tuple[str, ...],
    every: float | None,
    count: int | None,
    by: By | None,
    save: str | None,
    force: bool,
    top: int | None,
    as_json: bool,
    markdown: bool,
    debug: bool,  # noqa: ARG001 (main reads it: it must work when the arguments do not parse)
) -> None:
    """Show what changed from A to B, and on to C.

    Each is a PID, an image, a core, a heap dump or a saved snapshot, in any mixture; three or more tell what
    grew every time. With --every, A alone is the PID of a running program, which is looked at again and
    again: 'goretain diff PID --every 30s --count 6'. Two looks show what grew, more looks whether it goes
    on. Ctrl-C ends it and reports the looks so far. Two builds of a program are compared by names.
    """
    one_format(as_json, markdown)
    _check(targets, every, count, save)
    for target in targets:
        startup.check("diff", target, force=force)
    from goretain import api
    from goretain.cli.terminal import Progress
    from goretain.cli.witness import Witness

    ended: list[BaseException] = []
    with Witness(targets[0], None, *targets[1:]) as witness, Progress() as progress:
        if every is not None:
            report = api.watch(
                int(targets[0]),
                every=every,
                count=2 if count is None else count,
                by=by,
                force=force,
                on_phase=witness.note,
                top=TOP if top is None else top,
                save=save,
                progress=progress,
                on_stop=ended.append,
            )
        else:
            report = api.diff(
                *targets,
                by=by,
                force=force,
                on_phase=witness.note,
                top=TOP if top is None else top,
                progress=progress,
            )
    _print(report, as_json, markdown, small=top is not None and top > TOP)
    for reason in ended:
        raise reason


def _check(targets: tuple[str, ...], every: float | None, count: int | None, save: str | None) -> None:
    """Refuse arguments that do not fit together."""
    if every is None:
        if len(targets) < 2:
            raise click.UsageError(
                "growth is a question of two looks: give two targets, or a PID and --every"
            )
        if save is not None or count is not None:
            raise click.UsageError(f"--{'count' if save is None else 'save'} belongs to --every")
    elif len(targets) > 1:
        raise click.UsageError("--every looks again at one program: give its PID alone, or leave out --every")
    elif not is_pid(targets[0]):
        raise click.UsageError(f"--every needs the PID of a running program, not {targets[0]!r}")


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
