"""Writing an Image to a file or a pipe, front to back: the last step of the light capture path.

The target runs again when this begins. Content that is one byte more than asked for is never written: pages
of zeros are left out, and what equals the program's file is written once, as a part of that file.
Imports ``capture``, ``debuginfo`` and numpy.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

import goretain
from goretain.capture.binaries.program import from_file
from goretain.capture.image import Image, Mapping
from goretain.capture.imagefile import blocks
from goretain.capture.imagefile.binary import debug_parts, kept_parts
from goretain.capture.libc import REGISTERS
from goretain.capture.ranges import I64, packed
from goretain.debuginfo.beside.translated import Shifts
from goretain.debuginfo.elf.elf import Elf

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
    """
    out = _Blocks(sink)
    sources = _from_program(image)
    stored = sources < 0
    starts, ends = image.starts[stored], image.ends[stored]
    places, size = packed(np.column_stack((starts, ends)), 0)
    out.add(blocks.FACT, 0, _facts(image))
    out.table(blocks.MAPS, b"".join(map(_mapping, image.mappings)))
    rows = (blocks.REGISTER_ROW.pack(tid, *(r[n] for n in REGISTERS)) for tid, r in _threads(image))
    out.table(blocks.REGS, b"".join(rows))
    _write_files(out, image, debuginfo)
    out.table(blocks.RANG, np.column_stack((image.starts, image.ends, sources)).astype("<i8").tobytes())
    for place, window in _windows(image, image.offsets[stored], ends - starts, places, size):
        content = _without_zeros(window)
        if content:
            out.add(blocks.PAGES, place, content)
        if progress is not None:
            progress("writing", place + len(window), size)
    return out.finish()


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
    facts = asdict(image.facts) | {"by": goretain.__version__}
    del facts["pauses_ns"]  # their sum is there, and a note if there are several
    return json.dumps(facts, separators=(",", ":")).encode()


def _threads(image: Image) -> list[tuple[int, dict[str, int]]]:
    return sorted(image.registers.items())


def _mapping(mapping: Mapping) -> bytes:
    path = os.fsencode(mapping.path)
    flags = mapping.flags.encode()
    return blocks.MAPPING_ROW.pack(mapping.start, mapping.end, mapping.offset, flags, len(path)) + path


def _write_files(out: _Blocks, image: Image, debuginfo: bool) -> None:
    program = kept_parts(image.binary, debuginfo=debuginfo)
    _write_file(out, blocks.PROGRAM, image.binary, image.facts.program, image.bias, program)
    if image.debug is not None and debuginfo:
        elf, shifts = image.debug.elf, image.debug.shifts
        _write_file(out, blocks.DEBUG_FILE, elf, elf.path, 0, debug_parts(elf), shifts)
    for library in image.libraries:
        parts = kept_parts(library.elf, debuginfo=debuginfo)
        _write_file(out, blocks.LIBRARY, library.elf, library.path, library.bias, parts)


def _write_file(
    out: _Blocks,
    role: int,
    elf: Elf,
    path: str,
    bias: int,
    parts: list[tuple[int, int]],
    shifts: Shifts | None = None,
) -> None:
    name = os.fsencode(path)
    rows = [blocks.SHIFT_ROW.pack(s.start, s.end, s.distance) for s in shifts.shifts] if shifts else []
    head = blocks.FILE_ROW.pack(elf.size, bias, role, len(name))
    out.add(blocks.FILE, 0, b"".join((head, name, *rows)))
    for start, end in parts:
        for at in range(start, end, blocks.CHUNK):
            out.add(blocks.PART, at, elf.read(at, min(blocks.CHUNK, end - at)))


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
