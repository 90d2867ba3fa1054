"""An ELF core as a MemorySource: of the kernel (GOTRACEBACK=crash) or of gdb's gcore.

What a core does not hold is missing, never zero: the kernel leaves out mappings by coredump_filter, and a
limit or a full disk cuts the end off. Mappings of the program's file that were left out on purpose equal the
file and are read from it; what was cut off is not replaced.
Source: core(5), fs/binfmt_elf.c, struct elf_prstatus and elf_prpsinfo of linux/elfcore.h.
Imports ``debuginfo``, ``capture``, ``model`` and numpy.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from goretain.capture import libc
from goretain.capture.binaries.libraries import libraries, start_of
from goretain.capture.cores.truncated import check_headers
from goretain.capture.image import Library, Mapping, path_at
from goretain.capture.procfs import auxiliary
from goretain.capture.ranges import I64, PAGE, USER_SPACE, as_ranges, normalise, overlaps, subtract, total
from goretain.debuginfo.elf.elf import EM_X86_64, PF_R, PF_W, PF_X, PT_LOAD, PT_NOTE, Elf, Note, Segment
from goretain.model.errors import (
    CorruptFile,
    GoretainError,
    MissingMemory,
    UnsupportedArchitecture,
    UsageError,
)

_NT_PRSTATUS, _NT_PRPSINFO, _NT_AUXV, _NT_FILE = 1, 3, 6, 0x46494C45
_STATUS_PID, _STATUS_REGISTERS, _INFO_PID, _INFO_NAME = 32, 112, 24, 40
_WINDOW = 16 << 20


@dataclass(slots=True)
class CoreNotes:
    """What the notes of a core say: threads, program, files, auxiliary vector.

    cut_off: the file ends before them, or within them.
    """

    pid: int = 0
    name: str = ""
    registers: dict[int, dict[str, int]] = field(default_factory=dict)
    files: list[Mapping] = field(default_factory=list)
    auxiliary: dict[int, int] = field(default_factory=dict)
    cut_off: bool = False


def open_file(path: str) -> Elf:
    """Any ELF file that the user named. Raises UsageError, CorruptFile."""
    try:
        return Elf.open(path)
    except OSError as error:
        raise UsageError(
            f"cannot open {path}: {error.strerror}", hint="check the path and its owner"
        ) from None


def open_core(path: str) -> Elf:
    """The core's ELF file. Raises CorruptFile, UnsupportedArchitecture, UsageError."""
    check_headers(path)
    core = open_file(path)
    if core.elf_class != 64 or core.machine != EM_X86_64 or not core.little_endian:
        raise UnsupportedArchitecture(
            f"{path} is the core of a {core.elf_class}-bit {core.machine_name} program",
            hint="goretain reads cores of 64-bit linux/amd64 programs",
        )
    if core.type != "core":
        raise CorruptFile(
            path, 16, "an ELF file, but not a core", hint="give the core first, its program as the binary"
        )
    return core


def read_notes(core: Elf) -> CoreNotes:
    """Decode the notes, as far as a truncated core has them. Raises CorruptFile."""
    ends = (s.offset + s.filesz for s in core.segments if s.type == PT_NOTE)
    notes = CoreNotes(cut_off=max(ends, default=0) > core.size)
    for note in _held_notes(core, notes.cut_off):
        if note.name != "CORE":
            continue
        if note.type == _NT_PRSTATUS:
            _read_status(core, note.data, note.offset, notes)
        elif note.type == _NT_PRPSINFO and len(note.data) >= _INFO_NAME + 16:
            notes.pid = int.from_bytes(note.data[_INFO_PID : _INFO_PID + 4], "little")
            notes.name = note.data[_INFO_NAME : _INFO_NAME + 16].split(b"\0")[0].decode("utf-8", "replace")
        elif note.type == _NT_AUXV:
            notes.auxiliary = auxiliary(note.data)
        elif note.type == _NT_FILE:
            notes.files = _read_files(core, note.data, note.offset)
    return notes


def _held_notes(core: Elf, cut_off: bool) -> Iterator[Note]:
    try:
        yield from core.notes()
    except CorruptFile:
        if not cut_off:
            raise


def _read_status(core: Elf, data: bytes, at: int, notes: CoreNotes) -> None:
    if len(data) < _STATUS_REGISTERS + 8 * len(libc.REGISTERS):
        raise CorruptFile(core.path, at, "NT_PRSTATUS is shorter than amd64's elf_prstatus")
    tid = int.from_bytes(data[_STATUS_PID : _STATUS_PID + 4], "little")
    values = struct.unpack_from(f"<{len(libc.REGISTERS)}Q", data, _STATUS_REGISTERS)
    notes.registers[tid] = dict(zip(libc.REGISTERS, values, strict=True))


