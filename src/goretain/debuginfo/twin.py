"""Whether a binary is the unstripped twin of another: built from the same source, linked with other flags.

Stripping at link time (-ldflags=-s, -w) and -buildid= change the build info, a text in read-only data that
is longer or shorter then, and so where sections start and what refers to them; functions, types and
variables stay what they are. Compared are the function table (names, pc-value tables and functions; names of
files may differ by -trimpath), the machine code, of which only addresses may differ and only as sections
moved, the runtime's types, of which only addresses may differ, and the sizes of the variables' sections.
Source: cmd/link/internal/ld/data.go, pcln.go. May import ``debuginfo``, ``model`` and numpy.
"""

from __future__ import annotations

import itertools
import struct

import numpy as np
from numpy.typing import NDArray

from goretain.debuginfo.elf import PT_LOAD, SHF_ALLOC, SHF_WRITE, Elf, Section
from goretain.debuginfo.pclntab import MAGIC_GO_1_20
from goretain.debuginfo.translated import Shift, Shifts
from goretain.model.errors import BinaryMismatch, CorruptFile, MissingMemory

_NOBITS = 8
_EXECUTABLE = 4
_HEADER = 72
_MAGIC = struct.pack("<IHBB", MAGIC_GO_1_20, 0, 1, 8)
_FUNC_SIZE = 44
_TABLE_LIMIT = 1 << 30
_TABLES = (".gopclntab", ".data.rel.ro.gopclntab")
#: Writable sections that the linker fills by what else is in the file.
_VARYING = frozenset((".go.buildinfo", ".dynamic", ".got", ".got.plt", ".init_array", ".fini_array"))
#: Settings of a build that change nothing of what is compared.
_NO_MATTER = frozenset(("-ldflags", "vcs.time", "vcs.modified"))
HINT = "give an unstripped build of the same source: same commit, Go version, tags and flags but -s -w"


def shifts_of_twin(binary: Elf, twin: Elf) -> Shifts:
    """Where the sections of the twin are in the binary. Raises BinaryMismatch, CorruptFile."""
    try:
        return _compare(binary, twin)
    except (ValueError, OverflowError, IndexError, struct.error):
        # Sections that overlap, end beyond all addresses and the like: nobody built such a file.
        raise _mismatch(binary, twin, "one of them is damaged") from None


def _compare(binary: Elf, twin: Elf) -> Shifts:
    ours, theirs = _tables(binary), _tables(twin)
    for name, a, b in zip(("function names", "pc-value tables", "functions"), ours, theirs, strict=True):
        if a != b:
            raise _mismatch(binary, twin, f"their {name} differ")
    shifts = _sections(binary, twin)
    _compare_types(binary, twin)
    _compare_code(binary, twin, shifts)
    return shifts


def _mismatch(binary: Elf, twin: Elf, what: str) -> BinaryMismatch:
    return BinaryMismatch(
        f"{twin.path} was not built from the same source as the program that runs, {binary.path}: {what}"
        f"{differences(binary, twin)}",
        hint=HINT,
    )


def differences(binary: Elf, twin: Elf) -> str:
    """What the build info of two binaries says that they differ in, to follow a sentence; "" for nothing."""
    found: list[str] = []
    if binary.go_version != twin.go_version:
        found.append(f"{twin.go_version} instead of {binary.go_version}")
    ours, theirs = binary.go_modinfo, twin.go_modinfo
    if ours is not None and theirs is not None:
        if ours.path != theirs.path:
            found.append(f"package {theirs.path} instead of {ours.path}")
        for a, b in ((ours.versions, theirs.versions), (ours.settings, theirs.settings)):
            found += [
                f"{key} {b.get(key, 'none')} instead of {a.get(key, 'none')}"
                for key in sorted(a.keys() | b.keys())
                if a.get(key) != b.get(key) and key not in _NO_MATTER
            ]
    return f" ({'; '.join(found[:6])})" if found else ""


# -- the function table


def _tables(elf: Elf) -> tuple[bytes, bytes, bytes]:
    """Names, pc-value tables and functions of the pclntab. Raises BinaryMismatch, CorruptFile."""
    for at, content in _candidates(elf):
        parts = _parts(content, at)
        if parts is not None:
            return parts
    raise BinaryMismatch(
        f"{elf.path} has no Go function table that could be compared",
        hint="give the whole program, not a file of debug information only",
    )


