"""Says what became of a capture whose process was killed: by its own watchdog, or for lack of memory.

Who is killed cannot say why, and "Killed" alone would leave an on-call engineer wondering about the pod. So
a process that does nothing but wait is forked off before the capture. It speaks only when the other end of
its pipe closes without a farewell. Imports the standard library only: it is part of the light path.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from types import TracebackType
from typing import Self

_FAREWELL = "farewell"
# Between these two the target may be stopped.
_FROZEN, _RELEASED = "seizing", "released"
_STOPPING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGPIPE")


class Witness:
    """A context around a capture of the process that the user named."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._notes = -1
        self._child = 0

    def __enter__(self) -> Self:
        if not self._target.isdigit():
            return self  # no process that could be left alone
        listening, self._notes = os.pipe()
        try:
            self._child = os.fork()
        except OSError:  # RLIMIT_NPROC: go on without
            os.close(self._notes)
            self._notes = -1
        if not self._child and self._notes >= 0:
            _watch(listening, self._target)
        os.close(listening)
        return self

    def note(self, phase: str) -> None:
        """What the capture does now, as ``capture_process`` names it."""
        if self._notes >= 0:
            with contextlib.suppress(OSError):  # it was killed: no reason to fail
                os.write(self._notes, f"{phase}\n".encode())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._notes < 0:
            return
        self.note(_FAREWELL)
        os.close(self._notes)
        self._notes = -1
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._child, 0)


def _watch(listening: int, target: str) -> None:
    """The child: wait for the end of the notes, speak if need be, end."""
    try:
        for name in _STOPPING:
            signal.signal(getattr(signal, name), signal.SIG_IGN)
        for fd in (0, 1):
            os.close(fd)
        os.closerange(3, listening)
        os.closerange(listening + 1, 1 << 16)
        phase, since = "", time.monotonic()
        while part := os.read(listening, 4096):
            phase, since = part.decode().split()[-1], time.monotonic()
        if phase and phase != _FAREWELL:
            os.write(2, _last_words(target, phase, time.monotonic() - since).encode())
    finally:
        os._exit(0)


def _last_words(target: str, phase: str, seconds: float) -> str:
    if phase == _RELEASED or phase == "estimating":
        return (
            f"error: goretain was killed; process {target} was not stopped then\n"
            "hint: was it for lack of memory? dmesg or the pod's events tell\n"
        )
    return (
        f"error: goretain was killed while process {target} was stopped, {seconds:.1f} s after"
        f" '{phase}' began; the kernel has let the process go, it runs as before\n"
        "hint: when nothing moves for 10 s, or for a second longer than --max-pause, goretain has itself"
        " killed; if it was sooner, memory may have run out (dmesg or the pod's events tell)\n"
    )
