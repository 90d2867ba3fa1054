"""Where the mark bits come from that sweeps take for the next cycle: a list of arenas of bits.

Each sweep takes new mark bits for its span from ``runtime.gcBitsArenas.next``; when the next mark begins that
list becomes ``current`` (runtime/mheap.go, newMarkBits and nextMarkBitArenaEpoch). The plan copies the heads
of these arenas, the span table asks whether bits are in one. Imports ``golang.layout`` and ``model``.
"""

from __future__ import annotations

from goretain.golang.layout import Program
from goretain.model.errors import MissingMemory

_VARIABLE, _ARENA = "runtime.gcBitsArenas", "runtime.gcBitsArena"
# The variable's lists behind its lock: free, next, current, previous.
_LISTS, _NEXT = 4, 1
_LIST_LIMIT = 1 << 20


def new_mark_arenas(program: Program) -> list[range] | None:
    """Addresses of the arenas of bits since the last mark began; None where no symbol says where they are.

    Raises MissingMemory, UnknownLayout.
    """
    return _arenas(program, _NEXT) if program.has_variable(_VARIABLE) else None


def mark_arenas(program: Program) -> list[range] | None:
    """The same of all arenas of bits, with those that wait to be used again."""
    if not program.has_variable(_VARIABLE):
        return None
    return [arena for which in range(_LISTS) for arena in _arenas(program, which)]


def _arenas(program: Program, which: int) -> list[range]:
    size = program.layout.size(_ARENA)
    arena = program.word(program.symbol(_VARIABLE) + program.layout.size("runtime.mutex") + which * 8)
    found: list[range] = []
    while arena:
        if len(found) >= _LIST_LIMIT:
            raise MissingMemory(arena, size)
        found.append(range(arena, arena + size))
        arena = program.uint(arena, _ARENA, "next")
    return found
