"""The program of a process or core: can goretain read it, where was it loaded, which memory is just its file.

Imports ``debuginfo.elf.elf``, ``capture.ranges`` and ``model``.
"""

from __future__ import annotations

from dataclasses import dataclass

from goretain.capture.ranges import I64, PAGE, aligned, as_ranges, normalise
from goretain.debuginfo.elf.elf import (
    EM_X86_64,
    PF_W,
    PF_X,
    PT_LOAD,
    SHF_ALLOC,
    SHF_EXECINSTR,
    SHT_NOBITS,
    Elf,
)
from goretain.debuginfo.pclntab.pclntab import find_function_table
from goretain.model.errors import NotGoProgram, UnsupportedArchitecture


@dataclass(frozen=True, slots=True)
class FilePart:
    """Memory that equals the binary's file: run-time addresses [start, end) and the file offset of start."""

    start: int
    end: int
    offset: int


_NOT_A_WRAPPER = "give the PID of the Go program itself, not of a shell, wrapper or supervisor around it"


def check_program(elf: Elf, what: str, *, hint: str = _NOT_A_WRAPPER) -> None:
    """Raise NotGoProgram, UnsupportedArchitecture unless elf is an amd64 executable of Go.

    Where build info was taken away, the function table says that it is.

    Args:
        what: its name. hint: what to do if it is none of Go.
    """
    if elf.elf_class != 64 or elf.machine != EM_X86_64 or not elf.little_endian:
        raise UnsupportedArchitecture(
            f"{what} is a {elf.elf_class}-bit {elf.machine_name} program ({elf.path})",
            hint="goretain reads 64-bit linux/amd64 programs; build with GOARCH=amd64",
        )
    if elf.type not in ("exec", "dyn"):
        raise NotGoProgram(f"{what}: {elf.path} is not an executable", hint="give the program that ran")
    if elf.go_version is None and find_function_table(elf) is None:
        raise NotGoProgram(
            f"{what} was not built by Go: {elf.path} has no build info and no function table of Go",
            hint=hint,
        )


def from_file(elf: Elf, bias: int) -> list[FilePart]:
    """What no program changes: read-only segments without code, the data of code segments (old linkers).

    Without section headers nothing tells data from code: a code segment is then taken whole, unless there are
    read-only segments without code.
    """
    parts: list[FilePart] = []
    constant = [s for s in elf.segments if s.type == PT_LOAD and not s.flags & PF_W and s.filesz]
    separate = any(not segment.flags & PF_X for segment in constant)
    for segment in constant:
        if not segment.flags & PF_X:
            parts.append(_part(segment.vaddr, segment.filesz, segment.offset, bias))
            continue
        if not elf.sections and not separate:
            parts.append(_part(segment.vaddr, segment.filesz, segment.offset, bias))
        # GNU ld without -z separate-code puts .rodata and .gopclntab into the segment of .text.
        for section in elf.sections.values():
            inside = segment.vaddr <= section.address < segment.vaddr + segment.filesz
            data = (
                section.flags & SHF_ALLOC and not section.flags & SHF_EXECINSTR and section.type != SHT_NOBITS
            )
            if inside and data and section.size:
                parts.append(_part(section.address, section.size, section.offset, bias))
    return _joined(sorted(parts, key=lambda part: part.start))


def _joined(parts: list[FilePart]) -> list[FilePart]:
    """Parts that overlap (notes side by side, widened) as one: ranges of an image are disjoint."""
    found: list[FilePart] = []
    for part in parts:
        last = found[-1] if found else None
        if last and part.start < last.end and part.start - part.offset == last.start - last.offset:
            part = FilePart(last.start, max(last.end, part.end), last.offset)
            found.pop()
        found.append(part)
    return found


def _part(vaddr: int, size: int, offset: int, bias: int) -> FilePart:
    """Widened down to a multiple of 8, as positions in an image are."""
    slack = vaddr & 7
    return FilePart(vaddr + bias - slack, vaddr + bias + size, offset - slack)


def part_ranges(parts: list[FilePart]) -> I64:
    """Address ranges int64[k, 2] of file parts."""
    return as_ranges((part.start, part.end) for part in parts)


def writable(elf: Elf, bias: int) -> I64:
    """Whole pages of the program's own variables: its writable segments, bss included; normal int64[k, 2]."""
    spans = [
        (s.vaddr + bias, s.vaddr + s.memsz + bias)
        for s in elf.segments
        if s.type == PT_LOAD and s.flags & PF_W
    ]
    return normalise(aligned(as_ranges(spans), PAGE))


def load_bias(elf: Elf, entry: int) -> int:
    """Load address minus link address, from AT_ENTRY of the auxiliary vector."""
    return entry - elf.entry
