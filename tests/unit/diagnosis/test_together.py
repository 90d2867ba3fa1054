"""What findings give back together: what two of them would free counts once, and never more than is live."""

from __future__ import annotations

from itertools import pairwise

from goretain.diagnosis.together import give_back
from goretain.heap.heap import Heap
from goretain.model.findings import Confidence, Finding
from tests.support.heapdsl import HeapBuilder


def heap_of(*sizes: int) -> Heap:
    """A chain of objects, each of which alone keeps the next, below one root."""
    build = HeapBuilder()
    objects = [build.object(size) for size in sizes]
    for source, target in pairwise(objects):
        build.edge(source, target)
    build.root("main.cache", objects[0])
    return Heap(build.build())


def finding(heap: Heap, end: int, saving: int, retained: int | None) -> Finding:
    """A finding whose example is one object."""
    return Finding(
        code="GR101",
        pattern="a-pattern",
        title="",
        severity="leak",
        confidence=Confidence(level="proved", reason="seen"),
        holder="main.cache",
        holders=("main.cache",),
        chain=heap.chain(end),
        count=1,
        saving_bytes=saving,
        retained_bytes=retained,
    )


def test_what_lies_in_what_another_one_frees_counts_once() -> None:
    heap = heap_of(64, 128, 1024)
    outer, inner = finding(heap, 1, 1152, 1152), finding(heap, 2, 1000, 1024)
    assert give_back(heap, [inner, outer]) == give_back(heap, [outer, inner]) == 1152
    assert give_back(heap, [inner]) == 1000


def test_parts_that_are_apart_add_up() -> None:
    heap = heap_of(64, 2048, 1024)
    table, inside = finding(heap, 1, 1500, 3072), finding(heap, 2, 1000, 1024)
    assert give_back(heap, [table, inside]) == 2500


def test_it_is_never_more_than_the_live_heap() -> None:
    heap = heap_of(64, 2048, 1024)
    seen = [finding(heap, 1, 2000, 3072), finding(heap, 0, 1900, None)]
    assert heap.reachable_bytes == 3136
    assert give_back(heap, seen) == 3136
    assert give_back(heap, []) == 0
