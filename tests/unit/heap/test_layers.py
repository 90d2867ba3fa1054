"""Who holds what: layers of roots, shared memory, the strict figure."""

from __future__ import annotations

from goretain.heap import Heap
from goretain.heap.graph import SHARED, UNREACHED
from goretain.kernels.holders import MEMBER_LIMIT
from goretain.snapshot import Layer
from tests.support.heapdsl import HeapBuilder


def cache_heap() -> tuple[HeapBuilder, int, list[int]]:
    """main.cache -> struct -> 10 records of 100 bytes."""
    h = HeapBuilder()
    cache = h.object(64)
    records = h.objects(10, 100)
    for word, record in enumerate(records):
        h.edge(cache, record, word)
    h.root("main.cache", cache)
    return h, cache, records


def test_a_holder_retains_what_only_it_reaches() -> None:
    h, cache, records = cache_heap()
    heap = Heap(h.build())
    assert [(x.name, x.retained_bytes, x.retained_objects) for x in heap.holders] == [
        ("main.cache", 1064, 11)
    ]
    assert heap.retained(cache) == 1064
    assert heap.retained(records[3]) == 100
    assert heap.holder_of(records[3]) == 0


def test_a_parked_janitor_goroutine_does_not_take_the_cache_away() -> None:
    h, cache, records = cache_heap()
    h.root("goroutine 7 [select] main.janitor", cache, layer=Layer.PARKED)
    h.root("goroutine 9 [running] main.handler", records[0], cache, layer=Layer.RUNNING)
    h.root("net/http.DefaultServeMux", cache, layer=Layer.STDLIB)
    heap = Heap(h.build())
    assert [(x.name, x.retained_bytes) for x in heap.holders] == [("main.cache", 1064)]
    assert heap.shared == []
    assert set(heap.also_from(records[0])) == {
        "goroutine 7 [select] main.janitor",
        "goroutine 9 [running] main.handler",
        "net/http.DefaultServeMux",
    }


def test_what_only_goroutines_hold_is_theirs() -> None:
    h, cache, _ = cache_heap()
    own = h.object(500)
    h.edge(own, cache, 0)
    h.root("goroutine 7 [select] main.worker", own, layer=Layer.PARKED)
    heap = Heap(h.build())
    assert {x.name: x.retained_bytes for x in heap.holders} == {
        "main.cache": 1064,
        "goroutine 7 [select] main.worker": 500,
    }


def test_the_strict_figure_treats_all_roots_alike() -> None:
    h, cache, records = cache_heap()
    h.root("goroutine 7 [select] main.janitor", cache, layer=Layer.PARKED)
    heap = Heap(h.build())
    assert heap.strict.node_retained(0) == (0, 0)
    assert heap.strict.holder[records[0]] == SHARED
    assert heap.graph.node_retained(0) == (1064, 11)


def test_memory_of_two_globals_goes_to_neither_and_counts_once() -> None:
    h, cache, records = cache_heap()
    index = h.object(32)
    h.root("main.index", index)
    h.edge(index, records[0], 0)
    h.edge(index, records[1], 1)
    heap = Heap(h.build())
    assert {x.name: x.retained_bytes for x in heap.holders} == {"main.cache": 864, "main.index": 32}
    assert [x.shared_bytes for x in heap.holders] == [200, 200]
    (shared,) = heap.shared
    assert (shared.bytes, shared.objects, shared.holders) == (200, 2, ("main.cache", "main.index"))
    assert shared.example in records[:2]
    assert heap.holder_of(records[0]) == SHARED
    assert heap.holder_of(cache) == 0


def test_a_variable_with_several_slots_is_one_holder() -> None:
    h, _cache, records = cache_heap()
    h.root("main.cache", records[0], path=".last")
    heap = Heap(h.build())
    assert [x.retained_bytes for x in heap.holders] == [1064]
    assert heap.shared == []


def test_unreached_objects_belong_to_nobody() -> None:
    h, _, _ = cache_heap()
    lone = h.object(48)
    heap = Heap(h.build())
    assert heap.holder_of(lone) == UNREACHED
    assert heap.retained(lone) == 0
    assert heap.reachable_bytes == 1064


def test_shared_groups_follow_cycles_and_transitive_holders() -> None:
    h = HeapBuilder()
    a, b, c, x, y, tail = h.objects(6, 16)
    for name, target in (("main.a", a), ("main.b", b), ("main.c", c)):
        h.root(name, target)
    h.edge(a, x, 0)
    h.edge(b, x, 0)
    h.edge(c, y, 0)
    h.edge(x, y, 0)
    h.edge(y, x, 0)
    h.edge(y, tail, 1)
    heap = Heap(h.build())
    (shared,) = heap.shared
    assert (shared.bytes, shared.holders) == (48, ("main.a", "main.b", "main.c"))


def test_an_empty_heap_has_no_holders() -> None:
    h = HeapBuilder()
    h.root("main.nothing")
    heap = Heap(h.build())
    assert heap.holders == []
    assert heap.shared == []
    assert heap.histogram == []
    assert heap.reachable_bytes == 0


def test_more_holders_than_are_listed_still_count_once() -> None:
    h = HeapBuilder()
    shared = h.object(1000)
    for k in range(MEMBER_LIMIT + 1):
        own = h.object(8)
        h.root(f"goroutine {k} [select] main.worker", own, layer=Layer.PARKED)
        h.edge(own, shared, 0)
    few = h.object(16)
    for name in ("main.a", "main.b"):
        h.root(name, few)
    heap = Heap(h.build())
    assert [(s.bytes, len(s.holders)) for s in heap.shared] == [(1000, 0), (16, 2)]
    assert heap.holders[0].shared_bytes == 0
