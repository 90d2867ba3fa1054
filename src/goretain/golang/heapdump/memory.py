"""An image of a heap dump and its program's file: the addresses that either of them holds.

A dump holds the objects, data and bss, and the frames of goroutines' stacks. The file holds what no program
changes: read-only data, type records, tables; and what the runtime keeps where the collector does not look
(.noptrdata, with ``runtime.firstmoduledata``), of which only what the linker wrote is used.
Imports ``capture``, ``debuginfo``, ``kernels``, ``model``, numpy and this room.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from goretain.capture.binaries.program import check_program, from_file
from goretain.capture.image import CaptureFacts, Image, Mapping
from goretain.debuginfo.elf.elf import SHF_ALLOC, SHF_WRITE, SHT_NOBITS, Elf
from goretain.golang.heapdump.dump import Block, HeapDump
from goretain.golang.heapdump.objects import DumpedObjects
from goretain.kernels import dumpscan
from goretain.model.errors import BinaryMismatch, CorruptFile

I64 = NDArray[np.int64]

_SHT_RELA = 4
_RELATIVE = 8  # R_X86_64_RELATIVE
_OTHER = "give the very file that ran with --binary"
_NAMES_COMPARED = 200


@dataclass(slots=True)
class _Pieces:
    """Memory of an image: where each piece begins, its length, and where it comes from: an offset in the
    dump, or bytes of the program's file."""

    start: list[int]
    length: list[int]
    at: list[int]
    files: list[bytes | None]

    def add(self, start: int, length: int, at: int = -1, file: bytes | None = None) -> None:
        """One piece; empty ones are left out."""
        if length:
            self.start.append(start)
            self.length.append(length)
            self.at.append(at)
            self.files.append(file)


def bias_of(dump: HeapDump, binary: Elf) -> int:
    """Where the program lay, less where it was linked. Raises BinaryMismatch, NotGoProgram, CorruptFile."""
    check_program(binary, f"the program of {dump.path}", hint=_OTHER)
    if binary.go_version is not None and binary.go_version != dump.go_version:
        raise BinaryMismatch(
            f"{binary.path} was built by {binary.go_version}, the heap dump is of {dump.go_version}",
            hint=_OTHER,
        )
    found = {block.address - _place(binary, name)[0] for name, block in dump.segments()}
    sizes = all(block.length == _place(binary, name)[1] for name, block in dump.segments())
    bias = min(found, default=0)
    if len(found) != 1 or not sizes or (bias and binary.type == "exec") or bias % 4096:
        raise _mismatch(dump, binary, "the sizes or places of its variables differ")
    _compare_functions(dump, binary, bias)
    return bias


def _place(binary: Elf, name: str) -> tuple[int, int]:
    """(link address, size) of the data or bss segment (runtime.data, runtime.edata: cmd/link)."""
    start, end = (binary.symbols.get(f"runtime.{prefix}{name}") for prefix in ("", "e"))
    if start is not None and end is not None:
        return start.value, end.value - start.value
    section = binary.sections.get(f".{name}")
    if section is None:
        raise CorruptFile(binary.path, None, f"it has no section .{name}")
    return section.address, section.size


def _compare_functions(dump: HeapDump, binary: Elf, bias: int) -> None:
    frames = (frame for goroutine in dump.goroutines for frame in goroutine.frames)
    entries = {frame.function: frame.entry for frame, _ in zip(frames, range(_NAMES_COMPARED), strict=False)}
    for name, entry in entries.items():
        symbol = binary.symbols.get(name)
        if symbol is not None and symbol.value + bias != entry:
            raise _mismatch(dump, binary, f"{name} is at {symbol.value + bias:#x}, not at {entry:#x}")


def _mismatch(dump: HeapDump, binary: Elf, why: str) -> BinaryMismatch:
    return BinaryMismatch(f"{binary.path} is not the program of {dump.path}: {why}", hint=_OTHER)


@dataclass(slots=True)
class DumpedMemory:
    """What a dump and its program's file hold, packed as in an Image: memory, ranges, offsets; content_at:
    int64[s], position of each run of objects, -1 where it is not kept."""

    memory: NDArray[np.uint8]
    ranges: I64
    offsets: I64
    content_at: I64


