"""Whether a binary is the unstripped twin of another: built from the same source, linked with other flags.

Stripping at link time (-ldflags=-s, -w) and -buildid= change the build info, a text in read-only data that
is longer or shorter then, and so where sections start and what refers to them; functions, types and
variables stay what they are. Compared are the function table (names, pc-value tables and functions; names of
files may differ by -trimpath), the machine code, of which only addresses may differ and only as sections
moved, the runtime's types, of which only addresses may differ, and the sizes of the variables' sections.
Source: cmd/link/internal/ld/data.go, pcln.go. May import ``debuginfo``, ``model`` and numpy.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from goretain.debuginfo.beside.sectionless import with_sections
from goretain.debuginfo.beside.translated import Shift, Shifts
from goretain.debuginfo.elf.elf import PT_LOAD, SHF_ALLOC, SHF_EXECINSTR, SHF_WRITE, Elf, Section
from goretain.debuginfo.pclntab.tableparts import table_parts
from goretain.model.errors import BinaryMismatch, CorruptFile, MissingMemory

I64 = NDArray[np.int64]
#: Writable sections that the linker fills by what else is in the file.
_VARYING = frozenset((".go.buildinfo", ".dynamic", ".got", ".got.plt", ".init_array", ".fini_array"))
#: Settings of a build that change nothing of what is compared.
_NO_MATTER = frozenset(("-ldflags", "vcs.time", "vcs.modified", "DefaultGODEBUG"))  # the last: of go.mod
HINT = "give an unstripped build of the same source: same commit, Go version, tags and flags but -s -w"


def shifts_of_twin(binary: Elf, twin: Elf) -> Shifts:
    """Where the sections of the twin are in the binary. Raises BinaryMismatch, CorruptFile."""
    try:
        return _compare(binary, twin)
    except (ValueError, OverflowError, LookupError, struct.error):
        # Sections that overlap, end beyond all addresses and the like: nobody built such a file.
        raise _mismatch(binary, twin, "one of them is damaged") from None


def _compare(binary: Elf, twin: Elf) -> Shifts:
    ours, theirs = table_parts(binary), table_parts(twin)
    for name, a, b in zip(("function names", "pc-value tables", "functions"), ours, theirs, strict=True):
        if a != b:
            raise _mismatch(binary, twin, f"their {name} differ")
    if not binary.sections:
        return _compare_sectionless(binary, twin)
    return _compare_placed(binary, twin)


def _compare_sectionless(binary: Elf, twin: Elf) -> Shifts:
    """As ``_compare``, of a program whose section headers were taken away."""
    placed = with_sections(binary, twin)
    why = "their segments differ"
    if placed is not None:
        try:
            return _compare_placed(placed, twin)
        except BinaryMismatch as error:
            why = error.message
    raise BinaryMismatch(
        f"{why} ({binary.path} has no section headers: it was compared with {twin.path} by its segments)",
        hint=HINT,
    )


def _compare_placed(binary: Elf, twin: Elf) -> Shifts:
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
    wanted = section.flags & (SHF_WRITE | SHF_EXECINSTR)
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
    regions = [(binary, ours.address + start - section.address), (twin, start)]
    words = [np.frombuffer(raw, np.uint64).astype(np.int64) for raw in (a, b)]
    (p, v), (q, w) = (_relocations(elf, at, size) for elf, at in regions)
    moved = np.array_equal(p, q) and _alike(v, w, regions, size).all()
    if not moved or not _alike(words[0], words[1], regions, size).all():
        raise _mismatch(binary, twin, "their types differ")


def _alike(a: I64, b: I64, regions: list[tuple[Elf, int]], size: int) -> NDArray[np.bool_]:
    """Whether words of the types say the same: the same number, the same type, or both another address."""
    (binary, a_at), (twin, b_at) = regions
    own, other = (a >= a_at) & (a < a_at + size), (b >= b_at) & (b < b_at + size)
    elsewhere = ~own & ~other & _mapped(binary, a) & _mapped(twin, b)
    found: NDArray[np.bool_] = (a == b) | (own & other & (a - a_at == b - b_at)) | elsewhere
    return found


def _relocations(elf: Elf, start: int, size: int) -> tuple[I64, I64]:
    """Places in [start, start + size), counted from start, and addends of the relocations (elf(5) Elf64_Rela)
    that a position-independent program has there in the place of addresses: int64[k] each."""
    raw = elf.section(".rela.dyn") or elf.section(".rela")
    rows = np.frombuffer(raw, np.int64, len(raw) // 24 * 3).reshape(-1, 3)
    rows = rows[(rows[:, 0] >= start) & (rows[:, 0] < start + size)]
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    return rows[:, 0] - start, rows[:, 2]


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


def _mapped(elf: Elf, addresses: I64) -> NDArray[np.bool_]:
    held = np.zeros(len(addresses), np.bool_)
    for segment in elf.segments:
        if segment.type == PT_LOAD:
            held |= (addresses >= segment.vaddr) & (addresses < segment.vaddr + segment.memsz)
    return held


def _compare_code(binary: Elf, twin: Elf, shifts: Shifts) -> None:
    """Bytes of the machine code may differ only in displacements that lead to the same thing."""
    ours, theirs = binary.sections[".text"], twin.sections[".text"]  # of one size: ``_sections``
    a = np.frombuffer(binary.read(ours.offset, theirs.size), np.uint8)
    b = np.frombuffer(twin.read(theirs.offset, theirs.size), np.uint8)
    left = _Places(binary, twin, shifts).unexplained(a, b, ours.address, theirs.address)
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

    def unexplained(self, a: NDArray[np.uint8], b: NDArray[np.uint8], a_at: int, b_at: int) -> I64:
        """Positions int64[k] of bytes that differ for no known reason, a of the binary, b of the twin."""
        differ = np.flatnonzero(a != b)
        if not len(differ):
            return differ
        window = np.arange(4)
        starts = np.unique((differ[:, None] - window).ravel())
        starts = starts[(starts > 0) & (starts + 4 <= len(a))]
        before = a[starts - 1]
        same = self._same(before, _words(a, starts), _words(b, starts), a_at + starts, b_at + starts)
        good = np.zeros(len(a) + 4, np.bool_)
        good[starts[same & (before == b[starts - 1])]] = True
        explained: NDArray[np.bool_] = good[np.maximum(differ[:, None] - window, 0)].any(axis=1)
        return differ[~explained]

    def _same(self, before: NDArray[np.uint8], a: I64, b: I64, a_at: I64, b_at: I64) -> NDArray[np.bool_]:
        """Whether words a and b at these addresses of code are operands that lead to the same thing.

        before: the byte in front of each: a ModRM byte of RIP-relative addressing, the opcode of a call or
        jump, or that of MOV of an absolute address, as C has it.
        """
        relative = ((before & 0xC7) == 0x05) | (before == 0xE8) | (before == 0xE9)
        good: NDArray[np.bool_] = self._follows(a, b) | (((before & 0xF8) == 0xB8) & self._is_constant(a, b))
        for after in (4, 5, 6, 8):  # the instruction ends there, or after an immediate
            ends = a_at + after + a, b_at + after + b
            good |= self._follows(*ends) | (relative & self._is_constant(*ends))
        return good

    def _follows(self, a: I64, b: I64) -> NDArray[np.bool_]:
        """Whether a is where the section of b was moved to."""
        i = np.maximum(np.searchsorted(self._moved[:, 0], b, side="right") - 1, 0)
        # One beyond the end is where a variable that fills its section ends; the linker's own marks of ends
        # (__TMC_END__) are aligned.
        inside = (b >= self._moved[i, 0]) & (b <= (self._moved[i, 1] + 7 & -8))
        return np.asarray(inside & (a == b + self._moved[i, 2]), np.bool_)

    def _is_constant(self, a: I64, b: I64) -> NDArray[np.bool_]:
        """Whether both lead to read-only data, where the order depends on the content."""
        ours, theirs = (_inside(rows, x) for rows, x in zip(self._fixed, (a, b), strict=True))
        return np.asarray(ours & theirs, np.bool_)


def _words(data: NDArray[np.uint8], at: I64) -> I64:
    rows = np.ascontiguousarray(data[at[:, None] + np.arange(4)])
    return rows.view("<i4")[:, 0].astype(np.int64)


def _read_only(elf: Elf) -> I64:
    """Address ranges of read-only data, whose order depends on its content: int64[k, 2]."""
    rows = [
        (s.address, s.address + s.size)
        for s in elf.sections.values()
        if s.flags & SHF_ALLOC and s.address and (not _is_placed(s)) and not s.flags & SHF_EXECINSTR
    ]
    return np.array(rows, np.int64).reshape(-1, 2)


def _inside(rows: I64, addresses: I64) -> NDArray[np.bool_]:
    held = np.zeros(len(addresses), np.bool_)
    for start, end in rows.tolist():
        held |= (addresses >= start) & (addresses < end)
    return held
