"""Speed and memory of the graph part on a heap of four million objects.

Prints CPU nanoseconds per object of every step and the peak of memory beyond the columns. Two heaps:
``server`` is laid out as Go does it (objects of one type side by side, pointers mostly to neighbours in
allocation order), ``shuffled`` points anywhere (the worst case for caches).
Run: ``python -m benchmarks.bench_graph [objects]``.
"""

from __future__ import annotations

import sys
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from goretain.heap import Heap
from goretain.snapshot import Columns, HeapTotals, Layer, Meta, RootNode, Snapshot

ROOTS = 2000
STEPS: dict[str, Callable[[Heap], object]] = {
    "layers, dominators, retained, sets": lambda heap: heap.graph,
    "holders": lambda heap: heap.holders,
    "shared": lambda heap: heap.shared,
    "histogram": lambda heap: heap.histogram,
    "windows": lambda heap: heap.windows,
    "backing": lambda heap: heap.backing,
    "maps": lambda heap: heap.maps,
    "coverage": lambda heap: heap.coverage,
    "first chain": lambda heap: heap.chain(int(np.flatnonzero(heap.graph.reached)[-1])),
    "also from": lambda heap: heap.also_from(int(np.flatnonzero(heap.graph.reached)[-1])),
}


def build(objects: int, far: float) -> Snapshot:
    """Buckets of 8 records; a record points to a name, a body, a header with two strings, and its bucket.

    far: share of pointers that go to a random object of the right type instead of the one allocated with it.
    """
    rng = np.random.default_rng(7)
    records = objects // 6
    buckets = records // 8
    counts = np.array([buckets, records, records, records, records, 2 * records])
    first = np.concatenate([[0], np.cumsum(counts)])
    own = np.arange(records)

    def partner() -> NDArray[np.int64]:
        return np.where(rng.random(records) < far, rng.integers(0, records, records), own)

    pairs = [(own // 8 % buckets, first[1] + partner())]
    pairs += [(first[1] + own, first[kind] + partner()) for kind in (2, 3, 4)]
    pairs += [(first[1] + own, own // 8 % buckets)]
    pairs += [(first[4] + own, first[5] + 2 * partner() + k) for k in (0, 1)]
    source, target = (np.concatenate([pair[k] for pair in pairs]) for k in (0, 1))
    order = np.argsort(source, kind="stable")
    return snapshot(first, source[order], target[order].astype(np.uint32), rng)


def snapshot(
    first: NDArray[np.int64], source: NDArray[np.int64], target: NDArray[np.uint32], rng: np.random.Generator
) -> Snapshot:
    """The columns: one window for every body, ROOTS roots in five layers that hold the buckets."""
    n, buckets, records = int(first[-1]), int(first[1]), int(first[2] - first[1])
    size = np.repeat(np.array([256, 96, 32, 64, 48, 16]), np.diff(first))
    columns = {name: np.zeros(0, _dtype(name)) for name in Columns.names()}
    columns.update(
        object_address=0xC000000000 + np.cumsum(size) - size,
        object_size=size,
        object_type=np.full(n, -1, np.int32),
        object_flags=np.zeros(n, np.uint16),
        edge_start=np.concatenate([[0], np.cumsum(np.bincount(source, minlength=n))]),
        edge_target=target,
        edge_word=np.zeros(len(target), np.uint32),
        root_node=rng.integers(0, ROOTS, buckets).astype(np.int32),
        root_target=np.arange(buckets, dtype=np.uint32),
        root_path=np.zeros(buckets, np.uint32),
        root_flags=np.zeros(buckets, np.uint8),
        root_goroutine=np.full(buckets, -1, np.int32),
        window_target=np.arange(first[3], first[4], dtype=np.uint32),
        window_source=np.arange(first[1], first[2], dtype=np.uint32),
        window_word=np.zeros(records, np.uint32),
        window_kind=np.zeros(records, np.uint8),
        window_start=np.zeros(records, np.int64),
        window_length=rng.integers(1, 64, records),
        window_capacity=np.full(records, 64, np.int64),
    )
    totals = HeapTotals(
        live_objects=n, live_bytes=int(size.sum()), dead_objects=0, dead_bytes=0, in_use_bytes=0,
        stack_bytes=0, span_count=0,
    )  # fmt: skip
    meta = Meta(
        program="bench", go_version="", build_id="", source="live", pid=1, taken_at=0.0, totals=totals
    )
    roots = [RootNode(name=f"main.v{k}", layer=int(Layer(k % 5))) for k in range(ROOTS)]
    return Snapshot(meta, Columns(**columns), [], roots, [], [""], [])


def _dtype(name: str) -> str:
    annotation = str(Columns.__annotations__[name])
    return {"I64": "i8", "I32": "i4", "U32": "u4", "U16": "u2", "U8": "u1"}[annotation]


def measure(name: str, objects: int, far: float) -> None:
    """Time every step on a fresh heap; then the peak of memory on another, so that tracing costs no time."""
    columns = build(objects, far)
    n, edges = columns.object_count, len(columns.columns.edge_target)
    print(f"{name}: {n:,} objects, {edges:,} edges")
    heap, total = Heap(columns), 0.0
    for step, run in STEPS.items():
        begin = time.process_time()
        run(heap)
        seconds = time.process_time() - begin
        total += seconds
        print(f"  {step:36} {seconds / n * 1e9:7.1f} ns/object")
    print(f"  {'all':36} {total / n * 1e9:7.1f} ns/object, {total:.2f} CPU s")
    heap = Heap(columns)
    tracemalloc.start()
    for step, run in STEPS.items():
        tracemalloc.reset_peak()
        run(heap)
        kept, peak = tracemalloc.get_traced_memory()
        print(f"  {step:36} {peak / n:7.1f} bytes/object at the peak, {kept / n:5.1f} kept so far")
    tracemalloc.stop()


def main(objects: int = 4_000_000) -> None:
    """Print the figures."""
    warm = Heap(build(10_000, 0.5))
    for run in STEPS.values():
        run(warm)
    measure("server", objects, 0.02)
    measure("shuffled", objects, 1.0)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
