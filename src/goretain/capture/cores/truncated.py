"""Cores whose end was cut off, by a limit or a full disk: what is gone, what to do, what can be found anyway.

gcore writes the notes last, so that every cut takes them: registers, the names of mappings, where the
program lay. Source: core(5), gdb's gcore. Imports ``debuginfo.elf.elf``, ``capture`` and ``model``.
"""

from __future__ import annotations

import struct
from pathlib import Path

from goretain.capture.binaries.program import writable
from goretain.capture.image import TAKE_AGAIN
from goretain.capture.ranges import PAGE, USER_SPACE, as_ranges, intersect, normalise
from goretain.debuginfo.elf.elf import PT_LOAD, Elf
from goretain.model.errors import BinaryMismatch, CorruptFile

NAME_PROGRAM = "name the program: goretain why CORE --binary FILE"
OTHER_BINARY = "give the very file that ran, not a rebuilt one: goretain why CORE --binary FILE"
_HEADER, _PROGRAM_HEADER, _ET_CORE = 64, 56, 4


def shortfall(core: Elf) -> str:
    """How much of a truncated core is there, as a sentence; "" of a whole one."""
    promised = max((s.offset + s.filesz for s in core.segments), default=0)
    if core.size >= promised:
        return ""
    return f"the core is truncated: {core.size:,} of {promised:,} bytes are there"


def check_headers(path: str) -> None:
    """Raise CorruptFile if the file is a core that ends within its headers."""
    try:
        with Path(path).open("rb") as file:
            head = file.read(_HEADER)
        size = Path(path).stat().st_size
    except OSError:
        return  # whoever opens it for good says why it cannot be
    if head[:4] != b"\x7fELF" or int.from_bytes(head[16:18], "little") != _ET_CORE:
        return
    end = _HEADER
    if len(head) == _HEADER:
        (at,), (count,) = struct.unpack_from("<Q", head, 32), struct.unpack_from("<H", head, 56)
        end = at + count * _PROGRAM_HEADER
    if size < end:
        reason = f"the core is truncated: it ends after {size:,} bytes, within its headers"
        raise CorruptFile(path, None, reason, hint=TAKE_AGAIN)


def without(core: Elf, what: str, *, hint: str = TAKE_AGAIN) -> CorruptFile:
    """The error for a truncated core of which something is gone that nothing stands in for."""
    return CorruptFile(core.path, None, f"{shortfall(core)}, and {what}", hint=hint)


def check_place(core: Elf, binary: Elf, bias: int) -> None:
    """Raise BinaryMismatch unless the core has memory where the program's variables lie."""
    loads = [s for s in core.segments if s.type == PT_LOAD and s.vaddr + s.memsz <= USER_SPACE]
    mapped = normalise(as_ranges((s.vaddr, s.vaddr + s.memsz) for s in loads))
    variables = writable(binary, bias)
    if not len(intersect(variables, mapped)):
        raise BinaryMismatch(
            f"{binary.path} is not the program of {core.path}: the core has no memory where its variables"
            " lie",
            hint=OTHER_BINARY,
        )


def find_bias(core: Elf, binary: Elf) -> int | None:
    """Where a position-independent program lay, by the first page of its file; None when that is not there.

    That page holds the ELF header, the program headers and, as Go and GNU link, the build IDs.
    """
    first = next((s for s in binary.segments if s.type == PT_LOAD and not s.offset and s.filesz), None)
    if first is None:
        return None
    size = min(first.filesz, PAGE)
    page = binary.read(0, size)
    for load in core.segments:
        held = load.type == PT_LOAD and load.filesz >= size and load.offset + size <= core.size
        if held and core.read(load.offset, size) == page:
            return load.vaddr - (first.vaddr & -PAGE)
    return None
