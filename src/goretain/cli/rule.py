"""``goretain rule``. Imports the api, reports and click; heavy parts when it runs."""

from __future__ import annotations

import sys

import click
import rich_click

from goretain.cli.options import debug_option, json_option, one_format


@click.command(cls=rich_click.RichCommand)
@click.argument("code", required=False)
@click.option("--all", "every", is_flag=True, help="All patterns, each with its whole text.")
@json_option
@click.option("--markdown", is_flag=True, help="The Markdown source.")
@debug_option
def rule(
    code: str | None,
    every: bool,
    as_json: bool,
    markdown: bool,
    debug: bool,  # noqa: ARG001 (main reads it)
) -> None:
    """Explain a leak pattern, or list them all.

    CODE is a code (GR101) or a name (subslice-pins-array): what it is, how to see it, how to fix it.
    """
    one_format(as_json, markdown)
    if every and code is not None:
        raise click.UsageError("name one pattern, or --all of them")
    from goretain import api
    from goretain.cli import terminal

    report = api.rules(code)
    if as_json:
        from goretain.reports import json

        terminal.write(json.render(report))
        return
    from goretain.reports import text

    pages = "\n".join(map(text.render_rule, report.rules))
    if markdown or ((every or code is not None) and not sys.stdout.isatty()):
        terminal.write(pages)
    elif code is None and not every:
        terminal.show(text.render_rules(report, terminal.width()))
    else:
        terminal.show_markdown(pages)
