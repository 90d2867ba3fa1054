"""Damaged copies of files, and everything the debuginfo room can be asked about one."""

from __future__ import annotations

import contextlib
import random
import struct
from collections.abc import Callable
from pathlib import Path

from goretain.debuginfo.dwarf.dwarf import Dwarf
from goretain.debuginfo.elf.elf import Elf
from goretain.debuginfo.pclntab.pclntab import FuncTable
from goretain.model.errors import CorruptFile, MissingMemory, UnknownLayout

#: What a damaged file may raise.
EXPECTED = (CorruptFile, MissingMemory, UnknownLayout)
_WORDS = (
    0,
    1,
    0x7F,
    0x80,
    0xFF,
    0xFFFF,
    0x7FFFFFFF,
    0xFFFFFFFF,
    1 << 40,
    (1 << 63) - 1,
    1 << 63,
    (1 << 64) - 1,
)


def damaged(content: bytes, chance: random.Random, first: int = 0, last: int | None = None) -> bytes:
    """A copy with one to four places of [first, last) changed, or cut short."""
    last = len(content) if last is None else last
    out = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(first, max(first + 1, last))
        kind = chance.randrange(6)
        if kind == 0:
            out[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            out[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        elif kind == 2:
            size = chance.choice((2, 4, 8))
            word = struct.pack("<Q", chance.choice(_WORDS))[:size]
            out[at : at + size] = word[: len(out) - at]
        elif kind == 3:
            size = chance.randrange(1, 64)
            out[at : at + size] = chance.randbytes(min(size, len(out) - at))
        elif kind == 4:
            size = chance.randrange(1, 64)
            out[at : at + size] = bytes([chance.choice((0, 0x80, 0xFF))]) * min(size, len(out) - at)
        elif chance.randrange(4) == 0:
            del out[at:]
            break
    return bytes(out)


def ask_elf(path: Path) -> None:
    """Use all of an ELF file; errors that are expected end only the question they belong to."""
    try:
        elf = Elf.open(str(path))
    except EXPECTED:
        return
    for name in list(elf.sections)[:64]:
        _try(elf.section, name)
    _try(lambda: [elf.symbols[name] for name in list(elf.symbols)[:50]])
    _try(lambda: list(elf.notes()))
    _try(lambda: (elf.go_build_id, elf.gnu_build_id))
    _try(lambda: (elf.go_version, elf.go_modinfo))
    _try(lambda: [elf.read_vaddr(s.vaddr, min(s.filesz, 4096)) for s in elf.segments[:64]])
    elf.close()


def ask_dwarf(path: Path, chance: random.Random) -> None:
    """Use the DWARF of a file: the index, and a sample of types and functions."""
    try:
        dwarf = Dwarf.open(Elf.open(str(path)), None)
        globals_ = dwarf.globals
    except EXPECTED:
        return
    pcs = [chance.randrange(0x401000, 0x500000) for _ in range(30)]
    offsets = [g.type for g in globals_[:: max(1, len(globals_) // 30)]]
    names = ("runtime.mspan", "runtime.g", "main.entry", "int")
    offsets += [offset for offset in map(dwarf.type_by_name, names) if offset is not None]
    for pc in pcs:
        _try(dwarf.function_at, pc)
    for offset in offsets:
        _try(_members, dwarf, offset)
    _try(lambda: (dwarf.constant("runtime._Gwaiting"), dwarf.type_by_runtime_offset(64)))


def _members(dwarf: Dwarf, offset: int) -> None:
    described = dwarf.type(offset)
    for member in described.members[:50]:
        dwarf.type(member.type)
    if described.elem:
        dwarf.type(described.elem)


def ask_table(content: bytes, address: int, text: int) -> None:
    """Use a function table: functions all over it, their lines, frame sizes and inlined calls."""

    def read(at: int, size: int) -> bytes:
        if at < address or size < 0 or at + size > address + len(content):
            raise MissingMemory(at, size)
        return content[at - address : at - address + size]

    try:
        table = FuncTable(read, address, text, address)
    except EXPECTED:
        return
    entries = table.entries.tolist()
    for pc in entries[:: max(1, len(entries) // 200)]:
        _try(_frames, table, pc + 3)


def _frames(table: FuncTable, pc: int) -> None:
    func = table.find(pc)
    if func is not None:
        table.frames(func, pc)
        for offset in (func.pcsp, *func.pcdata):
            table.pc_value(offset, func.entry, pc)


def _try(question: Callable[..., object], *arguments: object) -> None:
    with contextlib.suppress(*EXPECTED):
        question(*arguments)
