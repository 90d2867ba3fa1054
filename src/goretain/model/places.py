"""Where goretain keeps files of its own between runs.

One function, on the ground floor because debug indexes, toolchains and compiled programs all use it.
Imports the standard library only.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path


def user_cache() -> Path:
    """The user's cache directory of goretain, created if needed.

    ``$XDG_CACHE_HOME/goretain``, else ``~/.cache/goretain``. Where neither can be written (a service account
    without a home), a directory of this user's own under the system's temporary directory. Everything in it
    can be made again: deleting it costs time only.
    """
    for candidate in _candidates():
        try:
            candidate.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(candidate, os.W_OK | os.X_OK):
            return candidate
    return Path(tempfile.mkdtemp(prefix="goretain-"))


def _candidates() -> list[Path]:
    """Cache directories to try, best first."""
    found: list[Path] = []
    base = os.environ.get("XDG_CACHE_HOME", "")
    if Path(base).is_absolute():  # the XDG specification tells to ignore relative paths
        found.append(Path(base) / "goretain")
    with contextlib.suppress(RuntimeError):  # no HOME, and no entry in the user database
        found.append(Path.home() / ".cache" / "goretain")
    return found
