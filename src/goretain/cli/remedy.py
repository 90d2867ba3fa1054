"""``goretain remedy list``, ``show`` and ``add``.

Imports the api, reports and click; heavy parts when it runs.
"""

from __future__ import annotations

import sys

import click
import rich_click

from goretain.cli.options import debug_option, json_option


@click.group(cls=rich_click.RichGroup)
def remedy() -> None:
    """Copy tested Go source that mends a leak into your own tree.

    No dependency comes with it: the source is yours.
    """


@remedy.command("list", cls=rich_click.RichCommand)
@click.option("--for", "pattern", metavar="CODE", help="Only those that mend this pattern (GR103).")
@json_option
@debug_option
def list_(pattern: str | None, as_json: bool, debug: bool) -> None:  # noqa: ARG001 (main reads it)
    """List the remedies and the patterns that they mend."""
    from goretain import api
    from goretain.cli import terminal

    report = api.remedies(pattern=pattern)
    if as_json:
        from goretain.reports import json

        terminal.write(json.render(report))
        return
    from goretain.reports import text

    terminal.show(text.render_remedies(report, terminal.width()))


@remedy.command(cls=rich_click.RichCommand)
@click.argument("name")
@click.option("--source", is_flag=True, help="The Go source instead, without tests.")
@json_option
@debug_option
def show(name: str, source: bool, as_json: bool, debug: bool) -> None:  # noqa: ARG001 (main reads it)
    """Explain a remedy: what it does, what other forms get wrong, its limits."""
    from goretain import api
    from goretain.cli import terminal

    report = api.remedies(name)
    (row,) = report.remedies
    if as_json:
        from goretain.reports import json

        terminal.write(json.render(report))
        return
    if source:
        terminal.write("\n".join(file.text for file in row.files if not file.test))
        return
    from goretain.reports import text

    shown = text.render_remedy(row)
    if sys.stdout.isatty():
        terminal.show_markdown(shown)
    else:
        terminal.write(shown)


@remedy.command(cls=rich_click.RichCommand)
@click.argument("name")
@click.option("--package", metavar="P", help="Name of the Go package. [default: that of the files there]")
@click.option("--dir", "folder", default=".", metavar="DIR", help="Its directory. [default: this one]")
@click.option("--with-tests", is_flag=True, help="Copy tests and benchmarks, too.")
@click.option("--force", is_flag=True, help="Replace files that are there and differ.")
@json_option
@debug_option
def add(
    name: str,
    package: str | None,
    folder: str,
    with_tests: bool,
    force: bool,
    as_json: bool,
    debug: bool,  # noqa: ARG001 (main reads it)
) -> None:
    """Copy a remedy, and what it stands on, into the directory of a Go package."""
    from goretain import api
    from goretain.cli import terminal

    report = api.add_remedy(name, folder, package=package, tests=with_tests, force=force)
    if as_json:
        from goretain.reports import json

        terminal.write(json.render(report))
        return
    from goretain.reports import text

    terminal.show(text.render_added(report, terminal.width()))
