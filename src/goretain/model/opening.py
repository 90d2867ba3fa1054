"""Opening a file that the user named: what it is, and a descriptor that neither blocks nor is inherited.

On the ground floor because snapshots and images, which stand apart, are opened the same way. Imports
``model.errors`` and the standard library only.
"""

from __future__ import annotations

import os

from goretain.model.errors import UsageError

_HOW = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK


def starts_with(path: str | os.PathLike[str], magic: bytes) -> bool:
    """Whether the file begins with these bytes; False when it cannot be read."""
    try:
        descriptor = os.open(path, _HOW)
    except OSError:
        return False
    try:
        return os.pread(descriptor, len(magic), 0) == magic
    except OSError:
        return False
    finally:
        os.close(descriptor)


def open_named(path: str | os.PathLike[str]) -> int:
    """A descriptor to read the file by. Raises UsageError."""
    try:
        return os.open(path, _HOW)
    except OSError as failed:
        raise UsageError(
            f"cannot open {os.fspath(path)}: {failed.strerror}", hint="check the path and its permissions"
        ) from None
