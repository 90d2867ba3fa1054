"""``goretain snap``: its options, and the way that it runs beside a production process.

Reads the arguments with argparse and shows progress itself, so that neither click nor rich nor numba takes
memory and time where there may be little of both. Imports ``model``, siblings of ``cli`` and the
standard library; the api when it runs.
"""

from __future__ import annotations

import argparse
import os
import select
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from goretain.cli import startup
from goretain.cli.ending import ending_cleanly
from goretain.cli.output import Unwritten, fitted
from goretain.model.errors import UsageError

if TYPE_CHECKING:
    from goretain.api.images import Snap
    from goretain.capture.image import CaptureFacts

_PATIENCE, _PACE = 1.0, 0.1
_SEND = "name a file with -o, or send the output on: -o - | ..."
#: By whether the file was made private.
_MODES = {True: "only you may read it (0600)", False: "let only you read it (umask 077)"}


@dataclass(frozen=True, slots=True)
class Option:
    """One option of the command: its names, what it is called in the API, help, and its value's name.

    metavar "": it has no value. many: it may be given again. kind: what its value is.
    """

    names: tuple[str, ...]
    key: str
    help: str
    metavar: str = ""
    required: bool = False
    many: bool = False
    kind: type[str] | type[float] = str


OPTIONS = (
    Option(("-o", "--output"), "path", "Where the image goes; - is a pipe.", "FILE", required=True),
    Option(("--binary",), "binary", "The core's program; an unstripped build of a stripped one.", "FILE"),
    Option(("--debug-dir",), "debug_dirs", "Where debug files may be.", "DIR", many=True),
    Option(("--with-data",), "with_data", "Also copy contents that only map keys need: user data."),
    Option(("--full",), "full", "Copy all memory of the process, not only what is needed."),
    Option(
        ("--no-debuginfo",),
        "no_debuginfo",
        "Leave out DWARF and symbols, and with them names of variables.",
    ),
    Option(("--force",), "force", "Copy even if the memory limits say that there is no room."),
    Option(("--max-pause",), "max_pause", "Give up when it would be stopped for longer.", "MS", kind=float),
    Option(("-q", "--quiet"), "quiet", "Say nothing unless something goes wrong."),
    Option(("--debug",), "debug", "Show a traceback when something goes wrong."),
)


class _DoesNotFit(Exception):
    """The arguments are to be looked at by who explains such things."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _DoesNotFit(message)


def parse(arguments: list[str]) -> dict[str, Any] | None:
    """The options by key, "target" among them; None when help is asked for or something does not fit."""
    parser = _Parser(add_help=False, allow_abbrev=False)
    parser.add_argument("target")
    for option in OPTIONS:
        if not option.metavar:
            parser.add_argument(*option.names, dest=option.key, action="store_true")
        else:
            action = "append" if option.many else "store"
            parser.add_argument(
                *option.names, dest=option.key, action=action, required=option.required, type=option.kind
            )
    if "-h" in arguments or "--help" in arguments:
        return None
    try:
        return vars(parser.parse_args(arguments))
    except _DoesNotFit:
        return None


def run(options: dict[str, Any]) -> int:
    """Take the image; the exit code."""
    startup.check("snap", options["target"], force=options["force"])
    how = {key: value for key, value in options.items() if key not in ("target", "path", "quiet", "debug")}
    how["debuginfo"] = not how.pop("no_debuginfo")
    how["debug_dirs"] = how["debug_dirs"] or ()
    tell = _Teller(quiet=options["quiet"])
    try:
        with ending_cleanly():
            taken = _take(options["target"], _output(options["path"]), tell, how)
    except BrokenPipeError as failed:
        raise Unwritten(failed) from None
    finally:
        tell.erase()
    tell.taken(taken)
    return 0


def _output(path: str) -> str | int:
    if path != "-":
        return path
    descriptor = sys.stdout.fileno()
    if os.path.samestat(os.fstat(descriptor), Path(os.devnull).stat()):  # main puts it where stdout is closed
        raise UsageError("standard output is closed or /dev/null: the image would be lost", hint=_SEND)
    if os.isatty(descriptor):
        raise UsageError("an image is no text for a terminal", hint=_SEND)
    return descriptor


def _take(target: str, path: str | int, tell: _Teller, how: dict[str, Any]) -> Snap:
    from goretain.api.images import snap
    from goretain.cli.witness import Witness

    with Witness(target, how["max_pause"]) as witness:
        return snap(target, path, on_plan=tell.plan, on_phase=witness.note, progress=tell.progress, **how)


def _stopped(facts: CaptureFacts) -> str:
    if facts.pause_ns is None:
        return ""
    pauses = facts.pauses_ns
    if len(pauses) < 2:
        return f", stopped for {facts.pause_ns / 1e6:.1f} ms"
    return (
        f", stopped {len(pauses)} times, {facts.pause_ns / 1e6:.1f} ms in all,"
        f" {max(pauses) / 1e6:.1f} ms at the longest: it was held up and tried again"
    )


class _Teller:
    """Says on stderr what is planned, what is going on and what was done."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._draws = not quiet and sys.stderr.isatty()
        self._started = time.monotonic()
        self._drawn = 0.0

    def plan(self, planned: int) -> None:
        """Before the target is stopped."""
        from goretain.model.units import iec

        self._line(f"plan: copy {iec(planned)}")

    def progress(self, what: str, done: int, whole: int) -> None:
        """A line that is drawn over; from the second second on, ten times a second.

        The target may be frozen: a terminal that takes nothing (Ctrl-S) is not waited for.
        """
        now = time.monotonic()
        due = now - self._started > _PATIENCE and now - self._drawn > _PACE
        if self._draws and due and select.select((), (sys.stderr,), (), 0)[1]:
            self._drawn = now
            share = f" {done * 100 // whole} %" if whole else ""
            sys.stderr.write(f"\r\x1b[2Kgoretain: {what}{share}")
            sys.stderr.flush()

    def erase(self) -> None:
        """Take the line of progress away."""
        if self._drawn:
            self._drawn = 0.0
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()

    def taken(self, snap: Snap) -> None:
        """After the file was written."""
        from goretain.model.units import iec
        from goretain.reports.units import clean

        facts = snap.facts
        self._line(f"copied {iec(facts.copied_bytes)} of {clean(facts.program)}{_stopped(facts)}")
        self._line(f"saved to {clean(str(snap.name))}: {iec(snap.bytes)}")
        what = "sensitive: holds contents of the program's memory"
        self._line(f"{what}; {_MODES[snap.private]}")

    def _line(self, text: str) -> None:
        if not self._quiet:
            self.erase()
            print(fitted(text), file=sys.stderr, flush=True)  # noqa: T201 (this is the command's output)
