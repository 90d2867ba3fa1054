"""How a heap dump is told from other files: without what reading one takes. Imports ``model``."""

from __future__ import annotations

import os

from goretain.model.opening import starts_with

#: What runtime/heapdump.go writes first (dumphdr), since Go 1.7.
MAGIC = b"go1.7 heap dump\n"


def is_heap_dump(path: str | os.PathLike[str]) -> bool:
    """Whether the file starts as a heap dump (False when it cannot be read)."""
    return starts_with(path, MAGIC)
