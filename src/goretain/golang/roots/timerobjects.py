"""Objects that the timers of a runtime lie in, where only the runtime's pointers into them lead there.

Until Go 1.22 a time.Timer or time.Ticker holds its timer as the field r, of type runtimeTimer (time/sleep.go,
time/tick.go), and ``runtime.p.timers`` points to that field as a runtime.timer (runtime/time.go): no pointer
names the object itself once the program has let go of it. Imports ``golang``'s ``layout``, ``memory``,
``roots.timers`` and ``types``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import numpy as np

from goretain.golang.layout import Program
from goretain.golang.memory.objects import Objects
from goretain.golang.roots.timers import Timer, read_timers
from goretain.golang.types.gotypes import GoType
from goretain.golang.types.universe import TypeUniverse
from goretain.model.errors import MissingMemory
from goretain.snapshot import NO_OBJECT


def timer_objects(program: Program, universe: TypeUniverse, objects: Objects) -> list[tuple[int, GoType]]:
    """(object, time.Timer or time.Ticker) for every timer that is set; nothing from Go 1.23 on."""
    timer = universe.struct("time.Timer")
    if timer is None or not program.layout.has("time.Timer", "r"):
        return []
    rows = list(_captured(program))
    periodic = np.array([row.period != 0 for row in rows], np.bool_)
    address = np.array([row.address for row in rows], np.int64)
    address -= program.layout.offset("time.Timer", "r")
    found = objects.find(address)
    at_start = found != NO_OBJECT
    at_start[at_start] = objects.table.address[found[at_start]] == address[at_start]
    ticker = universe.struct("time.Ticker") or timer
    return [
        (o, ticker if repeats else timer)
        for o, repeats in zip(found[at_start].tolist(), periodic[at_start].tolist(), strict=True)
    ]


def _captured(program: Program) -> Iterator[Timer]:
    """The timers as far as captured."""
    with suppress(MissingMemory):
        yield from read_timers(program)
