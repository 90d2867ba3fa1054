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
    rows = list(_captured(program))
    found: list[tuple[int, GoType]] = []
    for name, periodic in (("time.Timer", False), ("time.Ticker", True)):
        # Each is described only in programs that use it.
        kind = universe.struct(name)
        if kind is None or not program.layout.has(name, "r"):
            continue
        address = np.array([row.address for row in rows if (row.period != 0) == periodic], np.int64)
        address -= program.layout.offset(name, "r")
        ids = objects.find(address)
        known = np.flatnonzero(ids != NO_OBJECT)
        known = known[objects.table.address[ids[known]] == address[known]]
        found += [(o, kind) for o in ids[known].tolist()]
    return found


def _captured(program: Program) -> Iterator[Timer]:
    """The timers as far as captured."""
    with suppress(MissingMemory):
        yield from read_timers(program)
