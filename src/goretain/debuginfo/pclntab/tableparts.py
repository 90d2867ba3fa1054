"""The parts of a binary's Go function table that do not depend on how it was linked.

``runtime.pcHeader``, ``runtime.functab`` and ``runtime._func`` (runtime/symtab.go, runtime2.go), written by
cmd/link/internal/ld/pcln.go. May import ``debuginfo``, ``model`` and numpy.
"""

from __future__ import annotations

import itertools
import struct

import numpy as np

from goretain.debuginfo.elf.elf import PT_LOAD, SHF_ALLOC, SHF_EXECINSTR, SHT_NOBITS, Elf
from goretain.debuginfo.pclntab.pclntab import MAGIC_GO_1_20, find_function_table
from goretain.model.errors import BinaryMismatch

_HEADER = 72
_MAGIC = struct.pack("<IHBB", MAGIC_GO_1_20, 0, 1, 8)
_FUNC_SIZE = 44
_TABLE_LIMIT = 1 << 30
_TABLES = (".gopclntab", ".data.rel.ro.gopclntab")


def table_parts(elf: Elf) -> tuple[bytes, bytes, bytes]:
    """Names, pc-value tables and functions of the pclntab. Raises BinaryMismatch, CorruptFile."""
    for at, content in _candidates(elf):
        parts = _parts(content, at)
        if parts is not None:
            return parts
    raise BinaryMismatch(
        f"{elf.path}: no Go function table was found that could be compared",
        hint="give the whole program, not a file of debug information only",
    )


def _candidates(elf: Elf) -> list[tuple[int, bytes]]:
    """Positions of what may be function tables, and the sections that they are in."""
    if not elf.sections:
        return _without_sections(elf)
    named = next((elf.section(name) for name in _TABLES if name in elf.sections), b"")
    if named:
        return [(0, named)]
    # Linked by the C compiler, it is somewhere in .data.rel.ro (PIE) or .rodata.
    found: list[tuple[int, bytes]] = []
    for section in elf.sections.values():
        if section.flags & SHF_ALLOC and not section.flags & SHF_EXECINSTR and section.type != SHT_NOBITS:
            content = elf.section(section.name)
            at = content.find(_MAGIC)
            while at >= 0:
                found.append((at, content))
                at = content.find(_MAGIC, at + 1)
    return found


def _without_sections(elf: Elf) -> list[tuple[int, bytes]]:
    """As ``_candidates`` in a file without section headers: the one table, up to the end of its segment."""
    address = find_function_table(elf)
    for segment in elf.segments:
        if address is not None and segment.type == PT_LOAD and 0 <= address - segment.vaddr < segment.filesz:
            return [(0, elf.read_vaddr(address, segment.vaddr + segment.filesz - address))]
    return []


def _parts(content: bytes, at: int) -> tuple[bytes, bytes, bytes] | None:
    """Names, pc-value tables and functions of a table at a position, None when there is none."""
    if len(content) < at + _HEADER or content[at : at + 8] != _MAGIC:
        return None
    count, _files, _text, *offsets = struct.unpack_from("<QQQQQQQQ", content, at + 8)
    ordered = all(a <= b for a, b in itertools.pairwise([_HEADER, *offsets]))
    names, units, _, values, functions = offsets
    if not ordered or at + functions + count * 8 + 4 > len(content) or not count or count > _TABLE_LIMIT:
        return None
    pairs = np.frombuffer(content, "<u4", 2 * count, at + functions).reshape(-1, 2)
    last = at + functions + int(pairs[:, 1].max())
    if last + _FUNC_SIZE > len(content):
        return None
    # runtime._func: npcdata is its seventh word after the entry, nfuncdata its last byte.
    tail = 4 * (int.from_bytes(content[last + 28 : last + 32], "little") + content[last + 43])
    end = last + _FUNC_SIZE + tail
    whole = (content[at + names : at + units], content[at + values : at + functions])
    return (*whole, content[at + functions : end]) if end <= len(content) else None
