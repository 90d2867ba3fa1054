"""The compiler's evidence about a file, or a line of it, from one toolchain or several.

Imports this room, ``toolchain``, ``model`` and the standard library.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from goretain.lab.explain.assembly import Call, Function, listing
from goretain.lab.explain.decisions import Decision, Inlining, decisions, inlinings
from goretain.lab.explain.layouts import Layouts, Slots, layouts, slots
from goretain.lab.explain.package import compile_package
from goretain.model.errors import UsageError
from goretain.toolchain import Toolchain

#: Names in the -json log (cmd/compile/internal/ssa, logopt) -> what the machine code does there.
_CHECKS = {
    "isInBounds": "index checked",
    "isSliceInBounds": "slice bounds checked",
    "nilcheck": "nil checked",
}


@dataclass(frozen=True, slots=True)
class Check:
    """A check that the compiler could not prove away: ``what`` in words."""

    line: int
    what: str


@dataclass(frozen=True, slots=True)
class Explained:
    """What one toolchain says.

    Attributes:
        version: of Go. package: import path.
        functions: machine code of the package's functions; inlinings: by the line that a function begins on.
        decisions, calls, checks: on the lines asked for, by line.
        layouts: values on the line asked for, and structs. slots: how the allocator rounds sizes up.
    """

    version: str
    package: str
    functions: tuple[Function, ...]
    inlinings: tuple[Inlining, ...]
    decisions: tuple[Decision, ...]
    calls: tuple[Call, ...]
    checks: tuple[Check, ...]
    layouts: Layouts
    slots: Slots


def explain(toolchain: Toolchain, file: Path, line: int | None) -> Explained:
    """Compile the package of a file and gather what the compiler says of the file, or of one line.

    Args:
        file: as ``source_file`` gives it. line: from 1; None: all lines.

    Raises:
        ToolchainError: it does not compile.
        UsageError: the file is not built here, or has no such line.
    """
    _check_line(file, line)
    compiled = compile_package(toolchain, file)
    functions, calls = listing(compiled.printed, str(file))

    def here(at: int) -> bool:
        return line is None or at == line

    return Explained(
        version=compiled.toolchain.version,
        package=compiled.path,
        functions=tuple(functions),
        inlinings=tuple(inlinings(compiled.printed, file.name)),
        decisions=tuple(d for d in decisions(compiled.printed, file.name) if here(d.line)),
        calls=tuple(call for call in calls if here(call.line)),
        checks=tuple(check for check in _checks(compiled.checks) if here(check.line)),
        layouts=layouts(compiled, file, line),
        slots=slots(compiled.toolchain),
    )


def _check_line(file: Path, line: int | None) -> None:
    """Raises UsageError when the file has no such line."""
    count = len(file.read_bytes().splitlines())
    if line is not None and not 1 <= line <= count:
        raise UsageError(f"{file.name} has no line {line}", hint=f"it has {count} lines")


def _checks(log: Sequence[dict[str, object]]) -> list[Check]:
    """Checks in the log, each place once."""
    found: dict[Check, None] = {}
    for entry in log:
        what, where = _CHECKS.get(str(entry.get("code"))), entry.get("range")
        if what is not None and isinstance(where, dict):
            found[Check(int(where["start"]["line"]), what)] = None
    return sorted(found, key=lambda check: (check.line, check.what))
