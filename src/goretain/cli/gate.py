"""``goretain gate``. Imports the api, reports and click; heavy parts when it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import rich_click

from goretain.cli.options import (
    FAILING,
    TOP,
    Size,
    Span,
    debug_option,
    fail_on_option,
    json_option,
    top_option,
)

if TYPE_CHECKING:
    from goretain.reports.results import GateReport


@click.command(cls=rich_click.RichCommand)
@click.argument("patterns", metavar="[PACKAGE]...", nargs=-1)
@click.option("--bench", metavar="REGEXP", help="Benchmarks as go test -bench takes them. [default: all]")
@click.option(
    "--test", default="", metavar="REGEXP", help="Repeat tests, as go test -run takes them, instead."
)
@click.option(
    "--compare", metavar="REVISION", help="Measure that of git too, and judge what the work tree adds to it."
)
@click.option("--tags", default="", metavar="TAGS", help="Build tags as go test -tags takes them.")
@click.option(
    "--config", metavar="FILE", help="Limits and known sites. [default: goretain.toml of package or module]"
)
@click.option("--go", metavar="VERSION", help="Version of Go, 1.26. [default: the go on PATH]")
@click.option(
    "--iterations", type=click.IntRange(1), default=65_536, show_default=True, metavar="N",
    help="Iterations of the longest run.",
)  # fmt: skip
@click.option(
    "--time", "seconds", type=Span(), default=30.0, metavar="TIME",
    help="Begin no doubling that would take longer, of each benchmark. [default: 30s]",
)  # fmt: skip
@click.option(
    "--memory", type=Size(), default=1 << 30, metavar="SIZE",
    help="Begin no doubling that would need more. [default: 1GiB]",
)  # fmt: skip
@click.option(
    "--cpu", type=click.IntRange(1), default=1, show_default=True, metavar="N", help="GOMAXPROCS of the runs."
)
@fail_on_option("grows", "a benchmark")
@click.option("--junit", metavar="FILE", help="Write JUnit XML too: a case for each benchmark.")
@click.option("--markdown", metavar="FILE", help="Write a summary for a pull request too.")
@top_option
@json_option
@debug_option
def gate(
    patterns: tuple[str, ...],
    fail_on: str,
    junit: str | None,
    markdown: str | None,
    top: int | None,
    as_json: bool,
    debug: bool,  # noqa: ARG001 (main reads it: it must work when the arguments do not parse)
    **how: Any,
) -> int:
    """Refuse the next leak in CI: what each iteration of the benchmarks of a package leaves in use.

    PACKAGE is as go test takes it: . or ./... (default .). Its tests are built once, unchanged; every
    benchmark runs with more and more iterations, or a test is repeated in one process, and what stays is
    counted exactly, by call stack.
    """
    from goretain import api
    from goretain.cli import terminal
    from goretain.cli.ending import ending_cleanly
    from goretain.model.saving import check_place

    for path in (junit, markdown):
        if path is not None:
            check_place(path)
    with ending_cleanly(), terminal.Progress() as progress:
        report = api.gate(patterns or (".",), top=TOP if top is None else top, progress=progress, **how)
    failing = FAILING[fail_on]
    _write(report, junit, markdown, failing)
    if as_json:
        from goretain.reports import json

        terminal.write(json.render(report))
    else:
        from goretain.reports import text

        terminal.show(text.render_gate(report, terminal.width()))
    verdicts = {one.verdict for package in report.packages for one in package.benchmarks}
    return 1 if verdicts & failing else 2 if report.failed else 0


def _write(
    report: GateReport, junit: str | None, markdown: str | None, failing: frozenset[str | None]
) -> None:
    """The files beside the report."""
    from goretain.model.saving import write_report

    if junit is not None:
        from goretain.reports.junit import render_gate as render_junit

        write_report(junit, render_junit(report, failing))
    if markdown is not None:
        from goretain.reports.gatepage import render_gate as render_page

        write_report(markdown, render_page(report))
