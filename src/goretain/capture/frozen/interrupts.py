"""Putting off signals of our own while a target is frozen.

A Python signal handler may raise between any two instructions, also inside the code that releases the
target. So while the target is frozen handlers only take a note; the note is looked at between two steps,
and after the release the signal is raised again as it came. Signals without a Python handler keep killing
us, which releases the target too: the kernel detaches. Standard library only.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self

_ENDING = frozenset((signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM, signal.SIGXCPU))


class Interrupted(Exception):  # it is no error: the signal itself is raised again after the release
    """A signal arrived while the target was frozen."""


class DeferredSignals:
    """Context in which Python signal handlers are put off to its end; no effect outside the main thread."""

    def __init__(self) -> None:
        self._handlers: dict[int, Any] = {}
        self._arrived: list[int] = []

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in signal.valid_signals():
                handler = signal.getsignal(number)
                if callable(handler):
                    self._handlers[number] = handler
                    signal.signal(number, self._note)
        return self

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._arrived.append(number)

    def check(self) -> None:
        """Raise Interrupted if a signal that ends programs has arrived."""
        if _ENDING.intersection(self._arrived):
            raise Interrupted

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        for number in self._arrived:
            signal.raise_signal(number)


class RememberedInterrupt:
    """Context that knows whether SIGINT came; no effect outside the main thread.

    A KeyboardInterrupt that is raised inside a finalizer or a callback of C code ends there: Python prints it
    and goes on. Whoever loops for long asks ``check`` now and then.
    """

    def __init__(self) -> None:
        self._handler: Any = None
        self._arrived = False

    def __enter__(self) -> Self:
        handler = signal.getsignal(signal.SIGINT)
        if threading.current_thread() is threading.main_thread() and callable(handler):
            self._handler = handler
            signal.signal(signal.SIGINT, self._note)
        return self

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._arrived = True
        self._handler(number, frame)

    def check(self) -> None:
        """Raise KeyboardInterrupt if the signal came."""
        if self._arrived:
            raise KeyboardInterrupt

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._handler is not None:
            signal.signal(signal.SIGINT, self._handler)
