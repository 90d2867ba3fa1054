"""Writing an Image to a file or a pipe, front to back: the last step of the light capture path.

The target runs again when this begins. Content that is one byte more than asked for is never written: pages
of zeros are left out, and what equals the program's file is written once, as a part of that file. Nothing
is written before all tables were read back: an image that cannot be opened would be found out elsewhere.
Imports ``capture``, ``debuginfo``, ``model`` and numpy.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import NDArray

import goretain
from goretain.capture.binaries.program import from_file
from goretain.capture.image import Image, Mapping
from goretain.capture.imagefile import blocks
from goretain.capture.imagefile.binary import debug_parts, kept_parts
from goretain.capture.imagefile.tables import file_of, mappings_of, parse_facts, ranges_of, registers_of
from goretain.capture.libc import REGISTERS
from goretain.capture.ranges import I64, packed
from goretain.debuginfo.beside.translated import Shifts
from goretain.debuginfo.elf.elf import Elf
from goretain.model.errors import CorruptFile

#: Takes bytes to where the file goes.
Sink = Callable[[bytes], None]
#: Called with (what is being done, bytes done, bytes in all).
Progress = Callable[[str, int, int], None]


def write_image(
    image: Image,
    sink: Sink,
    *,
    debuginfo: bool = True,
    progress: Progress | None = None,
) -> int:
    """Write an image; the bytes of the file.

    Args:
        debuginfo: keep DWARF and symbols of the program.
        progress: told how the writing goes.

    Raises CorruptFile, before anything is written, when the image could not be read again.
    """
    sources = _from_program(image)
    stored = sources < 0
    starts, ends = image.starts[stored], image.ends[stored]
    places, size = packed(np.column_stack((starts, ends)), 0)
    files = list(_files(image, debuginfo))
    facts, tables = _facts(image), _tables(image, sources)
    _check(image, facts, tables, files)
    out = _Blocks(sink)
    out.add(blocks.FACT, 0, facts)
    out.table(blocks.MAPS, tables[blocks.MAPS])
    out.table(blocks.REGS, tables[blocks.REGS])
    for file in files:
        file.write(out)
    out.table(blocks.RANG, tables[blocks.RANG])
    for place, window in _windows(image, image.offsets[stored], ends - starts, places, size):
        content = _without_zeros(window)
        if content:
            out.add(blocks.PAGES, place, content)
        if progress is not None:
            progress("writing", place + len(window), size)
    return out.finish()


def _tables(image: Image, sources: I64) -> dict[bytes, bytes]:
    """Contents by kind."""
    threads = sorted(image.registers.items())
    registers = (blocks.REGISTER_ROW.pack(tid, *(r[n] for n in REGISTERS)) for tid, r in threads)
    ranges = np.column_stack((image.starts, image.ends, sources)).astype("<i8")
    return {
        blocks.MAPS: b"".join(map(_mapping, image.mappings)),
        blocks.REGS: b"".join(registers),
        blocks.RANG: ranges.tobytes(),
    }


def _check(image: Image, facts: bytes, tables: dict[bytes, bytes], files: list[_File]) -> None:
    """Raise CorruptFile unless all of it is what a reader takes."""
    what = "the image that was to be written"
    try:
        parse_facts(what, facts, 0)
        mappings_of(what, tables[blocks.MAPS], 0)
        registers_of(what, tables[blocks.REGS], 0)
        ranges_of(what, tables[blocks.RANG], 0, image.binary.size)
        for file in files:
            file_of(what, file.head, 0)
    except CorruptFile as wrong:
        raise _unfit(what, wrong.reason) from None
    for kind, table in tables.items():
        if len(table) > blocks.LONGEST[kind]:
            raise _unfit(what, f"the {kind.decode()} table has {len(table)} bytes")
    if len(facts) > blocks.CHUNK or any(len(file.head) > blocks.CHUNK for file in files):
        raise _unfit(what, "a FACT or FILE block has more than 1 MiB")


def _unfit(what: str, reason: str) -> CorruptFile:
    hint = "nothing was written; this is a bug of goretain, please report it"
    return CorruptFile(what, None, f"no reader would take it: {reason}", hint=hint)


class _Blocks:
    """The blocks of one file as they are written."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._digest = hashlib.sha256(blocks.preamble())
        self._count = self._content = 0
        self._size = blocks.PREAMBLE
        sink(blocks.preamble())

    def add(self, kind: bytes, place: int, content: bytes) -> None:
        """Write one block."""
        head, payload = blocks.pack(kind, self._count, place, content)
        self._digest.update(head)
        self._count += 1
        self._content += len(content)
        self._size += len(head) + len(payload)
        self._sink(head)
        self._sink(payload)

    def table(self, kind: bytes, content: bytes) -> None:
        """Write as many blocks as the content takes; none when it is empty."""
        for at in range(0, len(content), blocks.CHUNK):
            self.add(kind, at, content[at : at + blocks.CHUNK])

    def finish(self) -> int:
        """Write the tail; bytes of the file."""
        self.add(blocks.TAIL, 0, blocks.TAIL_ROW.pack(self._count, self._content, self._digest.digest()))
        return self._size


