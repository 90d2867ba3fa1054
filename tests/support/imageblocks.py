"""Image files taken apart and put together again with all checksums right."""

from __future__ import annotations

import hashlib

from goretain.capture.imagefile import blocks

#: Kind, place and content of every block of an image but the tail.
ImageBlocks = list[tuple[bytes, int, bytes]]


def parsed(raw: bytes) -> ImageBlocks:
    """The blocks of an image file but its tail, unpacked."""
    return with_tail(raw)[:-1]


def with_tail(raw: bytes) -> ImageBlocks:
    """All blocks of an image file, unpacked."""
    found: ImageBlocks = []
    at = blocks.PREAMBLE
    while at < len(raw):
        block = blocks.parse("image", raw[at : at + blocks.HEADER], at, len(found))
        at = block.offset + block.stored
        found.append((block.kind, block.place, blocks.unpack("image", block, raw[block.offset : at])))
    return found


def sealed(parts: ImageBlocks) -> bytes:
    """A file of these blocks."""
    out, digest = bytearray(blocks.preamble()), hashlib.sha256(blocks.preamble())
    for number, (kind, place, content) in enumerate(parts):
        head, payload = blocks.pack(kind, number, place, content)
        digest.update(head)
        out += head + payload
    row = blocks.TAIL_ROW.pack(len(parts), sum(len(content) for _, _, content in parts), digest.digest())
    return bytes(out) + b"".join(blocks.pack(blocks.TAIL, len(parts), 0, row))
