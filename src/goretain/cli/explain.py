"""``goretain explain``. Imports the api, reports and click; heavy parts when it runs."""

from __future__ import annotations

import re

import click
import rich_click

from goretain.cli.options import debug_option, json_option


@click.command(cls=rich_click.RichCommand)
@click.argument("place", metavar="FILE.go[:LINE]")
@click.option("--go", "versions", metavar="LIST", default="", help="Go versions side by side: 1.21,1.27.")
@json_option
@debug_option
def explain(place: str, versions: str, as_json: bool, debug: bool) -> None:  # noqa: ARG001 (main reads it)
    """Show what the compiler decided at a place, in its own evidence.

    What escapes to the heap and why, which runtime functions the machine code calls, sizes of values and the
    layout of structs. Compiles the file's package and runs nothing of it. Without --go: the go on PATH.
    """
    file, _, line = place.rpartition(":") if re.search(r":\d+$", place) else (place, "", "")
    from goretain import api
    from goretain.cli import terminal

    wanted = [version.strip() for version in versions.split(",") if version.strip()]
    with terminal.Progress() as progress:
        report = api.explain(file, int(line) if line else None, go=wanted, progress=progress)
    if as_json:
        from goretain.reports import json

        terminal.write(json.render(report))
        return
    from goretain.reports import text

    terminal.show(text.render_explain(report, terminal.width()))
