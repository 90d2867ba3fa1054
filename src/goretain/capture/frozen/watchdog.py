"""Releases a frozen target when we hang: a timer of the kernel's that kills this process.

Only the tracing thread can detach, and one that hangs cannot; but when the tracer ends, however it ends, the
kernel detaches and the target runs on. So while a target is frozen a POSIX timer is armed that sends us
SIGKILL. It needs no thread, no interpreter and no other process to be alive; it strikes in a loop that
holds the interpreter, in a system call that blocks, and when we were stopped (SIGSTOP, Ctrl-Z), and no
library can have blocked or caught it. A second process as watchdog could be stopped or killed with us, and
one that traces for us may not trace at all under Yama where only a parent may.
Source: timer_create(2), ptrace(2), kernel/time/posix-timers.c. Imports ctypes.
"""

from __future__ import annotations

import ctypes
import os
import signal
from types import TracebackType
from typing import Self

_SYS_TIMER_CREATE, _SYS_TIMER_SETTIME, _SYS_TIMER_DELETE = 222, 223, 226  # amd64
_CLOCK_MONOTONIC = 1
_SIGEV_SIGNAL = 0


class _Event(ctypes.Structure):
    """struct sigevent as the kernel reads it."""

    _fields_ = (
        ("value", ctypes.c_uint64),
        ("signal", ctypes.c_int32),
        ("notify", ctypes.c_int32),
        ("padding", ctypes.c_uint8 * 48),
    )


class _Times(ctypes.Structure):
    """struct __kernel_itimerspec: interval, then first expiry, each in seconds and nanoseconds."""

    _fields_ = (
        ("interval", ctypes.c_int64),
        ("interval_ns", ctypes.c_int64),
        ("first", ctypes.c_int64),
        ("first_ns", ctypes.c_int64),
    )


_syscall = ctypes.CDLL(None, use_errno=True).syscall
_syscall.restype = ctypes.c_long


class Watchdog:
    """Kills this process unless it is fed in time; a context, at whose end it sleeps for good.

    Made before the target is frozen, so that nothing can fail afterwards.
    """

    def __init__(self) -> None:
        """Raises OSError: the kernel has no timer left for us (RLIMIT_SIGPENDING)."""
        self._timer = ctypes.c_int()
        event = _Event(signal=signal.SIGKILL, notify=_SIGEV_SIGNAL)
        self._times = _Times()
        made = _syscall(
            ctypes.c_long(_SYS_TIMER_CREATE),
            ctypes.c_long(_CLOCK_MONOTONIC),
            ctypes.byref(event),
            ctypes.byref(self._timer),
        )
        if made < 0:
            code = ctypes.get_errno()
            raise OSError(code, f"timer_create: {os.strerror(code)}")

    def feed(self, seconds: float) -> None:
        """Strike after so many seconds from now, and not before; 0 is never."""
        self._times.first, self._times.first_ns = int(seconds), int(seconds % 1 * 1e9)
        _syscall(
            ctypes.c_long(_SYS_TIMER_SETTIME), self._timer, ctypes.c_long(0), ctypes.byref(self._times), None
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _syscall(ctypes.c_long(_SYS_TIMER_DELETE), self._timer)
