"""``goretain why``. Imports the api, reports and click; heavy parts when it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import rich_click

from goretain.cli import startup
from goretain.cli.options import TOP, Size, one_format, report_options
from goretain.cli.output import fitted

if TYPE_CHECKING:
    from goretain.reports.results import WhyReport

#: Levels of --fail-on and the severities at or above each.
_AT_OR_ABOVE = {
    "leak": ("leak",),
    "waste": ("leak", "waste"),
    "observation": ("leak", "waste", "observation"),
    "never": (),
}


@click.command(cls=rich_click.RichCommand)
@click.argument("target")
@click.option(
    "--binary",
    metavar="FILE",
    help="An unstripped build of the same source, or the program that wrote the core.",
)
@click.option(
    "--debug-dir", "debug_dirs", metavar="DIR", multiple=True, help="Debug files are there; may be repeated."
)
@click.option("--full", is_flag=True, help="Copy all memory of the process, not only what is needed.")
@click.option("--with-data", is_flag=True, help="Keep and show map keys: user data.")
@click.option("--force", is_flag=True, help="Go on even if the memory limits say that there is no room.")
@click.option(
    "--max-pause",
    type=click.FloatRange(min=0, min_open=True),
    metavar="MS",
    help="Give up, and let the process go on, when it would be stopped for longer.",
)
@click.option("--save", metavar="FILE", help="Also save the snapshot, to open or compare it later.")
@click.option(
    "--min-bytes", type=Size(), default=0, metavar="SIZE", help="Leave out what is smaller (64KB, 1MiB)."
)
@click.option("--focus", default="", metavar="PREFIX", help="Only holders and findings whose name starts so.")
@click.option(
    "--without",
    metavar="HOLDER",
    multiple=True,
    help="What would come back if it, or a part of it, let go (main.cache, main.cache[key].body);"
    " may be repeated.",
)
@click.option(
    "--spans", is_flag=True, help="Also show how full the heap's spans are, and what few objects keep."
)
@click.option(
    "--fail-on",
    type=click.Choice(list(_AT_OR_ABOVE)),
    default="never",
    show_default=True,
    help="Exit with 1 when a finding is at or above this level.",
)
@report_options
def why(
    target: str,
    binary: str | None,
    debug_dirs: tuple[str, ...],
    full: bool,
    with_data: bool,
    force: bool,
    max_pause: float | None,
    save: str | None,
    min_bytes: int,
    focus: str,
    without: tuple[str, ...],
    spans: bool,
    fail_on: str,
    top: int | None,
    as_json: bool,
    markdown: bool,
    debug: bool,  # noqa: ARG001 (main reads it: it must work when the arguments do not parse)
) -> int:
    """Name what holds the memory of TARGET.

    TARGET is the PID of a running Go program, an ELF core, an image that 'goretain snap' took, a heap dump of
    runtime/debug.WriteHeapDump, or a snapshot that was saved with --save. A running program is stopped for
    milliseconds. Report and snapshot hold no contents of its memory, only sizes, types and names, unless
    --with-data is given.
    """
    one_format(as_json, markdown)
    startup.check("why", target, force=force)
    from goretain import api
    from goretain.cli.terminal import Progress
    from goretain.cli.witness import Witness

    with Witness(target, max_pause) as witness, Progress() as progress:
        report = api.why(
            target,
            binary=binary,
            debug_dirs=debug_dirs,
            full=full,
            with_data=with_data,
            force=force,
            max_pause=max_pause,
            on_plan=_planned,
            on_phase=witness.note,
            save=save,
            top=TOP if top is None else top,
            min_bytes=min_bytes,
            focus=focus,
            without=without,
            spans=spans,
            progress=progress,
        )
    if save is not None:
        content = "with map keys: user data" if with_data else "sizes, types and names, no contents"
        click.echo(fitted(f"saved to {save} ({content})"), err=True)
    _print(report, as_json, markdown, small=top is not None and top > TOP)
    return int(any(report.severities[level] for level in report.severities if level in _AT_OR_ABOVE[fail_on]))


def _planned(size: int) -> None:
    from goretain.model.units import iec

    click.echo(f"plan: copy {iec(size)}", err=True)


def _print(report: WhyReport, as_json: bool, markdown: bool, *, small: bool) -> None:
    from goretain.cli import terminal

    if as_json:
        from goretain.reports import json

        terminal.write(json.render(report))
    elif markdown:
        from goretain.reports.markdown import render_why

        terminal.write(render_why(report))
    else:
        from goretain.reports import text

        terminal.show(text.render_why(report, terminal.width(), small=small))
