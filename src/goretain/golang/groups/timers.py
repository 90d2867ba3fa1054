"""Timers that are set, as columns: where they lie, when they fire, what they call.

A timer of time.AfterFunc calls time.goFunc with the function as argument (time/sleep.go): the name is that
function's. Imports ``golang``'s ``memory``, ``roots`` and ``stacks``, ``model`` and ``snapshot``.
"""

from __future__ import annotations

import numpy as np

from goretain.golang.groups.texts import Texts
from goretain.golang.memory.objects import Objects
from goretain.golang.roots.specialnames import called
from goretain.golang.roots.timers import Timer, read_timers
from goretain.golang.stacks.stacks import Stacks
from goretain.model.errors import GoretainError
from goretain.snapshot import TimerFlag, Timers

_RUNS_FUNCTION, _SENDS, _WAKES = "time.goFunc", "time.sendTime", "runtime.goroutineReady"


def timer_columns(stacks: Stacks, objects: Objects, texts: Texts) -> Timers | None:
    """The group ``timers`` of a snapshot; None when a part of what leads to timers was not captured."""
    try:
        timers = [timer for timer in read_timers(stacks.program) if not timer.stopped]
    except GoretainError:
        return None
    names = [called(stacks, timer.function) for timer in timers]
    functions = [
        called(stacks, timer.argument) if name == _RUNS_FUNCTION else name
        for timer, name in zip(timers, names, strict=True)
    ]
    flags = [_flags(timer, name) for timer, name in zip(timers, names, strict=True)]
    return Timers(
        timer_object=objects.find(np.array([timer.address for timer in timers], np.int64)),
        timer_when=np.array([timer.when for timer in timers], np.uint64).view(np.int64),
        timer_period=np.array([timer.period for timer in timers], np.uint64).view(np.int64),
        timer_flags=np.array(flags, np.uint8),
        timer_function=np.array([texts.row(name) for name in functions], np.uint32),
        timer_target=objects.find(np.array([timer.argument for timer in timers], np.int64)),
    )


def _flags(timer: Timer, name: str) -> int:
    channel = timer.of_channel or name == _SENDS
    return (TimerFlag.CHANNEL if channel else 0) | (TimerFlag.SLEEP if name == _WAKES else 0)
