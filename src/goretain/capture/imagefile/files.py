"""The files that an image keeps parts of: the program, its debug file, plugins.

Imports ``capture``, ``debuginfo`` and ``model``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from goretain.capture.image import Library
from goretain.capture.imagefile import blocks
from goretain.capture.imagefile.binary import hide_absent
from goretain.capture.imagefile.blocks import Block
from goretain.capture.imagefile.contents import Contents
from goretain.capture.imagefile.sparse import SparseFile, content_of
from goretain.capture.procfs import USER_SPACE
from goretain.debuginfo.beside.translated import Shift, Shifts
from goretain.debuginfo.elf.elf import Elf
from goretain.debuginfo.elf.files import PreadFile
from goretain.model.errors import CorruptFile


@dataclass(slots=True)
class Files:
    """What an image keeps of files.

    Attributes:
        program: what the file of the program reads as; bias: where it was loaded.
        binary: the same as an ELF file.
        debug: a file with its debug information, and how that is translated; None where there is none.
        libraries: plugins.
    """

    program: SparseFile
    binary: Elf
    bias: int
    debug: tuple[Elf, Shifts | None] | None = None
    libraries: list[Library] = field(default_factory=list)


def read_files(contents: Contents) -> Files:
    """The files; those of a kind that a later goretain may keep are left alone. Raises CorruptFile."""
    files: Files | None = None
    for block, parts in contents.files:
        role, sparse, bias, shifts = _kept_file(contents.file, block, parts)
        if (role == blocks.PROGRAM) != (files is None):
            raise CorruptFile(
                contents.file.path, block.offset, "the program's file is not the first, or not one"
            )
        if files is None:
            files = Files(sparse, _elf(sparse), bias)
        elif role == blocks.DEBUG_FILE:
            files.debug = (_elf(sparse), shifts)
        elif role == blocks.LIBRARY:
            files.libraries.append(Library(sparse.name, _elf(sparse), bias))
    assert files is not None  # contents have a file
    return files


def _elf(sparse: SparseFile) -> Elf:
    elf = Elf(sparse)
    hide_absent(elf, sparse.held)
    return elf


def _kept_file(
    file: PreadFile, block: Block, parts: list[Block]
) -> tuple[int, SparseFile, int, Shifts | None]:
    """What it is, what is kept of it, its load bias and how its addresses are translated."""
    raw, row = content_of(file, block), blocks.FILE_ROW
    if len(raw) < row.size:
        raise CorruptFile(file.path, block.offset, "the FILE block is cut off")
    size, bias, role, length = row.unpack_from(raw)
    if len(raw) < row.size + length or size >= 1 << 62 or abs(bias) >= USER_SPACE or bias % blocks.PAGE:
        raise CorruptFile(file.path, block.offset, "the FILE block has an impossible size, bias or path")
    if parts[-1].place + parts[-1].size > size:
        raise CorruptFile(file.path, parts[-1].offset, f"a part lies outside of the file's {size} bytes")
    path = os.fsdecode(raw[row.size : row.size + length])
    shifts = _shifts(file, block, raw[row.size + length :])
    return role, SparseFile(file, path, size, parts), bias, shifts


def _shifts(file: PreadFile, block: Block, raw: bytes) -> Shifts | None:
    if len(raw) % blocks.SHIFT_ROW.size:
        raise CorruptFile(file.path, block.offset, "the FILE block ends within a row")
    rows = [Shift(*row) for row in blocks.SHIFT_ROW.iter_unpack(raw)]
    if not all(0 <= s.start < s.end <= USER_SPACE and abs(s.distance) < USER_SPACE for s in rows):
        raise CorruptFile(file.path, block.offset, "an impossible distance of two sections")
    return Shifts(rows) if rows else None
