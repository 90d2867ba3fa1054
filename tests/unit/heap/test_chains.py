"""Chains read like Go: what the links of each structure are called."""

from __future__ import annotations

from itertools import pairwise

import pytest

from goretain.heap import Heap
from goretain.heap.chains import LINK_LIMIT
from goretain.model.errors import UsageError
from goretain.snapshot import Layer, ObjectFlag, TypeField, TypeInfo
from tests.support.heapdsl import HeapBuilder
from tests.unit.heap.records import ANY, ARRAY, BODY, NAME, NEXT, record_heap, text


def test_a_slice_that_shows_part_of_its_array_prints_length_and_capacity() -> None:
    h = record_heap()
    record, array = h.object(64, "main.Record"), h.object(1 << 20, "byte", ARRAY)
    h.slice(array, 0, 5, 1 << 20, source=record, word=BODY)
    h.root("main.last", record)
    assert text(h, array) == "main.last.Body (len 5, cap 1048576) -> [1048576]byte"


def test_a_string_prints_its_length_and_the_end_its_real_array() -> None:
    h = record_heap()
    record, array = h.object(64, "main.Record"), h.object(1024, "byte", ARRAY)
    h.string(array, 990, 10, source=record, word=NAME)
    h.root("main.last", record, path=".rec")
    assert text(h, array) == "main.last.rec.Name (len 10) -> [1000]byte"


def test_a_slice_in_a_variable_prints_its_window() -> None:
    h = HeapBuilder()
    array = h.object(64, "byte", ARRAY)
    h.root("main.head", array)
    h.slice(array, 0, 5, 64, word=0)
    assert text(h, array) == "main.head (len 5, cap 64) -> [64]byte"


def test_each_slot_prints_its_own_window() -> None:
    h = record_heap()
    first, second = h.objects(2, 64, "main.Record")
    array = h.object(64, "byte", ARRAY)
    h.slice(array, 0, 60, 64, source=second, word=BODY)
    h.slice(array, 0, 5, 64, source=first, word=BODY)
    h.edge(first, second, NEXT)
    h.root("main.last", first)
    assert text(h, array) == "main.last.Body (len 5, cap 64) -> [64]byte"


def test_lengths_are_in_elements() -> None:
    h = record_heap()
    h.type("[]main.Record", "slice", 24, elem="main.Record")
    array = h.object(4 * 64, "main.Record", ARRAY)
    h.root("main.all", array)
    h.slice(array, 0, 128, 256, word=0)
    assert text(h, array) == "main.all (len 2, cap 4) -> [4]main.Record"


def test_lengths_are_in_elements_of_the_slice_whatever_the_object_is() -> None:
    h = record_heap()
    h.type("[65520]byte", "array", 65520, elem="byte", count=65520)
    h.struct("main.Frame", buf="[65520]byte")
    record, frame = h.object(64, "main.Record"), h.object(65536, "main.Frame")
    h.slice(frame, 10, 10, 65510, source=record, word=BODY)
    h.root("main.last", record)
    assert text(h, frame) == "main.last.Body (len 10, cap 65510) -> main.Frame"


def test_an_element_that_is_a_slice_has_its_own_lengths() -> None:
    h = record_heap()
    h.struct("main.Frame", id="unsafe.Pointer", buf="string", more="string")
    views, frame = h.object(48, "[]byte", ARRAY), h.object(40, "main.Frame")
    h.slice(frame, 10, 10, 30, source=views, word=3)
    h.root("main.views", views)
    assert text(h, frame) == "main.views[1] (len 10, cap 30) -> main.Frame"


def test_a_string_in_an_object_of_another_type_is_counted_in_bytes() -> None:
    h = record_heap()
    h.type("int", "int", 8)
    record, number = h.object(64, "main.Record"), h.object(8, "int")
    h.string(number, 0, 7, source=record, word=NAME)
    h.root("main.last", record)
    assert text(h, number) == "main.last.Name (len 7) -> int"


def test_a_variable_whose_slice_does_not_fit_the_object_is_counted_in_bytes() -> None:
    h = record_heap()
    record = h.object(64, "main.Record")
    h.root("main.view", record)
    h.slice(record, 8, 10, 50, word=0)
    assert text(h, record) == "main.view (len 10 bytes, cap 50 bytes) -> main.Record"


def test_elements_of_arrays_are_numbered_behind_a_malloc_header() -> None:
    h = record_heap()
    flags = ARRAY | int(ObjectFlag.HEADER)
    array, record = h.object(8 + 12 * 64, "main.Record", flags), h.object(64, "main.Record")
    h.edge(array, record, 1 + 3 * 8 + NEXT)
    h.root("main.all", array)
    assert text(h, record) == "main.all[3].Next -> main.Record"


def test_a_slice_of_one_element_is_numbered_too() -> None:
    h = record_heap()
    h.type("[]*main.Record", "slice", 24, elem="*main.Record")
    h.struct("main.Page", Rows="[]*main.Record")
    page, rows, record = h.object(24, "main.Page"), h.object(8, "*main.Record"), h.object(72, "main.Record")
    h.edge(page, rows, 0)
    h.edge(rows, record, 0)
    h.root("main.page", page)
    assert text(h, record) == "main.page.Rows[0] -> main.Record"


def test_an_interface_prints_its_dynamic_type() -> None:
    h = record_heap()
    a, b, body = h.object(72, "main.Record"), h.object(72, "main.Record"), h.object(16, "byte", ARRAY)
    h.edge(a, b, ANY)
    h.edge(b, body, BODY)
    h.root("main.x", a)
    assert text(h, body) == "main.x.Any.(main.Record).Body -> [16]byte"


