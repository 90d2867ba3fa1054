"""Shared objects with Go code that a program loaded: plugins, each with its own debug information.

Imports ``capture.image``, ``debuginfo.elf`` and ``model``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable

from goretain.capture.image import Library, Mapping
from goretain.debuginfo.elf import PF_X, PT_LOAD, Elf
from goretain.model.errors import GoretainError

_PAGE = 4096


def libraries(
    mappings: Iterable[Mapping], program: int, opened: Callable[[Mapping], Elf | None]
) -> tuple[Library, ...]:
    """The mapped files of Go, the program's own aside.

    Args:
        program: an address in the program's own code. opened: opens the file of a mapping, None: it cannot.
    """
    files: dict[str, list[Mapping]] = {}
    for mapping in mappings:
        if mapping.path.startswith("/"):
            files.setdefault(mapping.path, []).append(mapping)
    found: list[Library] = []
    for path, rows in files.items():
        own = any(row.start <= program < row.end for row in rows)
        if own or not any("x" in row.flags for row in rows):
            continue
        elf = opened(rows[0])
        bias = _bias(elf, rows) if elf is not None else None
        if elf is not None and bias is not None:
            found.append(Library(path, elf, bias))
    return tuple(found)


def _bias(elf: Elf, rows: list[Mapping]) -> int | None:
    """Load address less link address of a file with Go code, None for others."""
    with contextlib.suppress(GoretainError):
        if elf.type != "dyn" or elf.go_version is None:
            return None
        code = next((s for s in elf.segments if s.type == PT_LOAD and s.flags & PF_X), None)
        row = next((row for row in rows if "x" in row.flags), None)
        if code is not None and row is not None and row.offset == code.offset & -_PAGE:
            return row.start - (code.vaddr & -_PAGE)
    return None


def open_library(pid: int, mapping: Mapping) -> Elf | None:
    """The file of a mapping of a process: the very file, or what has its name there now."""
    path = mapping.path.removesuffix(" (deleted)")
    places = (f"/proc/{pid}/map_files/{mapping.start:x}-{mapping.end:x}", f"/proc/{pid}/root{path}")
    for place in places:
        with contextlib.suppress(OSError, GoretainError):
            return Elf.open(place)
    return None
