"""Chains through maps: internals fold to the key, whatever kind of map it is."""

from __future__ import annotations

import pytest

from goretain.snapshot import Layer
from goretain.snapshot.tables import Role
from tests.support.heapdsl import HeapBuilder
from tests.unit.heap.records import ANY, ARRAY, BODY, record_heap, text


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
