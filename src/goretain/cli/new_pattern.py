"""``goretain new-pattern``. Imports the api, reports and click; heavy parts when it runs."""

from __future__ import annotations

from pathlib import Path

import click
import rich_click

from goretain.cli.options import debug_option


@click.command(name="new-pattern", cls=rich_click.RichCommand)
@click.argument("name")
@click.option(
    "--title", required=True, metavar="TEXT", help="One line: a short slice keeps a large array alive."
)
@click.option(
    "--into",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Directory of patterns. [default: goretain's own]",
)
@debug_option
def new_pattern(name: str, title: str, into: Path | None, debug: bool) -> None:  # noqa: ARG001 (main reads it)
    """Make the folder of a new leak pattern in a checkout of goretain.

    NAME says the pattern, not the cure: subslice-pins-array. The folder is complete, with a pattern of its
    own where yours goes; pytest -k NAME runs its tests.
    """
    from goretain import api
    from goretain.cli import terminal

    written = api.new_pattern(name, title, into=into)
    terminal.write("".join(f"{file}\n" for file in written))
