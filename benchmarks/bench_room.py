"""What an analysis takes, beside what it is estimated to take before anything is stopped.

One heap for each kind of object, and the mixed one of ``bench_analysis``. Prints the peak of resident memory
beyond the image and the interpreter, the estimate, and how many times the peak it is: below 1 would mean that
``goretain why`` may be ended by the kernel where it said that there was room. Run: ``python -m
benchmarks.bench_room``.
"""

from __future__ import annotations

import gc
from pathlib import Path

from benchmarks.bench_analysis import status
from benchmarks.targets import heap_program, running
from goretain.api import Snapshot
from goretain.golang.extent import Extent
from goretain.golang.read import read_heap
from tests.support.heaps import image_of

#: How many of each.
KINDS = {
    "objects": 1_000_000,
    "pointers": 10_000_000,
    "windows": 3_000_000,
    "texts": 500_000,
    "leaves": 2_000_000,
}


def main() -> float:
    """Print the figures; returns the smallest estimate over its peak."""
    least = float("inf")
    for kind, count in KINDS.items():
        _measure(kind, 10_000)  # compiles what this kind needs
        peak, estimate = _measure(kind, count)
        print(
            f"  {count:>10,} {kind:<10} {peak >> 20:>5} MiB at the peak, {estimate >> 20:>5} MiB estimated,"
            f" {estimate / peak:.1f} times"
        )
        least = min(least, estimate / peak)
    if least < 1:
        raise SystemExit("an analysis takes more than its estimate")
    return least


def _measure(kind: str, count: int) -> tuple[int, int]:
    """The peak and the estimate, in bytes."""
    found: list[Extent] = []
    with running(heap_program(), [kind, str(count)], timeout=300) as target:
        image = image_of(target.pid)
    gc.collect()
    before = status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew (proc(5))
    Snapshot(read_heap(image, on_extent=found.append), kind).why()
    return status("VmHWM") - before, found[0].analysis_bytes


if __name__ == "__main__":
    main()
