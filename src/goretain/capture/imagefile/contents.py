"""The blocks of an image file in their order, every one checked before anything is believed.

Imports ``capture.imagefile.blocks``, ``debuginfo.elf.files`` and ``model``.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from goretain.capture.imagefile import blocks
from goretain.capture.imagefile.blocks import Block
from goretain.capture.imagefile.sparse import content_of
from goretain.debuginfo.elf.files import PreadFile
from goretain.model.errors import CorruptFile

_RANK = {kind: rank for rank, kind in enumerate(blocks.ORDER)} | {
    blocks.PART: blocks.ORDER.index(blocks.FILE)
}


@dataclass(slots=True)
class Contents:
    """The blocks by kind, in file order.

    Attributes:
        files: each FILE block with its PART blocks.
    """

    file: PreadFile
    by_kind: dict[bytes, list[Block]] = field(default_factory=dict)
    files: list[tuple[Block, list[Block]]] = field(default_factory=list)

    def add(self, block: Block) -> None:
        """Take a block whose place in the order was checked."""
        if block.kind == blocks.FILE:
            self.files.append((block, []))
        elif block.kind == blocks.PART:
            self.files[-1][1].append(block)
        else:
            self.by_kind.setdefault(block.kind, []).append(block)

    def last_of(self, kind: bytes) -> Block | None:
        """The last block of a kind; of PART the last one of the file that is being described."""
        found = self.files[-1][1] if kind == blocks.PART and self.files else self.of(kind)
        return found[-1] if found else None

    def of(self, kind: bytes) -> list[Block]:
        """Blocks of one kind."""
        return self.by_kind.get(kind, [])

    def size_of(self, kind: bytes) -> int:
        """Bytes of all contents of a kind."""
        return sum(block.size for block in self.of(kind))

    def table(self, kind: bytes) -> bytes:
        """Contents of a kind, joined. Raises CorruptFile."""
        return b"".join(content_of(self.file, block) for block in self.of(kind))

    def at(self, kind: bytes) -> int:
        """Offset of the first block of a kind, for messages."""
        found = self.of(kind)
        return found[0].offset if found else 0


def read_contents(file: PreadFile) -> Contents:
    """Walk over all headers. Raises CorruptFile: truncated, changed, foreign, of another version."""
    path = file.path
    first = file.read(0, min(blocks.PREAMBLE, file.size))
    blocks.check_preamble(path, first)
    digest, found = hashlib.sha256(first), Contents(file)
    at, number, content, last = blocks.PREAMBLE, 0, 0, b""
    while last != blocks.TAIL:
        if at + blocks.HEADER > file.size:
            raise _truncated(path, file.size)
        raw = file.read(at, blocks.HEADER)
        block = blocks.parse(path, raw, at, number)
        if block.offset + block.stored > file.size:
            raise _truncated(path, file.size)
        _check_order(path, found, block, last)
        if block.kind == blocks.TAIL:
            _check_tail(file, block, number, content, digest.digest())
        found.add(block)
        digest.update(raw)
        at, number, content, last = block.offset + block.stored, number + 1, content + block.size, block.kind
    if at != file.size:
        raise CorruptFile(
            path, at, f"{file.size - at} bytes follow the end of the image", hint=blocks.TAKE_AGAIN
        )
    if not (
        found.of(blocks.FACT) and found.of(blocks.RANG) and found.files and all(p for _, p in found.files)
    ):
        raise CorruptFile(path, blocks.PREAMBLE, "a block that every image has is missing")
    return found


def _truncated(path: str, size: int) -> CorruptFile:
    return CorruptFile(path, size, "the image is truncated", hint=blocks.TAKE_AGAIN)


def _check_order(path: str, found: Contents, block: Block, last: bytes) -> None:
    """Kinds come in their order, the parts of a table without gaps, pages and file parts ascending."""
    kind, before = block.kind, found.last_of(block.kind)
    misplaced = bool(last) and _RANK[kind] < _RANK[last]
    if misplaced or (kind == blocks.FACT and before) or (kind == blocks.PART and not found.files):
        raise CorruptFile(path, block.offset, f"a {kind.decode()} block does not belong here")
    if kind in blocks.LONGEST:
        expected = before.place + before.size if before else 0
        if block.place != expected or (before and before.size != blocks.CHUNK):
            raise CorruptFile(path, block.offset, f"a {kind.decode()} block has a gap before it")
        if expected + block.size > blocks.LONGEST[kind]:
            raise CorruptFile(path, block.offset, f"the {kind.decode()} table is impossibly long")
    elif kind == blocks.PAGES:
        if block.place % blocks.CHUNK or (before and block.place <= before.place):
            raise CorruptFile(path, block.offset, "pages do not ascend")
    elif kind == blocks.PART:
        if before and block.place < before.place + before.size:
            raise CorruptFile(path, block.offset, "parts of the program's file overlap or do not ascend")
    elif block.place:
        raise CorruptFile(path, block.offset, f"a {kind.decode()} block has a place")


def _check_tail(file: PreadFile, block: Block, number: int, content: int, digest: bytes) -> None:
    raw = content_of(file, block)
    if len(raw) != blocks.TAIL_ROW.size:
        raise CorruptFile(file.path, block.offset, "the tail has another size than in version 1")
    if blocks.TAIL_ROW.unpack(raw) != (number, content, digest):
        raise CorruptFile(
            file.path,
            block.offset,
            "the checksum over all blocks does not match",
            hint=blocks.TAKE_AGAIN,
        )
