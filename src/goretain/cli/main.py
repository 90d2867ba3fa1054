"""The command ``goretain``: finds the subcommand, and turns what goes wrong into a message and an exit code.

Exit codes: 0 it ran; 1 something is at or above the level of --fail-on; 2 it could not run; 130
interrupted. ``goretain snap`` runs beside a production process: it goes a light way that imports neither
click nor rich. Imports ``model`` and ``reports.units``; the rest when it is needed; commands import the api.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from goretain.cli.output import Unwritten, discard, fitted, output
from goretain.model.errors import GoretainError
from goretain.reports.units import clean

#: What writing to a full disk fails with. Whoever writes a file of his own says so himself.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_MORE_TIME = "raise it: ulimit -t unlimited; or save an image with goretain snap and analyse that elsewhere"
_REPORT = "this is a bug of goretain; please report it with the lines that --debug shows"


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit."""
    with suppress(OSError):  # before anything takes memory: if there is none, end us and not a pod's server
        Path("/proc/self/oom_score_adj").write_text("1000")
    # numpy's threads for linear algebra, which nothing here does, would let a target go before our memory
    # is given back when the kernel ends us: it might then be the next to be ended.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller (>&-), who wants nothing to be printed
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115 (open to the end of the program)
    signal.signal(signal.SIGXCPU, _out_of_time)
    code = run(sys.argv[1:] if arguments is None else arguments)
    try:
        with output():
            sys.stdout.flush()
    except Unwritten as wrong:
        complain(wrong.message, wrong.hint)
        code = 2
    sys.exit(code)


class _OutOfTime(BaseException):
    """RLIMIT_CPU is reached. Not an Exception: numba and others make their own of those that they meet."""


def _out_of_time(_number: int, _frame: FrameType | None) -> NoReturn:
    """The soft limit is reached; the hard one, a little later, kills."""
    raise _OutOfTime


def run(arguments: list[str]) -> int:
    """Run the command line; the exit code. Errors are printed on stderr."""
    debug = "--debug" in arguments
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        _echo("interrupted")
        return 130
    except _OutOfTime:
        complain("the processor time that RLIMIT_CPU (ulimit -t) allows is used up", _MORE_TIME)
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


def _run(arguments: list[str]) -> int:
    if arguments[:1] == ["snap"]:
        from goretain.cli import light

        options = light.parse(arguments[1:])
        if options is not None:
            return light.run(options)
    from goretain.cli import group  # also where help is asked for, or arguments do not fit

    return group.run(arguments)


def complain(message: str, hint: str = "") -> None:
    """An error and what to do about it, on stderr; if that is full, the exit code has to do.

    Paths and names in them may be the target's own: they give the terminal no orders.
    """
    message, hint = ("\n".join(map(clean, text.split("\n"))) for text in (message, hint))
    try:
        _echo(_styled("error:", "31;1") + fitted(f"error: {message}").removeprefix("error:"))
        if hint:
            _echo(_styled("hint:", "36") + fitted(f"hint: {hint}").removeprefix("hint:"))
    except OSError:
        discard(sys.stderr)


def _styled(word: str, code: str) -> str:
    coloured = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    return f"\x1b[{code}m{word}\x1b[0m" if coloured else word


def _echo(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _traceback() -> None:
    import traceback

    _echo(traceback.format_exc())


if __name__ == "__main__":
    main()
