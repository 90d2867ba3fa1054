"""``goretain export``. Imports the api, ``model`` and click; heavy parts when it runs."""

from __future__ import annotations

import sys
from typing import Any

import click
import rich_click

from goretain.cli import startup
from goretain.cli.options import debug_option, target_options
from goretain.cli.output import fitted, output
from goretain.model.errors import UsageError

_FORMATS = ("pprof", "json", "dot", "svg", "folded")


@click.command(cls=rich_click.RichCommand)
@click.argument("target")
@click.argument("what", required=False, default="")
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMATS),
    help="What to write. [default: what the file's name says: .pb.gz, .json, .dot, .svg, .folded]",
)
@click.option("-o", "--output", "path", metavar="FILE", default="-", help="Where to; - is standard output.")
@target_options
@debug_option
def export(
    target: str,
    what: str,
    form: str | None,
    path: str,
    debug: bool,  # noqa: ARG001 (main reads it: it must work when the arguments do not parse)
    **how: Any,
) -> None:
    """Write the chains of TARGET for other programs.

    pprof opens in 'go tool pprof' (inuse_space: by shortest chains; retained_space: by dominators); json is
    the tree of 'goretain chains'; dot and svg draw it; folded is for flame graphs. WHAT restricts it to the
    chains to some objects: a type, a holder, an object, as for 'goretain chains'.
    """
    startup.check("why", target, force=how["force"])
    from goretain import api
    from goretain.cli.terminal import Progress
    from goretain.cli.witness import Witness

    if path == "-" and form == "pprof" and sys.stdout.isatty():
        raise UsageError("a profile is no text for a terminal", hint="name a file: -o heap.pb.gz")
    with Witness(target, how["max_pause"]) as witness, Progress() as progress:
        data = api.export(
            target,
            None if path == "-" else path,
            form,
            what=what,
            on_phase=witness.note,
            progress=progress,
            **how,
        )
    if path == "-":
        with output():
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
    else:
        click.echo(fitted(f"saved to {path}: {len(data):,} bytes"), err=True)
