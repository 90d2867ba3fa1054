"""A memory cgroup for one test, with a real limit: v1 or v2, whichever has the memory controller here.

Made where the kernel lets us: it takes root and a cgroup file system that may be written to.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from goretain.capture.room import cgroups


@dataclass(frozen=True, slots=True)
class Cgroup:
    """A cgroup of the test's own, without processes but those that it moves in."""

    folder: Path

    @property
    def second(self) -> bool:
        """Whether it is of cgroup v2."""
        return (self.folder / "cgroup.controllers").exists()

    def limit(self, size: int) -> None:
        """So many bytes and no more; no swap."""
        if self.second:
            (self.folder / "memory.max").write_text(str(size))
            (self.folder / "memory.swap.max").write_text("0")
            return
        both = self.folder / "memory.memsw.limit_in_bytes"
        if both.exists():
            both.write_text("-1")  # it may never be below the other
        (self.folder / "memory.limit_in_bytes").write_text(str(size))
        if both.exists():
            both.write_text(str(size))

    @property
    def used(self) -> int:
        """Bytes in use, as the kernel counts them."""
        return int((self.folder / ("memory.current" if self.second else "memory.usage_in_bytes")).read_text())

    @property
    def kills(self) -> int:
        """How many processes the kernel has ended here for lack of memory."""
        file = self.folder / ("memory.events" if self.second else "memory.oom_control")
        rows = dict(line.split() for line in file.read_text().splitlines())
        return int(rows["oom_kill"])

    def enter(self) -> None:
        """Move ourselves in; as preexec_fn of a subprocess, that is in from its first instruction."""
        (self.folder / "cgroup.procs").write_text("0")

    def command(self, words: list[str]) -> list[str]:
        """The command, to be run by the shell, that enters and then becomes words."""
        return ["-c", f'echo 0 > {self.folder}/cgroup.procs && exec "$@"', "sh", *words]


@contextmanager
def memory_cgroup(name: str) -> Iterator[Cgroup]:
    """A new cgroup below our own, gone afterwards. Skips the test where none can be made."""
    above = cgroups.memory_folders()
    if not above:
        pytest.skip("the memory cgroup that the tests run in cannot be seen from here")
    folder, why = None, ""
    # cgroup v2 lets only cgroups without processes hand a controller down: ours has some, so one above it.
    for parent in above:
        try:
            control = parent / "cgroup.subtree_control"
            if control.exists():
                control.write_text("+memory")
            folder = parent / f"goretain-test-{os.getpid()}-{name}"
            folder.mkdir()
            break
        except OSError as error:
            folder, why = None, str(error)
    if folder is None:
        pytest.skip(f"no cgroup can be made: {why}")
    try:
        yield Cgroup(folder)
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    """Ended processes leave their cgroup a moment later."""
    deadline = time.monotonic() + 5
    while True:
        try:
            folder.rmdir()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
