"""``goretain lab``. Imports the api, reports and click; heavy parts when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import rich_click

from goretain.cli.options import debug_option, json_option, one_format

if TYPE_CHECKING:
    from collections.abc import Callable

    from goretain.reports.results import LabReport
    from goretain.reports.text.page import Page

_home = click.option(
    "--from",
    "home",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Experiments of this directory instead of goretain's own.",
)
_wanted = click.argument("wanted", metavar="[CLAIM|CODE|EXPERIMENT]...", nargs=-1)
_markdown = click.option("--markdown", is_flag=True, help="As a page of Markdown.")


@click.group(cls=rich_click.RichGroup, context_settings={"help_option_names": ["-h", "--help"]})
def lab() -> None:
    """Measure on your own Go what is said about Go memory.

    A claim (A06), the code of a pattern (GR103) or an experiment names what is asked about; all without.
    """


@lab.command(name="list", cls=rich_click.RichCommand)
@_wanted
@_home
@json_option
@debug_option
def list_(wanted: tuple[str, ...], home: Path | None, as_json: bool, debug: bool) -> None:  # noqa: ARG001 (main reads it)
    """List the experiments and their claims."""
    from goretain import api
    from goretain.reports import text

    _show(api.lab_list(wanted, home=home), as_json, False, text.render_lab_list)


@lab.command(cls=rich_click.RichCommand)
@_wanted
@click.option("--go", metavar="VERSIONS", help="Go versions (1.22,1.27), or all; else the one on PATH.")
@click.option("--fresh", is_flag=True, help="Measure again what was measured before.")
@_home
@json_option
@_markdown
@debug_option
def run(
    wanted: tuple[str, ...],
    go: str | None,
    fresh: bool,
    home: Path | None,
    as_json: bool,
    markdown: bool,
    debug: bool,  # noqa: ARG001 (main reads it: it must work when the arguments do not parse)
) -> int:
    """Run the experiments, and say what the claims come out as.

    The exit status is 1 when a claim does not come out as recorded.
    """
    one_format(as_json, markdown)
    from goretain import api
    from goretain.cli import terminal
    from goretain.reports import text

    versions = [version for version in (go or "").split(",") if version]
    with terminal.Progress() as progress:
        report = api.lab(wanted, go=versions, home=home, fresh=fresh, progress=progress)
    _show(report, as_json, markdown, text.render_lab)
    return 1 if report.disagree else 0


@lab.command(cls=rich_click.RichCommand)
@_wanted
@_home
@json_option
@_markdown
@debug_option
def table(
    wanted: tuple[str, ...],
    home: Path | None,
    as_json: bool,
    markdown: bool,
    debug: bool,  # noqa: ARG001 (main reads it)
) -> None:
    """Show what the claims came out as when they were recorded; nothing is run."""
    one_format(as_json, markdown)
    from goretain import api
    from goretain.reports import text

    _show(api.lab_table(wanted, home=home), as_json, markdown, text.render_lab_table)


def _show(report: LabReport, as_json: bool, markdown: bool, render: Callable[[LabReport, int], Page]) -> None:
    from goretain.cli import terminal

    if as_json:
        from goretain.reports import json

        terminal.write(json.render(report))
    elif markdown:
        from goretain.reports import labpage

        terminal.write(labpage.render_lab(report))
    else:
        terminal.show(render(report, terminal.width()))
