"""The commands as click knows them: finds and imports the one that is asked for, and shows help.

Apart from ``main`` because the light path must not import click. Imports ``cli`` siblings when they are
asked for, click and rich-click.
"""

from __future__ import annotations

import difflib
import importlib
from typing import Any

import click
import rich_click

import goretain

#: Subcommands in the order of the help; each is found under its name in the module of its name.
COMMANDS = (
    "why",
    "chains",
    "query",
    "export",
    "snap",
    "diff",
    "profile",
    "growth",
    "watch",
    "trace",
    "gate",
    "explain",
    "doctor",
    "rule",
    "schema",
    "lab",
    "remedy",
    "new-pattern",
)


class Commands(rich_click.RichGroup):
    """A group that imports a subcommand on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """Names in the order of the help."""
        return list(COMMANDS)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The subcommand that the arguments name; of a name that is none, the one that was perhaps meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as wrong:
            name = args[0]
            near = ["why"] if name.isdigit() else difflib.get_close_matches(name, COMMANDS, 1)
            if not near:
                raise
            meant = f"{near[0]} {name}" if name.isdigit() else near[0]
            raise click.UsageError(
                f"No such command '{name}'. Did you mean 'goretain {meant}'?", ctx
            ) from wrong

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 (click's signature)
        """The subcommand of that name."""
        if cmd_name not in COMMANDS:
            return None
        module = cmd_name.replace("-", "_")
        command: click.Command = getattr(importlib.import_module(f"goretain.cli.{module}"), module)
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(goretain.__version__, message="goretain %(version)s")
def goretain_command() -> None:
    """Why is this Go memory still alive?

    Start with 'goretain why PID' on a running Go program.
    """


def run(arguments: list[str]) -> int:
    """Run the command line; the exit code. What click itself complains about is printed here."""
    try:
        result: Any = goretain_command.main(arguments, prog_name="goretain", standalone_mode=False)
    except SystemExit:
        return 0  # rich ends the program so when the reader of a help page has gone
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.ClickException as wrong:
        wrong.show()
        return 2
    return result if isinstance(result, int) else 0
