"""When the garbage collector runs, as the program is set now: by its environment or by itself.

Reads ``runtime.gcController`` (gcControllerState of runtime/mgcpacer.go). Imports ``golang.layout`` and
``model``.
"""

from __future__ import annotations

from goretain.golang.layout import Program
from goretain.model.errors import GoretainError

#: A memory limit of so many bytes is none (math.MaxInt64, runtime/mgcpacer.go).
NO_LIMIT = (1 << 63) - 1
_PACER = "runtime.gcControllerState"
_SIGN = 1 << 31


def gc_percent(program: Program) -> int | None:
    """What GOGC or debug.SetGCPercent set, negative: off. None unknown."""
    percent = pacer(program, "gcPercent")
    return None if percent is None else (percent & (_SIGN - 1)) - (percent & _SIGN)


def memory_limit(program: Program) -> int | None:
    """What GOMEMLIMIT or debug.SetMemoryLimit set, in bytes; NO_LIMIT none, None unknown."""
    return pacer(program, "memoryLimit")


def pacer(program: Program, *path: str) -> int | None:
    """A field of runtime.gcController; None where symbol, struct, field or memory is missing."""
    try:
        return program.uint(program.symbol("runtime.gcController"), _PACER, *path)
    except GoretainError:
        return None
