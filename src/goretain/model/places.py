"""Where goretain keeps files of its own between runs.

One function, on the ground floor because debug indexes, toolchains and compiled programs all use it.
Imports the standard library only.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import shutil
import stat
import tempfile
from pathlib import Path


def user_cache() -> Path:
    """The user's cache directory of goretain, created if needed.

    ``$XDG_CACHE_HOME/goretain``, else ``~/.cache/goretain``. Where neither can be written (a service account
    without a home) or is another user's (sudo may keep HOME), ``goretain-UID`` under the system's temporary
    directory. Machine code is loaded from here: a directory that anyone else may write to is never taken.
    Everything in it can be made again: deleting it costs time only. Where nothing can be written at all,
    the path is one that cannot be written either.
    """
    for candidate in _candidates():
        if _is_ours(candidate):
            return candidate
    return _for_this_run()


def _candidates() -> list[Path]:
    """Cache directories to try, best first."""
    found: list[Path] = []
    base = os.environ.get("XDG_CACHE_HOME", "")
    if Path(base).is_absolute():  # the XDG specification tells to ignore relative paths
        found.append(Path(base) / "goretain")
    with contextlib.suppress(RuntimeError):  # no HOME, and no entry in the user database
        found.append(Path.home() / ".cache" / "goretain")
    with contextlib.suppress(OSError):  # no temporary directory can be written
        found.append(Path(tempfile.gettempdir()) / f"goretain-{os.geteuid()}")
    return found


def _is_ours(directory: Path) -> bool:
    """Whether a directory is there or can be made, is this user's, and can be written by him alone."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts, link = directory.stat(), directory.lstat()
    except OSError:
        return False
    owners = {facts.st_uid, link.st_uid}  # a link of another user may lead to any directory of this one
    shared = facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return owners == {os.geteuid()} and not shared and os.access(directory, os.W_OK | os.X_OK)


@functools.cache
def _for_this_run() -> Path:
    """A directory that goes when the program ends."""
    try:
        directory = tempfile.mkdtemp(prefix="goretain-")
    except OSError:
        return Path(os.devnull) / "goretain"
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return Path(directory)
