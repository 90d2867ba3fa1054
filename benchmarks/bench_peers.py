"""goretain beside the other tools that read the heap of a Go program: goref and viewcore, on one core.

The heap has 5 million small objects; gcore, of gdb, takes the core. Prints for each tool CPU seconds and the
peak of resident memory of the whole process, from its start to its answer, and how many objects and bytes it
found, beside what the runtime counts. A tool that cannot be installed is left out, and that is said.
Run: ``python -m benchmarks.bench_peers [objects]``.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers import PEERS, Found, executable
from benchmarks.targets import heap_program, running
from goretain.model.errors import ToolchainError

#: Runs a command from a process that is smaller than it: a child's peak begins at that of its parent.
_MEASURED = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(done.returncode, used.ru_utime + used.ru_stime, used.ru_maxrss, file=sys.stderr)
"""
_GORETAIN = [sys.executable, "-c", "from goretain.cli.main import main; main()"]
_LIMIT = 1800.0  # seconds


@dataclass(frozen=True, slots=True)
class Run:
    """One finished command: CPU seconds, peak of resident memory in bytes, what it printed."""

    seconds: float
    peak: int
    printed: str


def main(objects: int = 5_000_000) -> None:
    """Print the figures; fails when goretain does not find what the runtime counts."""
    if shutil.which("gcore") is None:
        print("left out: there is no gcore here (it comes with gdb)")
        return
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        small, _ = _core(Path(folder), 100_000)
        _goretain(small)  # compiles the kernels
        core, counted = _core(Path(folder), objects)
        print(f"{counted[0]:,} objects and {counted[1]:,} bytes by MemStats")
        run, found = _goretain(core)
        _row("goretain why", run, found, counted)
        assert abs(found[0] - counted[0]) < 1000, "goretain did not find what MemStats counts"
        for peer in PEERS:
            try:
                command = [str(executable(peer)), *peer.arguments(heap_program(), core)]
                run = _measure(command, Path(folder))
                _row(peer.name, run, peer.found(run.printed, Path(folder)), counted)
            except ToolchainError as error:
                print(f"  {peer.name} is left out: {error}")


def _core(folder: Path, objects: int) -> tuple[Path, Found]:
    """A core of the heap program, and the objects and bytes that MemStats counted in it."""
    with running(heap_program(), ["objects", str(objects)], timeout=300) as target:
        command = ["gcore", "-o", str(folder / "core"), str(target.pid)]
        subprocess.run(command, check=True, capture_output=True)
        counted = target.fact("HeapObjects"), target.fact("HeapAlloc")
        return folder / f"core.{target.pid}", counted


def _goretain(core: Path) -> tuple[Run, Found]:
    run = _measure([*_GORETAIN, "why", str(core), "--json"], core.parent)
    enumerated = json.loads(run.printed)["coverage"]["enumerated"]
    return run, (enumerated["objects"], enumerated["bytes"])


def _measure(command: list[str], folder: Path) -> Run:
    """Run a command in a folder. Raises ToolchainError when it fails or takes too long."""
    words = [sys.executable, "-I", "-S", "-c", _MEASURED, *command]
    try:
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=_LIMIT, check=True)
    except subprocess.TimeoutExpired:
        raise ToolchainError(f"it took more than {_LIMIT:.0f} s", hint="ask for fewer objects") from None
    *said, figures = done.stderr.splitlines()
    code, seconds, peak = figures.split()
    if code != "0":
        raise ToolchainError(f"exit code {code}: {' '.join(said[-3:])}", hint="run it by hand")
    return Run(float(seconds), int(peak) * 1024, done.stdout)


def _row(name: str, run: Run, found: Found, counted: Found) -> None:
    shares = [
        f"{f:>13,} {what} ({f / c:.1%})"
        for f, c, what in zip(found, counted, ("objects", "bytes"), strict=True)
    ]
    rate = found[0] / run.seconds / 1e6
    print(
        f"  {name:<13}{run.seconds:7.1f} CPU s{run.peak / 1e6:8.0f} MB peak {' '.join(shares)}"
        f"  {rate:.2f} million objects a CPU s",
        flush=True,
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
