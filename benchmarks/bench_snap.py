"""What ``goretain snap`` costs beside a production process: start-up until the plan stands, and writing.

Targets: linked structures, so that there is something to copy, and a large program, the Go compiler built
from the toolchain's own source, with its debug information and without: start-up reads symbols and DWARF, or
finds the runtime in memory.
Prints CPU seconds and resident memory at the moment when everything is planned and nothing is frozen yet
(medians and ranges of several runs), what writing takes, and the peak of memory.
Run: ``python -m benchmarks.bench_snap [thousand objects] [rounds]``.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.targets import compiler_program, heap_program, running

#: What a start-up beside a production process may take.
MOST_SECONDS, MOST_MB = 0.4, 60
#: Runs the command; prints CPU seconds and MB when all is planned, then CPU seconds at the end.
_SCRIPT = """
import resource, sys, time
from goretain.api.images import snap
seen = []
def planned(_):
    pages = int(open("/proc/self/statm").read().split()[1])
    seen.extend((time.process_time(), pages * resource.getpagesize() / 1e6))
taken = snap(sys.argv[1], sys.argv[2], on_plan=planned)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
print(*seen, time.process_time(), peak, taken.facts.copied_bytes, taken.bytes)
"""


def main(thousands: int = 1000, rounds: int = 5) -> None:
    """Print the figures."""
    with running(heap_program(), ["objects", str(thousands * 1000)], timeout=300) as target:
        _measure("linked structures", target.pid, rounds)
    for what, flags in (("the Go compiler", ()), ("the Go compiler, stripped", ("-ldflags=-s -w",))):
        with tempfile.TemporaryDirectory() as folder, _waiting_compiler(Path(folder), flags) as pid:
            _measure(what, pid, rounds)


@contextmanager
def _waiting_compiler(folder: Path, flags: tuple[str, ...]) -> Iterator[int]:
    """The PID of a compiler that waits for its source: that is a named pipe which nobody writes to."""
    source = folder / "source.go"
    os.mkfifo(source)
    words = [str(compiler_program(*flags)), "-p", "main", "-o", str(folder / "out.o"), str(source)]
    with subprocess.Popen(words) as process:
        try:
            time.sleep(1)
            yield process.pid
        finally:
            process.kill()


def _measure(what: str, pid: int, rounds: int) -> None:
    binary = Path(f"/proc/{pid}/exe").stat().st_size
    print(f"{what}, a program of {binary / 1e6:.0f} MB")
    rows: list[list[float]] = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            words = [sys.executable, "-c", _SCRIPT, str(pid), str(Path(folder) / "app.image")]
            done = subprocess.run(words, capture_output=True, text=True, check=True)
        rows.append([float(word) for word in done.stdout.split()])
    columns = list(zip(*rows, strict=True))
    start, resident, end, peak, copied, written = (statistics.median(column) for column in columns)
    least, most = min(columns[0]), max(columns[0])
    print(
        f"  start-up: {start:.2f} s CPU ({least:.2f} to {most:.2f}),"
        f" {resident:.0f} MB resident when the plan stands"
    )
    assert start < MOST_SECONDS, f"start-up takes {start:.2f} s of CPU"
    assert resident < MOST_MB, f"start-up takes {resident:.0f} MB"
    print(
        f"  capture and writing: {end - start:.2f} s CPU for {copied / 1e6:.0f} MB of memory,"
        f" {written / 1e6:.1f} MB in the file; {peak:.0f} MB at the peak"
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
