"""Formats with checksums: taken apart, damaged inside, and sealed again so that damage passes the door."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from random import Random
from typing import Any

import msgspec

from goretain.capture.imagefile import blocks
from goretain.snapshot import layout
from tests.fuzz.edits import damage
from tests.support.imageblocks import ImageBlocks, sealed

_EDGES = (-(1 << 63), -2, -1, 0, 1, 255, 1 << 31, (1 << 32) - 1, 1 << 47, (1 << 63) - 1, (1 << 64) - 1)


@dataclass(frozen=True, slots=True)
class SnapshotParts:
    """The sections of a snapshot with their contents."""

    sections: list[layout.Section]
    contents: dict[str, bytes]


def damaged_image(rng: Random, parts: ImageBlocks) -> bytes:
    """The file with one or two blocks damaged, every kind of block as likely as any other; checksums hold."""
    new = list(parts)
    for _ in range(rng.choice((1, 1, 2))):
        kind = rng.choice(sorted({kind for kind, _, _ in new}))
        at = rng.choice([i for i, block in enumerate(new) if block[0] == kind])
        _damage_block(rng, new, at)
    return sealed(new)


def _damage_block(rng: Random, parts: ImageBlocks, at: int) -> None:
    kind, place, data = parts[at]
    what = rng.random()
    if what < 0.03:
        parts.pop(at)
    elif what < 0.06:
        parts.insert(rng.randrange(len(parts) + 1), parts[at])
    elif what < 0.12:
        parts[at] = (kind, max(0, place + rng.choice((-4096, -1, 1, 8, 4096, 1 << 40))), data)
    elif what < 0.17:
        parts[at] = (kind, place, data[: rng.randrange(1, len(data) + 1)])
    elif what < 0.19:
        parts[at] = (rng.choice(blocks.ORDER[:-1]), place, data)
    elif kind == blocks.FACT and what < 0.7 and (value := _decoded(data)) is not None:
        parts[at] = (kind, place, msgspec.json.encode(_damaged_value(rng, value)))
    else:
        parts[at] = (kind, place, _damaged_bytes(rng, data))


def _decoded(data: bytes) -> Any:
    """The JSON value, None where it was damaged before."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def snapshot_parts(raw: bytes) -> SnapshotParts:
    """Take a snapshot apart."""
    _, size = layout.parse_preamble("snapshot", raw[: layout.PREAMBLE], len(raw))
    table = raw[layout.PREAMBLE : layout.PREAMBLE + size]
    sections = msgspec.msgpack.decode(table, type=list[layout.Section])
    return SnapshotParts(sections, {s.name: raw[s.offset : s.offset + s.bytes] for s in sections})


def damaged_snapshot(rng: Random, parts: SnapshotParts) -> bytes:
    """The file with one or two sections damaged, or its table of contents; checksums hold."""
    contents = dict(parts.contents)
    dtypes = {s.name: s.dtype for s in parts.sections}
    names = [s.name for s in parts.sections]
    for _ in range(rng.choice((1, 1, 2))):
        _damage_section(rng, contents, rng.choice(names), dtypes)
    if rng.random() < 0.1:
        _damage_table(rng, names, dtypes)
    rows = [(name, dtypes[name], len(contents[name]), zlib.crc32(contents[name])) for name in names]
    head, sections = layout.place(rows)
    raw = bytearray(sections[-1].offset + sections[-1].bytes)
    raw[: len(head)] = head
    for section in sections:
        raw[section.offset : section.offset + section.bytes] = contents[section.name]
    return bytes(raw)


def _damage_section(rng: Random, contents: dict[str, bytes], name: str, dtypes: dict[str, str]) -> None:
    old = contents[name]
    if dtypes[name] == layout.MSGPACK and rng.random() < 0.8:
        try:
            value = msgspec.msgpack.decode(old)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return  # it was damaged before
        contents[name] = msgspec.msgpack.encode(_damaged_value(rng, value))
        return
    if rng.random() < 0.05 or len(old) < 8:
        contents[name] = old[: rng.randrange(len(old) + 1)] + rng.randbytes(rng.choice((0, 1, 4, 8)))
        return
    contents[name] = _damaged_bytes(rng, old)


def _damaged_bytes(rng: Random, old: bytes) -> bytes:
    new = bytearray(old)
    # The first bytes of a table or file are worth as much as the others together.
    regions = [(0, len(old)), (0, min(len(old), 256))]
    for edit in damage(rng, lambda at, size: old[at : at + size], regions):
        new[edit.offset : edit.offset + len(edit.data)] = edit.data
    return bytes(new)


def _damaged_value(rng: Random, value: Any) -> Any:
    """The value with one leaf, key or element changed, far down as likely as near."""
    if isinstance(value, dict) and value and rng.random() < 0.97:
        key = rng.choice(list(value))
        if rng.random() < 0.05:
            return {k: v for k, v in value.items() if k != key}
        return value | {key: _damaged_value(rng, value[key])}
    if isinstance(value, list) and value and rng.random() < 0.95:
        at = rng.randrange(len(value))
        if rng.random() < 0.1:
            return value[:at] + value[at + 1 :]
        return [*value[:at], _damaged_value(rng, value[at]), *value[at + 1 :]]
    if isinstance(value, bool) or value is None:
        return rng.choice((True, False, None, 0, ""))
    if isinstance(value, int | float):
        return rng.choice((*_EDGES, value + 1, value - 1, -value, None, "1", 0.5))
    return rng.choice(("", "\0", "x" * 5000, "\u202e\x1b[31m", 0, None, [], {}))


def _damage_table(rng: Random, names: list[str], dtypes: dict[str, str]) -> None:
    name = rng.choice(names)
    what = rng.choice(("drop", "twice", "dtype", "order"))
    if what == "drop":
        names.remove(name)
    elif what == "twice":
        names.insert(rng.randrange(len(names)), name)
    elif what == "dtype":
        dtypes[name] = rng.choice(("<i8", "<u4", "|u1", "<f8", "|O", "msgpack", "<i8, <i8", ""))
    else:
        rng.shuffle(names)
