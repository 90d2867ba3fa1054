"""Compilation units of .debug_info, and the sections that their DIEs point into.

Units of other languages than Go (cgo has C units) are left out without looking at their children.
Source: DWARF 4 and 5, section 7.5.1; cmd/link/internal/ld/dwarf.go. May import ``debuginfo`` and ``model``.
"""

from __future__ import annotations

import bisect
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from goretain.debuginfo.dwarf.abbrev import Abbreviation, AbbreviationTables, uleb
from goretain.debuginfo.dwarf.decoder import (
    AT_ADDR_BASE,
    AT_LANGUAGE,
    AT_LOCLISTS_BASE,
    AT_LOW_PC,
    AT_NAME,
    Decoder,
    Skipper,
    make_decoder,
    make_skipper,
)
from goretain.debuginfo.elf.elf import Elf
from goretain.model.errors import CorruptFile

_LANG_GO = 0x16
_COMPILE_UNIT, _UT_COMPILE, _UT_PARTIAL = 0x11, 1, 3
_UNIT_WANTED = (AT_LANGUAGE, AT_ADDR_BASE, AT_LOCLISTS_BASE)
# A Go program has under 100 distinct abbreviations, and each is compiled for two or three purposes.
_MAX_GENERATED = 5_000
_BROKEN = (IndexError, ValueError, KeyError, OverflowError, TypeError, struct.error)


class Sections:
    """The DWARF sections of a file, each read and decompressed when first used."""

    def __init__(self, elf: Elf) -> None:
        self.elf = elf
        self._content: dict[str, bytes] = {}

    def __getitem__(self, name: str) -> bytes:
        """Content of .debug_<name>, empty when there is none. Raises CorruptFile."""
        content = self._content.get(name)
        if content is None:
            content = self._content[name] = self.elf.section(f".debug_{name}")
        return content

    @contextmanager
    def guard(self, section: str, where: Callable[[], int]) -> Iterator[None]:
        """Turn what decoding hostile bytes raises into CorruptFile, naming the place in the section."""
        try:
            yield
        except _BROKEN as error:
            raise self.corrupt(section, where(), str(error) or type(error).__name__) from None

    def corrupt(self, section: str, at: int, reason: str) -> CorruptFile:
        """A CorruptFile for a place in .debug_<section>; its offset is the section's start in the file."""
        header = self.elf.sections.get(f".debug_{section}")
        offset = header.offset if header else None
        return CorruptFile(self.elf.path, offset, f".debug_{section}+{at:#x}: {reason}")


@dataclass(slots=True)
class Unit:
    """One compilation unit: [start, end) in .debug_info, its own DIE is at first, base is its lowest pc."""

    sections: Sections
    start: int
    first: int
    end: int
    version: int
    offset_size: int
    abbreviations: int
    base: int = 0
    addr_base: int = -1
    loclists_base: int = -1

    def address(self, index: int) -> int:
        """Entry of .debug_addr. Raises ValueError when the unit has no table, struct.error beyond its end."""
        if self.addr_base < 0:
            raise ValueError("an address index in a unit without DW_AT_addr_base")
        found: int = struct.unpack_from("<Q", self.sections["addr"], self.addr_base + 8 * index)[0]
        return found

    def location_list(self, index: int) -> int:
        """Offset in .debug_loclists of the unit's list with that index."""
        if self.loclists_base < 0:
            raise ValueError("a location list index in a unit without DW_AT_loclists_base")
        form = "<I" if self.offset_size == 4 else "<Q"
        at = self.loclists_base + self.offset_size * index
        offset: int = struct.unpack_from(form, self.sections["loclists"], at)[0]
        return self.loclists_base + offset

    def string(self, offset: int) -> bytes:
        """A string of .debug_str."""
        data = self.sections["str"]
        return data[offset : data.index(0, offset)]

    def line_string(self, offset: int) -> bytes:
        """A string of .debug_line_str."""
        data = self.sections["line_str"]
        return data[offset : data.index(0, offset)]


