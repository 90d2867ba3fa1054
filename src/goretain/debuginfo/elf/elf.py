"""ELF files: segments, sections, symbols, notes and what Go adds to them; executables and core files alike.

Read lazily with ``pread``: opening costs the header and the two tables. Files of another class, byte order or
machine open too, with empty tables, so that the caller can say what they are. Source: elf(5), debug/elf,
cmd/link/internal/ld/elf.go. May import ``debuginfo`` and ``model``.
"""

from __future__ import annotations

import bisect
import contextlib
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Self

from goretain.debuginfo.elf import buildinfo
from goretain.debuginfo.elf.buildinfo import GoBuildInfo
from goretain.debuginfo.elf.compression import decompress, decompress_old
from goretain.debuginfo.elf.files import PreadFile, ReadableFile
from goretain.debuginfo.elf.symbols import SymbolTable
from goretain.model.errors import CorruptFile, MissingMemory

EM_X86_64 = 62
PT_LOAD, PT_NOTE = 1, 4
PF_X, PF_W, PF_R = 1, 2, 4
SHF_WRITE, SHF_ALLOC, SHF_EXECINSTR, SHF_COMPRESSED = 1, 2, 4, 0x800
SHT_NOBITS = 8
_XNUM = 0xFFFF
# No file and no address space of linux/amd64 comes near this; sums of two of these fit into 63 bits.
_IMPOSSIBLE = 1 << 60
_KINDS: dict[int, Literal["exec", "dyn", "core", "other"]] = {2: "exec", 3: "dyn", 4: "core"}
_MACHINES = {3: "386", 8: "mips", 20: "ppc", 21: "ppc64", 22: "s390x", 40: "arm", 62: "amd64", 183: "arm64"}
_MACHINES |= {243: "riscv64", 258: "loong64"}
# Without section headers build info is searched for in the writable segments. In a PIE it stands behind the
# types, of which the largest programs have some megabytes.
_BUILDINFO_WINDOW, _BUILDINFO_LIMIT = 64 << 10, 64 << 20


@dataclass(frozen=True, slots=True)
class Segment:
    """One program header: type and flags (PT_*, PF_*), place in the file, link address and size in memory."""

    type: int
    flags: int
    offset: int
    vaddr: int
    filesz: int
    memsz: int
    align: int = 0


@dataclass(frozen=True, slots=True)
class Section:
    """One section header: type and flags (SHT_*, SHF_*), link address (0: not loaded), place in the file."""

    name: str
    type: int
    flags: int
    address: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Note:
    """One note: owner ("CORE", "GNU", "Go"), type, its description and the offset of that in the file."""

    name: str
    type: int
    offset: int
    data: bytes


