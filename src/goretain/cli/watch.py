"""``goretain watch``. Imports the api, reports and click; heavy parts when it runs."""

from __future__ import annotations

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
    trends_of,
)


@click.command(cls=rich_click.RichCommand)
@click.argument("targets", metavar="URL|PID...", nargs=-1)
@click.option(
    "--for", "seconds", type=Span(), default=1800.0, metavar="TIME", help="How long. [default: 30m]"
)
@click.option(
    "--every", type=Span(), default=30.0, metavar="TIME", help="Time between two looks. [default: 30s]"
)
@click.option(
    "-o", "--output", "file", default="goretain.watch", show_default=True, metavar="FILE",
    help="All looks are kept there, and those that it has count.",
)  # fmt: skip
@click.option("--no-gc", is_flag=True, help="Do not make the program collect its garbage for every look.")
@click.option("--limit", type=Size(), metavar="SIZE", help="Memory limit: say when it is reached (512MiB).")
@fail_on_option("never", "a site")
@top_option
@json_option
@debug_option
def watch(
    targets: tuple[str, ...],
    seconds: float,
    every: float,
    file: str,
    no_gc: bool,
    limit: int | None,
    fail_on: str,
    top: int | None,
    as_json: bool,
    debug: bool,  # noqa: ARG001 (main reads it: it must work when the arguments do not parse)
) -> int:
    """Watch programs that serve profiles, and say which of their allocation sites go on growing.

    URL is where a program serves net/http/pprof: http://localhost:6060; what a PID listens on is asked for
    it. Restarts of the program split the series. A watch that was ended or killed goes on in its file;
    without a target it reports what the file has.
    """
    if every <= 0:
        raise click.UsageError("--every needs a time above 0")
    from goretain import api
    from goretain.cli import terminal

    ended: list[BaseException] = []
    with terminal.Progress() as progress:
        report = api.watch_profiles(
            targets,
            file,
            seconds=seconds,
            every=every,
            collect=not no_gc,
            limit=limit,
            top=TOP if top is None else top,
            progress=progress,
            on_stop=ended.append,
        )
    if as_json:
        from goretain.reports import json

        terminal.write(json.render(report))
    else:
        from goretain.reports import text

        terminal.show(text.render_watch(report, terminal.width()))
    for reason in ended:
        raise reason
    found = {trend for target in report.targets if target.growth for trend in trends_of(target.growth)}
    return int(bool(found & FAILING[fail_on]))
