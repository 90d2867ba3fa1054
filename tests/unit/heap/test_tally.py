"""A heap counted by name, so that another look can be compared; what is new in that and survived."""

from __future__ import annotations

from goretain.heap import Heap
from goretain.heap.histogram import TypeRow
from goretain.heap.survivors import Survivors, survivors
from goretain.heap.tally import Amount, tally
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


def new_in(before: HeapBuilder, after: HeapBuilder) -> Survivors:
    found = survivors(Heap(before.build()), Heap(after.build()))
    assert found is not None
    return found


def test_a_heap_counted_by_holder_and_type_and_what_survived_in_the_next() -> None:
    before, after = growing(10, 0), growing(25, 0, fresh=3)
    heap = Heap(after.build())
    assert tally(heap, "alone").rows == {"main.cache": Amount(4096 + 28 * 48, 29, 1)}
    assert tally(heap, "type").rows == {"main.T": Amount(28 * 48, 28), None: Amount(4096, 1)}
    found = new_in(before, after)
    assert len(found.objects) == 15
    assert found.types == [TypeRow("main.T", 15, 15 * 48)]
    assert found.holders == [("main.cache", 15, 15 * 48)]


def test_goroutines_of_one_function_are_one_row() -> None:
    rows = tally(Heap(growing(0, 50).build()), "alone").rows
    assert rows["goroutines [chan receive] main.worker"] == Amount(5000, 50, 50)


def test_addresses_of_another_process_are_not_compared() -> None:
    before, after = Heap(growing(10, 0).build(pid=1)), Heap(growing(25, 0).build(pid=2))
    assert survivors(before, after) is None


def test_two_looks_at_the_same_heap_show_nothing_new() -> None:
    assert len(new_in(growing(10, 3), growing(10, 3)).objects) == 0


def test_an_empty_heap_may_grow() -> None:
    assert len(new_in(HeapBuilder(), growing(1, 0)).objects) == 2


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


def test_shared_memory_is_named_by_all_its_holders() -> None:
    owners = ("main.right", "main.left")
    heap = Heap(shared_heap(25, *owners).build())
    assert tally(heap, "shared").rows == {"main.left and main.right": Amount(2500, 25)}
    assert tally(heap, "holder").rows == {
        "main.left": Amount(4096, 1, 1),
        "main.right": Amount(4096, 1, 1),
        "main.left and main.right": Amount(2500, 25),
    }
    found = new_in(shared_heap(10, *owners), shared_heap(25, *owners))
    assert found.holders == [("main.left and main.right", 15, 1500)]


def test_goroutines_that_share_are_told_by_function_in_whatever_state() -> None:
    heap = Heap(shared_heap(3, "goroutine 1 [select] main.main", "goroutine 9 [select] main.janitor").build())
    assert list(tally(heap, "shared").rows) == ["goroutines main.janitor and goroutines main.main"]


def test_of_many_holders_only_some_are_named() -> None:
    names = [f"main.v{k}" for k in range(6)]
    heap = Heap(shared_heap(1, *names).build())
    assert list(tally(heap, "shared").rows) == ["main.v0, main.v1, main.v2 and 3 more"]
    names = [f"main.v{k:04}" for k in range(MEMBER_LIMIT + 1)]
    before, after = shared_heap(0, *names), shared_heap(1, *names)
    assert tally(Heap(after.build()), "shared").rows == {"more holders than are listed": Amount(100, 1)}
    assert new_in(before, after).holders == [("more holders than are listed", 1, 100)]


def test_survivors_of_one_holder_and_shared_ones_come_by_bytes() -> None:
    before, after = (shared_heap(count, "main.left", "main.right") for count in (0, 2))
    after.root("main.left", after.object(500, flags=SURVIVED))
    assert new_in(before, after).holders == [("main.left", 1, 500), ("main.left and main.right", 2, 200)]


def test_by_holder_chain_and_type_every_live_object_is_counted_once() -> None:
    h = shared_heap(7, "main.left", "main.right", "goroutine 1 [sleep] main.main")
    h.struct("main.T", text="string")
    h.edge(0, h.object(48, "main.T"), 9)
    h.object(5000)  # nobody reaches it
    heap = Heap(h.build())
    for kind in ("holder", "chain", "type"):
        rows = tally(heap, kind).rows.values()
        assert sum(row.bytes for row in rows) == heap.reachable_bytes, kind
        assert sum(row.objects for row in rows) == heap.reachable_objects, kind


def test_chains_of_goroutines_have_neither_number_nor_state() -> None:
    rows = tally(Heap(growing(0, 3).build()), "chain").rows
    assert rows["goroutines main.worker -> object of unknown type"] == Amount(300, 3)
