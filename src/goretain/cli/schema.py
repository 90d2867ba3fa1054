"""``goretain schema``. Imports the api, reports and click; heavy parts when it runs."""

from __future__ import annotations

from typing import Literal

import click
import rich_click

from goretain.cli.options import debug_option, json_option


@click.command(cls=rich_click.RichCommand)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--schema", "read_as", flag_value="schema", help="FILE is a JSON Schema, in JSON or YAML.")
@click.option(
    "--samples", "read_as", flag_value="samples", help="FILEs are sample documents: JSON or NDJSON."
)
@click.option("--type", "type", metavar="NAME", default="", help="The name of the document's type.")
@click.option("--package", metavar="NAME", default="", help="The Go package. [default: that of DIR; model]")
@click.option("-o", "--out", metavar="DIR", help="Write the types and their test there.")
@click.option("--keep-unknown", is_flag=True, help="Keep keys that FILE does not name, in a map.")
@click.option(
    "--path", "paths", metavar="PATH", multiple=True, help="Decode only PATH: a.b[*].c, or name=a.b[0]."
)
@json_option
@debug_option
def schema(
    files: tuple[str, ...],
    read_as: Literal["schema", "samples"] | None,
    type: str,
    package: str,
    out: str | None,
    keep_unknown: bool,
    paths: tuple[str, ...],
    as_json: bool,
    debug: bool,  # noqa: ARG001 (main reads it: it must work when the arguments do not parse)
) -> None:
    """Write Go structs for JSON documents, from a JSON Schema or from samples.

    They have json and validate tags, decode themselves, and an error names its place: orders[3].price: want
    number, got string. With --path only what is asked for is decoded, and nothing else of a document is kept.
    What FILE is, is found out; - is standard input. Without -o the source is printed, without its test.
    """
    from goretain import api
    from goretain.cli import terminal

    with terminal.Progress() as progress:
        report = api.schema(
            files,
            read_as=read_as,
            out=out,
            type=type,
            package=package,
            keep_unknown=keep_unknown,
            paths=paths,
            progress=progress,
        )
    if as_json:
        from goretain.reports import json

        terminal.write(json.render(report))
    elif out is None:
        terminal.write(report.single)
    else:
        from goretain.reports import text

        terminal.show(text.render_schema(report, terminal.width()))
