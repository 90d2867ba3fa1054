"""``goretain doctor``. Imports the api, reports and click; heavy parts when it runs."""

from __future__ import annotations

import click
import rich_click

from goretain.cli import startup
from goretain.cli.options import debug_option, json_option, one_format


@click.command(cls=rich_click.RichCommand)
@click.argument("pid", required=False, type=click.IntRange(1))
@json_option
@click.option("--markdown", is_flag=True, help="To paste into an issue.")
@debug_option
def doctor(pid: int | None, as_json: bool, markdown: bool, debug: bool) -> None:  # noqa: ARG001 (main reads it)
    """Say what works here and, with a PID, for that process.

    Rights, kernel, containers, memory, the program and what describes it; each line with what to do. The
    process is neither stopped nor attached to. The exit status is 0 whatever is found.
    """
    one_format(as_json, markdown)
    startup.check("doctor", forcible=False)
    from goretain import api
    from goretain.cli import terminal

    report = api.doctor(pid)
    if as_json:
        from goretain.reports import json

        terminal.write(json.render(report))
    elif markdown:
        from goretain.reports.markdown import render_doctor

        terminal.write(render_doctor(report))
    else:
        from goretain.reports import text

        terminal.show(text.render_doctor(report, terminal.width()))
