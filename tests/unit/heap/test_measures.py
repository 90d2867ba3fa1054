"""Map fill, histogram and coverage."""

from __future__ import annotations

from goretain.heap import Heap
from goretain.heap.coverage import Amount
from goretain.heap.graph import UNREACHED
from goretain.heap.histogram import TypeRow
from goretain.snapshot import Layer, ObjectFlag, RootFlag
from tests.support.heapdsl import HeapBuilder

SURVIVED = int(ObjectFlag.SURVIVED)


def test_maps_come_by_saving_with_their_holder() -> None:
    h = HeapBuilder()
    h.type("map[int]int", "map", 8)
    small, big, table = h.object(48), h.object(48), h.object(4096)
    h.edge(big, table, 0)
    h.root("main.small", small)
    node = h.root("main.big", big)
    h.map("map[int]int", header=small, entries=3, slots=8, bytes=200, needed=200)
    h.map("map[int]int", header=big, table=table, entries=10, slots=1000, bytes=40_000, needed=400)
    h.map("map[int]int", entries=0, slots=0, bytes=48, needed=48)
    maps = Heap(h.build()).maps
    first = maps[0]
    assert (first.row, first.holder, first.object, first.type) == (1, node, big, "map[int]int")
    assert (first.fill, first.saving) == (0.01, 39_600)
    assert len(maps) == 3
    assert [m.saving for m in maps] == [39_600, 0, 0]
    assert [m.row for m in maps[:2]] == [1, 0]
    empty = maps.row(2)
    assert (empty.holder, empty.object, empty.fill) == (UNREACHED, None, 1.0)


def test_a_map_without_a_header_object_stands_for_its_table() -> None:
    h = HeapBuilder()
    h.type("map[int]int", "map", 8)
    table = h.object(4096)
    node = h.root("main.cache", table, path=".m")
    h.map("map[int]int", table=table, entries=10, slots=1000, bytes=4096, needed=400)
    (found,) = Heap(h.build()).maps
    assert (found.object, found.holder) == (table, node)


def test_the_histogram_counts_reachable_objects_by_type() -> None:
    h = HeapBuilder()
    h.struct("main.T", text="string")
    one, array, unknown, _garbage = (
        h.object(16, "main.T"),
        *(h.object(64, t, 128) for t in ("main.T", "", "main.T")),
    )
    h.root("main.x", one, array, unknown)
    assert Heap(h.build()).histogram == [
        TypeRow(None, 1, 64),
        TypeRow("[]main.T", 1, 64),
        TypeRow("main.T", 1, 16),
    ]


def test_coverage_splits_what_is_unreached_and_counts_pointer_free_objects_apart() -> None:
    h = HeapBuilder()
    h.struct("main.T", text="string")
    typed, buffer, guessed = h.object(16, "main.T"), h.object(64, flags=int(ObjectFlag.NOSCAN)), h.object(32)
    h.object(100, flags=SURVIVED)
    h.object(200)
    h.root("main.x", typed, buffer)
    h.root("g0 of thread 1", guessed, layer=Layer.RUNTIME, flags=int(RootFlag.CONSERVATIVE))
    c = Heap(h.build()).coverage
    assert c.allocated == c.enumerated == Amount(5, 412)
    assert c.reached == Amount(3, 112)
    assert (c.typed, c.untyped_pointer_free) == (Amount(1, 16), Amount(1, 64))
    assert (c.scannable, c.scannable_typed) == (Amount(2, 48), Amount(1, 16))
    assert c.named == Amount(2, 80)
    assert (c.survived, c.since) == (Amount(1, 100), Amount(1, 200))
    assert c.typed.share(c.reached) == (1 / 3, 16 / 112)
    assert c.typed.share(Amount(0, 0)) is None
