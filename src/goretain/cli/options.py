"""Options that several commands share, and the words they take: sizes and durations.

Imports ``model`` and click.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from goretain.model.units import size_of

if TYPE_CHECKING:
    from goretain.reports.results import GrowthReport

#: Rows of each list when --top is not given.
TOP = 10

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|min|h)?", re.IGNORECASE)
_SECONDS = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


class Size(click.ParamType["int"]):
    """Bytes: ``65536``, ``64KB`` (1000s), ``64KiB`` or ``64K`` (1024s)."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Bytes as int."""
        if isinstance(value, int):
            return value
        size = size_of(value)
        if size is None:
            self.fail(f"{value!r} is not a size; write 65536, 64KB or 1.5MiB", param, ctx)
        return int(size)


class Span(click.ParamType["float"]):
    """Seconds: ``30``, ``30s``, ``500ms``, ``5m``, ``1h``."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds as float."""
        if isinstance(value, float):
            return value
        match = _TIME.fullmatch(value.strip())
        if match is None:
            self.fail(f"{value!r} is not a time; write 30s, 5m or 1h", param, ctx)
        return float(match[1]) * _SECONDS[(match[2] or "").lower()]


def target_options(command: Decorated) -> Decorated:
    """How a target is opened: --binary, --debug-dir, --full, --with-data, --force and --max-pause."""
    pause = click.FloatRange(min=0, min_open=True)
    for option in (
        click.option(
            "--max-pause", type=pause, metavar="MS", help="Give up when it would be stopped for longer."
        ),
        click.option(
            "--force", is_flag=True, help="Copy even if the memory limits say that there is no room."
        ),
        click.option("--with-data", is_flag=True, help="Keep and show map keys: user data."),
        click.option("--full", is_flag=True, help="Copy all memory of the process, not only what is needed."),
        click.option(
            "--debug-dir", "debug_dirs", metavar="DIR", multiple=True, help="Debug files are there."
        ),
        click.option(
            "--binary",
            metavar="FILE",
            help="An unstripped build, or the program that wrote the core or heap dump.",
        ),
    ):
        command = option(command)
    return command


#: Levels of --fail-on of what judges trends, and the trends at or above each.
FAILING: dict[str, frozenset[str | None]] = {
    "grows": frozenset({"grows"}),
    "undecided": frozenset({"grows", "undecided"}),
    "never": frozenset(),
}


def fail_on_option(default: str, what: str) -> Callable[[Decorated], Decorated]:
    """--fail-on of a command that judges the trend of ``what``."""
    return click.option(
        "--fail-on",
        type=click.Choice(tuple(FAILING)),
        default=default,
        show_default=True,
        help=f"Exit with 1 when {what} grows, or is undecided too.",
    )


def trends_of(report: GrowthReport) -> set[str]:
    """The trends that any site has."""
    found = {"grows": report.grows_total, "undecided": report.undecided_total}
    return {trend for trend, sites in found.items() if sites}


#: Options that several commands have.
debug_option = click.option("--debug", is_flag=True, help="Show a traceback when something goes wrong.")
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Everything, in the schema of docs/json-schema.md."
)
top_option = click.option(
    "--top", type=click.IntRange(0), metavar="N", help=f"Rows of each list. [default: {TOP}]"
)


def report_options(command: Decorated) -> Decorated:
    """--json, --markdown, --top and --debug."""
    for option in (
        debug_option,
        click.option("--markdown", is_flag=True, help="At most 60 lines to paste into an incident."),
        json_option,
        top_option,
    ):
        command = option(command)
    return command


def one_format(as_json: bool, markdown: bool) -> None:
    """Refuse --json together with --markdown."""
    if as_json and markdown:
        raise click.UsageError("--json and --markdown are two formats; choose one")
