"""The variables of a program as columns of words, and memory that may be absent, damaged or changing.

Reads whatever ``read(address, size)`` reaches. Imports ``capture.ranges``, ``model`` and numpy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from goretain.capture.ranges import USER_SPACE
from goretain.model.errors import MissingMemory

Read = Callable[[int, int], bytes]
I64 = NDArray[np.int64]
Bits = NDArray[np.bool_]

# How much of a list must be what it should be. A process that runs changes while it is read; of a list of
# something else next to nothing fits.
MOST = 0.6
# The linker sorts the variables of a section by size: those of the runtime come before any larger array.
# Such arrays (32 MB of crypto/internal/fips140/drbg) are better not read: a window of zeros is the last.
SECTION_LIMIT, _WINDOW = 64 << 20, 2 << 20
#: Of internal/abi.Kind; where in an abi.Type it stands, beside flags up to Go 1.25 (internal/abi/type.go).
KIND_INTERFACE, KIND_MAP, KIND_POINTER = 20, 21, 22
KIND_AT, KIND_MASK = 23, 31
# The largest programs need 100 000 reads. The longest list read at once is that of the spans.
_READS, _READ_LIMIT = 1 << 20, 2 << 30


class Fields(Protocol):
    """What is asked of a layout: see ``golang.layout.Layout``."""

    @property
    def go_version(self) -> str:
        """For messages."""
        ...

    def has_struct(self, struct: str) -> bool:
        """Whether the struct is described."""
        ...

    def has(self, struct: str, *path: str) -> bool:
        """Whether the struct has the field."""
        ...

    def offset(self, struct: str, *path: str) -> int:
        """Byte offset of a field. Raises UnknownLayout."""
        ...

    def width(self, struct: str, *path: str) -> int:
        """Bytes of a field. Raises UnknownLayout."""
        ...

    def size(self, struct: str) -> int:
        """Bytes of the struct. Raises UnknownLayout."""
        ...

    def array_length(self, struct: str, *path: str) -> int:
        """Elements of an array field. Raises UnknownLayout."""
        ...


class Block:
    """Adjacent words of a program's variables.

    Attributes:
        start: run-time address of the first word, a multiple of 8.
        words: int64[n].
        rows: int64[k], which words may be addresses of words, ascending; values: int64[k], those words.
        scanned: bool[k], which of those the collector scans; all where that is not known.
    """

    def __init__(self, start: int, words: I64, pointers: Bits | None = None) -> None:
        """pointers: bool[n], words that the collector scans; None where that is not known."""
        self.start = start
        self.words = words
        self.rows: I64 = np.flatnonzero(addresses(words))
        self.values: I64 = words[self.rows]
        self.scanned: Bits = np.ones(len(self.rows), np.bool_) if pointers is None else pointers[self.rows]

    @property
    def extent(self) -> range:
        """Run-time addresses of the words."""
        return range(self.start, self.start + 8 * len(self.words))

    def before(self, offset: int, size: int) -> I64:
        """Rows int64[m] of structs of size bytes whose word at an offset may be an address."""
        first = self.rows - offset // 8
        found: I64 = first[(first >= 0) & (first + -(-size // 8) <= len(self.words))]
        return found

    def at(self, rows: I64, offset: int) -> I64:
        """The words offset bytes after rows: int64[m]."""
        found: I64 = self.words[rows + offset // 8]
        return found


class Memory:
    """Memory read by address; what is absent is None.

    After very many reads all is absent: what leads to more of them is damaged, or made to keep us busy.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._left = _READS

    def bytes(self, address: int, size: int) -> bytes | None:
        """size bytes at address, None when they are not there."""
        self._left -= 1
        if not 0 < address < USER_SPACE or not 0 <= size <= _READ_LIMIT or self._left < 0:
            return None
        try:
            return self._read(address, size)
        except MissingMemory:
            return None

    def word(self, address: int) -> int | None:
        """The word at address, None when it is not there."""
        raw = self.bytes(address, 8)
        return None if raw is None else int.from_bytes(raw, "little")

    def words(self, address: int, count: int) -> I64 | None:
        """int64[count] at address, None when they are not there."""
        raw = self.bytes(address, 8 * count)
        return None if raw is None else np.frombuffer(raw, np.int64)

    def block(self, start: int, end: int, pointers: Bits | None = None) -> Block | None:
        """The words of [start, end), as far as they are of interest; None when they are not there."""
        start, end = -(-start // 8) * 8, min(end & -8, start + SECTION_LIMIT)
        parts: list[I64] = []
        for low in range(start, end, _WINDOW):
            words = self.words(low, min(_WINDOW, end - low) // 8)
            if words is None:
                return None
            if parts and not words.any():
                break
            parts.append(words)
        return Block(start, np.concatenate(parts), pointers) if parts else None


def kind_of(memory: Memory, address: int) -> int | None:
    """The kind of the abi.Type at an address, None when it is not there."""
    raw = memory.bytes(address + KIND_AT, 1)
    return None if raw is None else raw[0] & KIND_MASK


class Structs:
    """Fields of a struct at addresses that may be wrong."""

    def __init__(self, memory: Memory, fields: Fields) -> None:
        self.memory, self.fields = memory, fields

    def uint(self, address: int, struct: str, *path: str) -> int | None:
        """Value of an integer or pointer field, None when it is not there. Raises UnknownLayout."""
        width = min(self.fields.width(struct, *path), 8)
        raw = self.memory.bytes(address + self.fields.offset(struct, *path), width)
        return None if raw is None else int.from_bytes(raw, "little")

    def columns(self, struct: str, addresses: list[int], paths: tuple[tuple[str, ...], ...]) -> list[I64]:
        """Fields of those structs that are there: one int64[k] for each path, the address first."""
        size = self.fields.size(struct)
        rows = [(a, raw) for a in addresses if (raw := self.memory.bytes(a, size)) is not None]
        out = [np.array([a for a, _ in rows], np.int64)]
        for path in paths:
            low = self.fields.offset(struct, *path)
            high = low + min(self.fields.width(struct, *path), 8)
            out.append(np.array([_signed(raw[low:high]) for _, raw in rows], np.int64))
        return out

    def some_of_chain(self, head: int, struct: str, *path: str, limit: int = 1 << 16) -> list[int]:
        """Structs linked by a field, from head as far as the list can be followed."""
        found: dict[int, None] = {}
        at: int | None = head
        while at and at not in found and at % 8 == 0 and len(found) < limit:
            found[at] = None
            at = self.uint(at, struct, *path)
        return list(found)

    def chain(self, head: int, struct: str, *path: str, limit: int = 1 << 16) -> list[int] | None:
        """Structs linked by a field, from head to 0; None when the chain breaks or does not end."""
        found: dict[int, None] = {}
        at: int | None = head
        while at:
            if at in found or at % 8 or len(found) >= limit:
                return None
            found[at] = None
            at = self.uint(at, struct, *path)
        return None if at is None else list(found)


def _signed(raw: bytes) -> int:
    return int.from_bytes(raw, "little", signed=len(raw) == 8)


def addresses(values: I64) -> Bits:
    """Which words may be addresses of words."""
    fits: Bits = (values >= 4096) & (values < USER_SPACE) & (values & 7 == 0)
    return fits


def within(part: range, values: I64) -> Bits:
    """Which values lie in a range of addresses."""
    held: Bits = (values >= part.start) & (values < part.stop)
    return held


def distinct(
    blocks: list[Block], *, scanned: bool = True, wanted: Callable[[I64], Bits] | None = None
) -> Iterator[tuple[int, list[int]]]:
    """Each value that may be an address, with the places that hold it.

    scanned: only of words that the collector scans. wanted: chooses among values.
    """
    places: dict[int, list[int]] = {}
    for block in blocks:
        chosen = block.scanned if scanned else np.ones(len(block.rows), np.bool_)
        if wanted is not None:
            chosen = chosen & wanted(block.values)
        for row, value in zip(block.rows[chosen].tolist(), block.values[chosen].tolist(), strict=True):
            places.setdefault(value, []).append(block.start + 8 * row)
    yield from places.items()


def words_at(blocks: list[Block], at: I64) -> tuple[I64, Bits]:
    """The words at addresses int64[k], as far as they are variables, and which of them are: read already."""
    words, known = np.zeros(len(at), np.int64), np.zeros(len(at), np.bool_)
    for block in blocks:
        held = within(block.extent, at) & (at & 7 == 0)
        words[held] = block.words[(at[held] - block.start) >> 3]
        known |= held
    return words, known


def allocated_slices(blocks: list[Block], constants: range, limit: int) -> Iterator[tuple[int, int, int]]:
    """Scanned words that may begin a slice of at most limit elements: (place, address, length).

    Only slices that were made when the program ran: a large program has tens of thousands of others, whose
    elements are variables or constants.
    """
    for block in blocks:
        rows = block.rows[block.scanned]
        rows = rows[rows + 3 <= len(block.words)]
        length, room = block.at(rows, 8), block.at(rows, 16)
        fits = (length > 0) & (length <= room) & (room <= limit)
        for part in (constants, *(each.extent for each in blocks)):
            fits &= ~within(part, block.words[rows])
        for row in rows[fits].tolist():
            yield block.start + 8 * row, int(block.words[row]), int(block.words[row + 1])
