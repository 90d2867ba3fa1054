"""Opening an image file: an Image as capturing made it, with a binary that reads as the program's file did.

Nothing is believed: every count and address is checked before memory is set aside by its word, and what does
not fit is a CorruptFile. The memory is read at once, the program's file as it is asked for.
Imports ``capture``, ``debuginfo``, ``model`` and numpy.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import ExitStack

import numpy as np
from numpy.typing import NDArray

from goretain.capture.binaries.program import check_program
from goretain.capture.image import Image
from goretain.capture.imagefile import blocks
from goretain.capture.imagefile.contents import Contents, read_contents
from goretain.capture.imagefile.files import read_files
from goretain.capture.imagefile.sparse import SparseFile, content_of
from goretain.capture.imagefile.tables import mappings_of, parse_facts, ranges_of, registers_of
from goretain.capture.ranges import I64, packed
from goretain.capture.room.limits import Need, check_room
from goretain.capture.room.reservation import Reservation
from goretain.debuginfo.beside.companion import DebugFile
from goretain.debuginfo.elf.files import PreadFile
from goretain.model.errors import CorruptFile, UsageError
from goretain.model.opening import open_named

_NEEDS = "give a file; an image cannot be read from a pipe, because its parts are read as they are needed"


def read_image(
    path: str | os.PathLike[str],
    *,
    force: bool = False,
    on_need: Callable[[Need], None] | None = None,
    on_read: Callable[[int, int], None] | None = None,
) -> Image:
    """The image that a file holds.

    Args:
        force: read it even if the memory limits say that there is no room.
        on_need: told what it takes before it is read.
        on_read: called with (bytes read, bytes of the file).

    Raises CorruptFile, UsageError, NotEnoughMemory, NotGoProgram, UnsupportedArchitecture.
    """
    name = os.fspath(path)
    with ExitStack() as stack:
        file = _open(name)
        stack.callback(file.close)
        contents = read_contents(file)
        need = Need(_needed(contents))
        if not force:
            check_room(need)
        if on_need is not None:
            on_need(need)
        facts = parse_facts(name, content_of(file, contents.of(blocks.FACT)[0]), contents.at(blocks.FACT))
        files = read_files(contents)
        check_program(files.binary, f"the program in {name}", hint=blocks.TAKE_AGAIN)
        table, at = contents.table(blocks.RANG), contents.at(blocks.RANG)
        ranges, sources = ranges_of(name, table, at, files.program.size)
        memory, offsets = _memory(contents, files.program, ranges, sources, on_read)
        image = Image(
            memory,
            ranges,
            offsets,
            binary=files.binary,
            bias=files.bias,
            registers=registers_of(name, contents.table(blocks.REGS), contents.at(blocks.REGS)),
            mappings=mappings_of(name, contents.table(blocks.MAPS), contents.at(blocks.MAPS)),
            facts=facts,
            libraries=tuple(files.libraries),
            debug=None if files.debug is None else DebugFile(files.binary, *files.debug),
        )
        stack.pop_all()  # the binary reads from the file as long as it is used
    return image


def _needed(contents: Contents) -> int:
    """Bytes of the memory and of the program's file, which is read into it in part."""
    parts = sum(part.size for _, parts in contents.files for part in parts)
    return contents.size_of(blocks.PAGES) + parts


def _open(path: str) -> PreadFile:
    descriptor = open_named(path)
    file = PreadFile(path, descriptor)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        file.close()
        raise UsageError(f"{path} is not a regular file", hint=_NEEDS)
    return file


def _memory(
    contents: Contents,
    sparse: SparseFile,
    ranges: I64,
    sources: I64,
    on_read: Callable[[int, int], None] | None,
) -> tuple[NDArray[np.uint8], I64]:
    """All ranges in one buffer, and where each begins in it."""
    stored = sources < 0
    offsets = np.empty(len(ranges), np.int64)
    offsets[stored], size = packed(ranges[stored], 0)
    offsets[~stored], end = packed(ranges[~stored], size)
    destination = Reservation(end)
    try:
        memory = destination.detach(end)
        _read_pages(contents, memory[:size], on_read)
        filed = np.column_stack((offsets, ranges[:, 1] - ranges[:, 0], sources))[~stored]
        for offset, length, source in filed.tolist():
            for done in range(0, length, blocks.CHUNK):
                part = sparse.read(source + done, min(blocks.CHUNK, length - done))
                memory[offset + done : offset + done + len(part)] = np.frombuffer(part, np.uint8)
    finally:
        destination.free()
    return memory, offsets


def _read_pages(
    contents: Contents, memory: NDArray[np.uint8], on_read: Callable[[int, int], None] | None
) -> None:
    file = contents.file
    for block in contents.of(blocks.PAGES):
        content = np.frombuffer(content_of(file, block), np.uint8)
        window = memory[block.place : block.place + blocks.CHUNK]
        bits = np.unpackbits(content[: blocks.BITMAP], bitorder="little")
        pages = np.flatnonzero(bits).tolist()
        held = content[blocks.BITMAP :]
        # Only the last page of the memory may be short.
        length = len(pages) * blocks.PAGE
        if pages:
            length -= max((pages[-1] + 1) * blocks.PAGE - len(window), 0)
        if len(content) < blocks.BITMAP or not pages or pages[-1] * blocks.PAGE >= len(window):
            raise CorruptFile(file.path, block.offset, "pages lie outside of the captured memory")
        if length != len(held):
            raise CorruptFile(file.path, block.offset, f"{len(held)} bytes of pages where {length} belong")
        first = 0
        for done in range(1, len(pages) + 1):  # runs of neighbours: most blocks are one
            if done == len(pages) or pages[done] != pages[done - 1] + 1:
                piece = held[first * blocks.PAGE : done * blocks.PAGE]
                window[pages[first] * blocks.PAGE :][: len(piece)] = piece
                first = done
        if on_read is not None:
            on_read(block.offset + block.stored, file.size)
