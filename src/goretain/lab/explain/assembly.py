"""Functions and their calls in what ``-S`` printed.

Source: cmd/internal/obj (plist.go, util.go: the listing of ``go tool compile -S``). Imports the standard
library only.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

_FUNCTION = re.compile(
    r"^(?P<name>\S.*) STEXT (?P<flags>.*?)size=(?P<size>\d+) .*?locals=0x(?P<frame>[0-9a-f]+)"
)
_CALL = re.compile(r"^\t0x[0-9a-f]+ \d+ \((?P<file>.*):(?P<line>\d+)\)\t(?:CALL|BL|JMP)\t(?P<callee>.*)$")
_DIRECT = re.compile(r"^(?P<symbol>[^\s(][^\s]*)\((?:SB)\)$")
#: Entry points of the allocator and what calls it for some arguments: runtime/malloc.go, iface.go (convT),
#: slice.go, string.go, map*.go, chan.go, proc.go (newproc, a goroutine's stack).
_ALLOCATING = re.compile(
    r"^runtime\.(newobject|newarray|mallocgc|mallocTiny|makeslice|makemap|makechan|growslice|moveSlice|convT"
    r"|concatstring|concatbyte|slicebytetostring|slicerunetostring|stringtoslice|intstring|mapassign|newproc)"
)
#: Every function that needs more stack calls these at its end: no news of a line.
_PROLOGUE = re.compile(r"^runtime\.morestack")


@dataclass(frozen=True, slots=True)
class Function:
    """One function's machine code: ``size`` and ``frame`` in bytes."""

    name: str
    size: int
    frame: int


@dataclass(frozen=True, slots=True)
class Call:
    """Calls of one function on one line, inlined copies of the line included.

    Attributes:
        callee: symbol; "a function value" where only the program knows which.
        count: how many call instructions. allocates: whether it may allocate memory.
        inside: functions whose code holds them.
    """

    line: int
    callee: str
    count: int
    allocates: bool
    inside: tuple[str, ...]


def listing(printed: Iterable[str], file: str) -> tuple[list[Function], list[Call]]:
    """Functions of a package, and the calls that stand on lines of one file (absolute path)."""
    functions: list[Function] = []
    counts: Counter[tuple[int, str]] = Counter()
    inside: dict[tuple[int, str], dict[str, None]] = {}
    for text in printed:
        if (match := _FUNCTION.match(text)) is not None:
            functions.append(Function(match["name"], int(match["size"]), int(match["frame"], 16)))
        elif functions and (match := _CALL.match(text)) is not None and match["file"] == file:
            callee = _callee(match["callee"])
            if callee is not None:
                key = int(match["line"]), callee
                counts[key] += 1
                inside.setdefault(key, {})[functions[-1].name] = None
    calls = [
        Call(line, callee, count, bool(_ALLOCATING.match(callee)), tuple(inside[line, callee]))
        for (line, callee), count in sorted(counts.items())
    ]
    return functions, calls


def _callee(operand: str) -> str | None:
    """The symbol of a call; None for a jump inside the function and for the stack's growth."""
    direct = _DIRECT.match(operand)
    if direct is not None:
        return None if _PROLOGUE.match(direct["symbol"]) else direct["symbol"]
    return None if operand.isdigit() else "a function value"