def _candidates(elf: Elf) -> list[tuple[int, bytes]]:
    """Positions of what may be function tables, and the sections that they are in."""
    named = next((elf.section(name) for name in _TABLES if name in elf.sections), b"")
    if named:
        return [(0, named)]
    # Linked by the C compiler, it is somewhere in .data.rel.ro (PIE) or .rodata.
    found: list[tuple[int, bytes]] = []
    for section in elf.sections.values():
        if section.flags & SHF_ALLOC and not section.flags & _EXECUTABLE and section.type != _NOBITS:
            content = elf.section(section.name)
            at = content.find(_MAGIC)
            while at >= 0:
                found.append((at, content))
                at = content.find(_MAGIC, at + 1)
    return found


def _parts(content: bytes, at: int) -> tuple[bytes, bytes, bytes] | None:
    """Names, pc-value tables and functions of a table at a position, None when there is none."""
    if len(content) < at + _HEADER or content[at : at + 8] != _MAGIC:
        return None
    count, _files, _text, *offsets = struct.unpack_from("<QQQQQQQQ", content, at + 8)
    ordered = all(a <= b for a, b in itertools.pairwise([_HEADER, *offsets]))
    names, units, _, values, functions = offsets
    if not ordered or at + functions + count * 8 + 4 > len(content) or not count or count > _TABLE_LIMIT:
        return None
    pairs = np.frombuffer(content, "<u4", 2 * count, at + functions).reshape(-1, 2)
    last = at + functions + int(pairs[:, 1].max())
    if last + _FUNC_SIZE > len(content):
        return None
    # runtime._func: npcdata is its seventh word after the entry, nfuncdata its last byte.
    tail = 4 * (int.from_bytes(content[last + 28 : last + 32], "little") + content[last + 43])
    end = last + _FUNC_SIZE + tail
    whole = (content[at + names : at + units], content[at + values : at + functions])
    return (*whole, content[at + functions : end]) if end <= len(content) else None


# -- sections


def _sections(binary: Elf, twin: Elf) -> Shifts:
    """Distances of code and variables; each section must be there in both, of one size."""
    shifts: list[Shift] = []
    for section in twin.sections.values():
        if not section.flags & SHF_ALLOC or not section.address or not section.size:
            continue
        ours = binary.sections.get(section.name)
        same = ours is not None and ours.size == section.size and ours.type == section.type
        if _is_placed(section) and not same:
            size = "none" if ours is None else f"{ours.size} bytes"
            raise _mismatch(
                binary, twin, f"section {section.name} has {section.size} bytes, in the program {size}"
            )
        if ours is not None and same and _is_placed(section):
            end = section.address + section.size
            shifts.append(Shift(section.address, end, ours.address - section.address))
    if not shifts:
        raise _mismatch(binary, twin, "they have no section in common")
    return Shifts(shifts)


def _is_placed(section: Section) -> bool:
    """Whether what is in the section has the same place in it in both files: code and variables."""
    wanted = section.flags & (SHF_WRITE | _EXECUTABLE)
    return bool(wanted) and section.name not in _VARYING and not section.name.startswith(".data.rel.ro")


# -- types and code: equal but for addresses


def _compare_types(binary: Elf, twin: Elf) -> None:
    """Words of the runtime's types may differ only where both are addresses."""
    start, end = _types(twin)
    section = next((s for s in twin.sections.values() if s.address <= start < s.address + s.size), None)
    ours = binary.sections.get(section.name) if section is not None else None
    size = end - start & ~7
    if section is None or ours is None or ours.size < start - section.address + size:
        raise _mismatch(binary, twin, "the program has no such types")
    try:
        a = binary.read_vaddr(ours.address + start - section.address, size)
        b = twin.read_vaddr(start, size)
    except (MissingMemory, CorruptFile):
        raise _mismatch(binary, twin, "their types cannot be compared") from None
    words = np.frombuffer(a, np.uint64), np.frombuffer(b, np.uint64)
    differs = words[0] != words[1]
    if bool((differs & ~(_mapped(binary, words[0]) & _mapped(twin, words[1]))).any()):
        raise _mismatch(binary, twin, "their types differ")


def _types(twin: Elf) -> tuple[int, int]:
    """Link addresses [start, end) of the types in the twin, texts that follow them left out."""
    symbols = twin.symbols
    first, last = symbols.get("runtime.types"), symbols.get("runtime.etypes")
    if first is None or last is None:
        raise BinaryMismatch(
            f"{twin.path} has no symbol table: it is stripped itself",
            hint="build it without -ldflags=-s",
        )
    after = (symbols.get(name) for name in ("go:string.*", "go:func.*"))
    ends = [s.value for s in after if s is not None and first.value < s.value < last.value]
    return first.value, min([last.value, *ends])


