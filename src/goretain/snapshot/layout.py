"""How a snapshot lies in its file: preamble, table of contents, sections.

::

    0    magic "GORETAIN"
    8    uint32 version, uint32 zero
    16   uint64 bytes of the table of contents, uint64 bytes of the whole file
    32   SHA-256 of the 32 bytes above and the table of contents
    64   table of contents: MessagePack list of Section
    ...  sections, each at a multiple of 64 bytes, in the order of the table

A section is one column (its little-endian numpy dtype) or one table (dtype "msgpack"). Version 2 added
sections that may be missing: those of a group (:mod:`goretain.snapshot.groups`) together. Everything that is
read from a file is checked here before anything is allocated by its word. Apart from
:mod:`goretain.snapshot.file` so that the arithmetic can be tested without files. Imports ``model``,
msgspec, numpy and this package's columns and groups.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from typing import Final

import msgspec
import numpy as np

from goretain.model.errors import CorruptFile
from goretain.snapshot.columns import Columns
from goretain.snapshot.groups import GROUP_DTYPES

MAGIC: Final = b"GORETAIN"
VERSION: Final = 2
#: From this version on, sections of OPTIONAL_TABLES and GROUP_DTYPES may be there.
_WITH_GROUPS: Final = 2
PREAMBLE: Final = 64
ALIGNMENT: Final = 64
#: No table of contents comes near this; a larger one is a broken length.
MAX_CONTENTS: Final = 1 << 20
MSGPACK: Final = "msgpack"
TABLES: Final = ("meta", "types", "roots", "goroutines", "strings", "entry_keys")
OPTIONAL_TABLES: Final = ("memory", "sites")

#: dtype of every column. The number of rows is checked by ``validate``.
DTYPES: Final[dict[str, str]] = {
    "object_address": "<i8",
    "object_size": "<i8",
    "object_type": "<i4",
    "object_flags": "<u2",
    "edge_start": "<i8",
    "edge_target": "<u4",
    "edge_word": "<u4",
    "root_node": "<i4",
    "root_target": "<u4",
    "root_path": "<u4",
    "root_flags": "|u1",
    "root_goroutine": "<i4",
    "window_target": "<u4",
    "window_source": "<u4",
    "window_word": "<u4",
    "window_kind": "|u1",
    "window_start": "<i8",
    "window_length": "<i8",
    "window_capacity": "<i8",
    "map_object": "<u4",
    "map_type": "<i4",
    "map_table": "<u4",
    "map_entries": "<i8",
    "map_slots": "<i8",
    "map_bytes": "<i8",
    "map_needed": "<i8",
    "entry_map": "<u4",
    "entry_object": "<u4",
    "entry_word": "<u4",
    "entry_key_length": "<i8",
}

_HEAD: Final = struct.Struct("<8sIIQQ")
_NEW_ONE: Final = "take the snapshot again with 'goretain why PID --save FILE'"


class Section(msgspec.Struct, frozen=True, array_like=True):
    """One row of the table of contents: name, dtype, file offset, bytes, CRC-32 of the bytes."""

    name: str
    dtype: str
    offset: int
    bytes: int
    crc32: int


def empty_columns() -> Columns:
    """Columns without rows: what is known is set in them (``dataclasses.replace``)."""
    return Columns(**{name: np.empty(0, dtype) for name, dtype in DTYPES.items()})


def aligned(offset: int) -> int:
    """The next multiple of 64 at or after offset."""
    return -(-offset // ALIGNMENT) * ALIGNMENT


def place(parts: Iterable[tuple[str, str, int, int]]) -> tuple[bytes, list[Section]]:
    """Lay out sections and encode the head of the file.

    Args:
        parts: (name, dtype, bytes, crc32) in file order.

    Returns:
        Preamble with table of contents, and the sections with their offsets.
    """
    wanted = list(parts)
    room = PREAMBLE
    while True:  # offsets are inside the table that they make longer: a second round settles it
        offset, sections = aligned(room), []
        for name, dtype, size, crc in wanted:
            sections.append(Section(name, dtype, offset, size, crc))
            offset = aligned(offset + size)
        contents = msgspec.msgpack.encode(sections)
        if PREAMBLE + len(contents) <= aligned(room):
            break
        room = PREAMBLE + len(contents)
    total = sections[-1].offset + sections[-1].bytes if sections else PREAMBLE + len(contents)
    head = _HEAD.pack(MAGIC, VERSION, 0, len(contents), total)
    return head + hashlib.sha256(head + contents).digest() + contents, sections


def parse_preamble(path: str, raw: bytes, actual: int) -> tuple[int, int]:
    """Version, and bytes of the table of contents, from the first 64 bytes of a file of ``actual`` bytes.

    Raises:
        CorruptFile: not a snapshot, another version, or not as long as it says.
    """
    if raw[:8] != MAGIC:
        raise CorruptFile(
            path, 0, "this is not a goretain snapshot", hint="give a PID, an ELF core, an image or a snapshot"
        )
    if len(raw) < PREAMBLE:
        raise CorruptFile(path, actual, f"the file ends inside its {PREAMBLE} byte preamble", hint=_NEW_ONE)
    _, version, _, contents, total = _HEAD.unpack(raw[: _HEAD.size])
    if not 1 <= version <= VERSION:
        hint = "open it with the goretain that saved it, or a newer one" if version else _NEW_ONE
        raise CorruptFile(
            path, 8, f"format version {version}; this goretain reads versions 1 to {VERSION}", hint=hint
        )
    if total != actual:
        what = "truncated" if actual < total else "longer than it was"
        raise CorruptFile(path, min(actual, total), f"{what}: {actual} bytes of {total}", hint=_NEW_ONE)
    if contents > min(MAX_CONTENTS, total - PREAMBLE):
        raise CorruptFile(path, 16, f"table of contents of {contents} bytes does not fit", hint=_NEW_ONE)
    return int(version), int(contents)


def parse_contents(
    path: str, version: int, preamble: bytes, contents: bytes, total: int
) -> dict[str, Section]:
    """The sections by name, all that must be there, of the right dtype, inside the file and apart from each
    other."""
    head = preamble[: _HEAD.size]
    if hashlib.sha256(head + contents).digest() != preamble[_HEAD.size : PREAMBLE]:
        raise CorruptFile(path, _HEAD.size, "the checksum of the header does not match", hint=_NEW_ONE)
    try:
        sections = msgspec.msgpack.decode(contents, type=list[Section])
    except (msgspec.MsgspecError, UnicodeDecodeError) as broken:
        raise CorruptFile(path, PREAMBLE, f"table of contents: {broken}", hint=_NEW_ONE) from None
    end = PREAMBLE + len(contents)
    for section in sections:
        if (
            section.offset < end
            or section.offset % ALIGNMENT
            or not 0 <= section.bytes <= total - section.offset
        ):
            raise CorruptFile(
                path, section.offset, f"section {section.name!r} does not fit the file", hint=_NEW_ONE
            )
        end = section.offset + section.bytes
    return _by_name(path, version, sections)


def _by_name(path: str, version: int, sections: list[Section]) -> dict[str, Section]:
    found = {section.name: section for section in sections}
    wanted = dict.fromkeys(TABLES, MSGPACK) | {name: DTYPES[name] for name in Columns.names()}
    if version >= _WITH_GROUPS:
        wanted |= {name: MSGPACK for name in OPTIONAL_TABLES if name in found}
        for dtypes in GROUP_DTYPES.values():
            if not found.keys().isdisjoint(dtypes):
                wanted |= dtypes
    for name, dtype in wanted.items():
        _check_section(path, name, dtype, found.get(name))
    return {name: found[name] for name in wanted}


def _check_section(path: str, name: str, dtype: str, section: Section | None) -> None:
    """It is there, of this dtype, and holds whole rows."""
    if section is None:
        raise CorruptFile(path, PREAMBLE, f"section {name!r} is missing", hint=_NEW_ONE)
    if section.dtype != dtype:
        reason = f"section {name!r} is of dtype {section.dtype!r}, not {dtype!r}"
        raise CorruptFile(path, section.offset, reason, hint=_NEW_ONE)
    if dtype != MSGPACK and section.bytes % np.dtype(dtype).itemsize:
        raise CorruptFile(path, section.offset, f"section {name!r} holds part of a row", hint=_NEW_ONE)
