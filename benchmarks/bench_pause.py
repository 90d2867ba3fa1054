"""How long the target stands still: the lean copy against a full copy of the same heap, in one run.

The heap is 1 GiB of buffers. Prints pauses and copied bytes of both, in turn, and the ratio of the medians.
Run: ``python -m benchmarks.bench_pause [MiB] [rounds]``.
"""

from __future__ import annotations

import statistics
import sys

from benchmarks.targets import heap_program, running
from goretain.capture.frozen.process import capture_process
from goretain.capture.image import Image
from tests.support.heaps import plan_for


def main(mebibytes: int = 1024, rounds: int = 5) -> float:
    """Print the figures; returns the ratio of the median pauses, full by lean."""
    pauses: dict[bool, list[float]] = {False: [], True: []}
    copied: dict[bool, int] = {}
    with running(heap_program(), ["buffers", str(mebibytes)], timeout=300) as target:
        for _ in range(rounds):
            for full in (False, True):
                image: Image = capture_process(target.pid, plan_for, full=full)
                assert image.facts.pause_ns is not None
                pauses[full].append(image.facts.pause_ns / 1e6)
                copied[full] = image.facts.copied_bytes
                del image
    for full, name in ((False, "lean"), (True, "full")):
        values = sorted(pauses[full])
        print(
            f"{name}: {copied[full] / 1e6:8.1f} MB copied, pause ms "
            f"min {values[0]:.1f}  median {statistics.median(values):.1f}  max {values[-1]:.1f}"
        )
    ratio = statistics.median(pauses[True]) / statistics.median(pauses[False])
    print(f"a full copy of {mebibytes} MiB of buffers pauses the target {ratio:.0f} times longer")
    return ratio


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
