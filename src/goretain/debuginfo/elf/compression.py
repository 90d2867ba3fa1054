"""Compressed sections: SHF_COMPRESSED with zlib (Go's default for DWARF) or zstd, and the old .zdebug form.

What a section claims to become is checked before memory is set aside for it. Source: the ELF gABI
(Elf64_Chdr), cmd/link/internal/ld/dwarf.go (dwarfcompress). Imports nothing of goretain, and the package
zstandard only where it is installed and a section needs it.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from importlib import import_module

_ZLIB, _ZSTD = 1, 2
_HEADER = struct.Struct("<IIQQ")
# Debug information shrinks to a fifth at best; a section that claims far more than that is hostile.
_FREE, _RATIO = 32 << 20, 64
_PIECE = 256 << 10


def decompress(data: bytes) -> bytes:
    """Content of an SHF_COMPRESSED section. Raises ValueError with the reason."""
    if len(data) < _HEADER.size:
        raise ValueError("its compression header is cut off")
    method, _, size, _ = _HEADER.unpack_from(data)
    body = memoryview(data)[_HEADER.size :]
    if method == _ZLIB:
        return _inflate(body, size)
    if method == _ZSTD:
        return _unzstd(body, size)
    raise ValueError(f"it is compressed by unknown method {method}")


def inflating(head: bytes, pieces: Iterator[bytes], compressed: int) -> Iterator[bytes] | None:
    """Content of an SHF_COMPRESSED section bit by bit, for who needs its beginning; None: not by zlib.

    Args:
        head: the section's first 24 bytes. pieces: the bytes after them. compressed: how many those are.

    Raises ValueError as it goes when the stream is damaged or gives more than the section claims.
    """
    method, _, size, _ = _HEADER.unpack(head)
    if method != _ZLIB:
        return None
    _check(size, compressed)
    return _inflated(pieces, size)


def _inflated(pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
    stream, left = zlib.decompressobj(), size
    try:
        for piece in pieces:
            content = stream.decompress(piece, left + 1)
            left -= len(content)
            if left < 0:
                raise ValueError(f"it decompresses to more than the {size} bytes it claims")
            yield content
    except zlib.error as error:
        raise ValueError(f"it does not decompress: {error}") from None


def decompress_old(data: bytes) -> bytes:
    """Content of a .zdebug section: "ZLIB", 8 bytes of big-endian size, a zlib stream. Raises ValueError."""
    if data[:4] != b"ZLIB" or len(data) < 12:
        raise ValueError("it does not begin with ZLIB and a size")
    return _inflate(memoryview(data)[12:], int.from_bytes(data[4:12], "big"))


def _check(size: int, compressed: int) -> None:
    if size > _FREE + _RATIO * compressed:
        raise ValueError(f"it claims to decompress from {compressed} to {size} bytes")


def _inflate(body: memoryview, size: int) -> bytes:
    _check(size, len(body))
    out, stream, at = io.BytesIO(), zlib.decompressobj(), 0
    try:
        # In pieces: in one call twice the memory is needed, and this runs beside production processes.
        while at < len(body) and out.tell() <= size and not stream.eof:
            piece = body[at : at + _PIECE]
            out.write(stream.decompress(piece, size + 1 - out.tell()))
            at += len(piece)
    except zlib.error as error:
        raise ValueError(f"it does not decompress: {error}") from None
    if out.tell() != size:
        raise ValueError(f"it decompresses to another size than the {size} bytes it claims")
    return out.getvalue()


def _unzstd(body: memoryview, size: int) -> bytes:
    _check(size, len(body))
    try:
        zstd = import_module("zstandard")
    except ImportError:
        raise ValueError("it is compressed with zstd, which needs the Python package zstandard") from None
    try:
        out: bytes = zstd.ZstdDecompressor().decompressobj().decompress(body[: len(body)])
    except zstd.ZstdError as error:
        raise ValueError(f"it does not decompress: {error}") from None
    if len(out) != size:
        raise ValueError(f"it decompresses to another size than the {size} bytes it claims")
    return out
