"""Keys that only their map still has: of deleted entries of a sync.Map, pointers that nobody else keeps."""

from __future__ import annotations

import msgspec
import pytest

from goretain.heap.heap import Heap
from goretain.snapshot import Layer
from tests.support.heapdsl import HeapBuilder
from tests.unit.patterns.heaps import find

_SYNC, _POINTERS = "map[interface {}]*sync.entry", "map[*main.conn]*main.state"


def deleted(count: int, live: int = 100, key: int = 512, *, classic: bool = False) -> Heap:
    """A sync.Map's inner map: keys of ``key`` bytes, entries with and without a value."""
    heap = HeapBuilder()
    heap.type(_SYNC, "map", 8)
    header, table = heap.object(48), heap.object(64 * (count + live) + 256)
    heap.root("main.sessions", header)
    heap.edge(header, table, 2)
    row = heap.map(
        _SYNC, header=header, table=table, entries=count + live, slots=1024, bytes=4096, needed=4096
    )
    for at in range(count + live):
        bucket, slot = divmod(at, 8)
        # A bucket: tophash, eight keys of two words, eight elements, overflow. A slot: a key and an element.
        word = 26 * bucket + 1 + 2 * slot if classic else 1 + 3 * at
        element = 26 * bucket + 17 + slot if classic else word + 2
        entry = heap.object(8)
        heap.edge(table, heap.object(key), word + 1)
        heap.edge(table, entry, element)
        heap.entry(row, table, word)
        if at >= count:
            heap.edge(entry, heap.object(64))
    snapshot = heap.build()
    features = ("classic-maps",) if classic else ("swiss-maps",)
    snapshot.meta = msgspec.structs.replace(snapshot.meta, features=features)
    return Heap(snapshot)


@pytest.mark.parametrize("classic", [False, True])
def test_keys_of_entries_without_a_value_are_kept_for_nothing(classic: bool) -> None:
    (finding,) = find("GR112", deleted(300, classic=classic))
    assert (finding.holder, finding.count, finding.saving_bytes) == ("main.sessions", 300, 300 * (512 + 8))
    assert (finding.severity, finding.confidence.level) == ("waste", "likely")


@pytest.mark.parametrize(("count", "key"), [(255, 512), (300, 128), (0, 512)])
def test_few_deleted_entries_and_few_bytes_are_left_alone(count: int, key: int) -> None:
    assert find("GR112", deleted(count, live=400, key=key)) == []


def connections(
    count: int, size: int = 8 << 10, *, key: str = "*main.conn", word: int = 0, pointed: bool = True
) -> tuple[HeapBuilder, list[int]]:
    """A map keyed by pointers or by what has one at a word; ids of what the keys point to.

    pointed: whether the program has a type of pointers to these objects.
    """
    heap = HeapBuilder()
    heap.type("main.conn", "struct", size)
    if pointed:
        heap.pointer("main.conn")
        heap.type("[1]*main.conn", "array", 8, elem="*main.conn", count=1)
        heap.struct("main.address", host="string", conn="*main.conn")
        heap.type("chan int", "chan", 8)
        heap.struct("unique.Handle[main.conn]", value="*main.conn")
        heap.struct("weak.Pointer[main.conn]", u="unsafe.Pointer")
    heap.type("main.stringer", "interface", 16)
    heap.type(_POINTERS, "map", 8, key=key)
    header, table = heap.object(48), heap.object(32 * count + 16)
    heap.root("main.states", header)
    heap.edge(header, table, 2)
    row = heap.map(_POINTERS, header=header, table=table, entries=count, slots=1024, bytes=4096, needed=4096)
    keys = []
    for at in range(count):
        keys.append(heap.object(size, "main.conn"))
        heap.edge(table, keys[-1], 1 + 4 * at + word)
        heap.entry(row, table, 1 + 4 * at)
    return heap, keys


def test_keys_that_nobody_else_has_are_out_of_reach() -> None:
    (finding,) = find("GR115", Heap(connections(64)[0].build()))
    assert (finding.holder, finding.count, finding.saving_bytes) == ("main.states", 64, 64 * (8 << 10))
    assert (finding.type, finding.severity, finding.confidence.level) == (_POINTERS, "leak", "likely")


@pytest.mark.parametrize(
    ("key", "word", "pointed", "found"),
    [
        ("main.stringer", 1, True, 1),  # an interface that holds a pointer
        ("main.stringer", 1, False, 0),  # one that may box a struct: an equal one finds the entry
        ("main.address", 2, True, 1),  # a pointer in a struct
        ("main.address", 0, True, 0),  # the text of a string in it
        ("[1]*main.conn", 0, True, 1),
        ("chan int", 0, True, 1),
        ("string", 0, True, 0),
        ("unique.Handle[main.conn]", 0, True, 0),  # everybody can make it again
        ("weak.Pointer[main.conn]", 0, True, 0),
    ],
)
def test_a_pointer_in_the_key_is_what_nobody_else_has(key: str, word: int, pointed: bool, found: int) -> None:
    heap, _ = connections(100, key=key, word=word, pointed=pointed)
    findings = find("GR115", Heap(heap.build()))
    assert [(f.count, f.saving_bytes) for f in findings] == [(100, 100 * (8 << 10))] * found


@pytest.mark.parametrize(("count", "size"), [(63, 8 << 10), (100, 2 << 10)])
def test_few_keys_and_few_bytes_are_left_alone(count: int, size: int) -> None:
    assert find("GR115", Heap(connections(count, size)[0].build())) == []


@pytest.mark.parametrize(
    ("layer", "left"), [(Layer.RUNTIME, 100), (Layer.RUNNING, 80), (Layer.PARKED, 80), (Layer.PROGRAM, 80)]
)
def test_whoever_but_the_runtime_refers_to_a_key_can_delete_it(layer: Layer, left: int) -> None:
    heap, keys = connections(100)
    heap.root("another", *keys[:20], layer=layer)
    (finding,) = find("GR115", Heap(heap.build()))
    assert (finding.count, finding.saving_bytes) == (left, left * (8 << 10))
