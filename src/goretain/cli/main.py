"""The command ``goretain``: finds the subcommand, and turns what goes wrong into a message and an exit code.

Exit codes: 0 it ran; 1 something is at or above the level of --fail-on; 2 it could not run; 130
interrupted. Subcommands are imported when they are asked for. Imports ``model``, click and rich-click;
commands import the api.
"""

from __future__ import annotations

import errno
import importlib
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

import click
import rich_click

import goretain
from goretain.cli.terminal import Unwritten, discard, output
from goretain.model.errors import GoretainError

#: Subcommands in the order of the help; each is found under its name in the module of its name.
COMMANDS = ("why", "diff", "rule")
#: What writing to a full disk fails with. Whoever writes a file of his own says so himself.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_REPORT = "this is a bug of goretain; please report it with the lines that --debug shows"


class Commands(rich_click.RichGroup):
    """A group that imports a subcommand on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """Names in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 (click's signature)
        """The subcommand of that name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(f"goretain.cli.{cmd_name}"), cmd_name)
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(goretain.__version__, message="goretain %(version)s")
def goretain_command() -> None:
    """Why is this Go memory still alive?

    Start with 'goretain why PID' on a running Go program.
    """


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller (>&-), who wants nothing to be printed
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115 (open to the end of the program)
    code = run(sys.argv[1:] if arguments is None else arguments)
    try:
        with output():
            sys.stdout.flush()
    except Unwritten as wrong:
        complain(wrong.message, wrong.hint)
        code = 2
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run the command line; the exit code. Errors are printed on stderr."""
    debug = "--debug" in arguments
    try:
        result: Any = goretain_command.main(arguments, prog_name="goretain", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return 130
    except SystemExit:
        return 0  # rich ends the program so when the reader of a help page has gone
    except click.ClickException as wrong:
        wrong.show()
        return 2
    except GoretainError as wrong:
        if debug:
            _traceback()
        complain(wrong.message, wrong.hint)
    except MemoryError:
        complain(
            "out of memory", "run goretain where there is more of it, for example on a core or saved snapshot"
        )
    except Exception as wrong:
        if debug:
            _traceback()
        if isinstance(wrong, OSError) and wrong.errno in _FULL and wrong.filename is None:
            discard(sys.stdout)
            unwritten = Unwritten(wrong)  # by a help page, which click prints
            complain(unwritten.message, unwritten.hint)
            return 2
        first_line = str(wrong).partition("\n")[0]
        complain(f"unexpected {type(wrong).__name__}: {first_line}", _REPORT)
    return 2


def complain(message: str, hint: str = "") -> None:
    """An error and what to do about it, on stderr; if that is full, the exit code has to do."""
    try:
        click.echo(f"{click.style('error:', fg='red', bold=True)} {message}", err=True)
        if hint:
            click.echo(f"{click.style('hint:', fg='cyan')} {hint}", err=True)
    except OSError:
        discard(sys.stderr)


def _traceback() -> None:
    import traceback

    click.echo(traceback.format_exc(), err=True)


if __name__ == "__main__":
    main()