class Elf:
    """An ELF file.

    Attributes:
        path: the file, as opened.
        elf_class: 32 or 64. little_endian: its byte order. machine: the e_machine number.
        type: "exec", "dyn" (also PIE), "core" or "other".
        entry: link address of the first instruction.
        segments: program headers in file order. sections: by name (the first of equal names).
            Both are empty unless the file is 64-bit little-endian.
        tables: where its headers stand in the file, (offset, size) each.
    """

    def __init__(self, file: ReadableFile) -> None:
        self._file = file
        self.path = file.path
        self.segments: list[Segment] = []
        self.sections: dict[str, Section] = {}
        self.tables: list[tuple[int, int]] = [(0, 64)]
        ident = file.read(0, 20) if file.size >= 20 else b""
        if ident[:4] != b"\x7fELF":
            raise CorruptFile(self.path, 0, "not an ELF file", hint="give the program itself, not a script")
        self.elf_class = {1: 32, 2: 64}.get(ident[4], 0)
        self.little_endian = ident[5] == 1
        order: Literal["little", "big"] = "little" if self.little_endian else "big"
        self.type = _KINDS.get(int.from_bytes(ident[16:18], order), "other")
        self.machine = int.from_bytes(ident[18:20], order)
        self.entry = 0
        if self.elf_class == 64 and self.little_endian:
            self._read_tables()

    @classmethod
    def open(cls, target: str | int) -> Self:
        """Open a path or an open descriptor (duplicated). Raises OSError, CorruptFile."""
        file = PreadFile.open(target)
        try:
            return cls(file)
        except BaseException:
            file.close()
            raise

    def close(self) -> None:
        """Close the file; what was read stays usable."""
        self._file.close()

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self._file.size

    @property
    def machine_name(self) -> str:
        """The machine as GOARCH names it, or its number."""
        return _MACHINES.get(self.machine, f"machine {self.machine}")

    def _read_tables(self) -> None:
        head = struct.unpack("<QQQIHHHHHH", self._file.read(24, 40))
        self.entry, phoff, shoff, _flags, _ehsize, phentsize, phnum, shentsize, shnum, names_at = head
        first = None
        if shoff and shentsize == 64 and (phnum == _XNUM or shoff + 64 <= self.size):
            first = struct.unpack("<IIQQQQIIQQ", self._file.read(shoff, 64))
        # Counts that do not fit into 16 bits stand in the first section header (cores of many mappings).
        if first is not None:
            shnum = shnum or first[5]
            phnum = first[7] if phnum == _XNUM else phnum
            names_at = first[6] if names_at == _XNUM else names_at
        if not shoff:  # the table was taken away; what is left of the counts means nothing
            shnum = 0
        if phnum and phentsize != 56:
            raise CorruptFile(self.path, 54, f"program headers of {phentsize} bytes instead of 56")
        if shnum and shentsize != 64:
            raise CorruptFile(self.path, 58, f"section headers of {shentsize} bytes instead of 64")
        self.tables += [(phoff, phnum * 56), (shoff, shnum * 64)]
        for row in struct.iter_unpack("<IIQQQQQQ", self._file.read(phoff, phnum * 56)):
            kind, flags, offset, vaddr, _paddr, filesz, memsz, align = row
            # The kernel's own page, vsyscall, stands in cores at the top of the address space.
            if self.type != "core" and max(offset + filesz, vaddr + memsz) > _IMPOSSIBLE:
                where = f"{filesz:#x} bytes at {offset:#x}, {memsz:#x} at address {vaddr:#x}"
                raise CorruptFile(self.path, phoff, f"impossible segment of {where}")
            self.segments.append(Segment(kind, flags, offset, vaddr, filesz, memsz, align))
        if self.type == "core" and shoff + shnum * 64 > self.size:
            # Only a core's segments matter, and its section headers are the first to go when it is cut short.
            return
        rows = list(struct.iter_unpack("<IIQQQQIIQQ", self._file.read(shoff, shnum * 64)))
        self._read_sections(rows, names_at)

    def _read_sections(self, rows: list[tuple[int, ...]], names_at: int) -> None:
        if names_at >= len(rows):
            return
        self.tables.append((rows[names_at][4], rows[names_at][5]))
        names = self._file.read(*self.tables[-1])
        for row in rows[1:]:
            end = names.find(b"\0", row[0], row[0] + 256)
            if end < 0:
                raise CorruptFile(self.path, rows[names_at][4] + row[0], "a section's name has no end")
            name = names[row[0] : end].decode("utf-8", "replace")
            if self.type != "core" and max(row[3], row[4]) + row[5] > _IMPOSSIBLE:
                where = f"{row[5]:#x} bytes at {row[4]:#x}, at address {row[3]:#x}"
                raise CorruptFile(self.path, self.tables[-2][0], f"impossible section {name} of {where}")
            self.sections.setdefault(name, Section(name, row[1], row[2], row[3], row[4], row[5]))

    def read(self, offset: int, size: int) -> bytes:
        """size bytes at an offset of the file. Raises CorruptFile."""
        return self._file.read(offset, size)

    def read_vaddr(self, vaddr: int, size: int) -> bytes:
        """size bytes at a link address, from the file. Raises MissingMemory (also for bss), CorruptFile."""
        loads, starts = self._loads
        i = bisect.bisect_right(starts, vaddr) - 1
        if i < 0 or vaddr + size > loads[i].vaddr + loads[i].filesz:
            raise MissingMemory(vaddr, size)
        return self.read(loads[i].offset + vaddr - loads[i].vaddr, size)

    @cached_property
    def _loads(self) -> tuple[list[Segment], list[int]]:
        """PT_LOAD segments that have bytes in the file, by address, and their addresses."""
        loads = [segment for segment in self.segments if segment.type == PT_LOAD and segment.filesz]
        loads.sort(key=lambda segment: segment.vaddr)
        return loads, [segment.vaddr for segment in loads]

    def section(self, name: str) -> bytes:
        """Content of a section, decompressed; empty when there is none or it has no bytes in the file.

        A DWARF section is also found by its old compressed name (.zdebug_info for .debug_info).
        Raises CorruptFile when it lies outside the file or does not decompress to the size it claims.
        """
        section = self.sections.get(name) or self.sections.get(name.replace(".debug_", ".zdebug_"))
        if section is None or section.type == SHT_NOBITS:
            return b""
        data = self.read(section.offset, section.size)
        if section.flags & SHF_COMPRESSED:
            return self._expand(section, data, decompress)
        return self._expand(section, data, decompress_old) if section.name.startswith(".zdebug_") else data

    def _expand(self, section: Section, data: bytes, method: Callable[[bytes], bytes]) -> bytes:
        try:
            return method(data)
        except ValueError as error:
            raise CorruptFile(self.path, section.offset, f"section {section.name}: {error}") from None

    @cached_property
    def symbols(self) -> SymbolTable:
        """Defined symbols by name; empty when stripped. Raises CorruptFile, also when a name is looked up."""
        table = self.sections.get(".symtab")
        at = table.offset if table is not None else 0
        return SymbolTable(self.section(".symtab"), self.section(".strtab"), self.path, at)

    def notes(self) -> Iterator[Note]:
        """All notes of all note segments, in file order. Raises CorruptFile when one is cut off."""
        for segment in self.segments:
            if segment.type == PT_NOTE:
                yield from self._notes_in(segment)

    def _notes_in(self, segment: Segment) -> Iterator[Note]:
        align = 8 if segment.align == 8 else 4
        at, end = segment.offset, segment.offset + segment.filesz
        while at + 12 <= end:
            name_size, size, kind = struct.unpack("<III", self.read(at, 12))
            data_at = at + -(-(12 + name_size) // align) * align
            if name_size > 4096 or data_at + size > end:
                raise CorruptFile(self.path, at, "a note is longer than its segment")
            name = self.read(at + 12, name_size).rstrip(b"\0").decode("utf-8", "replace")
            yield Note(name, kind, data_at, self.read(data_at, size))
            at = data_at + -(-size // align) * align

    @cached_property
    def go_build_id(self) -> str:
        """The build ID that the Go linker wrote, "" when there is none."""
        ids = (note.data for note in self.notes() if (note.name, note.type) == ("Go", 4))
        return next(ids, b"").decode("utf-8", "replace")

    @cached_property
    def gnu_build_id(self) -> str:
        """The GNU build ID in hexadecimal, "" when there is none; Go's linker writes it beside the notes."""
        at = self.sections.get(".note.gnu.build-id")
        beside = [] if at is None else [Segment(PT_NOTE, 0, at.offset, at.address, at.size, at.size)]
        with contextlib.suppress(CorruptFile, StopIteration):  # an image may lack the section
            notes = (note for part in (self.notes(), *map(self._notes_in, beside)) for note in part)
            return next(n.data.hex() for n in notes if (n.name, n.type) == ("GNU", 3))
        return ""

    @property
    def build_info_extent(self) -> tuple[int, int] | None:
        """Offset and size of the part of the file from which the build info is read; None without one."""
        return self._build_info_at[0] if self._build_info_at is not None else None

    @property
    def _build_info(self) -> tuple[str, str] | None:
        return self._build_info_at[1] if self._build_info_at is not None else None

    @cached_property
    def _build_info_at(self) -> tuple[tuple[int, int], tuple[str, str]] | None:
        section = self.sections.get(".go.buildinfo")
        decoded = buildinfo.decode(self.section(section.name)) if section is not None else None
        if section is not None and decoded is not None:
            return (section.offset, section.size), decoded
        return next(self._search_build_info(), None)

    def _search_build_info(self) -> Iterator[tuple[tuple[int, int], tuple[str, str]]]:
        """Build info in the writable segments, found by its magic number: window by window, because what
        an image keeps of the file is the window that held it."""
        for segment in self.segments:
            if segment.type != PT_LOAD or not segment.flags & PF_W:
                continue
            for at in range(0, min(segment.filesz, _BUILDINFO_LIMIT), _BUILDINFO_WINDOW):
                extent = segment.offset + at, min(segment.filesz - at, 2 * _BUILDINFO_WINDOW)
                try:
                    data = self.read(*extent)
                except CorruptFile:
                    continue
                found = buildinfo.find(data, segment.vaddr + at)
                decoded = buildinfo.decode(data[found:]) if found >= 0 else None
                if decoded is not None:
                    yield extent, decoded

    @property
    def go_version(self) -> str | None:
        """Such as "go1.25.5" or "go1.24.11 X:noswissmap", also when stripped; None: not built by Go 1.18+."""
        return self._build_info[0] if self._build_info is not None else None

    @cached_property
    def go_modinfo(self) -> GoBuildInfo | None:
        """Modules and build settings; None when the binary carries none."""
        found = self._build_info
        return buildinfo.parse_modules(found[1]) if found is not None and found[1] else None