def _mapped(elf: Elf, addresses: NDArray[np.uint64]) -> NDArray[np.bool_]:
    held = np.zeros(len(addresses), np.bool_)
    for segment in elf.segments:
        if segment.type == PT_LOAD:
            held |= (addresses >= segment.vaddr) & (addresses < segment.vaddr + segment.memsz)
    return held


def _compare_code(binary: Elf, twin: Elf, shifts: Shifts) -> None:
    """Bytes of the machine code may differ only in displacements that lead to the same thing."""
    for section in twin.sections.values():
        if not section.flags & _EXECUTABLE or section.name != ".text":
            continue
        ours = binary.sections[section.name]
        a = np.frombuffer(binary.section(section.name), np.uint8)
        b = np.frombuffer(twin.section(section.name), np.uint8)
        if len(a) != len(b):
            raise _mismatch(binary, twin, "their code differs in length")
        places = _Places(binary, twin, shifts)
        left = places.unexplained(a, b, ours.address, section.address)
        if len(left):
            raise _mismatch(
                binary, twin, f"their code differs in {len(left)} bytes, first at {ours.address + left[0]:#x}"
            )


class _Places:
    """What an address of one file is in the other."""

    def __init__(self, binary: Elf, twin: Elf, shifts: Shifts) -> None:
        rows = [(s.start, s.end, s.distance) for s in shifts.shifts]
        self._moved = np.array(rows, np.int64).reshape(-1, 3)
        self._fixed = [_read_only(elf) for elf in (binary, twin)]

    def unexplained(
        self, a: NDArray[np.uint8], b: NDArray[np.uint8], a_at: int, b_at: int
    ) -> NDArray[np.int64]:
        """Positions int64[k] of bytes that differ for no known reason, a of the binary, b of the twin."""
        differ = np.flatnonzero(a != b)
        if not len(differ):
            return differ
        window = np.arange(4)
        starts = np.unique((differ[:, None] - window).ravel())
        starts = starts[(starts >= 0) & (starts + 4 <= len(a))]
        good = np.zeros(len(a) + 4, np.bool_)
        good[starts[self._same(_words(a, starts), _words(b, starts), a_at + starts, b_at + starts)]] = True
        explained: NDArray[np.bool_] = good[np.maximum(differ[:, None] - window, 0)].any(axis=1)
        return differ[~explained]

    def _same(
        self, a: NDArray[np.int64], b: NDArray[np.int64], a_at: NDArray[np.int64], b_at: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Whether displacements a and b at these addresses lead to the same thing, as such or absolute."""
        good = self._leads(a, b)
        for after in (4, 5, 6, 8):  # the instruction ends there, or after an immediate
            good |= self._leads(a_at + after + a, b_at + after + b)
        return good

    def _leads(self, a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.bool_]:
        i = np.maximum(np.searchsorted(self._moved[:, 0], b, side="right") - 1, 0)
        # One beyond the end is where a variable that fills its section ends.
        inside = (b >= self._moved[i, 0]) & (b <= self._moved[i, 1])
        moved = inside & (a == b + self._moved[i, 2])
        ours, theirs = (_inside(rows, x) for rows, x in zip(self._fixed, (a, b), strict=True))
        found: NDArray[np.bool_] = moved | (ours & theirs)
        return found


def _words(data: NDArray[np.uint8], at: NDArray[np.int64]) -> NDArray[np.int64]:
    rows = np.ascontiguousarray(data[at[:, None] + np.arange(4)])
    return rows.view("<i4")[:, 0].astype(np.int64)


def _read_only(elf: Elf) -> NDArray[np.int64]:
    """Address ranges of read-only data, whose order depends on its content: int64[k, 2]."""
    rows = [
        (s.address, s.address + s.size)
        for s in elf.sections.values()
        if s.flags & SHF_ALLOC and s.address and (not _is_placed(s)) and not s.flags & _EXECUTABLE
    ]
    return np.array(rows, np.int64).reshape(-1, 2)


def _inside(rows: NDArray[np.int64], addresses: NDArray[np.int64]) -> NDArray[np.bool_]:
    held = np.zeros(len(addresses), np.bool_)
    for start, end in rows.tolist():
        held |= (addresses >= start) & (addresses < end)
    return held
