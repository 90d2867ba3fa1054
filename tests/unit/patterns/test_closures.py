"""Closures and method values count where many of one function keep what nothing else uses."""

from __future__ import annotations

import pytest

from goretain.heap.heap import Heap
from goretain.snapshot import Layer
from tests.support.heapdsl import HeapBuilder
from tests.unit.patterns.heaps import find

KB = 1 << 10


def callbacks(
    count: int = 40,
    size: int = 64 * KB,
    *,
    function: str = "main.connect.func1",
    layer: Layer = Layer.PROGRAM,
) -> tuple[HeapBuilder, list[int]]:
    """Closures below one holder, each with memory of its own; ids of that memory."""
    heap = HeapBuilder()
    heap.type(f"closure {function}", "struct", 16, role="closure")
    captured = []
    for _ in range(count):
        closure = heap.object(16, f"closure {function}")
        captured.append(heap.object(size))
        heap.edge(closure, captured[-1], 1)
        heap.root("main.onReload", closure, layer=layer)
    return heap, captured


@pytest.mark.parametrize(
    ("code", "other", "function"),
    [("GR113", "GR114", "main.connect.func1"), ("GR114", "GR113", "main.(*session).close-fm")],
)
def test_many_of_one_function_are_observed(code: str, other: str, function: str) -> None:
    heap = Heap(callbacks(function=function)[0].build())
    (finding,) = find(code, heap)
    assert (finding.holder, finding.count, finding.type) == ("main.onReload", 40, f"closure {function}")
    assert (finding.saving_bytes, finding.retained_bytes) == (0, 40 * (64 * KB + 16))
    assert (finding.severity, finding.confidence.level) == ("observation", "undecided")
    assert find(other, heap) == []


@pytest.mark.parametrize(("count", "size"), [(31, 64 * KB), (40, 20 * KB)])
def test_few_functions_and_few_bytes_are_parts_of_the_program(count: int, size: int) -> None:
    assert find("GR113", Heap(callbacks(count, size)[0].build())) == []


def test_a_twentieth_of_the_heap_is_not_much() -> None:
    heap, _ = callbacks()
    heap.root("main.cache", heap.object(64 << 20))
    assert find("GR113", Heap(heap.build())) == []


def test_the_standard_library_s_own_and_those_of_goroutines_at_work_are_left_alone() -> None:
    assert find("GR113", Heap(callbacks(function="net/http.(*Server).Serve.func1")[0].build())) == []
    assert find("GR113", Heap(callbacks(layer=Layer.RUNNING)[0].build())) == []


def test_what_somebody_else_uses_does_not_count() -> None:
    heap, captured = callbacks(60)
    heap.root("goroutine 5 [select] main.serve", *captured[:50], layer=Layer.PARKED)
    assert find("GR113", Heap(heap.build())) == []
