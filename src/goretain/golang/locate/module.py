"""The first moduledata: the words that say where everything else of a program is.

It is found by its function table: a word that points at a pcHeader whose offsets are those of the slices that
follow the word. Neither names nor the header's magic number are asked. Reads ``runtime.moduledata`` and
``runtime.pcHeader`` (runtime/symtab.go). Imports ``golang.locate.words``, ``model`` and numpy.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

import numpy as np

from goretain.golang.locate.words import (
    KIND_AT,
    KIND_MAP,
    KIND_MASK,
    SECTION_LIMIT,
    Bits,
    Block,
    Fields,
    Memory,
    Structs,
)

MODULE = "runtime.moduledata"
_HEADER = struct.Struct("<IBBBBQQQQQQQQ")
_TABLES = ("funcnametab", "cutab", "filetab", "pctab", "pclntable")
_MAP_TYPE = 112  # bytes of internal/abi.SwissMapType, or of the older map type
_LINKS = 1 << 16
_TYPES_LIMIT = 64 << 20  # bytes of type data: the largest programs have 10 MB
_TABLE_LIMIT = 1 << 31


def find_modules(blocks: Iterable[Block], memory: Memory, fields: Fields) -> list[int]:
    """Run-time addresses of moduledatas in the blocks. Raises UnknownLayout when the struct is not known."""
    header_at = fields.offset(MODULE, "pcHeader")
    found: list[int] = []
    for block in blocks:
        rows = block.before(header_at, fields.size(MODULE))
        header = block.at(rows, header_at)
        fits = np.ones(len(rows), np.bool_)
        for name in _TABLES:
            array, length, room = (block.at(rows, fields.offset(MODULE, name) + i) for i in (0, 8, 16))
            fits &= (array > header) & (array - header < _TABLE_LIMIT)
            fits &= (length >= 0) & (length == room) & (length < _TABLE_LIMIT)
        places = (block.start + 8 * row for row in rows[fits].tolist())
        found += [place for place in places if _agrees(Structs(memory, fields), place)]
    return found


def _agrees(structs: Structs, module: int) -> bool:
    """Whether the pcHeader and the address ranges of a moduledata agree with each other."""
    memory = structs.memory
    header = structs.uint(module, MODULE, "pcHeader") or 0
    raw = memory.bytes(header, _HEADER.size)
    if raw is None:
        return False
    _magic, pad1, pad2, quantum, pointer_size, count, _files, _text, *offsets = _HEADER.unpack(raw)
    if pad1 or pad2 or quantum != 1 or pointer_size != 8:
        return False
    tables = [structs.uint(module, MODULE, name) for name in _TABLES]
    if tables != [header + offset for offset in offsets]:
        return False
    functions = structs.memory.word(module + structs.fields.offset(MODULE, "ftab") + 8)
    return functions == count + 1 and _ordered(structs, module)


def _ordered(structs: Structs, module: int) -> bool:
    """Whether the module's ranges are ranges."""

    def at(name: str) -> int:
        return structs.uint(module, MODULE, name) or 0

    pairs = (("text", "etext"), ("data", "edata"), ("bss", "ebss"), ("types", "etypes"), ("minpc", "maxpc"))
    code = at("text") <= at("minpc") and at("maxpc") <= at("etext")
    ordered = code and all(0 < at(low) <= at(high) for low, high in pairs)
    masks = (("data", "edata", "gcdatamask"), ("bss", "ebss", "gcbssmask"))
    return ordered and all(
        (structs.uint(module, MODULE, mask, "n") or 0) in (0, (at(high) - at(low)) // 8)
        for low, high, mask in masks
    )


def has_swiss_maps(module: int, memory: Memory, fields: Fields) -> bool | None:
    """Whether the module's map types are those of Swiss tables (internal/abi.SwissMapType: a group's size
    follows the hasher); None when no map type tells."""
    if not fields.has(MODULE, "typelinks"):
        return None
    at = module + fields.offset(MODULE, "typelinks")
    types = Structs(memory, fields).uint(module, MODULE, "types") or 0
    raw = memory.bytes(memory.word(at) or 0, 4 * min(memory.word(at + 8) or 0, _LINKS))
    offsets = np.frombuffer(raw or b"", np.uint32).astype(np.int64)
    size = int(offsets.max(initial=0)) + _MAP_TYPE
    records = memory.bytes(types, size) or b"" if size <= _TYPES_LIMIT else b""
    kinds = np.frombuffer(records, np.uint8)[offsets + KIND_AT] & KIND_MASK if records else offsets
    for offset in offsets[kinds == KIND_MAP][:1].tolist():
        group, size = (int.from_bytes(records[offset + i : offset + i + 8], "little") for i in (64, 80))
        return memory.word(group) == size
    return None


def code_of(module: int, memory: Memory, fields: Fields) -> list[range]:
    """Run-time addresses of machine code: of the module, and of the plugins that follow it in the list."""
    structs = Structs(memory, fields)
    modules = structs.chain(module, MODULE, "next") or [module]
    return [
        range(structs.uint(one, MODULE, "text") or 0, structs.uint(one, MODULE, "etext") or 0)
        for one in modules
    ]


def constants_of(module: int, memory: Memory, fields: Fields) -> range:
    """Run-time addresses of the module's code and constants, which come before its variables."""
    structs = Structs(memory, fields)
    low, *high = (structs.uint(module, MODULE, name) or 0 for name in ("text", "noptrdata", "data"))
    return range(low, min(high))


def variables(module: int, memory: Memory, fields: Fields) -> list[Block]:
    """The words of the module's variables, with what the collector scans of them."""
    structs = Structs(memory, fields)
    out: list[Block] = []
    for low, high, mask in (
        ("noptrdata", "enoptrdata", ""),
        ("data", "edata", "gcdatamask"),
        ("bss", "ebss", "gcbssmask"),
        ("noptrbss", "enoptrbss", ""),
    ):
        start, end = structs.uint(module, MODULE, low) or 0, structs.uint(module, MODULE, high) or 0
        words = min(max(end - start, 0), SECTION_LIMIT) // 8 + 1
        scanned = _scanned(structs, module, mask, words) if mask else np.zeros(words, np.bool_)
        block = memory.block(start, end, scanned)
        if block is not None:
            out.append(block)
    return out


def _scanned(structs: Structs, module: int, mask: str, words: int) -> Bits | None:
    """bool[words]: bits of a module's pointer mask; None when it cannot be read."""
    at = structs.uint(module, MODULE, mask, "bytedata") or 0
    raw = structs.memory.bytes(at, (words + 7) // 8) if at else None
    if raw is None:
        return None
    return np.unpackbits(np.frombuffer(raw, np.uint8), bitorder="little")[:words].astype(np.bool_)
