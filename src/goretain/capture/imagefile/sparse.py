"""The parts of a file that an image keeps, read as if they were the file.

Imports ``capture.imagefile.blocks``, ``debuginfo.elf.files`` and ``model``.
"""

from __future__ import annotations

import bisect

from goretain.capture.imagefile import blocks
from goretain.capture.imagefile.blocks import Block
from goretain.debuginfo.elf.files import PreadFile
from goretain.model.errors import CorruptFile

# Headers, notes and symbols are read in small pieces.
_REMEMBERED = 4


def content_of(file: PreadFile, block: Block) -> bytes:
    """The content of a block of an image file. Raises CorruptFile."""
    return blocks.unpack(file.path, block, file.read(block.offset, block.stored))


class SparseFile:
    """A ReadableFile over the PART blocks of an image.

    Attributes:
        path: the image and the file, for messages. name: the file. size: bytes of the whole file.
        held: what is there, [start, end) each, ascending and not touching.
    """

    def __init__(self, file: PreadFile, program: str, size: int, parts: list[Block]) -> None:
        """parts: ascending by place and disjoint. file stays open until ``close``."""
        self.path = f"{file.path} ({program})"
        self.name = program
        self.size = size
        self._file = file
        self._parts = parts
        self._places = [part.place for part in parts]
        self._recent: dict[int, bytes] = {}
        self.held: list[tuple[int, int]] = []
        for part in parts:
            start = part.place
            if self.held and self.held[-1][1] == start:
                start = self.held.pop()[0]
            self.held.append((start, part.place + part.size))

    def read(self, offset: int, size: int) -> bytes:
        """Exactly size bytes at offset. Raises CorruptFile when the image does not hold them all."""
        if not size and 0 <= offset <= self.size:
            return b""
        i = bisect.bisect_right(self.held, (offset, self.size)) - 1
        if i < 0 or size < 0 or offset + size > self.held[i][1]:
            reason = f"the image does not keep these {size} bytes of the file"
            raise CorruptFile(self.path, max(offset, 0), reason)
        found: list[bytes] = []
        end, number = offset + size, bisect.bisect_right(self._places, offset) - 1
        while offset < end:
            part, content = self._parts[number], self._content(number)
            taken = content[offset - part.place : end - part.place]
            found.append(taken)
            offset, number = offset + len(taken), number + 1
        return found[0] if len(found) == 1 else b"".join(found)

    def _content(self, number: int) -> bytes:
        content = self._recent.get(number)
        if content is None:
            if len(self._recent) >= _REMEMBERED:
                self._recent.pop(next(iter(self._recent)))
            content = self._recent[number] = content_of(self._file, self._parts[number])
        return content

    def close(self) -> None:
        """Close the image file."""
        self._file.close()
