"""The part of .debug_info that describes package runtime, read no further than it reaches.

The linker describes the types of the whole program in one unit of package runtime, of which a large program
has three times as much behind it (cmd/link/internal/ld/dwarf.go). Stands apart from ``elf`` because only
planning, beside a production process, reads this little. May import ``debuginfo`` and ``model``.
"""

from __future__ import annotations

from collections.abc import Iterator

from goretain.debuginfo.dwarf.units import Sections
from goretain.debuginfo.elf.compression import inflating
from goretain.debuginfo.elf.elf import SHF_COMPRESSED, SHT_NOBITS, Elf
from goretain.model.errors import CorruptFile

_PIECE, _HEADER = 128 << 10, 24
#: A name that only the unit with the types has: Go writes names into .debug_info itself.
_TYPE = b"runtime.mheap\0"


class RuntimeSections(Sections):
    """The DWARF sections of a file, .debug_info no further than the unit that has the runtime's types."""

    def __getitem__(self, name: str) -> bytes:
        """As in ``Sections``; all of .debug_info where no such unit is found. Raises CorruptFile."""
        if name == "info" and name not in self._content:
            self._content[name] = _as_far_as_types(self.elf)
        return super().__getitem__(name)


def _as_far_as_types(elf: Elf) -> bytes:
    pieces = _pieces(elf)
    if pieces is None:
        return elf.section(".debug_info")
    content, found = bytearray(), -1
    try:
        for piece in pieces:
            seen = len(content)
            content += piece
            if found < 0:
                found = content.find(_TYPE, max(seen - len(_TYPE), 0))
            end = _end_of_unit(content, found) if found >= 0 else 0
            if 0 < end <= len(content):
                return bytes(memoryview(content)[:end])
    except ValueError as error:
        offset = elf.sections[".debug_info"].offset
        raise CorruptFile(elf.path, offset, f"section .debug_info: {error}") from None
    return elf.section(".debug_info")


def _end_of_unit(content: bytearray, place: int) -> int:
    """Where the unit ends that a place is in; 0 when the headers do not lead there."""
    at = 0
    while at <= place:
        length = int.from_bytes(content[at : at + 4], "little")
        if not 0 < length < 0xFFFFFFF0:  # a unit of 64 bits: no Go program has any
            return 0
        at += 4 + length
    return at


def _pieces(elf: Elf) -> Iterator[bytes] | None:
    """Content of .debug_info in pieces; None when it cannot be had so."""
    section = elf.sections.get(".debug_info")
    if section is None or section.type == SHT_NOBITS:
        return None
    if not section.flags & SHF_COMPRESSED:
        return _raw(elf, section.offset, section.size)
    if section.size < _HEADER:
        return None
    head = elf.read(section.offset, _HEADER)
    body = _raw(elf, section.offset + _HEADER, section.size - _HEADER)
    return inflating(head, body, section.size - _HEADER)


def _raw(elf: Elf, offset: int, size: int) -> Iterator[bytes]:
    for at in range(0, size, _PIECE):
        yield elf.read(offset + at, min(_PIECE, size - at))
