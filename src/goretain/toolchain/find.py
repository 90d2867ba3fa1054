"""Choose a toolchain: the ``go`` on PATH when it fits, else an installed or newly fetched one.

Imports this package, ``model`` and the standard library only.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from goretain.model.errors import ToolchainError
from goretain.toolchain.install import SUPPORTED, Progress, install
from goretain.toolchain.run import Toolchain

_OLDEST = (1, 21)
_NEWEST = tuple(int(part) for part in SUPPORTED[-1].split(".")[:2])


def find_toolchain(version: str | None = None, *, progress: Progress | None = None) -> Toolchain:
    """A Go toolchain of the wanted version.

    Args:
        version: ``1.26.6``, or ``1.26`` for the supported release of that line, with or without a leading
            ``go``. None takes the ``go`` on PATH when goretain knows its release line, else the newest
            supported version.
        progress: called with one line before each slow step; by default the line goes to stderr when that
            is a terminal.

    Raises:
        ToolchainError: no such version, or it could not be installed.
    """
    wanted = None if version is None else _exact(version)
    on_path = _on_path()
    if on_path is not None and (on_path.version == wanted if wanted else _known_line(on_path.version)):
        return on_path
    wanted = wanted or SUPPORTED[-1]
    return Toolchain(install(wanted, progress=progress or _to_terminal), wanted)


def module_toolchain(version: str | None = None, *, progress: Progress | None = None) -> Toolchain:
    """The toolchain for a module of the user, with his own settings.

    Args:
        version: as ``find_toolchain`` takes it. None: the ``go`` on PATH, which may switch to the version
            that the go.mod asks for as it does for him; without one the newest supported version.
        progress: as of ``find_toolchain``.

    Raises:
        ToolchainError: no such version, or it could not be installed.
    """
    found = _on_path() if version is None else None
    if found is not None:
        return replace(found, isolated=False, pinned=False)
    return replace(find_toolchain(version, progress=progress), isolated=False)


def _exact(version: str) -> str:
    """``go1.26`` -> ``1.26.6``; versions with a patch number stay as they are."""
    bare = version.removeprefix("go")
    if not re.fullmatch(r"1\.\d+(\.\d+|(rc|beta)\d+)?", bare):
        raise ToolchainError(f"{version!r} is not a Go version", hint=f"known are {', '.join(SUPPORTED)}")
    if re.fullmatch(r"1\.\d+", bare):
        return next((known for known in SUPPORTED if known.startswith(bare + ".")), bare)
    return bare


def _known_line(version: str) -> bool:
    """Whether goretain reads heaps of this release line."""
    found = re.match(r"(\d+)\.(\d+)", version)
    return found is not None and _OLDEST <= (int(found[1]), int(found[2])) <= _NEWEST


def _on_path() -> Toolchain | None:
    """The toolchain of the first ``go`` on PATH, None when there is none that answers."""
    go = shutil.which("go")
    if go is None:
        return None
    # GOTOOLCHAIN=local: what is installed is asked for, not what a go.mod nearby would have it download.
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": ""}
    try:
        answer = subprocess.run(
            [go, "env", "GOROOT", "GOVERSION"],
            env=environment,
            cwd="/",
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        ).stdout.split("\n")
    except (OSError, subprocess.SubprocessError):
        return None
    goroot, release = Path(answer[0].strip()), answer[1].strip()
    if not (goroot / "bin" / "go").exists() or not release.startswith("go"):
        return None
    return Toolchain(goroot, release.removeprefix("go").split()[0])


def _to_terminal(line: str) -> None:
    if sys.stderr.isatty():
        print(line, file=sys.stderr)  # noqa: T201 progress of a step that takes many seconds
