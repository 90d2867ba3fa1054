"""Builds the Go programs of ``tests/zoo`` and runs them as targets.

A program prints facts by ``println`` (which does not allocate): one a line, a name and then its values, and
``READY`` when it has come to rest. Builds are kept in the user's cache under the hash of what they are made
from, so that only the first run of the tests compiles.
"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from goretain.model.places import user_cache
from goretain.toolchain import SUPPORTED, Toolchain, find_toolchain
from tests.support.threads import state

ZOO = Path(__file__).resolve().parent.parent / "zoo"

#: Every Go version the product supports, oldest first.
VERSIONS = SUPPORTED

#: Version and GOEXPERIMENT pairs whose heaps are laid out differently from their version's default.
EXPERIMENTS = (
    ("1.22.10", "noallocheaders"),
    ("1.24.11", "noswissmap"),
    ("1.25.5", "greenteagc"),
    ("1.26.6", "nogreenteagc"),
)


def toolchain(version: str) -> Toolchain:
    """The toolchain of one version, the fetched one even where PATH has the same."""
    return find_toolchain(version, progress=lambda line: print(line, flush=True))


def release(version: str) -> tuple[int, int]:
    """``1.26.6`` -> (1, 26)."""
    major, minor = version.split(".")[:2]
    return int(major), int(minor)


def go_program(
    source: str | Path,
    version: str,
    *,
    experiments: Sequence[str] = (),
    flags: Sequence[str] = (),
    cgo: bool = False,
    compiler: str = "",
) -> Path:
    """The executable of a program, built if it is not in the cache.

    Args:
        source: name of a folder in ``tests/zoo``, or a path to a folder with a go.mod.
        version: Go version.
        experiments: GOEXPERIMENT names.
        flags: flags of go build.
        cgo: whether C may be linked in.
        compiler: of C, where it is not the system's own.
    """
    folder = ZOO / source if isinstance(source, str) else source
    made = (version, tuple(experiments), tuple(flags), cgo, *([compiler] if compiler else []))
    digest = hashlib.sha256(repr(made).encode())
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    out = user_cache() / "zoo" / f"{folder.name}-{version}-{digest.hexdigest()[:16]}" / folder.name
    if not out.is_file():
        out.parent.mkdir(parents=True, exist_ok=True)
        scratch = out.with_name(f"{out.name}.{os.getpid()}")
        env = {"CGO_ENABLED": "1" if cgo else "0"} | ({"CC": compiler} if compiler else {})
        toolchain(version).build(folder, scratch, env=env, flags=flags, experiments=experiments)
        scratch.rename(out)
    return out


@dataclass(slots=True)
class Target:
    """A running program.

    Attributes:
        pid: its process ID.
        binary: the executable.
        facts: name -> one list of values for every line with that name, in order.
        process: for tests that signal or await it.
    """

    pid: int
    binary: Path
    process: subprocess.Popen[str]
    facts: dict[str, list[list[str]]] = field(default_factory=dict)

    def fact(self, name: str) -> int:
        """The only value of a fact that is one number."""
        ((value,),) = self.facts[name]
        return int(value)

    def table(self, name: str) -> dict[str, int]:
        """Facts of two values, as key -> number."""
        return {key: int(value) for key, value in self.facts.get(name, [])}


@contextmanager
def running(
    binary: Path,
    arguments: Sequence[str] = (),
    *,
    env: Mapping[str, str] | None = None,
    timeout: float = 60.0,
) -> Iterator[Target]:
    """Start a program, wait for READY, hand it out, and end it.

    Raises:
        AssertionError: it ended or stayed silent before READY; the message holds what it printed.
    """
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GO")} | dict(env or {})
    process = subprocess.Popen(
        [binary, *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    target = Target(process.pid, binary, process)
    drain: threading.Thread | None = None
    try:
        _read_facts(target, timeout)
        # What it prints later is thrown away, so that it never blocks on a full pipe.
        drain = threading.Thread(target=_drain, args=(process,), daemon=True)
        drain.start()
        yield target
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()
        if drain is not None:
            drain.join()
        if process.stdout is not None:
            process.stdout.close()


def _read_facts(target: Target, timeout: float) -> None:
    """Collect facts until READY; a timer ends a program that says nothing more."""
    assert target.process.stdout is not None
    seen: list[str] = []
    watchdog = threading.Timer(timeout, target.process.kill)
    watchdog.start()
    try:
        for line in target.process.stdout:
            words = line.split()
            if words == ["READY"]:
                return
            seen.append(line)
            if words:
                target.facts.setdefault(words[0], []).append(words[1:])
    finally:
        watchdog.cancel()
    raise AssertionError(f"{target.binary.name} was not READY after {timeout:.0f} s:\n{''.join(seen[-40:])}")


def _drain(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    for _ in process.stdout:
        pass


def wait_until_blocked(pid: int, timeout: float = 5.0) -> None:
    """Wait until the main thread of ``pid`` sleeps in the kernel (READY is printed just before it does)."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if state(pid) == "S":
            return
        time.sleep(0.01)
    raise AssertionError(f"process {pid} is still busy after {timeout:.0f} s")