class Units:
    """The Go units of a file, and the generated decoders of their DIEs."""

    def __init__(self, sections: Sections) -> None:
        self.sections = sections
        self._tables = AbbreviationTables(sections["abbrev"])
        self._decoders: dict[tuple[object, ...], Decoder] = {}
        self._skippers: dict[tuple[object, ...], Skipper] = {}

    @property
    def info(self) -> bytes:
        """.debug_info, decompressed."""
        return self.sections["info"]

    @cached_property
    def all(self) -> list[Unit]:
        """Go units by offset. Raises CorruptFile."""
        out: list[Unit] = []
        at = 0
        with self.sections.guard("info", lambda: at):
            while at + 11 < len(self.info):
                unit = self._header(at)
                at = unit.end
                if unit.abbreviations >= 0 and self._complete(unit):
                    out.append(unit)
        return out

    @cached_property
    def _starts(self) -> list[int]:
        return [unit.start for unit in self.all]

    def of_package(self, path: str) -> list[Unit]:
        """The units that are named after a package. Raises CorruptFile."""
        with self.sections.guard("info", lambda: 0):
            return [unit for unit in self.all if self._name(unit) == path.encode()]

    def _name(self, unit: Unit) -> object:
        code, at = uleb(self.info, unit.first)
        decode = self.decoder(self.table(unit)[code], (AT_NAME,), unit)
        return decode(self.info, at, unit)[1]

    def at(self, offset: int) -> Unit:
        """The unit that holds a DIE offset. Raises CorruptFile."""
        i = bisect.bisect_right(self._starts, offset) - 1
        if i < 0 or not self.all[i].first <= offset < self.all[i].end:
            raise self.sections.corrupt("info", offset, "a reference to no unit of Go")
        return self.all[i]

    def _header(self, at: int) -> Unit:
        """Parse a unit's header; ``abbreviations`` is -1 when its kind of unit holds nothing of Go."""
        info = self.info
        length = int.from_bytes(info[at : at + 4], "little")
        size = 4
        body = at + 4
        if length == 0xFFFFFFFF:
            length = int.from_bytes(info[at + 4 : at + 12], "little")
            size, body = 8, at + 12
        end = body + length
        if length < 7 or end > len(info):
            raise ValueError(f"a unit of {length} bytes does not fit")
        version = int.from_bytes(info[body : body + 2], "little")
        if version not in (2, 3, 4, 5):
            raise ValueError(f"DWARF version {version} is unknown")
        kind, address_at, table_at = _UT_COMPILE, body + 2 + size, body + 2
        if version == 5:
            kind, address_at, table_at = info[body + 2], body + 3, body + 4
        first = table_at + size + (version < 5)
        table = int.from_bytes(info[table_at : table_at + size], "little")
        usable = kind in (_UT_COMPILE, _UT_PARTIAL) and info[address_at] == 8 and version >= 4
        return Unit(self.sections, at, first, end, version, size, table if usable else -1)

    def _complete(self, unit: Unit) -> bool:
        """Read the unit's own DIE; False when it is not a unit of Go (its forms may then be strange)."""
        code, at = uleb(self.info, unit.first)
        abbreviation = self._tables.table(unit.abbreviations).get(code)
        if abbreviation is None or abbreviation.tag != _COMPILE_UNIT:
            return False
        if not any(attribute == AT_LANGUAGE for attribute, _, _ in abbreviation.attributes):
            return False
        try:
            decode = self.decoder(abbreviation, _UNIT_WANTED, unit)
        except ValueError:
            return False
        _, language, addr_base, loclists_base = decode(self.info, at, unit)
        if language != _LANG_GO:
            return False
        unit.addr_base = -1 if addr_base is None else addr_base
        unit.loclists_base = -1 if loclists_base is None else loclists_base
        # Only now: the address may be an index into the table whose base was just read.
        unit.base = self.decoder(abbreviation, (AT_LOW_PC,), unit)(self.info, at, unit)[1] or 0
        return True

    def table(self, unit: Unit) -> dict[int, Abbreviation]:
        """Abbreviations of a unit by code."""
        return self._tables.table(unit.abbreviations)

    def decoder(self, abbreviation: Abbreviation, wanted: tuple[int, ...], unit: Unit) -> Decoder:
        """The generated decoder of an abbreviation for the wanted attributes. Raises ValueError."""
        key = (abbreviation.attributes, wanted, unit.offset_size)
        decoder = self._decoders.get(key)
        if decoder is None:
            self._count()
            decoder = self._decoders[key] = make_decoder(abbreviation.attributes, wanted, unit.offset_size)
        return decoder

    def skipper(self, abbreviation: Abbreviation, unit: Unit) -> Skipper:
        """The generated function that moves past DIEs of an abbreviation. Raises ValueError."""
        key = (abbreviation.attributes, unit.offset_size)
        skipper = self._skippers.get(key)
        if skipper is None:
            self._count()
            skipper = self._skippers[key] = make_skipper(abbreviation.attributes, unit.offset_size)
        return skipper

    def _count(self) -> None:
        if len(self._decoders) + len(self._skippers) >= _MAX_GENERATED:
            raise ValueError(f"more than {_MAX_GENERATED} distinct abbreviations in use")
