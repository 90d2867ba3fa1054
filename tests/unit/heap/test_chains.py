"""Chains read like Go: what the links of each structure are called."""

from __future__ import annotations

from itertools import pairwise

import pytest

from goretain.heap import Heap
from goretain.heap.chains import LINK_LIMIT
from goretain.model.errors import UsageError
from goretain.snapshot import Layer, ObjectFlag, TypeField, TypeInfo
from goretain.snapshot.tables import Role
from tests.support.heapdsl import HeapBuilder

ARRAY = int(ObjectFlag.ARRAY)


def text(h: HeapBuilder, object_id: int, node: int | None = None) -> str:
    return Heap(h.build()).chain(object_id, node).text


def record_heap() -> HeapBuilder:
    """type Record struct { Name string; Body []byte; Next *Record; Any any }"""
    h = HeapBuilder()
    h.type("*main.Record", "ptr", 8)
    h.type("interface {}", "interface", 16)
    h.struct("main.Record", Name="string", Body="[]byte", Next="*main.Record", Any="interface {}")
    return h


NAME, BODY, NEXT, ANY = 0, 2, 5, 7  # words; ANY is the interface's data word


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


def swiss_map(
    h: HeapBuilder, value: str, *, tables: bool, runtime_names: bool = False
) -> tuple[int, int, int]:
    """A map[string]value with one group in use; (header, groups, map row).

    runtime_names: types as malloc headers name them, without a role.
    """
    h.struct("slot", key="string", elem=value)
    slot = h.types[h.index("slot")]
    h.type("ctrl", "uint64", 8)
    h.type("[8]slot", "array", 8 * slot.size, elem="slot", count=8)
    h.type(f"map[string]{value}", "map", 8)
    part = {
        "header": "internal/runtime/maps.Map",
        "directory": "*internal/runtime/maps.table",
        "table": "internal/runtime/maps.table",
        "groups": f"noalg.map.group[string]{value}",
    }
    roles: dict[str, Role] = {"header": "map-header", "table": "map-table", "groups": "map-groups"}
    if runtime_names:
        roles = {}
    else:
        part = {name: f"map[string]{value} {name}" for name in part}
    h.struct(part["groups"], roles.get("groups", ""), ctrl="ctrl", slots="[8]slot")
    h.struct(part["header"], roles.get("header", ""), used="ctrl", seed="ctrl", dirPtr="unsafe.Pointer")
    h.struct(part["table"], roles.get("table", ""), used="ctrl", groups="unsafe.Pointer")
    h.type(part["directory"], "ptr", 8, role="map-directory" if roles else "")
    header = h.object(48, part["header"])
    table_object = groups = h.object(2 * (8 + 8 * slot.size), part["groups"], ARRAY)
    if tables:
        directory, table = h.object(16, part["directory"], ARRAY), h.object(32, part["table"])
        h.edge(header, directory, 2)
        h.edge(directory, table, 0)
        h.edge(directory, table, 1)
        h.edge(table, groups, 1)
        table_object = directory
    else:
        h.edge(header, groups, 2)
    row = h.map(
        f"map[string]{value}", header=header, table=table_object, entries=2, slots=16, bytes=900, needed=300
    )
    return header, groups, row


@pytest.mark.parametrize("tables", [False, True])
@pytest.mark.parametrize("runtime_names", [False, True])
def test_links_inside_a_map_fold_to_the_key(tables: bool, runtime_names: bool) -> None:
    h = record_heap()
    header, groups, row = swiss_map(h, "*main.Record", tables=tables, runtime_names=runtime_names)
    record, body = h.object(72, "main.Record"), h.object(1 << 20, "byte", ARRAY)
    key = h.object(16, "byte", ARRAY)
    group_words, slot_words = (8 + 8 * 24) // 8, 3
    key_word = group_words + 1 + 2 * slot_words  # second group, slot 2
    h.edge(groups, record, key_word + 2)
    h.string(key, 0, 12, source=groups, word=key_word)
    h.entry(row, groups, key_word, 12)
    h.slice(body, 0, 5, 1 << 20, source=record, word=BODY)
    h.root("main.cache", header)
    assert text(h, body) == "main.cache[key len 12].Body (len 5, cap 1048576) -> [1048576]byte"
    assert text(h, key) == "main.cache[key len 12] key (len 12) -> [12]byte"
    assert text(h, header) == "main.cache -> map[string]*main.Record"
    assert text(h, groups if not tables else groups + 1).startswith("main.cache -> table of map[string]")
    h.entry_keys.append("user:" + "x" * 60)
    assert text(h, record).startswith('main.cache["user:xxxx')
    assert text(h, record).endswith('…"] -> main.Record')


