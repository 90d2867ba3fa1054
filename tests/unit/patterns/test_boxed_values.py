"""Boxes are counted where interfaces in maps of any lead to them, through lists and maps below, and once."""

from __future__ import annotations

import pytest

from goretain.heap.heap import Heap
from goretain.snapshot import Layer, ObjectFlag, TypeField, TypeInfo
from tests.support.heapdsl import HeapBuilder
from tests.unit.patterns.heaps import find

_ANY, _LIST, _GROUPS = "interface {}", "[]interface {}", "map[string]interface {} groups"
_SLOT_WORDS, _FIRST = 4, 1  # of a slot: a string and an interface; of the first slot, behind the control word


def types(value: str = _ANY) -> HeapBuilder:
    """The types of map[string]any, or of another map of strings."""
    heap = HeapBuilder()
    heap.type(_ANY, "interface", 16)
    heap.type(_LIST, "slice", 24, elem=_ANY)
    heap.type("float64", "float64", 8)
    heap.type("main.point", "struct", 16)
    heap.type("uint64", "uint64", 8)
    heap.struct("slot", key="string", elem=value)
    heap.type("[8]slot", "array", 256, elem="slot", count=8)
    fields = (TypeField("ctrl", 0, heap.index("uint64")), TypeField("slots", 8, heap.index("[8]slot")))
    heap.types.append(TypeInfo(name=_GROUPS, kind="struct", size=264, fields=fields, role="map-groups"))
    return heap


def put(heap: HeapBuilder, group: int, slot: int, size: int, type: str) -> int:
    """An object that the interface in a slot of a group points to."""
    box = heap.object(size, type)
    heap.edge(group, box, _FIRST + _SLOT_WORDS * slot + 3)
    return box


def documents(count: int, *, layer: Layer = Layer.PROGRAM, value: str = _ANY) -> HeapBuilder:
    """Documents of a number, a text, a list of two numbers, a struct, and a map with one number."""
    heap = types(value)
    for _ in range(count):
        group, inner = heap.object(288, _GROUPS), heap.object(288, _GROUPS)
        heap.root("main.catalogue", group, layer=layer)
        heap.edge(group, inner, _FIRST + 3 + _SLOT_WORDS * 4)
        put(heap, group, 0, 8, "float64")
        put(heap, inner, 0, 8, "float64")
        text, data = put(heap, group, 1, 16, "string"), heap.object(64)
        heap.edge(text, data)
        put(heap, group, 3, 16, "main.point")
        array = heap.object(32, _ANY, int(ObjectFlag.ARRAY))
        heap.edge(put(heap, group, 2, 24, _LIST), array)
        for word in (1, 3):
            heap.edge(array, heap.object(8, "float64"), word)
        heap.edge(group, heap.object(16, "float64"), _FIRST)  # where the key's pointer stands
    return heap


def test_numbers_texts_and_lists_are_counted_down_to_the_last_list() -> None:
    (finding,) = find("GR119", Heap(documents(20_000).build()))
    assert (finding.holder, finding.count) == ("main.catalogue", 6 * 20_000)
    assert finding.saving_bytes == 20_000 * (8 + 8 + 16 + 24 + 8 + 8)
    assert (finding.severity, finding.confidence.level) == ("waste", "likely")
    assert "80,000 objects with numbers, 20,000 with a string's header, 20,000" in finding.confidence.reason


@pytest.mark.parametrize(
    ("count", "layer", "value"),
    [(10_000, Layer.PROGRAM, _ANY), (20_000, Layer.RUNNING, _ANY), (20_000, Layer.PROGRAM, "[]byte")],
)
def test_few_bytes_goroutines_at_work_and_other_maps_are_left_alone(
    count: int, layer: Layer, value: str
) -> None:
    assert find("GR119", Heap(documents(count, layer=layer, value=value).build())) == []


def test_a_fiftieth_of_the_heap_is_not_much() -> None:
    heap = documents(20_000)
    heap.root("main.cache", heap.object(128 << 20))
    assert find("GR119", Heap(heap.build())) == []
