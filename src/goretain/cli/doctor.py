"""``goretain doctor``. Imports the api, reports and click; heavy parts when it runs."""

from __future__ import annotations

import click
import rich_click

from goretain.cli import startup
from goretain.cli.options import one_format


@click.command(cls=rich_click.RichCommand)
@click.argument("pid", required=False, type=click.IntRange(1))
@click.option("--json", "as_json", is_flag=True, help="Everything, in the schema of docs/json-schema.md.")
@click.option("--markdown", is_flag=True, help="To paste into an issue.")
@click.option("--debug", is_flag=True, help="Show a traceback when something goes wrong.")
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
