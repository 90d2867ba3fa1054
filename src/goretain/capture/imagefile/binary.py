"""Which bytes of a program's file its analysis needs: what an image keeps of it.

Kept are the headers, the build IDs and build info, what no program changes (read-only data with the type
descriptors and .gopclntab), symbols and those DWARF sections that are read, and machine code. Code is asked
even where there is DWARF: that says what closures capture from Go 1.23 on only, and never of variables that
are captured and not used; which closures those are, the analysis finds out. Where there is no DWARF all that
is loaded is kept: an unstripped twin is compared with it. Left out are, with DWARF, the initial values of
variables, whose values are in the captured memory.
Imports ``capture.binaries.program``, ``capture.ranges`` and ``debuginfo.elf.elf``.
"""

from __future__ import annotations

from collections.abc import Iterable

from goretain.capture.binaries.program import from_file
from goretain.capture.ranges import as_ranges, intersect, normalise
from goretain.debuginfo.elf.elf import PF_X, PT_LOAD, PT_NOTE, SHF_ALLOC, SHT_NOBITS, Elf, Section

_SHT_NOTE = 7
_DWARF = ("abbrev", "addr", "info", "line_str", "loc", "loclists", "str")
_DEBUG = {f".{prefix}_{name}" for prefix in ("debug", "zdebug") for name in _DWARF} | {".symtab", ".strtab"}
# They lead to the debug file of a program that has no debug information itself.
_LINKS = (".gnu_debuglink", ".gnu_debugaltlink")


def kept_parts(elf: Elf, *, debuginfo: bool = True) -> list[tuple[int, int]]:
    """File offsets [start, end) to keep: sorted, disjoint, inside the file.

    Args:
        debuginfo: keep DWARF and symbols.
    """
    wanted = _identity(elf)
    wanted += [(part.offset, part.offset + part.end - part.start) for part in from_file(elf, 0)]
    has_dwarf = debuginfo and any(name in elf.sections for name in (".debug_info", ".zdebug_info"))
    loaded = [s for s in elf.segments if s.type == PT_LOAD and (s.flags & PF_X or not has_dwarf)]
    wanted += [(segment.offset, segment.offset + segment.filesz) for segment in loaded]
    if debuginfo:
        wanted += _sections(elf, _DEBUG)
    if not has_dwarf:
        wanted += _sections(elf, _LINKS)
    return _inside(elf, wanted)


def debug_parts(elf: Elf) -> list[tuple[int, int]]:
    """As ``kept_parts``, of a file whose debug information is all that is read of it."""
    return _inside(elf, _identity(elf) + _sections(elf, _DEBUG))


def _identity(elf: Elf) -> list[tuple[int, int]]:
    """Headers, build IDs and build info."""
    wanted = [(offset, offset + size) for offset, size in elf.tables]
    wanted += [(s.offset, s.offset + s.filesz) for s in elf.segments if s.type == PT_NOTE]
    wanted += [_extent(s) for s in elf.sections.values() if s.type == _SHT_NOTE]  # Go's GNU build ID
    if elf.build_info_extent is not None:
        offset, size = elf.build_info_extent
        wanted.append((offset, offset + size))
    return wanted


def _sections(elf: Elf, names: Iterable[str]) -> list[tuple[int, int]]:
    return [_extent(elf.sections[name]) for name in sorted(names) if name in elf.sections]


def _inside(elf: Elf, wanted: list[tuple[int, int]]) -> list[tuple[int, int]]:
    inside = as_ranges([(0, elf.size)])
    found: list[tuple[int, int]] = [
        (start, end) for start, end in intersect(normalise(as_ranges(wanted)), inside).tolist()
    ]
    return found


def hide_absent(elf: Elf, held: list[tuple[int, int]]) -> None:
    """Take the sections off the list that an image left out, so that the binary reads as if it were stripped.

    Only sections that are not loaded: the others are in the captured memory, and where they were is a fact.
    """
    for name, section in list(elf.sections.items()):
        start, end = _extent(section)
        if section.flags & SHF_ALLOC or start == end:
            continue
        if not any(low <= start and end <= high for low, high in held):
            del elf.sections[name]


def _extent(section: Section) -> tuple[int, int]:
    size = 0 if section.type == SHT_NOBITS else section.size
    return section.offset, section.offset + size
