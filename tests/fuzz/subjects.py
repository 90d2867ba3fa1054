"""What is damaged and read again: snapshots, images, cores, binaries, dumps; each passes the door.

A subject is made once from a real process. Its damage is undone after each reading, so that a mutation costs
what it changes. Where a format has checksums they are computed anew over the damaged content.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from random import Random
from typing import Protocol

import msgspec

from goretain.api.dumps import open_heap_dump
from goretain.capture.cores.core import capture_core
from goretain.capture.imagefile.reader import read_image
from goretain.capture.ranges import PAGE, aligned, as_ranges, intersect, normalise
from goretain.capture.source import Plan
from goretain.debuginfo.beside.companion import DebugFile, find_debug_file
from goretain.debuginfo.elf.elf import PT_LOAD, Elf
from goretain.golang.heapdump.records import read_dump
from goretain.golang.layout import planning_layout
from goretain.golang.plan import lean_plan
from goretain.golang.read import read_heap
from goretain.snapshot import Snapshot, load
from tests.fuzz import sealed
from tests.fuzz.edits import damage
from tests.support.imageblocks import parsed

#: Kinds, in the order in which they are reported.
KINDS = ("snapshot", "image", "core", "binary", "heapdump")
#: Sections that nothing of goretain reads are not worth damaging.
_UNREAD = (".text", ".plt", ".interp", ".dynstr")
_CUT = 0.03  # share of mutations that cut the file's end off instead


class Made(msgspec.Struct, frozen=True):
    """One program's files: what was made of one process, the same heap in each.

    twin: the file that describes a stripped binary, "" for none. dump: of another program, dumper.
    """

    name: str
    binary: str
    twin: str
    core: str
    image: str
    snapshot: str
    dump: str
    dumper: str


def debug_file(binary: Elf, twin: str) -> DebugFile | None:
    """The twin as debug information of the binary."""
    return find_debug_file(binary, twin) if twin else None


def plan(binary: Elf, bias: int, debug: DebugFile | None = None) -> Plan:
    """What is copied of a process, and read of a core."""
    return lean_plan(planning_layout(binary, debug), bias, with_data=True)


def read_core(core: str, binary: str, twin: str) -> Snapshot:
    """Read a core as the commands do. Raises GoretainError."""
    found: list[DebugFile | None] = []

    def plan_for(elf: Elf, bias: int) -> Plan:
        found.append(debug_file(elf, twin))
        return plan(elf, bias, found[0])

    image = capture_core(core, binary, plan_for, force=True)
    try:
        return read_heap(image, with_data=True, debug=found[0])
    finally:
        image.binary.close()
        if found[0] is not None:
            found[0].elf.close()


class Subject(Protocol):
    """One file that is damaged, read, and restored."""

    def damaged(self, rng: Random) -> AbstractContextManager[None]:
        """Damage the file; restore it at the end."""
        ...

    def read(self) -> Snapshot:
        """Read it as the commands do. Raises GoretainError."""
        ...


class _Patched:
    """Damages a file in place."""

    def __init__(self, path: Path, regions: list[tuple[int, int]]) -> None:
        self.path = path
        self.regions = [(start, end) for start, end in regions if end - start >= 8]
        self.size = path.stat().st_size

    @contextmanager
    def damaged(self, rng: Random) -> Iterator[None]:
        descriptor = os.open(self.path, os.O_RDWR)
        undo: list[tuple[int, bytes]] = []
        try:
            if rng.random() < _CUT:
                at = rng.choice((rng.randrange(self.size), rng.choice(self.regions)[0]))
                undo.append((at, os.pread(descriptor, self.size - at, at)))
                os.ftruncate(descriptor, at)
            else:
                for edit in damage(rng, lambda at, size: os.pread(descriptor, size, at), self.regions):
                    undo.append((edit.offset, os.pread(descriptor, len(edit.data), edit.offset)))
                    os.pwrite(descriptor, edit.data, edit.offset)
            yield
        finally:
            for at, data in reversed(undo):
                os.pwrite(descriptor, data, at)
            os.close(descriptor)


class CoreSubject(_Patched):
    """A core: its headers, its notes, and the memory that the lean plan reads."""

    def __init__(self, made: Made, folder: Path) -> None:
        self.made = made
        path = Path(shutil.copy(made.core, folder / "core"))
        super().__init__(path, _core_regions(path, made.binary))

    def read(self) -> Snapshot:
        return read_core(str(self.path), self.made.binary, self.made.twin)


class BinarySubject(_Patched):
    """The program of an undamaged core, or where it has a twin, that."""

    def __init__(self, made: Made, folder: Path) -> None:
        self.made = made
        path = Path(shutil.copy(made.twin or made.binary, folder / "binary"))
        super().__init__(path, _binary_regions(path))

    def read(self) -> Snapshot:
        if self.made.twin:
            return read_core(self.made.core, self.made.binary, str(self.path))
        return read_core(self.made.core, str(self.path), "")


class DumpSubject(_Patched):
    """A heap dump: all records but what objects hold, which is damaged once in two times."""

    def __init__(self, made: Made, folder: Path) -> None:
        self.made = made
        path = Path(shutil.copy(made.dump, folder / "heapdump"))
        super().__init__(path, _dump_regions(path))

    def read(self) -> Snapshot:
        return open_heap_dump(str(self.path), self.made.dumper, (), with_data=True, force=True, tell=None)


class SnapshotSubject:
    """A saved snapshot, sealed again."""

    def __init__(self, made: Made, folder: Path) -> None:
        self.path = Path(shutil.copy(made.snapshot, folder / "snapshot"))
        self.parts = sealed.snapshot_parts(Path(made.snapshot).read_bytes())

    @contextmanager
    def damaged(self, rng: Random) -> Iterator[None]:
        self.path.write_bytes(sealed.damaged_snapshot(rng, self.parts))
        self.path.chmod(0o600)
        yield

    def read(self) -> Snapshot:
        return load(self.path)


class ImageSubject:
    """An image, sealed again."""

    def __init__(self, made: Made, folder: Path) -> None:
        self.path = Path(shutil.copy(made.image, folder / "image"))
        self.parts = parsed(Path(made.image).read_bytes())

    @contextmanager
    def damaged(self, rng: Random) -> Iterator[None]:
        self.path.write_bytes(sealed.damaged_image(rng, self.parts))
        yield

    def read(self) -> Snapshot:
        image = read_image(self.path, force=True)
        try:
            return read_heap(image, with_data=True, debug=image.debug)
        finally:
            image.binary.close()


def _core_regions(path: Path, binary: str) -> list[tuple[int, int]]:
    core, program = Elf.open(str(path)), Elf.open(binary)
    regions = [(0, 64), *((64 + 56 * i, 120 + 56 * i) for i in range(len(core.segments)))]
    regions += [(note.offset, note.offset + len(note.data)) for note in core.notes()] * 4
    loads = [s for s in core.segments if s.type == PT_LOAD and s.filesz]
    dumped = normalise(as_ranges((s.vaddr, s.vaddr + s.filesz) for s in loads))
    image = capture_core(str(path), binary, plan, force=True)
    planned = intersect(normalise(aligned(as_ranges(zip(image.starts, image.ends, strict=True)), 8)), dumped)
    for start, end in planned.tolist():
        segment = next(s for s in loads if s.vaddr <= start < s.vaddr + s.filesz)
        at = start - segment.vaddr + segment.offset
        pages = [(p, min(p + PAGE, at + end - start)) for p in range(at, at + end - start, PAGE)]
        regions += [(low, high) for low, high in pages if any(core.read(low, high - low))]
    program.close()
    core.close()
    return regions


def _dump_regions(path: Path) -> list[tuple[int, int]]:
    dump = read_dump(str(path), force=True)
    records, size = dump.records, path.stat().st_size
    objects = [(at - 16, at) for at in records.content[:200].tolist()]
    fields = [(at, min(at + 16, size)) for at in records.fields[:200].tolist()]
    others = [(at - 1, min(at + 32, size)) for at in records.other.tolist()]
    content = [(at, at + length) for at, length in zip(records.content, records.size, strict=True)]
    return [(0, 64), *objects, *fields, *others * 4, *content[:: max(len(content) // 2000, 1)]]


def _binary_regions(path: Path) -> list[tuple[int, int]]:
    elf = Elf.open(str(path))
    regions = [(0, 64), (64, 64 + 56 * len(elf.segments))] * 4
    head = int.from_bytes(elf.read(40, 8), "little")
    regions += [(head, head + 64 * int.from_bytes(elf.read(60, 2), "little"))] * 4
    for section in elf.sections.values():
        if section.size and section.type != 8 and section.name not in _UNREAD:
            end = section.offset + section.size
            regions += [(section.offset, end), (section.offset, min(section.offset + 256, end))]
    elf.close()
    return regions


def subject(kind: str, made: Made, folder: Path) -> Subject:
    """The subject of a kind, with its own copy of the file in folder."""
    kinds: dict[str, Callable[[Made, Path], Subject]] = {
        "snapshot": SnapshotSubject,
        "image": ImageSubject,
        "core": CoreSubject,
        "binary": BinarySubject,
        "heapdump": DumpSubject,
    }
    return kinds[kind](made, folder)
