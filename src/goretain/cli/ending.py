"""Signals that end programs, as something that a ``with`` or ``finally`` sees.

Apart because the light path has it too. Imports the standard library only.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class _Ended(BaseException):
    """A signal arrived that ends programs."""


@contextmanager
def ending_cleanly() -> Iterator[None]:
    """What is temporary is removed before SIGTERM or SIGHUP ends us, as it is before SIGINT does."""

    def end(number: int, _frame: FrameType | None) -> None:
        raise _Ended(number)

    ours = [
        number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) == signal.SIG_DFL
    ]
    for number in ours:
        signal.signal(number, end)
    try:
        yield
    except _Ended as ended:
        signal.signal(ended.args[0], signal.SIG_DFL)
        signal.raise_signal(ended.args[0])
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)
