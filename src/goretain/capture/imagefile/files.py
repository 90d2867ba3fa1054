"""The files that an image keeps parts of: the program, its debug file, plugins.

Imports ``capture``, ``debuginfo`` and ``model``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from goretain.capture.image import Library
from goretain.capture.imagefile import blocks
from goretain.capture.imagefile.binary import hide_absent
from goretain.capture.imagefile.blocks import Block
from goretain.capture.imagefile.contents import Contents
from goretain.capture.imagefile.sparse import SparseFile, content_of
from goretain.capture.imagefile.tables import FileRow, file_of
from goretain.debuginfo.beside.translated import Shifts
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
        row, sparse = _kept_file(contents.file, block, parts)
        if (row.role == blocks.PROGRAM) != (files is None):
            raise CorruptFile(
                contents.file.path, block.offset, "the program's file is not the first, or not one"
            )
        if files is None:
            files = Files(sparse, _elf(sparse), row.bias)
        elif row.role == blocks.DEBUG_FILE:
            files.debug = (_elf(sparse), row.shifts)
        elif row.role == blocks.LIBRARY:
            files.libraries.append(Library(sparse.name, _elf(sparse), row.bias))
    assert files is not None  # contents have a file
    return files


def _elf(sparse: SparseFile) -> Elf:
    elf = Elf(sparse)
    hide_absent(elf, sparse.held)
    return elf


def _kept_file(file: PreadFile, block: Block, parts: list[Block]) -> tuple[FileRow, SparseFile]:
    """What is said of a file, and what is kept of it."""
    row = file_of(file.path, content_of(file, block), block.offset)
    if parts[-1].place + parts[-1].size > row.size:
        raise CorruptFile(file.path, parts[-1].offset, f"a part lies outside of the file's {row.size} bytes")
    return row, SparseFile(file, row.path, row.size, parts)