def test_a_key_of_another_type_is_only_called_key() -> None:
    h = record_heap()
    header, groups, row = swiss_map(h, "*main.Record", tables=False)
    record = h.object(72, "main.Record")
    h.edge(groups, record, 1 + 2)
    h.entry(row, groups, 1, -1)
    h.root("main.byID", header)
    assert text(h, record) == "main.byID[key] -> main.Record"


def test_classic_buckets_fold_too() -> None:
    h = record_heap()
    h.type("topbits", "uint64", 8)
    h.type("[8]string", "array", 128, elem="string", count=8)
    h.type("[8]*main.Record", "array", 64, elem="*main.Record", count=8)
    h.struct(
        "buckets", role="map-groups", topbits="topbits", keys="[8]string", values="[8]*main.Record",
        overflow="unsafe.Pointer",
    )  # fmt: skip
    h.struct("hmap", role="map-header", count="topbits", buckets="unsafe.Pointer")
    h.type("map[string]*main.Record", "map", 8)
    header, first, second = h.object(48, "hmap"), h.object(416, "buckets", ARRAY), h.object(208, "buckets")
    record = h.object(72, "main.Record")
    h.edge(header, first, 1)
    h.edge(first, second, 26 + 25)
    h.edge(second, record, 1 + 16 + 4)
    row = h.map("map[string]*main.Record", header=header, table=first, entries=9, slots=16, bytes=1, needed=1)
    h.entry(row, second, 1 + 2 * 4, 3)
    h.root("main.old", header)
    assert text(h, record) == "main.old[key len 3] -> main.Record"


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


def test_a_sync_map_folds_to_the_key() -> None:
    h = record_heap()
    h.type("uint", "uint64", 8)
    h.struct("internal/sync.HashTrieMap[interface {},interface {}]", root="unsafe.Pointer")
    h.struct("sync.Map", m="internal/sync.HashTrieMap[interface {},interface {}]")
    h.struct("main.Store", id="uint", sessions="sync.Map")
    h.struct("internal/sync.indirect[interface {},interface {}]", dead="uint", child="unsafe.Pointer")
    h.struct("internal/sync.entry[interface {},interface {}]", key="interface {}", value="interface {}")
    store = h.object(16, "main.Store")
    first, second = h.objects(2, 16, "internal/sync.indirect[interface {},interface {}]")
    entry, record = (
        h.object(32, "internal/sync.entry[interface {},interface {}]"),
        h.object(64, "main.Record"),
    )
    name = h.object(16, "string")
    for source, target, word in ((store, first, 1), (first, second, 1), (second, entry, 1)):
        h.edge(source, target, word)
    h.edge(entry, name, 1)
    h.edge(entry, record, 3)
    h.root("main.store", store)
    assert text(h, record) == "main.store.sessions[key].(main.Record) -> main.Record"
    assert text(h, name) == "main.store.sessions[key] key.(string) -> string"
    h.root("main.other", first, path=".sessions.m.root", layer=Layer.PROGRAM)
    h.edges = [e for e in h.edges if e[0] != store]
    assert text(h, record) == "main.other.sessions[key].(main.Record) -> main.Record"


def test_a_map_in_an_interface_is_called_by_its_type() -> None:
    h = record_heap()
    header, _, _ = swiss_map(h, "*main.Record", tables=False)
    record = h.object(64, "main.Record")
    h.edge(record, header, ANY)
    h.root("main.x", record)
    assert text(h, header) == "main.x.Any.(map[string]*main.Record) -> map[string]*main.Record"
