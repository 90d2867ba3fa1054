"""Growth between two snapshots: by holder, by who shares it, by type; what is new and survived."""

from __future__ import annotations

from goretain.heap import diff
from goretain.heap.histogram import TypeRow
from goretain.kernels.holders import MEMBER_LIMIT
from goretain.snapshot import Layer, ObjectFlag
from tests.support.heapdsl import HeapBuilder

SURVIVED = int(ObjectFlag.SURVIVED)


def growing(records: int, goroutines: int, *, fresh: int = 0) -> HeapBuilder:
    """main.cache with records that survived a mark, goroutines with 100 bytes each, fresh objects since."""
    h = HeapBuilder()
    h.struct("main.T", text="string")
    cache = h.object(4096, flags=SURVIVED)
    h.root("main.cache", cache)
    for k in range(records):
        h.edge(cache, h.object(48, "main.T", SURVIVED), k)
    for k in range(goroutines):
        stack = h.object(100, flags=SURVIVED)
        h.root(f"goroutine {k + 5} [chan receive] main.worker", stack, layer=Layer.PARKED)
    for k in range(fresh):
        h.edge(cache, h.object(48, "main.T"), records + k)
    return h


def test_growth_by_holder_type_and_survivors() -> None:
    growth = diff(growing(10, 0).build(taken_at=100.0), growing(25, 0, fresh=3).build(taken_at=130.0))
    assert (growth.seconds, growth.same_process) == (30.0, True)
    assert (growth.bytes, growth.objects) == (18 * 48, 18)
    (cache,) = growth.holders
    assert (cache.name, cache.bytes, cache.objects, cache.before_count) == ("main.cache", 18 * 48, 18, 1)
    (records,) = growth.types
    assert (records.name, records.bytes, records.after_objects) == ("main.T", 18 * 48, 28)
    assert len(growth.survivors) == 15
    assert growth.survivor_types == [TypeRow("main.T", 15, 15 * 48)]
    assert growth.survivor_holders == [("main.cache", 15, 15 * 48)]


def test_goroutines_of_one_function_grow_as_one_row() -> None:
    growth = diff(growing(0, 2).build(), growing(0, 50).build())
    (workers,) = growth.holders
    assert workers.name == "goroutines [chan receive] main.worker"
    assert (workers.before_count, workers.after_count, workers.bytes) == (2, 50, 4800)


def test_addresses_of_another_process_are_not_compared() -> None:
    growth = diff(growing(10, 0).build(pid=1), growing(25, 0).build(pid=2))
    assert not growth.same_process
    assert len(growth.survivors) == 0
    assert growth.bytes == 15 * 48


def test_two_looks_at_the_same_heap_show_no_growth() -> None:
    growth = diff(growing(10, 3).build(), growing(10, 3).build())
    assert (growth.holders, growth.types, growth.bytes, len(growth.survivors)) == ([], [], 0, 0)


def test_an_empty_heap_may_grow() -> None:
    growth = diff(HeapBuilder().build(), growing(1, 0).build())
    assert len(growth.survivors) == 2


def shared_heap(records: int, *owners: str) -> HeapBuilder:
    """Records of 100 bytes that survived a mark, each reached from every owner's own table."""
    h = HeapBuilder()
    tables = []
    for name in owners:
        tables.append(h.object(4096, flags=SURVIVED))
        layer = Layer.PARKED if name.startswith("goroutine") else Layer.PROGRAM
        h.root(name, tables[-1], layer=layer)
    for k in range(records):
        record = h.object(100, flags=SURVIVED)
        for table in tables:
            h.edge(table, record, k)
    return h


def test_growth_of_shared_memory_is_named_by_all_its_holders() -> None:
    owners = ("main.right", "main.left")
    growth = diff(shared_heap(10, *owners).build(), shared_heap(25, *owners).build())
    assert growth.holders == []
    assert (growth.shared.before_bytes, growth.shared.after_bytes) == (1000, 2500)
    (group,) = growth.shared_groups
    assert (group.name, group.bytes, group.objects) == ("main.left and main.right", 1500, 15)
    assert growth.survivor_holders == [("main.left and main.right", 15, 1500)]


def test_goroutines_that_share_are_told_by_function_in_whatever_state() -> None:
    before = shared_heap(1, "goroutine 1 [sleep] main.main", "goroutine 7 [select] main.janitor")
    after = shared_heap(3, "goroutine 1 [select] main.main", "goroutine 9 [select] main.janitor")
    (group,) = diff(before.build(), after.build()).shared_groups
    assert (group.name, group.bytes) == ("goroutines main.janitor and goroutines main.main", 200)


def test_of_many_holders_only_some_are_named() -> None:
    names = [f"main.v{k}" for k in range(6)]
    (group,) = diff(shared_heap(0, *names).build(), shared_heap(1, *names).build()).shared_groups
    assert group.name == "main.v0, main.v1, main.v2 and 3 more"
    names = [f"main.v{k:04}" for k in range(MEMBER_LIMIT + 1)]
    growth = diff(shared_heap(0, *names).build(), shared_heap(1, *names).build())
    assert [(g.name, g.bytes) for g in growth.shared_groups] == [("more holders than are listed", 100)]
    assert growth.survivor_holders == [("more holders than are listed", 1, 100)]


def test_survivors_of_one_holder_and_shared_ones_come_by_bytes() -> None:
    before, after = (shared_heap(count, "main.left", "main.right") for count in (0, 2))
    h = after
    h.root("main.left", h.object(500, flags=SURVIVED))
    survivors = diff(before.build(), h.build()).survivor_holders
    assert survivors == [("main.left", 1, 500), ("main.left and main.right", 2, 200)]
