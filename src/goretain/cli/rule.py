"""``goretain rule``. Imports the api and click."""

from __future__ import annotations

import sys

import click
import rich_click


@click.command(cls=rich_click.RichCommand)
@click.argument("code")
@click.option("--markdown", is_flag=True, help="The Markdown source, not the rendered page.")
@click.option("--debug", is_flag=True, help="Show a traceback when something goes wrong.")
def rule(code: str, markdown: bool, debug: bool) -> None:  # noqa: ARG001 (main reads --debug)
    """Explain a leak pattern.

    CODE is a code (GR101) or a name (subslice-pins-array): what it is, how to see it, how to fix it.
    """
    from goretain import api
    from goretain.cli import terminal

    pattern = api.rule(code)
    if markdown or not sys.stdout.isatty():
        terminal.write(pattern.doc.text)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console(width=min(terminal.width(), 100)).print(Markdown(pattern.doc.text))
