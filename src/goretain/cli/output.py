"""Writing to stdout so that a full disk is an error and a reader that has gone is none; messages that fit.

Apart from ``terminal`` because the light path imports neither rich nor what reports import. Imports
``model`` only.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from goretain.model.errors import GoretainError

_HINTS = {
    errno.ENOSPC: "free some space there or send the output elsewhere",
    errno.EFBIG: "raise the limit of a file's size (RLIMIT_FSIZE): ulimit -f unlimited",
}


class Unwritten(GoretainError):
    """What was to be printed could not be written."""

    def __init__(self, failed: OSError) -> None:
        super().__init__(
            f"the output could not be written: {failed.strerror}", hint=_HINTS.get(failed.errno or 0, "")
        )


@contextmanager
def output() -> Iterator[None]:
    """Around everything that writes to stdout; what is printed after a failure goes nowhere.

    A reader that has what it wanted (| head) is no failure.

    Raises:
        Unwritten: the disk is full, or the like.
    """
    try:
        yield
    except OSError as failed:
        discard(sys.stdout)
        if not isinstance(failed, BrokenPipeError):
            raise Unwritten(failed) from None


def fitted(text: str) -> str:
    """A message for stderr: on a terminal its lines are broken at blanks to fit; piped it stays as it is.

    A word that is longer than the terminal is wide stays whole, to be copied.
    """
    if not sys.stderr.isatty():
        return text
    import shutil  # only here: it is not for free, and the light path runs mostly without a terminal
    import textwrap

    width = max(shutil.get_terminal_size((80, 24)).columns, 20)
    wrapper = textwrap.TextWrapper(
        width,
        subsequent_indent="  ",
        expand_tabs=False,
        replace_whitespace=False,
        break_long_words=False,
        break_on_hyphens=False,
    )
    lines = (wrapper.wrap(line) if len(line) > width else [line] for line in text.split("\n"))
    return "\n".join(part for wrapped in lines for part in wrapped)


def discard(stream: TextIO) -> None:
    """Let what a stream still holds, and what comes, go nowhere: the interpreter flushes it at the end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