def test_a_long_list_folds_its_links() -> None:
    h = record_heap()
    records, body = h.objects(10_000, 72, "main.Record"), h.object(16, "byte", ARRAY)
    for a, b in pairwise(records):
        h.edge(a, b, NEXT)
    h.edge(records[-1], body, BODY)
    h.root("main.head", records[0])
    assert text(h, body) == "main.head.Next×9999.Body -> [16]byte"
    assert text(h, records[3]) == "main.head.Next.Next.Next -> main.Record"
    assert text(h, records[4]) == "main.head.Next×4 -> main.Record"


@pytest.mark.parametrize("objects", [100, 1000])
def test_a_chain_of_many_different_links_loses_its_middle(objects: int) -> None:
    h = record_heap()
    records = h.objects(objects, 72, "main.Record")
    for k, (a, b) in enumerate(pairwise(records)):
        h.edge(a, b, NEXT if k % 2 else ANY)
    h.root("main.head", records[0])
    chain = Heap(h.build()).chain(records[-1])
    assert len(chain.links) == LINK_LIMIT + 1
    assert chain.links[LINK_LIMIT // 2] == f" … {objects - 1 - LINK_LIMIT} links … "


def test_a_buffered_element_of_a_channel() -> None:
    h = record_heap()
    h.type("uint", "uint64", 8)
    h.struct("chan *main.Record", role="chan", qcount="uint", dataqsiz="uint", buf="unsafe.Pointer")
    channel, buffer = h.object(96, "chan *main.Record"), h.object(64, "*main.Record", ARRAY)
    record = h.object(72, "main.Record")
    h.edge(channel, buffer, 2)
    h.edge(buffer, record, 3)
    h.root("main.queue", channel)
    assert text(h, record) == "main.queue<-[3] -> main.Record"


def test_a_captured_variable_names_its_closure() -> None:
    h = record_heap()
    h.type("uintptr", "uintptr", 8)
    h.struct("closure main.main.func1", role="closure", F="uintptr", r="*main.Record")
    closure, record = h.object(16, "closure main.main.func1"), h.object(72, "main.Record")
    h.edge(closure, record, 1)
    h.root("main.hook", closure)
    assert text(h, record) == "main.hook (closure main.main.func1 captured r) -> main.Record"


def test_an_atomic_pointer_is_followed_silently() -> None:
    h = record_heap()
    h.struct("sync/atomic.Pointer[main.Record]", v="unsafe.Pointer")
    h.struct("main.Config", current="sync/atomic.Pointer[main.Record]")
    config, record = h.object(16, "main.Config"), h.object(72, "main.Record")
    h.edge(config, record, 0)
    h.root("main.config", config)
    assert text(h, record) == "main.config.current -> main.Record"


def test_a_zero_size_field_does_not_hide_the_field_behind_it() -> None:
    h = record_heap()
    h.types.append(TypeInfo(name="struct {}", kind="struct", size=0))
    fields = (TypeField("_", 0, h.index("struct {}")), TypeField("next", 0, h.index("*main.Record")))
    h.types.append(TypeInfo(name="main.T", kind="struct", size=8, fields=fields))
    a, b = h.object(8, "main.T"), h.object(72, "main.Record")
    h.edge(a, b, 0)
    h.root("main.t", a)
    assert text(h, b) == "main.t.next -> main.Record"


def test_unknown_types_are_shown_as_unknown() -> None:
    h = HeapBuilder()
    a, b = h.object(64), h.object(128)
    h.edge(a, b, 2)
    h.root("main.x", a)
    assert text(h, b) == "main.x.unknown+16 -> object of unknown type (128 bytes)"


def test_the_chain_starts_at_the_holder_and_other_roots_have_theirs_on_demand() -> None:
    h = record_heap()
    first, last = h.object(72, "main.Record"), h.object(72, "main.Record")
    h.edge(first, last, NEXT)
    h.root("main.head", first)
    janitor = h.root("goroutine 7 [select] main.janitor", last, layer=Layer.PARKED, path=":run.r")
    assert text(h, last) == "main.head.Next -> main.Record"
    assert text(h, last, janitor) == "goroutine 7 [select] main.janitor:run.r -> main.Record"
    with pytest.raises(UsageError, match="janitor does not reach"):
        text(h, first, janitor)


def test_an_unreached_object_has_no_chain() -> None:
    h = HeapBuilder()
    h.object(8)
    h.root("main.x")
    with pytest.raises(UsageError, match="no root reaches object 0"):
        text(h, 0)


def test_a_chain_starts_at_any_of_the_holders_that_share_the_object() -> None:
    h = record_heap()
    left, right, both = h.objects(3, 72, "main.Record")
    h.edge(left, both, NEXT)
    h.edge(right, both, ANY)
    for name, target in (("main.left", left), ("main.right", right)):
        h.root(name, target)
    h.root("goroutine 7 [select] main.janitor", both, layer=Layer.PARKED)
    heap = Heap(h.build())
    first = heap.chain(both)
    assert first.text == "main.left.Next -> main.Record"
    for start in ("main.right", "main.r", "main.right.Any"):
        found = heap.chain_from(first, start)
        assert found is not None
        assert found.text == "main.right.Any.(main.Record) -> main.Record"
    assert heap.chain_from(first, "main.left") == first
    assert heap.chain_from(first, "main.right.Next") is None
    assert heap.chain_from(first, "goroutine 7") is None
