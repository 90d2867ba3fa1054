"""The other tools that read the heap of a Go program from a core: where to get them, how to ask them.

Each is the one on PATH, else it is installed by ``go install`` into the user's cache, once.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.targets import VERSION
from goretain.model.errors import ToolchainError
from goretain.model.places import user_cache
from tests.support.golang import toolchain

#: Objects and bytes.
Found = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Peer:
    """One tool.

    Attributes:
        name: of its executable.
        package: for go install.
        arguments: after the executable's path, of program and core.
        found: what it says it found, from what it printed and the folder that it ran in.
    """

    name: str
    package: str
    arguments: Callable[[Path, Path], list[str]]
    found: Callable[[str, Path], Found]


def executable(peer: Peer) -> Path:
    """The tool, installed if need be. Raises ToolchainError with what go install said."""
    on_path = shutil.which(peer.name)
    if on_path:
        return Path(on_path)
    folder = user_cache() / "go" / "peers"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / peer.name
    if not path.is_file():
        done = toolchain(VERSION).run(
            ["install", f"{peer.package}@latest"], cwd=folder, env={"GOBIN": str(folder)}
        )
        if done.returncode:
            raise ToolchainError(f"go install: {done.stderr.strip()}", hint="put it on PATH by hand")
    return path


def _sum(rows: str, pattern: str) -> Found:
    """Sums of the two numbers of each line that fits."""
    pairs = [(int(o), int(b)) for o, b in re.findall(pattern, rows, re.MULTILINE)]
    return sum(o for o, _ in pairs), sum(b for _, b in pairs)


def _of_profile(_: str, folder: Path) -> Found:
    """goref writes a profile: samples of inuse_objects and inuse_space."""
    done = toolchain(VERSION).run(["tool", "pprof", "-raw", "grf.out"], cwd=folder)
    if done.returncode:
        raise ToolchainError(f"go tool pprof: {done.stderr.strip()}", hint="look at what goref wrote")
    return _sum(done.stdout, r"^ +(\d+) +(\d+):")


def _of_histogram(printed: str, _: Path) -> Found:
    """viewcore prints a line a type: number of objects, bytes of each, bytes of all, type."""
    return _sum(printed, r"^ *(\d+) +\d+ +(\d+) ")


PEERS = (
    Peer("grf", "github.com/cloudwego/goref/cmd/grf", lambda p, c: ["core", str(p), str(c)], _of_profile),
    Peer(
        "viewcore",
        "golang.org/x/debug/cmd/viewcore",
        lambda p, c: [str(c), "--exe", str(p), "histogram"],
        _of_histogram,
    ),
)