def read_memory(dump: HeapDump, objects: DumpedObjects, binary: Elf | None, bias: int) -> DumpedMemory:
    """The memory; without the program's file what the dump holds. Raises CorruptFile when parts overlap."""
    pieces = _Pieces([], [], [], [])
    if binary is not None:
        _add_files(pieces, binary, bias, [block for _, block in dump.segments()])
    for _, block in dump.segments():
        pieces.add(block.address, block.length, block.at)
    for goroutine in dump.goroutines:
        for frame in goroutine.frames:
            pieces.add(frame.memory.address, frame.memory.length, frame.memory.at)
    kept = np.flatnonzero(objects.kept)
    start = np.concatenate((np.array(pieces.start, np.int64), objects.starts[kept]))
    length = np.concatenate((np.array(pieces.length, np.int64), objects.lengths[kept]))
    ranges, offsets, position, total = _laid_out(dump, start, length)
    memory = np.zeros(total, np.uint8)
    _fill(dump, pieces, position, memory)
    content_at = np.full(len(objects.first), -1, np.int64)
    content_at[kept] = position[len(pieces.start) :]
    inside = objects.address - objects.starts[objects.span]
    place = np.where(objects.kept[objects.span], content_at[objects.span] + inside, -1)
    dumpscan.copy_parts(dump.data, objects.content, objects.size, place, memory)
    return DumpedMemory(memory, ranges, offsets, content_at)


def image_of(dump: HeapDump, held: DumpedMemory, binary: Elf, bias: int) -> Image:
    """The image of a dump and its program."""
    return Image(
        held.memory,
        held.ranges,
        held.offsets,
        binary=binary,
        bias=bias,
        registers={},
        mappings=[Mapping(start, end, "rw-p", 0, "") for start, end in held.ranges.tolist()],
        facts=CaptureFacts(
            source="dump",
            program=binary.path,
            pid=0,
            taken_at=Path(dump.path).stat().st_mtime,
            copied_bytes=len(held.memory),
            threads=0,
            with_data=True,
        ),
    )


def _add_files(pieces: _Pieces, binary: Elf, bias: int, dumped: list[Block]) -> None:
    """Read-only memory, and writable sections that the dump does not hold."""
    parts = [(part.start, part.end - part.start, part.offset) for part in from_file(binary, bias)]
    for section in binary.sections.values():
        start, size = section.address + bias, section.size
        if not section.flags & SHF_ALLOC or not section.flags & SHF_WRITE or section.type == SHT_NOBITS:
            continue
        if all(start >= b.end or start + size <= b.address for b in dumped):
            parts.append((start, size, section.offset))
    places, values = _relocations(binary, bias)
    for start, size, offset in parts:
        content = np.frombuffer(binary.read(offset, size), np.uint8).copy()
        mine = (places >= start) & (places + 8 <= start + size)
        at = (places[mine] - start)[:, None] + np.arange(8)
        content[at] = values[mine].view(np.uint8).reshape(-1, 8)
        pieces.add(start, size, file=content.tobytes())


def _relocations(binary: Elf, bias: int) -> tuple[I64, I64]:
    """(addresses, values) of words that the loader of a position-independent program writes."""
    rows = [np.empty((0, 3), np.int64)]
    for section in binary.sections.values():
        if section.type == _SHT_RELA and section.flags & SHF_ALLOC:
            raw = binary.read(section.offset, section.size // 24 * 24)
            rows.append(np.frombuffer(raw, np.int64).reshape(-1, 3))
    table = np.concatenate(rows)
    table = table[(table[:, 1] & 0xFFFFFFFF) == _RELATIVE]
    return table[:, 0] + bias, np.ascontiguousarray(table[:, 2] + bias)


def _laid_out(dump: HeapDump, start: I64, length: I64) -> tuple[I64, I64, I64, int]:
    """Ranges (touching pieces are one), their offsets in memory, each piece's position, and all bytes."""
    order = np.argsort(start, kind="stable")
    low, high = start[order], (start + length)[order]
    if (low < 0).any() or (low[1:] < high[:-1]).any():
        raise CorruptFile(dump.path, None, "memory of objects, variables and stacks overlaps")
    if not len(low):
        return np.empty((0, 2), np.int64), np.empty(0, np.int64), start, 0
    begins = np.flatnonzero(np.concatenate(([True], low[1:] != high[:-1])))
    ranges = np.column_stack((low[begins], high[np.append(begins[1:], len(low)) - 1]))
    sizes = (ranges[:, 1] - ranges[:, 0] + 7) & -8
    offsets = np.cumsum(sizes) - sizes
    group = np.searchsorted(begins, np.arange(len(low)), side="right") - 1
    position = np.empty(len(low), np.int64)
    position[order] = offsets[group] + low - ranges[group, 0]
    return ranges, offsets, position, int(sizes.sum())


def _fill(dump: HeapDump, pieces: _Pieces, position: I64, memory: NDArray[np.uint8]) -> None:
    for at, length, place, file in zip(
        pieces.at, pieces.length, position.tolist(), pieces.files, strict=False
    ):
        source = dump.data[at : at + length] if file is None else np.frombuffer(file, np.uint8)
        memory[place : place + length] = source
