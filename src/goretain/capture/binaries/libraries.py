"""Shared objects with Go code that a program loaded: plugins of a Go program, or the Go library of another.

Imports ``capture``, ``debuginfo.elf.elf`` and ``model``.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from goretain.capture import procfs
from goretain.capture.binaries.executable import bias_of, identity_of, open_program
from goretain.capture.binaries.program import check_program
from goretain.capture.image import Library, Mapping
from goretain.capture.ranges import PAGE
from goretain.capture.rights.namespaces import open_inside
from goretain.debuginfo.elf.elf import PT_LOAD, Elf
from goretain.model.errors import GoretainError, NotGoProgram


def libraries(
    mappings: Iterable[Mapping], program: int, opened: Callable[[Mapping], Elf | None]
) -> tuple[Library, ...]:
    """The mapped files of Go, the program's own aside.

    Whatever else is mapped (locales, libraries of C) is opened and found to be none.

    Args:
        program: an address in the program's own code. opened: opens the file of a mapping, None: it cannot.
    """
    files: dict[str, list[Mapping]] = {}
    for mapping in mappings:
        if mapping.path.startswith("/"):
            files.setdefault(mapping.path, []).append(mapping)
    found: list[Library] = []
    for path, rows in files.items():
        rows.sort(key=lambda row: row.start)
        own = any(row.start <= program < row.end for row in rows)
        elf = opened(rows[0]) if not own else None
        bias = _bias(elf, rows) if elf is not None else None
        if elf is not None and bias is not None:
            found.append(Library(path, elf, bias))
    return tuple(found)


def _bias(elf: Elf, rows: list[Mapping]) -> int | None:
    """Load address less link address of a file with Go code, None for others."""
    with contextlib.suppress(GoretainError):
        if elf.type != "dyn" or elf.go_version is None:
            return None
        first = min((s for s in elf.segments if s.type == PT_LOAD), key=lambda s: s.vaddr, default=None)
        if first is not None and rows[0].offset == first.offset & -PAGE:
            return rows[0].start - (first.vaddr & -PAGE)
    return None


def start_of(elf: Elf) -> int:
    """Link address of the first byte of a file that is loaded."""
    return min((s.vaddr for s in elf.segments if s.type == PT_LOAD), default=0)


def with_code(mappings: list[Mapping]) -> list[Mapping]:
    """The mappings of the files of which some part may be executed."""
    paths = {m.path for m in mappings if "x" in m.flags}
    return [m for m in mappings if m.path in paths]


def open_runtime(pid: int) -> tuple[Elf, int, tuple[int, int]]:
    """The file with the Go runtime of a process, its load bias, and the identity of the process's program.

    That is the program, or, where it is none of Go, the one library with Go code (-buildmode=c-shared) that
    it loaded. Raises PermissionDenied, TargetGone, NotGoProgram, UnsupportedArchitecture.
    """
    try:
        binary, identity = open_program(pid)
    except NotGoProgram as refusal:
        library = _hosted(pid, refusal)
        return library.elf, library.bias, identity_of(pid)
    return binary, bias_of(pid, binary), identity


def _hosted(pid: int, refusal: NotGoProgram) -> Library:
    """The only library with Go code; raises the refusal of the program when there is none."""
    found: tuple[Library, ...] = ()
    with contextlib.suppress(OSError, GoretainError):
        found = libraries(with_code(procfs.mappings(pid)), 0, lambda mapping: open_library(pid, mapping))
    if not found:
        raise refusal
    if len(found) > 1:
        names = ", ".join(library.path for library in found)
        raise NotGoProgram(
            f"process {pid} is no Go program and loaded several libraries of Go, each with its own heap:"
            f" {names}",
            hint="goretain reads processes with one Go runtime",
        )
    check_program(found[0].elf, f"the Go library of process {pid}")
    return found[0]


def open_library(pid: int, mapping: Mapping) -> Elf | None:
    """The file of a mapping of a process: the very file, or what has its name there now."""
    with contextlib.suppress(OSError, GoretainError):
        fd = _open(pid, mapping)
        try:
            return Elf.open(fd)
        finally:
            os.close(fd)
    return None


def _open(pid: int, mapping: Mapping) -> int:
    """Raises OSError."""
    itself = Path(f"/proc/{pid}/map_files/{mapping.start:x}-{mapping.end:x}")
    with contextlib.suppress(OSError):  # it takes CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE
        if itself.is_file():  # opening a device may do something
            return os.open(itself, os.O_RDONLY | os.O_CLOEXEC)
    return open_inside(pid, procfs.below_root(pid, mapping.path.removesuffix(" (deleted)")))
