"""``goretain trace``. Imports the api, reports and click; heavy parts when it runs."""

from __future__ import annotations

import click
import rich_click

from goretain.cli.options import TOP, Span, debug_option, json_option, top_option

#: Seconds of a trace that --from takes.
_SECONDS = 5.0


@click.command(cls=rich_click.RichCommand)
@click.argument("target", metavar="[FILE]", required=False)
@click.option("--from", "address", metavar="URL", help="Ask this program for a trace: http://localhost:6060.")
@click.option("--for", "seconds", type=Span(), metavar="TIME", help="With --from, how long. [default: 5s]")
@click.option("-o", "--output", "save", metavar="FILE", help="With --from, keep the trace in a file.")
@top_option
@json_option
@debug_option
def trace(
    target: str | None,
    address: str | None,
    seconds: float | None,
    save: str | None,
    top: int | None,
    as_json: bool,
    debug: bool,  # noqa: ARG001 (main reads it: it must work when the arguments do not parse)
) -> None:
    """Say what an execution trace of Go 1.22 or newer says.

    What goroutines did over time, who began those that did not end, heap and goal, what the garbage collector
    cost and whom; of a program under GODEBUG=traceallocfree=1 also which types were allocated and not freed.
    FILE is a trace of runtime/trace, net/http/pprof or go test -trace, - is standard input.
    """
    if (target is None) == (address is None):
        raise click.UsageError("name a trace, or a program with --from: goretain trace FILE")
    if address is None and (seconds is not None or save is not None):
        raise click.UsageError("--for and -o go with --from")
    from goretain import api
    from goretain.cli import terminal

    with terminal.Progress() as progress:
        if address is not None:
            seconds = _SECONDS if seconds is None else seconds
        report = api.trace(
            address or target or "",
            seconds=seconds,
            save=save,
            top=TOP if top is None else top,
            progress=progress,
        )
    if as_json:
        from goretain.reports import json

        terminal.write(json.render(report))
        return
    from goretain.reports import text

    terminal.show(text.render_trace(report, terminal.width()))
