"""``goretain chains``. Imports the api, reports and click; heavy parts when it runs."""

from __future__ import annotations

from typing import Any

import click
import rich_click

from goretain.cli import startup
from goretain.cli.options import TOP, Size, one_format, report_options, target_options


@click.command(cls=rich_click.RichCommand)
@click.argument("target")
@click.argument("what")
@click.option(
    "--min-bytes",
    type=Size(),
    metavar="SIZE",
    help="Leave out chains that lead to less. [default: 1% of all; 0 for JSON]",
)
@target_options
@report_options
def chains(
    target: str,
    what: str,
    min_bytes: int | None,
    top: int | None,
    as_json: bool,
    markdown: bool,
    debug: bool,  # noqa: ARG001 (main reads it: it must work when the arguments do not parse)
    **how: Any,
) -> None:
    """Show all shortest chains to WHAT, merged.

    WHAT is a Go type ('main.session', '[]uint8'), an object (its address, or its number from 'goretain
    query'), or a holder ('main.cache', 'goroutine 18'): then it is what that holder holds. In names * stands
    for anything. Bytes are those of the objects themselves, each counted once.
    """
    one_format(as_json, markdown)
    startup.check("why", target, force=how["force"])
    from goretain import api
    from goretain.cli import terminal
    from goretain.cli.witness import Witness

    with Witness(target, how["max_pause"]) as witness, terminal.Progress() as progress:
        report = api.chains(
            target,
            what,
            top=TOP if top is None else top,
            min_bytes=0 if as_json and min_bytes is None else min_bytes,
            on_phase=witness.note,
            progress=progress,
            **how,
        )
    if as_json:
        from goretain.reports import json

        terminal.write(json.render(report))
    else:
        from goretain.reports import text

        page = text.render_chains(report, terminal.width())
        if markdown:
            terminal.write(f"```text\n{page.text}```\n")
        else:
            terminal.show(page)
