"""Reading a file that someone else may replace or truncate: positioned reads, never a mapping.

A mapped file that shrinks kills its reader with SIGBUS; ``pread`` gives a short read, and that becomes a
CorruptFile with the offset. Stands in ``debuginfo`` because ELF files are what goretain reads this way.
May import ``model``.
"""

from __future__ import annotations

import os
import weakref
from pathlib import Path
from typing import Protocol, Self

from goretain.model.errors import CorruptFile


class ReadableFile(Protocol):
    """What an ELF file is read from: a file, or what an image keeps of one.

    Attributes:
        path: what to call it in messages.
        size: bytes of the whole file.
    """

    path: str
    size: int

    def read(self, offset: int, size: int) -> bytes:
        """Exactly size bytes at offset. Raises CorruptFile when they are not there."""
        ...

    def close(self) -> None:
        """Close it; closing twice is fine."""
        ...


class PreadFile:
    """A file opened for positioned reads.

    Attributes:
        path: what to call it in messages.
        size: bytes when it was opened.
    """

    def __init__(self, path: str, fd: int) -> None:
        """fd is owned from here on: it is closed by ``close`` or with this object."""
        self.path = path
        self.fd = fd
        self.size = os.fstat(fd).st_size
        self._closer = weakref.finalize(self, os.close, fd)

    @classmethod
    def open(cls, target: str | int) -> Self:
        """Open a path, or duplicate a file descriptor (the caller's own stays open). Raises OSError."""
        if isinstance(target, int):
            fd = os.dup(target)
            return cls(str(Path(f"/proc/self/fd/{fd}").readlink()), fd)
        return cls(target, os.open(target, os.O_RDONLY | os.O_CLOEXEC))

    def read(self, offset: int, size: int) -> bytes:
        """Exactly size bytes at offset. Raises CorruptFile when the file does not hold them."""
        if offset < 0 or size < 0 or offset + size > self.size:
            raise CorruptFile(
                self.path, max(offset, 0), f"{size} bytes expected here, the file has {self.size} in all"
            )
        parts = []
        while size:
            part = os.pread(self.fd, size, offset)
            if not part:
                raise CorruptFile(self.path, offset, f"{size} bytes expected here, the file was truncated")
            parts.append(part)
            offset += len(part)
            size -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def close(self) -> None:
        """Close the descriptor; closing twice is fine."""
        self._closer()
