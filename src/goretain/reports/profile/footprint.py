"""What a process takes of its memory limit, beside what is in use. Imports ``reports``."""

from __future__ import annotations

from typing import NamedTuple

from goretain.reports.results import MemoryTrend

#: Collections do not begin below so many bytes at GOGC=100 (heapMinimum of runtime/mgcpacer.go).
_LEAST_GOAL = 4 << 20
_DEFAULT = 2.0


class Footprint(NamedTuple):
    """now: bytes. by_byte: so many more for each byte more in use."""

    now: float
    by_byte: float


def footprint(memory: MemoryTrend, limit: int) -> Footprint:
    """What counts against a limit: the heap as large as it is when a collection ends, and all else.

    Where GOMEMLIMIT is at or below the limit the runtime collects before it is reached, until what is in use
    alone does: garbage does not count then.
    """
    last, pacing = memory.last, memory.pacing
    other = last.sys - last.heap_sys + max(last.heap_in_use - last.heap_alloc, 0)
    if memory.resident is not None:
        other += max(memory.resident[1] - (last.sys - last.heap_released), 0)
    held = pacing is not None and pacing.memory_limit is not None and pacing.memory_limit <= limit
    off = pacing is not None and pacing.gogc < 0
    if held or off:
        return Footprint(last.heap_alloc + other, 1.0)
    if pacing is not None:
        by_byte = 1 + pacing.gogc / 100
    elif last.next_gc > _LEAST_GOAL:
        by_byte = max(last.next_gc / max(last.heap_alloc, 1), 1.0)
    else:
        by_byte = _DEFAULT
    return Footprint(max(last.next_gc, last.heap_alloc) + other, by_byte)