def _facts(image: Image) -> bytes:
    facts = asdict(replace(image.facts, resident=None)) | {"by": goretain.__version__}
    del facts["pauses_ns"]  # their sum is there, and a note if there are several
    del facts["resident"]
    resident = image.facts.resident
    packed = None if resident is None else resident.packed()
    if packed is not None:
        facts["resident"] = packed
    return json.dumps(facts, separators=(",", ":")).encode()


def _mapping(mapping: Mapping) -> bytes:
    path = os.fsencode(mapping.path)
    flags = mapping.flags.encode()
    return blocks.MAPPING_ROW.pack(mapping.start, mapping.end, mapping.offset, flags, len(path)) + path


@dataclass(slots=True)
class _File:
    """One FILE block, and [start, end) of the parts of that file to keep."""

    elf: Elf
    head: bytes
    parts: list[tuple[int, int]]

    def write(self, out: _Blocks) -> None:
        out.add(blocks.FILE, 0, self.head)
        for start, end in self.parts:
            for at in range(start, end, blocks.CHUNK):
                out.add(blocks.PART, at, self.elf.read(at, min(blocks.CHUNK, end - at)))


def _files(image: Image, debuginfo: bool) -> Iterator[_File]:
    parts = kept_parts(image.binary, debuginfo=debuginfo)
    head = _file_head(blocks.PROGRAM, image.binary, image.facts.program, image.bias)
    yield _File(image.binary, head, parts)
    if image.debug is not None and debuginfo:
        elf = image.debug.elf
        head = _file_head(blocks.DEBUG_FILE, elf, elf.path, 0, image.debug.shifts)
        yield _File(elf, head, debug_parts(elf))
    for library in image.libraries:
        head = _file_head(blocks.LIBRARY, library.elf, library.path, library.bias)
        yield _File(library.elf, head, kept_parts(library.elf, debuginfo=debuginfo))


def _file_head(role: int, elf: Elf, path: str, bias: int, shifts: Shifts | None = None) -> bytes:
    name = os.fsencode(path)
    rows = [blocks.SHIFT_ROW.pack(s.start, s.end, s.distance) for s in shifts.shifts] if shifts else []
    return b"".join((blocks.FILE_ROW.pack(elf.size, bias, role, len(name)), name, *rows))


def _from_program(image: Image) -> I64:
    """For each range the offset in the program's file that holds the same bytes, -1 for all others."""
    found = np.full(len(image.starts), -1, np.int64)
    for part in from_file(image.binary, image.bias):
        i = int(np.searchsorted(image.starts, part.start))
        if i == len(found) or (int(image.starts[i]), int(image.ends[i])) != (part.start, part.end):
            continue
        if _equal(image, int(image.offsets[i]), part.offset, part.end - part.start):
            found[i] = part.offset
    return found


def _equal(image: Image, at: int, offset: int, size: int) -> bool:
    for done in range(0, size, blocks.CHUNK):
        length = min(blocks.CHUNK, size - done)
        if image.memory[at + done : at + done + length].tobytes() != image.binary.read(offset + done, length):
            return False
    return True


def _windows(
    image: Image, offsets: I64, sizes: I64, places: I64, size: int
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """The stored ranges laid one after another, in windows of 1 MiB: (place, uint8[<= 1 MiB])."""
    # A capture lays most ranges side by side already: those that lie apart by the same distance are one copy.
    apart = np.flatnonzero(np.diff(offsets - places)) + 1
    first = np.concatenate(([0], apart)) if len(places) else np.empty(0, np.int64)
    last = np.concatenate((apart, [len(places)]))[: len(first)] - 1
    runs = np.column_stack((places[first], places[last] + sizes[last], offsets[first])).tolist()
    run = 0
    for place in range(0, size, blocks.CHUNK):
        end = min(place + blocks.CHUNK, size)
        window = np.zeros(end - place, np.uint8)
        while run < len(runs) and runs[run][0] < end:
            low, high, source = runs[run]
            begin, stop = max(low, place), min(high, end)
            window[begin - place : stop - place] = image.memory[source + begin - low : source + stop - low]
            if high > end:
                break
            run += 1
        yield place, window


def _without_zeros(window: NDArray[np.uint8]) -> bytes:
    """A bitmap of the pages that are not all zero, and those pages; b"" when there is none."""
    pages = np.zeros(blocks.CHUNK, np.uint8)
    pages[: len(window)] = window
    used = pages.view(np.uint64).reshape(-1, blocks.PAGE // 8).any(axis=1)
    if not bool(used.any()):
        return b""
    bitmap = np.packbits(used, bitorder="little").tobytes()
    kept = np.flatnonzero(used)
    length = len(kept) * blocks.PAGE
    over = (int(kept[-1]) + 1) * blocks.PAGE - len(window)  # the last page of memory may be short
    return bitmap + pages.reshape(-1, blocks.PAGE)[kept].tobytes()[: length - max(over, 0)]
