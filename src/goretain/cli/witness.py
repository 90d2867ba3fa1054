"""Says what became of a capture whose process was killed: by its own watchdog, or for lack of memory.

Who is killed cannot say why, and "Killed" alone would leave an on-call engineer wondering about the pod. So
a process that does nothing but wait is forked off before the capture. It speaks only when the other end of
its pipe closes without a farewell. Imports ``capture.frozen.pause`` and ``model``: it is of the light path.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from types import TracebackType
from typing import Self

from goretain.capture.frozen.pause import GRACE, PATIENCE
from goretain.model.pids import is_pid

_FAREWELL = "farewell"
_FIRST, _FROZEN = "estimating", "seizing"
# The watchdog was fed a little before the note was written.
_NOTE = 0.2
# In these phases the target is not stopped.
_RUNNING = ("estimating", "resting", "released")
_STOPPING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGPIPE")


class Witness:
    """A context around the work on what the user named: processes, and files too."""

    def __init__(self, target: str, max_pause: float | None, *more: str) -> None:
        """target: as the user named it. max_pause: in milliseconds. more: what is captured after it."""
        names = (target, *more)
        # Only captures of processes have phases to note.
        self._targets = [name for name in names if is_pid(name)] or list(names)
        self._max_pause = max_pause
        self._notes = -1
        self._child = 0

    def __enter__(self) -> Self:
        listening, self._notes = os.pipe()
        try:
            self._child = os.fork()
        except OSError:  # RLIMIT_NPROC: go on without
            os.close(self._notes)
            self._notes = -1
        if not self._child and self._notes >= 0:
            _watch(listening, self._targets, self._max_pause)
        os.close(listening)
        return self

    def note(self, phase: str) -> None:
        """What the capture does now, as ``capture_process`` names it."""
        if self._notes >= 0:
            with contextlib.suppress(OSError):  # it was killed: no reason to fail
                os.write(self._notes, f"{phase} {time.monotonic()}\n".encode())

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


def _watch(listening: int, targets: list[str], max_pause: float | None) -> None:
    """The child: wait for the end of the notes, speak if need be, end."""
    try:
        for name in _STOPPING:
            signal.signal(getattr(signal, name), signal.SIG_IGN)
        for fd in (0, 1):
            os.close(fd)
        os.closerange(3, listening)
        os.closerange(listening + 1, 1 << 16)
        phase, since, frozen, captures = "", 0.0, 0.0, 0
        with open(listening) as notes:
            for note in notes:
                phase, since = note.split()[0], float(note.split()[1])
                frozen = since if phase == _FROZEN else frozen
                captures += phase == _FIRST
        now = time.monotonic()
        late = max_pause is not None and now - frozen > max_pause / 1000 + GRACE
        if not phase:
            os.write(2, _before_any(targets).encode())
        elif phase != _FAREWELL:
            target = targets[min(max(captures, 1), len(targets)) - 1]
            words = _last_words(target, phase, now - since, hung=late or now - since > PATIENCE - _NOTE)
            os.write(2, words.encode())
    finally:
        os._exit(0)


def _before_any(targets: list[str]) -> str:
    """No phase was noted: a file was read, or a process was yet to be looked at."""
    return (
        f"error: goretain was killed while it worked on {' and '.join(targets)}\n"
        "hint: if nobody did it, memory ran out (dmesg, or the pod's events, tell)\n"
    )


def _last_words(target: str, phase: str, seconds: float, *, hung: bool) -> str:
    if phase in _RUNNING:
        return (
            f"error: goretain was killed; process {target} was not stopped then and runs on\n"
            "hint: if nobody did it, memory ran out (dmesg, or the pod's events, tell)\n"
        )
    where = f"while process {target} was stopped, {seconds:.1f} s after '{phase}' began"
    if hung:
        return (
            f"error: goretain hung {where}, and was ended by its own watchdog; the process runs on\n"
            "hint: was goretain stopped (Ctrl-Z, SIGSTOP) or the machine out of processors? try again\n"
        )
    return (
        f"error: goretain was killed {where}; the kernel has released the process, which runs on\n"
        "hint: if nobody did it, memory ran out (dmesg, or the pod's events, tell)\n"
    )
