"""Progress is shown on a terminal, after a second, and by no thread while a step of known length goes on."""

from __future__ import annotations

import io
import sys
import threading
import time

import pytest

from goretain.cli import terminal
from goretain.kernels import compiling


class Screen(io.StringIO):
    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


def shown_on(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """stderr as a terminal, with a patience of 50 ms; called in the test, as pytest sets stderr before it."""
    shown = Screen(True)
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setattr(terminal, "_PATIENCE", 0.05)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    return shown


def test_a_pipe_sees_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Screen(False)
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setattr(terminal, "_PATIENCE", 0.0)
    with terminal.Progress() as progress:
        progress("types", 0, 0)
        progress("copying", 1, 2)
    assert shown.getvalue() == ""


def test_quick_work_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = shown_on(monkeypatch)
    with terminal.Progress() as progress:
        progress("types", 0, 0)
        progress("copying", 1, 2)
    time.sleep(0.1)
    assert screen.getvalue() == ""


def test_a_long_step_that_began_early_is_shown_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = shown_on(monkeypatch)
    with terminal.Progress() as progress:
        progress("measuring", 0, 0)
        time.sleep(0.3)
        assert "measuring" in screen.getvalue()


def test_a_step_of_known_length_starts_no_thread_and_shows_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = shown_on(monkeypatch)
    before = threading.active_count()
    with terminal.Progress() as progress:
        progress("copying", 1, 4)
        assert threading.active_count() == before
        assert screen.getvalue() == ""
        time.sleep(0.06)
        progress("copying", 3, 4)
        assert threading.active_count() == before
        assert "75%" in screen.getvalue()


def test_the_line_is_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = shown_on(monkeypatch)
    with terminal.Progress() as progress:
        time.sleep(0.06)
        progress("types [red]x", 0, 0)
    assert "types [red]x" in screen.getvalue()
    assert screen.getvalue().endswith("\x1b[2K")


def test_a_first_run_says_that_it_compiles_when_it_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = shown_on(monkeypatch)
    with terminal.Progress():
        compiling.tell()
        assert screen.getvalue() == ""
        time.sleep(0.06)
        compiling.tell()
        assert "compiling itself, once" in screen.getvalue()
    shown = len(screen.getvalue())
    compiling.tell()
    assert len(screen.getvalue()) == shown
