"""What goes to the terminal: reports on stdout, progress on stderr.

Imports ``model``, who listens to the compiler, and rich, and the reports below for typing only.
"""

from __future__ import annotations

import shutil
import sys
import threading
import time
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Self

from goretain.cli.output import output
from goretain.kernels.compiling import on_compile

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bar

    from goretain.reports.text.page import Page

#: Width of a report that goes to a file or a pipe, unless COLUMNS says otherwise.
_PIPED = 100
_PATIENCE = 1.0
_PACE = 0.1
_COMPILING = "compiling itself, once"


def width() -> int:
    """Columns to write for: COLUMNS, the terminal's, or 100 for a pipe."""
    return shutil.get_terminal_size((_PIPED, 24)).columns


def show(page: Page) -> None:
    """Print a page on stdout, in colour on a terminal (unless NO_COLOR is set)."""
    with output():
        page.print(_stdout(page.width))
        sys.stdout.flush()


def show_markdown(text: str) -> None:
    """Print Markdown on stdout as a rendered page."""
    from rich.markdown import Markdown

    with output():
        _stdout(min(width(), _PIPED)).print(Markdown(text))
        sys.stdout.flush()


def _stdout(columns: int) -> Console:
    from rich.console import Console

    class Stdout(Console):
        def on_broken_pipe(self) -> None:
            """Leave the closed pipe to output; rich would end the program with 1."""
            raise BrokenPipeError

    return Stdout(file=sys.stdout, width=columns)


def write(text: str) -> None:
    """Print machine-readable text on stdout, in UTF-8 whatever the locale says."""
    with output():
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
        sys.stdout.buffer.flush()


class Progress:
    """A line on stderr that tells what is being done; only on a terminal and only after a second.

    It is drawn by whoever reports. Only for a step of unknown length that begins in the first second a
    timer waits; capture reports steps of known length alone, so nothing takes the interpreter while the
    target is frozen. Kernels are compiled before that.
    """

    def __init__(self) -> None:
        self._bar: Bar | None = None
        self._timer: threading.Timer | None = None
        self._enabled = sys.stderr.isatty()
        self._started = time.monotonic()
        self._drawn = 0.0
        self._what = ""
        self._listening = ExitStack()

    def __enter__(self) -> Self:
        if self._enabled:
            self._listening.enter_context(on_compile(self._compiling))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening.close()
        self._forget()
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, what: str, done: int, whole: int) -> None:
        """Report; ``whole`` 0 is unknown."""
        if not self._enabled:
            return
        self._forget()
        now = time.monotonic()
        early = self._started + _PATIENCE - now
        if early <= 0 and (what != self._what or now - self._drawn >= _PACE):
            self._drawn, self._what = now, what
            self._draw(what, done, whole)
        elif early > 0 and not whole:
            self._timer = threading.Timer(early, self._draw, (what, 0, 0))
            self._timer.daemon = True
            self._timer.start()

    def _compiling(self) -> None:
        """The first run after an installation takes half a minute or more; say why."""
        if time.monotonic() - self._started >= _PATIENCE:
            self._forget()
            self._draw(_COMPILING, 0, 0)

    def _forget(self) -> None:
        """Let no timer draw any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()
            self._timer = None

    def _draw(self, what: str, done: int, whole: int) -> None:
        if self._bar is None:
            self._bar = _new_bar()
        task = self._bar.task_ids[0]
        self._bar.update(task, description=what, completed=done, total=whole or None)
        self._bar.refresh()


def _new_bar() -> Bar:
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("goretain: {task.description}", markup=False), BarColumn(), TaskProgressColumn())
    bar = Bar(*columns, console=Console(stderr=True), transient=True, auto_refresh=False)
    bar.add_task("", total=None)
    bar.start()
    return bar
