"""Speed and memory of the whole analysis, from the image of a process to ranked findings.

The heap has 4 million small objects. A first, small capture compiles the kernels. Prints CPU seconds and
their share by step, objects per CPU second, and the peak of resident memory beyond the image and the
interpreter, per object.
Run: ``python -m benchmarks.bench_analysis [objects]``.
"""

from __future__ import annotations

import gc
import itertools
import os
import sys
import time
from pathlib import Path

from benchmarks.targets import heap_program, running
from goretain.diagnosis.diagnose import diagnose
from goretain.golang.read import read_heap
from goretain.heap.heap import Heap
from tests.support.heaps import image_of


def main(objects: int = 4_000_000) -> tuple[float, float]:
    """Print the figures; returns (objects per CPU second, peak bytes per object)."""
    program = heap_program()
    with running(program, ["objects", "10000"]) as target:
        _analyse(target.pid)
    with running(program, ["objects", str(objects)], timeout=300) as target:
        return _analyse(target.pid, show=True)


def _analyse(pid: int, *, show: bool = False) -> tuple[float, float]:
    image = image_of(pid)
    gc.collect()
    before = status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew (proc(5))
    steps: list[tuple[str, float]] = []

    def progress(name: str) -> None:
        steps.append((name, time.process_time()))

    started, system = time.process_time(), os.times().system
    snapshot = read_heap(image, progress=progress)
    progress("graph")
    heap = Heap(snapshot)
    _ = heap.graph, heap.holders
    progress("other analyses and patterns")
    findings = diagnose(heap).findings
    progress("")
    seconds = time.process_time() - started
    peak = status("VmHWM") - before
    n = snapshot.object_count
    if show:
        for (name, at), (_, then) in itertools.pairwise(steps):
            print(f"  {name:<28} {then - at:6.2f} CPU s {(then - at) / seconds:6.1%}")
        print(f"{n:,} objects, {len(snapshot.columns.edge_target):,} edges, {len(findings)} findings")
        print(f"whole analysis: {seconds:.2f} CPU s, {n / seconds / 1e6:.2f} million objects per CPU second")
        print(
            f"of it in the kernel of the system: {os.times().system - system:.2f} s, mostly for fresh memory"
        )
        print(f"peak beyond image and interpreter: {peak / n:.0f} bytes per object")
    return n / seconds, peak / n


def status(field: str) -> int:
    """A size of this process in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise KeyError(field)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
