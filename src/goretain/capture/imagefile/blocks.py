"""What an image file is made of: a preamble and blocks, each with its own checksums.

::

    0   magic "GORETIMG"
    8   uint32 version, uint32 zero
    16  blocks, one after another; the last is TAIL, and nothing follows it

    a block, little endian:
    0   kind, 4 letters
    4   uint32 encoding of the payload: 0 as it is, 1 zlib
    8   uint64 place: where the content belongs, by kind
    16  uint32 bytes of the payload, uint32 bytes of the content
    24  uint32 CRC-32 of the payload
    28  uint32 number of the block, from 0
    32  uint32 zero
    36  uint32 CRC-32 of the 36 bytes above
    40  payload

A content is at most 1 MiB, so that neither writer nor reader ever holds more than that of a part. TAIL holds
the SHA-256 of the preamble and all headers before it; as these hold the CRC of every payload, it covers the
file. docs/formats.md says what the content of each kind is. Imports ``model`` and the standard library.
"""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import dataclass
from typing import Final

from goretain.model.errors import CorruptFile
from goretain.model.opening import starts_with

MAGIC: Final = b"GORETIMG"
VERSION: Final = 1
PREAMBLE: Final = 16
HEADER: Final = 40
CHUNK: Final = 1 << 20
PAGE: Final = 4096
#: Bytes of the bitmap before the pages of a PAGE block: one bit for each page of its window.
BITMAP: Final = CHUNK // PAGE // 8

FACT, MAPS, REGS = b"FACT", b"MAPS", b"REGS"
FILE, PART = b"FILE", b"PART"
RANG, PAGES, TAIL = b"RANG", b"PAGE", b"TAIL"
#: Kinds in the order in which they stand in the file.
ORDER: Final = (FACT, MAPS, REGS, FILE, PART, RANG, PAGES, TAIL)
#: Content of a block of this kind is at most so long.
MOST: Final = {PAGES: BITMAP + CHUNK}
#: Bytes of a table: half a million mappings, 150,000 threads, eleven million ranges. A file that claims more
#: would make a reader set aside gigabytes.
LONGEST: Final = {MAPS: 64 << 20, REGS: 32 << 20, RANG: 256 << 20}

RAW, ZLIB = 0, 1
#: Rows of REGS: thread ID, then the registers in the order of capture.libc.REGISTERS (user_regs_struct).
REGISTER_ROW: Final = struct.Struct("<28Q")
#: Rows of MAPS: start, end, file offset, flags, bytes of the path, which follows.
MAPPING_ROW: Final = struct.Struct("<QQQ4sI")
#: Rows of RANG: start, end, and where in the program's file its bytes are, -1 when PAGE blocks hold them.
RANGE_ROW: Final = struct.Struct("<QQq")
#: FILE: bytes of the file, load bias, what it is, bytes of the path; the path and rows of SHIFT_ROW follow.
FILE_ROW: Final = struct.Struct("<QqII")
#: What the file of a FILE block is: the program that ran, a file that its debug information is in, a plugin.
PROGRAM, DEBUG_FILE, LIBRARY = 0, 1, 2
#: Link addresses [start, end) of a debug file are so much higher in the program.
SHIFT_ROW: Final = struct.Struct("<QQq")
#: TAIL: blocks before it, bytes of their contents, SHA-256.
TAIL_ROW: Final = struct.Struct("<QQ32s")

_PREAMBLE: Final = struct.Struct("<8sII")
_HEADER: Final = struct.Struct("<4sIQIIIII")
TAKE_AGAIN: Final = "take the image again: goretain snap PID -o FILE"


@dataclass(frozen=True, slots=True)
class Block:
    """The header of one block, checked, and the offset of its payload in the file."""

    kind: bytes
    encoding: int
    place: int
    stored: int
    size: int
    crc: int
    offset: int


def is_image(path: str | os.PathLike[str]) -> bool:
    """Whether the file starts with the magic of an image (False when it cannot be read)."""
    return starts_with(path, MAGIC)


def preamble() -> bytes:
    """The first bytes of an image file."""
    return _PREAMBLE.pack(MAGIC, VERSION, 0)


def check_preamble(path: str, raw: bytes) -> None:
    """Raises CorruptFile unless raw is the preamble of a version that is read here."""
    if raw[:8] != MAGIC:
        raise CorruptFile(
            path, 0, "this is not a goretain image", hint="give a PID, an ELF core, an image or a snapshot"
        )
    if len(raw) < PREAMBLE:
        raise CorruptFile(path, len(raw), "the file ends inside its preamble", hint=TAKE_AGAIN)
    _, version, zero = _PREAMBLE.unpack(raw)
    if version != VERSION:
        hint = "open it with the goretain that took it, or a newer one" if version > VERSION else TAKE_AGAIN
        reason = f"image format version {version}; this goretain reads version {VERSION}"
        raise CorruptFile(path, 8, reason, hint=hint)
    if zero:
        raise CorruptFile(path, 12, "a field that is zero in version 1 is not", hint=TAKE_AGAIN)


def pack(kind: bytes, number: int, place: int, content: bytes) -> tuple[bytes, bytes]:
    """Header and payload of a block; compressed where that makes it shorter."""
    payload, encoding = zlib.compress(content, 1), ZLIB
    if len(payload) >= len(content):
        payload, encoding = content, RAW
    head = _HEADER.pack(kind, encoding, place, len(payload), len(content), zlib.crc32(payload), number, 0)
    return head + zlib.crc32(head).to_bytes(4, "little"), payload


def parse(path: str, raw: bytes, at: int, number: int) -> Block:
    """The block whose header raw stands at offset ``at``. Raises CorruptFile."""
    head = raw[:36]
    if zlib.crc32(head) != int.from_bytes(raw[36:HEADER], "little"):
        raise CorruptFile(path, at, "the checksum of a block's header does not match", hint=TAKE_AGAIN)
    kind, encoding, place, stored, size, crc, own, zero = _HEADER.unpack(head)
    if kind not in ORDER or encoding not in (RAW, ZLIB) or zero:
        raise CorruptFile(path, at, f"a block of unknown kind or encoding ({kind!r}, {encoding})")
    if own != number:
        raise CorruptFile(path, at + 28, f"block {own} stands where block {number} belongs")
    if (
        not 0 < size <= MOST.get(kind, CHUNK)
        or not 0 < stored <= size
        or (encoding == RAW and stored != size)
    ):
        raise CorruptFile(path, at + 16, f"a block of {stored} bytes claims to hold {size}")
    return Block(kind, encoding, place, stored, size, crc, at + HEADER)


def unpack(path: str, block: Block, payload: bytes) -> bytes:
    """The content of a block. Raises CorruptFile."""
    if zlib.crc32(payload) != block.crc:
        raise CorruptFile(path, block.offset, "the checksum of a block does not match", hint=TAKE_AGAIN)
    if block.encoding == RAW:
        return payload
    stream = zlib.decompressobj()
    try:
        content = stream.decompress(payload, block.size)
        # One byte more shows whether it ends here.
        rest = stream.decompress(stream.unconsumed_tail, 1)
    except zlib.error as error:
        raise CorruptFile(path, block.offset, f"a block does not decompress: {error}") from None
    if len(content) != block.size or rest or not stream.eof or stream.unused_data:
        raise CorruptFile(
            path, block.offset, f"a block does not decompress to the {block.size} bytes it claims"
        )
    return content
