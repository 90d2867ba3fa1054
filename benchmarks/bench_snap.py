"""What ``goretain snap`` costs beside a production process: start-up until the plan stands, and writing.

The heap is linked structures, so that there is something to copy. Prints CPU seconds and resident memory at
the moment when everything is planned and nothing is frozen yet, as the median of several runs, and what
writing takes. Run: ``python -m benchmarks.bench_snap [thousand objects] [rounds]``.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.targets import heap_program, running

#: Runs the command; prints CPU seconds and MB when all is planned, then CPU seconds at the end.
_SCRIPT = """
import resource, sys, time
from goretain.api.images import snap
seen = []
def planned(_):
    pages = int(open("/proc/self/statm").read().split()[1])
    seen.extend((time.process_time(), pages * resource.getpagesize() / 1e6))
taken = snap(sys.argv[1], sys.argv[2], on_plan=planned)
print(*seen, time.process_time(), taken.facts.copied_bytes, taken.bytes)
"""


def main(thousands: int = 1000, rounds: int = 5) -> None:
    """Print the figures."""
    rows: list[list[float]] = []
    with running(heap_program(), ["objects", str(thousands * 1000)], timeout=300) as target:
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as folder:
                words = [sys.executable, "-c", _SCRIPT, str(target.pid), str(Path(folder) / "app.image")]
                done = subprocess.run(words, capture_output=True, text=True, check=True)
            rows.append([float(word) for word in done.stdout.split()])
    start, resident, end, copied, written = (statistics.median(column) for column in zip(*rows, strict=True))
    print(f"start-up: {start:.2f} s CPU and {resident:.0f} MB resident until the plan stands")
    print(
        f"capture and writing: {end - start:.2f} s CPU for {copied / 1e6:.0f} MB of memory,"
        f" {written / 1e6:.1f} MB in the file"
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
