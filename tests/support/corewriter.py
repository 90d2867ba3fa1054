"""Writes ELF cores of images: what the kernel would dump of the process, in a small file.

Layout: elf(5), core(5); the notes that ``goretain.capture.cores.corefile`` reads, and nothing else.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from goretain.capture import libc
from goretain.capture.image import Image
from goretain.capture.procfs import AT_ENTRY
from goretain.capture.ranges import as_ranges, intersect, normalise, subtract

_PAGE = 4096
_NT_PRSTATUS, _NT_PRPSINFO, _NT_AUXV, _NT_FILE = 1, 3, 6, 0x46494C45


def write_core(image: Image, path: Path) -> None:
    """The image of a process as the core of that process: what it may write, the rest stands in its files.

    What the image does not hold is there without content, as what coredump_filter leaves out.
    """
    notes = _notes(image)
    written = as_ranges((m.start, m.end) for m in image.mappings if "w" in m.flags)
    held = intersect(normalise(np.column_stack((image.starts, image.ends))), normalise(written))
    ranges = [(start, end, image.offset_of(start, end - start)) for start, end in held.tolist()]
    left_out = subtract(normalise(written), held).tolist()
    count = len(ranges) + len(left_out) + 1
    at = 64 + 56 * count
    headers = [struct.pack("<IIQQQQQQ", 4, 4, at, 0, 0, len(notes), 0, 4)]
    at = -(-(at + len(notes)) // _PAGE) * _PAGE
    first = at
    for start, end, _ in ranges:
        headers.append(struct.pack("<IIQQQQQQ", 1, 6, at, start, 0, end - start, end - start, 8))
        at += end - start
    headers += [struct.pack("<IIQQQQQQ", 1, 6, at, start, 0, 0, end - start, 8) for start, end in left_out]
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    head = ident + struct.pack("<HHIQQQIHHHHHH", 4, 62, 1, 0, 64, 0, 0, 64, 56, count, 0, 0, 0)
    with path.open("wb") as file:
        file.write((head + b"".join(headers) + notes).ljust(first, b"\0"))
        for start, end, offset in ranges:
            file.write(image.memory[offset : offset + end - start].data)


def _notes(image: Image) -> bytes:
    parts = [_note(_NT_PRPSINFO, struct.pack("<24xi12x16s80s", image.facts.pid, b"program", b""))]
    for tid, registers in image.registers.items():
        values = struct.pack(f"<{len(libc.REGISTERS)}Q", *(registers[name] for name in libc.REGISTERS))
        parts.append(_note(_NT_PRSTATUS, (struct.pack("<32xi76x", tid) + values).ljust(336, b"\0")))
    entry = image.binary.entry + image.bias
    parts.append(_note(_NT_AUXV, struct.pack("<QQQQ", AT_ENTRY, entry, 0, 0)))
    files = [m for m in image.mappings if m.path.startswith("/")]
    table = struct.pack("<QQ", len(files), _PAGE)
    table += b"".join(struct.pack("<QQQ", m.start, m.end, m.offset // _PAGE) for m in files)
    parts.append(_note(_NT_FILE, table + b"".join(m.path.encode() + b"\0" for m in files)))
    return b"".join(parts)


def _note(kind: int, data: bytes) -> bytes:
    return struct.pack("<III", 5, len(data), kind) + b"CORE\0\0\0\0" + data + bytes(-len(data) % 4)
