"""Pointer masks of the garbage collector as arrays: plain bit masks and, up to Go 1.23, GC programs.

A GC program is a run-length code for the mask of a large type (runGCProg, runtime/mbitmap.go): 0nnnnnnn is n
literal bits; 1nnnnnnn c repeats the last n bits c times (n = 0: n follows as a varint); a zero byte ends it.
Imports ``golang.layout``, ``model`` and numpy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from goretain.golang.layout import Program, Readable
from goretain.model.errors import GoretainError

#: Bits of the largest mask that a program may expand to: an object of 32 GB.
_PROGRAM_LIMIT = 1 << 32


def mask_bits(memory: Readable, address: int, words: int) -> NDArray[np.bool_]:
    """bool[words]: the first bits of the mask at address. Raises MissingMemory."""
    raw = np.frombuffer(memory.read(address, (words + 7) // 8), np.uint8)
    return np.unpackbits(raw, bitorder="little")[:words].astype(np.bool_)


def program_bits(memory: Readable, address: int, words: int) -> NDArray[np.bool_]:
    """bool[words]: what the GC program at address expands to. Raises MissingMemory, GoretainError."""
    reader = _Bytes(memory, address)
    out: list[NDArray[np.bool_]] = []
    length = 0
    while length < words:
        op = reader.byte()
        count = op & 0x7F
        if not op & 0x80:
            if not count:
                break
            part = np.unpackbits(reader.take((count + 7) // 8), bitorder="little")[:count].astype(np.bool_)
        else:
            count = count or reader.varint()
            part = np.tile(_last(out, count, address), min(reader.varint(), _PROGRAM_LIMIT // max(count, 1)))
        out.append(part)
        length += len(part)
    bits = np.concatenate(out) if out else np.zeros(0, np.bool_)
    return bits[:words] if len(bits) >= words else np.pad(bits, (0, words - len(bits)))


def object_mask(program: Program, mask: int, pointer_bytes: int, *, is_program: bool) -> list[int]:
    """Indices of the pointer words of an object whose first pointer_bytes bytes the mask covers."""
    words = pointer_bytes // 8
    if not words:
        return []
    expand = program_bits if is_program else mask_bits
    # A program follows its length: materializeGCProg, runtime/mbitmap.go.
    start = mask + 4 if is_program else mask
    found: list[int] = np.flatnonzero(expand(program.memory, start, words)).tolist()
    return found


def _last(parts: list[NDArray[np.bool_]], count: int, address: int) -> NDArray[np.bool_]:
    """The last count bits written so far; the parts are merged so that repeated repeats stay linear."""
    if len(parts) > 1:
        parts[:] = [np.concatenate(parts)]
    if not parts or len(parts[0]) < count:
        raise GoretainError(f"the GC program at {address:#x} repeats {count} bits before writing them")
    return parts[0][-count:]


class _Bytes:
    """Bytes of a GC program, whose length is not known beforehand."""

    def __init__(self, memory: Readable, address: int) -> None:
        self._memory = memory
        self._address = address

    def byte(self) -> int:
        self._address += 1
        return self._memory.read(self._address - 1, 1)[0]

    def take(self, count: int) -> NDArray[np.uint8]:
        self._address += count
        return np.frombuffer(self._memory.read(self._address - count, count), np.uint8)

    def varint(self) -> int:
        value = shift = 0
        while shift < 63:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        return value
