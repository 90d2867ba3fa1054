"""Objects that the timers of a runtime lie in, where only the runtime's pointers into them lead there.

Until Go 1.22 a time.Timer or time.Ticker holds its timer as the field r, of type runtimeTimer (time/sleep.go,
time/tick.go), and ``runtime.p.timers`` points to that field as a runtime.timer (runtime/time.go): no pointer
names the object itself once the program has let go of it. Imports ``golang``'s ``layout``, ``memory`` and
``types``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from goretain.golang.layout import Program
from goretain.golang.memory.objects import Objects
from goretain.golang.types.gotypes import GoType
from goretain.golang.types.universe import TypeUniverse
from goretain.model.errors import MissingMemory
from goretain.snapshot import NO_OBJECT

#: More timers than this are no heap of timers.
_LIMIT = 1 << 26


def timer_objects(program: Program, universe: TypeUniverse, objects: Objects) -> list[tuple[int, GoType]]:
    """(object, time.Timer or time.Ticker) for every timer that is set; nothing from Go 1.23 on."""
    timer = universe.struct("time.Timer")
    if timer is None or not program.layout.has("time.Timer", "r"):
        return []
    address, periodic = _set_timers(program)
    address -= program.layout.offset("time.Timer", "r")
    found = objects.find(address)
    at_start = found != NO_OBJECT
    at_start[at_start] = objects.table.address[found[at_start]] == address[at_start]
    ticker = universe.struct("time.Ticker") or timer
    return [
        (o, ticker if repeats else timer)
        for o, repeats in zip(found[at_start].tolist(), periodic[at_start].tolist(), strict=True)
    ]


def _set_timers(program: Program) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """(address of the runtime.timer, whether it repeats) of the timers of all Ps, as far as captured."""
    layout = program.layout
    address: list[int] = []
    periodic: list[bool] = []
    try:
        processors, count, _ = program.slice(program.symbol("runtime.allp"))
        for i in range(count):
            p = program.word(processors + 8 * i)
            if not p:
                continue
            first, length, _ = program.slice(p + layout.offset("runtime.p", "timers"))
            for slot in range(first, first + 8 * min(length, _LIMIT), 8):
                timer = program.word(slot)
                address.append(timer)
                periodic.append(program.uint(timer, "runtime.timer", "period") != 0)
    except MissingMemory:
        del address[len(periodic) :]
    return np.array(address, np.int64), np.array(periodic, np.bool_)
