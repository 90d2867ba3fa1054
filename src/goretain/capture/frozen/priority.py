"""Being scheduled first while a target is frozen: whoever else wants the processor prolongs its pause.

Real-time priority for this thread (and those that it starts to share a copy) as long as the target stands
still; a higher nice value where that is not allowed; else nothing. The kernel keeps real-time threads from
taking all of a processor (sched_rt_runtime_us), and the watchdog ends one that hangs. Source: sched(7).
Standard library only.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_LOWEST_REAL_TIME = 1
_FIRST_OF_OTHERS = -20


@contextmanager
def first_in_line() -> Iterator[bool]:
    """This thread goes before all that are not real-time themselves; gives whether it really does."""
    thread = threading.get_native_id()
    policy, given = os.sched_getscheduler(0), os.sched_getparam(0)
    nice = os.getpriority(os.PRIO_PROCESS, thread)
    with suppress(PermissionError):
        if policy in (os.SCHED_OTHER, os.SCHED_BATCH, os.SCHED_IDLE):
            _hurry(thread)
    try:
        yield os.sched_getscheduler(0) in (os.SCHED_FIFO, os.SCHED_RR)
    finally:
        with suppress(PermissionError):
            os.sched_setscheduler(0, policy, given)
            os.setpriority(os.PRIO_PROCESS, thread, nice)


def _hurry(thread: int) -> None:
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(_LOWEST_REAL_TIME))
    except PermissionError:
        os.setpriority(os.PRIO_PROCESS, thread, _FIRST_OF_OTHERS)