def _read_files(core: Elf, data: bytes, at: int) -> list[Mapping]:
    """NT_FILE: count, page size, then start, end, page offset of each, then the names."""
    if len(data) < 16:
        raise CorruptFile(core.path, at, "NT_FILE is cut off")
    count, page = struct.unpack_from("<QQ", data)
    if len(data) < 16 + 24 * count:
        raise CorruptFile(core.path, at, f"NT_FILE names {count} mappings but is too short for them")
    names = data[16 + 24 * count :].split(b"\0")
    if len(names) < count:
        raise CorruptFile(core.path, at, f"NT_FILE has fewer names than its {count} mappings")
    found: list[Mapping] = []
    rows = struct.iter_unpack("<QQQ", data[16 : 16 + 24 * count])
    for (start, end, offset), name in zip(rows, names, strict=False):
        if not start < end <= USER_SPACE or offset * page >= USER_SPACE:
            raise CorruptFile(core.path, at, f"NT_FILE names an impossible mapping, {start:#x} to {end:#x}")
        found.append(Mapping(start, end, "r--p", offset * page, os.fsdecode(name)))
    return found


class CoreFile:
    """A MemorySource over a core and the binary that it ran.

    Attributes:
        cut_off: ranges whose bytes the file ends before; normal int64[k, 2].
        libraries: plugins that were loaded, whose files are here and are those that were loaded.
    """

    def __init__(self, core: Elf, notes: CoreNotes, binary: Elf, bias: int) -> None:
        self.core = core
        self.libraries: tuple[Library, ...] = ()
        self.notes = notes
        self.binary = binary
        self.bias = bias
        self.registers = notes.registers
        self._loads = [s for s in core.segments if s.type == PT_LOAD and s.vaddr + s.memsz <= USER_SPACE]
        _check_apart(core.path, self._loads)
        promised = normalise(as_ranges((s.vaddr, s.vaddr + min(s.filesz, s.memsz)) for s in self._loads))
        self._promised = promised
        self._extents, self._offsets, self._file = self._find_extents(promised)
        self.cut_off = subtract(promised, normalise(self._extents))

    def use_libraries(self) -> None:
        """Read what the core leaves out of plugins from their files, where these are the ones loaded."""
        start = start_of(self.binary) + self.bias
        self.libraries = tuple(
            library
            for library in libraries(self.notes.files, start, lambda m: _try_to_open(m.path))
            if self._is_that(library)
        )
        if self.libraries:
            self._extents, self._offsets, self._file = self._find_extents(self._promised)

    def _is_that(self, library: Library) -> bool:
        """Whether the core holds the notes (build IDs) of a file, and they are its own."""
        notes = [s for s in library.elf.segments if s.type == PT_NOTE]
        held = [(s, self.dumped(s.vaddr + library.bias, s.filesz)) for s in notes]
        known = [data == library.elf.read(s.offset, s.filesz) for s, data in held if data is not None]
        return bool(known) and all(known)

    def _find_extents(self, promised: I64) -> tuple[I64, I64, I64]:
        """Sorted disjoint ranges that can be read: int64[k, 2], file offsets, and in which file (_files)."""
        loads = ((s.vaddr, min(s.filesz, s.memsz, self.core.size - s.offset), s.offset) for s in self._loads)
        rows = [(start, start + size, offset, 0) for start, size, offset in loads]
        parts = [np.array([row for row in rows if row[1] > row[0]], np.int64).reshape(-1, 4)]
        # gcore writes no segment at all for a mapping that it leaves out, the kernel an empty one.
        for number, ours in enumerate([self._binary_mappings(), *map(self._mapped, self.libraries)], 1):
            filled, _, which = overlaps(subtract(normalise(ours[:, :2]), promised), ours[:, :2])
            offsets = ours[which, 2] + filled[:, 0] - ours[which, 0]
            parts.append(np.column_stack((filled, offsets, np.full(len(filled), number))))
        both = np.concatenate(parts)
        both = both[np.argsort(both[:, 0], kind="stable")]
        return both[:, :2], both[:, 2], both[:, 3]

    def _binary_mappings(self) -> I64:
        """Start, end, file offset of what the core says was mapped from the binary: int64[k, 3], sorted."""
        entry = self.binary.entry + self.bias
        path = path_at(self.notes.files, entry)
        mapped = [(m.start, m.end, m.offset) for m in self.notes.files if m.path == path]
        if not path:  # cores without NT_FILE: as the program headers say
            loads = (s for s in self.binary.segments if s.type == PT_LOAD and s.filesz)
            mapped = [(s.vaddr + self.bias, s.vaddr + s.filesz + self.bias, s.offset) for s in loads]
        return _within(mapped, self.binary.size)

    def _mapped(self, library: Library) -> I64:
        rows = [(m.start, m.end, m.offset) for m in self.notes.files if m.path == library.path]
        return _within(rows, library.elf.size)

    def mappings(self) -> list[Mapping]:
        """The address space: the segments of the core with the paths of NT_FILE."""
        paths = {m.start: m for m in self.notes.files}
        found: list[Mapping] = []
        for s in self._loads:
            bits = (("r", PF_R), ("w", PF_W), ("x", PF_X))
            flags = "".join(c if s.flags & bit else "-" for c, bit in bits) + "p"
            file = paths.get(s.vaddr)
            offset, path = (file.offset, file.path) if file is not None else (0, "")
            found.append(Mapping(s.vaddr, s.vaddr + s.memsz, flags, offset, path))
        here = {m.start for m in found}
        for library in self.libraries:  # gcore leaves out what no program can change
            found += [m for m in self._as_loaded(library) if m.start not in here]
        return sorted(found, key=lambda m: m.start)

    def _as_loaded(self, library: Library) -> list[Mapping]:
        """The mappings of a plugin's file with the flags that its program headers give them."""
        code = {s.offset & -PAGE for s in library.elf.segments if s.type == PT_LOAD and s.flags & PF_X}
        return [
            replace(m, flags="r-xp" if m.offset in code else "r--p")
            for m in self.notes.files
            if m.path == library.path
        ]

    def held(self, ranges: I64) -> I64:
        """The part of normal ranges that can be read, normal."""
        return normalise(overlaps(ranges, self._extents)[0])

    def dumped(self, address: int, size: int) -> bytes | None:
        """size bytes at address if the core itself (not the binary) holds them all, else None."""
        wanted = as_ranges([(address, address + size)])
        pieces, _, which = overlaps(wanted, self._extents)
        if total(pieces) < size or bool(self._file[which].any()):
            return None
        return self.read(address, size)

    def read(self, address: int, size: int) -> bytes:
        """size bytes at address. Raises MissingMemory."""
        return self.gather(as_ranges([(address, address + size)])).tobytes()

    def gather(self, ranges: I64) -> NDArray[np.uint8]:
        """All ranges int64[k, 2] concatenated in the order given. Raises MissingMemory if one is absent."""
        sizes = ranges[:, 1] - ranges[:, 0]
        if bool((sizes < 0).any() | (ranges[:, 0] < 0).any()):
            raise MissingMemory(int(ranges[0, 0]), int(sizes.min()))
        out = np.empty(int(sizes.sum()), np.uint8)
        self.read_into(ranges, np.cumsum(sizes) - sizes, out)
        return out

    def read_into(self, ranges: I64, places: I64, out: NDArray[np.uint8]) -> None:
        """Read ranges[i] to out[places[i]:]. Raises MissingMemory, CorruptFile."""
        pieces, owner, extent = overlaps(ranges, self._extents)
        covered = np.bincount(owner, pieces[:, 1] - pieces[:, 0], len(ranges)).astype(np.int64)
        short = np.flatnonzero(covered != ranges[:, 1] - ranges[:, 0])
        if len(short):
            start, end = ranges[short[0]].tolist()
            raise MissingMemory(start, end - start)
        at = places[owner] + pieces[:, 0] - ranges[owner, 0]
        offsets = self._offsets[extent] + pieces[:, 0] - self._extents[extent, 0]
        files = [self.core, self.binary, *(library.elf for library in self.libraries)]
        numbers = self._file[extent].tolist()
        sizes = (pieces[:, 1] - pieces[:, 0]).tolist()
        view = out.data
        for place, offset, size, number in zip(at.tolist(), offsets.tolist(), sizes, numbers, strict=True):
            file = files[number]
            for done in range(0, size, _WINDOW):
                part = file.read(offset + done, min(_WINDOW, size - done))
                view[place + done : place + done + len(part)] = part


def _check_apart(path: str, loads: list[Segment]) -> None:
    """Raise CorruptFile where two segments claim the same memory, or the same bytes of the file: one of their
    headers is damaged, and what it leads to would be taken for other memory."""
    filed = sorted((s.offset, s.filesz) for s in loads if s.filesz)
    for what, rows in (("file", filed), ("memory", sorted((s.vaddr, s.memsz) for s in loads))):
        for (start, size), (next_, _) in itertools.pairwise(rows):
            if start + size > next_:
                raise CorruptFile(path, 64, f"two segments (PT_LOAD) overlap in the {what} at {next_:#x}")


def _within(mapped: list[tuple[int, int, int]], size: int) -> I64:
    """Rows of start, end, file offset, sorted, less what of the last page lies beyond the end of the file."""
    rows = ((start, min(end, start + size - offset), offset) for start, end, offset in sorted(mapped))
    return np.array([row for row in rows if row[1] > row[0]], np.int64).reshape(-1, 3)


def _try_to_open(path: str) -> Elf | None:
    """The ELF file of that name, None where it is none, or not here."""
    with contextlib.suppress(OSError, GoretainError):
        return Elf.open(path) if Path(path).is_file() else None
    return None
