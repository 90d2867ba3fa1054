"""The sections of a program whose section headers were taken away (sstrip), by those of its unstripped twin.

The linker puts the same sections in the same order into the same segments of both. What differs in length is
one text of the build info: it stands in .rodata and in .go.buildinfo. So what comes before the end of these
keeps its distance from the start of its segment, and what comes after that from the end. A guess until code,
types and tables were compared with it (``debuginfo.beside.twin``). Source: cmd/link/internal/ld/data.go. May
import ``debuginfo`` and numpy.
"""

from __future__ import annotations

import copy
import struct
from dataclasses import replace

import numpy as np

from goretain.debuginfo.elf.elf import PF_X, PT_LOAD, SHF_ALLOC, Elf, Section, Segment

_PT_DYNAMIC, _DT_RELA, _DT_RELASZ = 2, 7, 8
#: The sections that the text stands in.
_VARYING = (".rodata", ".go.buildinfo")
_VALUES = (".data", ".noptrdata")
#: Share of the words of the variables' first values that must be alike: addresses are not.
_ALIKE = 0.5


def with_sections(binary: Elf, twin: Elf) -> Elf | None:
    """The binary with sections where the twin's would be in it; None when they do not fit in."""
    ours, theirs = _loads(binary), _loads(twin)
    if [s.flags for s in ours] != [s.flags for s in theirs]:
        return None
    found = copy.copy(binary)
    found.sections = {}
    for a, b in zip(ours, theirs, strict=True):
        inside = [s for s in twin.sections.values() if _is_in(s, b)]
        varying = max((s.address for s in inside if s.name in _VARYING), default=b.vaddr + b.memsz)
        for section in inside:
            found.sections[section.name] = _moved(section, a, b, varying)
    _place_relocations(found)
    return found if all(_alike(found, twin, name) for name in _VALUES if name in found.sections) else None


def _loads(elf: Elf) -> list[Segment]:
    return [segment for segment in elf.segments if segment.type == PT_LOAD and segment.memsz]


def _is_in(section: Section, segment: Segment) -> bool:
    loaded = section.flags & SHF_ALLOC and section.address
    return bool(loaded) and segment.vaddr <= section.address < segment.vaddr + segment.memsz


def _moved(section: Section, ours: Segment, theirs: Segment, varying: int) -> Section:
    """The section in our segment; varying: link address of the one that differs in length, in theirs."""
    longer = 0 if ours.flags & PF_X else ours.memsz - theirs.memsz
    after = section.address > varying
    address = section.address + ours.vaddr - theirs.vaddr + (longer if after else 0)
    size = section.size + (longer if section.address == varying else 0)
    return replace(section, address=address, offset=ours.offset + address - ours.vaddr, size=size)


def _place_relocations(binary: Elf) -> None:
    """Put the section of relocations where the dynamic section says that they are (elf(5) Elf64_Dyn)."""
    tables = (binary.read(s.offset, s.filesz & ~15) for s in binary.segments if s.type == _PT_DYNAMIC)
    entries: dict[int, int] = dict(struct.iter_unpack("<qQ", next(tables, b"")))
    loads = [s for s in _loads(binary) if s.vaddr <= entries.get(_DT_RELA, 0) < s.vaddr + s.filesz]
    for name in (".rela.dyn", ".rela"):
        section = binary.sections.get(name)
        if section is not None and loads:
            address, size = entries[_DT_RELA], entries.get(_DT_RELASZ, section.size)
            offset = loads[0].offset + address - loads[0].vaddr
            binary.sections[name] = replace(section, address=address, offset=offset, size=size)


def _alike(binary: Elf, twin: Elf, name: str) -> bool:
    """Whether the first values of variables show that a section was placed rightly."""
    size = min(binary.sections[name].size, twin.sections[name].size) & ~7
    if size:
        a, b = (np.frombuffer(elf.section(name)[:size], np.uint64) for elf in (binary, twin))
        return bool(np.mean(a == b) >= _ALIKE)
    return True
