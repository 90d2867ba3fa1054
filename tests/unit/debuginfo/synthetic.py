"""Small ELF files made in memory, for what no linker at hand writes."""

from __future__ import annotations

import struct

Segment = tuple[int, int, bytes]
"""(type, address, content)"""
Section = tuple[str, int, bytes]
"""(name, flags, content)"""

_XNUM = 0xFFFF


def section(name: str, content: bytes, flags: int = 0) -> Section:
    return name, flags, content


def note(name: str, kind: int, data: bytes) -> bytes:
    owner = name.encode() + b"\0"
    return struct.pack("<III", len(owner), len(data), kind) + _padded(owner) + _padded(data)


def elf_bytes(
    segments: list[Segment],
    sections: list[Section],
    *,
    kind: int = 2,
    elf_class: int = 2,
    order: int = 1,
    machine: int = 62,
) -> bytes:
    """A file with those segments and sections; more than 65534 segments are counted as the gABI wants it."""
    if elf_class != 2 or order != 1:
        ident = b"\x7fELF" + bytes((elf_class, order, 1)) + bytes(9)
        return ident + struct.pack("<HH" if order == 1 else ">HH", kind, machine) + bytes(100)
    names = b"\0" + b"".join(name.encode() + b"\0" for name, _, _ in sections) + b".shstrtab\0"
    many = len(segments) >= _XNUM
    at = 64 + 56 * len(segments)
    headers, body = bytearray(), bytearray()
    for what, address, content in segments:
        size = len(content)
        headers += struct.pack("<IIQQQQQQ", what, 6, at + len(body), address, address, size, size, 4)
        body += content
    rows = [struct.pack("<IIQQQQIIQQ", 0, 0, 0, 0, 0, 0, 0, len(segments) if many else 0, 0, 0)]
    name_at = 1
    for name, flags, content in [*sections, (".shstrtab", 0, names)]:
        rows.append(
            struct.pack("<IIQQQQIIQQ", name_at, 1, flags, 0, at + len(body), len(content), 0, 0, 1, 0)
        )
        body += content
        name_at += len(name) + 1
    head = struct.pack(
        "<HHIQQQIHHHHHH", kind, machine, 1, 0, 64, at + len(body), 0, 64, 56,
        _XNUM if many else len(segments), 64, len(rows), len(rows) - 1,
    )  # fmt: skip
    return b"\x7fELF\x02\x01\x01" + bytes(9) + head + headers + body + b"".join(rows)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
