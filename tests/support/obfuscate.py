"""Makes of a stripped program what obfuscators leave of one: no build info, sections or names.

What garble does by source and a patched linker is done here to the finished file, as far as the program still
runs by it: the magic number is changed in the header and in the one instruction that checks it
(runtime.moduledataverify1); function names of all packages and names of the main package's types become
random ones of the same length; names of methods and fields stay, because interfaces are matched by their
order.
"""

from __future__ import annotations

import random
import re
import shutil
import string
import struct
from pathlib import Path

from goretain.debuginfo.elf import buildinfo
from goretain.debuginfo.elf.elf import PF_W, PF_X, PT_LOAD, Elf
from goretain.debuginfo.pclntab.pclntab import MAGIC_GO_1_20, FuncTable, find_function_table

_WORD = re.compile(rb"[A-Za-z_]\w*")
#: Flags, length and text of a type's name (internal/abi.Name) in package main.
_TYPE_NAME = re.compile(rb"[\x00-\x0f]([\x06-\x7f])(\*?(?:\[\])*main\.)([A-Za-z]\w*)")
#: Compares a 32-bit register with the magic number, as a byte that is sign-extended.
_COMPARE = re.compile(rb"\x83[\xf8-\xff]" + bytes([MAGIC_GO_1_20 & 0xFF]))
_NEW_MAGIC = 0xFFFFFFC3
_HEADER = struct.Struct("<IHBBQQQQQQQQ")


def obfuscated(program: Path, out: Path, *, sections: bool = False, seed: int = 1) -> Path:
    """A copy of a stripped program (not PIE) with other names, another magic number and no build info.

    sections: keep the section headers.
    """
    elf = Elf.open(str(program))
    content = bytearray(program.read_bytes())
    chance = random.Random(seed)
    _change_magic(elf, content)
    _rename_functions(elf, content, chance)
    _rename_types(elf, content, chance)
    _hide_version(elf, content)
    if not sections:
        content[40:48] = bytes(8)  # e_shoff
        content[60:64] = bytes(4)  # e_shnum, e_shstrndx
    out.write_bytes(content)
    shutil.copymode(program, out)
    return out


def _offset(elf: Elf, address: int) -> int:
    """Offset in the file of a link address."""
    for s in elf.segments:
        if s.type == PT_LOAD and s.vaddr <= address < s.vaddr + s.filesz:
            return s.offset + address - s.vaddr
    raise AssertionError(f"{address:#x} is in no segment")


def _table(elf: Elf) -> tuple[int, tuple[int, ...]]:
    """Address of the function table and the fields of its header."""
    address = find_function_table(elf)
    assert address is not None
    return address, _HEADER.unpack(elf.read_vaddr(address, _HEADER.size))


def _change_magic(elf: Elf, content: bytearray) -> None:
    address, _ = _table(elf)
    text = elf.sections[".text"].address
    table = FuncTable(elf.read_vaddr, address, text)
    entries = (table.find(pc) for pc in table.entries[:-1].tolist())
    check = next(f for f in entries if f is not None and f.name == "runtime.moduledataverify1")
    low, high = _offset(elf, check.entry), _offset(elf, check.end)
    changed, count = _COMPARE.subn(
        lambda found: found[0][:2] + bytes([_NEW_MAGIC & 0xFF]), bytes(content[low:high])
    )
    assert count == 1
    content[low:high] = changed
    at = _offset(elf, address)
    content[at : at + 4] = struct.pack("<I", _NEW_MAGIC)


def _rename_functions(elf: Elf, content: bytearray, chance: random.Random) -> None:
    address, header = _table(elf)
    low, high = _offset(elf, address + header[7]), _offset(elf, address + header[8])
    content[low:high] = _renamed(bytes(content[low:high]), chance, {})


def _renamed(text: bytes, chance: random.Random, known: dict[bytes, bytes]) -> bytes:
    """All words replaced: of the same length, first letter of the same case, the same one every time."""

    def other(found: re.Match[bytes]) -> bytes:
        word = found[0]
        if word not in known:
            letters = string.ascii_uppercase if word[:1].isupper() else string.ascii_lowercase
            tail = string.ascii_letters + string.digits
            new = chance.choice(letters) + "".join(chance.choices(tail, k=len(word) - 1))
            known[word] = new.encode()
        return known[word]

    return _WORD.sub(other, text)


def _rename_types(elf: Elf, content: bytearray, chance: random.Random) -> None:
    known: dict[bytes, bytes] = {}

    def other(found: re.Match[bytes]) -> bytes:
        if found[1][0] != len(found[2]) + len(found[3]):
            return found[0]
        return found[0][: -len(found[3])] + _renamed(found[3], chance, known)

    for s in elf.segments:
        if s.type == PT_LOAD and not s.flags & (PF_W | PF_X):
            low, high = s.offset, s.offset + s.filesz
            content[low:high] = _TYPE_NAME.sub(other, bytes(content[low:high]))
    assert known


def _hide_version(elf: Elf, content: bytearray) -> None:
    """Overwrite the build info, with what comes before the version in memory."""
    for s in elf.segments:
        if s.type == PT_LOAD and s.flags & PF_W:
            at = content.find(buildinfo.MAGIC, s.offset, s.offset + s.filesz)
            if at >= 0:
                content[at : at + 48] = bytes(48)
