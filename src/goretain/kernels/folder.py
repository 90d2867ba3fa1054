"""Which folder keeps the machine code of these kernels, and whether there is any: known without numba itself.

Apart from ``cache`` because ``doctor`` asks where there is no memory for numba. NUMBA_CACHE_DIR goes first.
Imports ``model`` and the standard library.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import os
import shutil
from pathlib import Path

from goretain.model.places import user_cache

#: Folders of other versions that are kept, 15 MB each: several installations may take turns.
_KEPT = 7


@functools.cache
def kernel_folder() -> Path:
    """Where to put the code of these sources by this numba; what was used longest ago is deleted.

    The time of a folder is that of its last use, not of the last kernel that was compiled into it.
    """
    digest = hashlib.sha256(importlib.metadata.version("numba").encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    name = digest.hexdigest()[:16]
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen:
        return Path(chosen) / f"goretain-{name}"
    folder = user_cache() / "kernels" / name
    with contextlib.suppress(OSError):
        if folder.is_dir():
            os.utime(folder)
        else:
            others = sorted(folder.parent.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
            for old in others[_KEPT:]:
                shutil.rmtree(old, ignore_errors=True)
    return folder


def compiled() -> int | None:
    """How many compiled kernels of these sources are kept; None where none can be."""
    folder = kernel_folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return None
    return len(list(folder.glob("*.nbc"))) if os.access(folder, os.W_OK | os.X_OK) else None
