"""The object graph as SQL sees it: objects, edges, roots, types, maps, with what each column holds.

What is unknown is NULL. Ids are rows of the snapshot's columns, so that a number from a query is what the
Python API and ``goretain chains`` take. Imports numpy and the rest of ``snapshot``.
"""

from __future__ import annotations

import numpy as np

from goretain.snapshot.columns import Layer, ObjectFlag, RootFlag, Snapshot
from goretain.snapshot.sql.columns import NONE, Arrays, columns_of, ids, texts
from goretain.snapshot.sql.engine import Table


def _objects_rows(snapshot: Snapshot) -> Arrays:
    columns = snapshot.columns
    return {
        "id": ids(snapshot.object_count),
        "address": columns.object_address,
        "size": columns.object_size,
        "type": columns.object_type,
        "flags": columns.object_flags,
    }


def _objects_names(snapshot: Snapshot) -> Arrays:  # of single values and, behind them, of arrays
    single = [t.name for t in snapshot.types]
    array = [f"[]{name}" for name in single]
    count = len(single)
    kinds = np.concatenate([np.arange(count) * 2, np.arange(count) * 2 + 1])
    return {"kind": kinds, "name": texts([*single, *array])}


_IS_ARRAY = f"(o.flags & {int(ObjectFlag.ARRAY)}) <> 0"
_OBJECTS = Table(
    "objects",
    "one row for each live object, garbage included",
    columns_of("""
        id UINTEGER number of the object: its row
        address BIGINT where it lies
        size BIGINT bytes of its slot
        type VARCHAR Go type, []T for an array of T
        type_id INTEGER types.id of the type or of an element
        is_array BOOLEAN several values side by side
        has_pointers BOOLEAN whether the runtime looks for pointers in it
        survived BOOLEAN reached by the last finished collection; false: allocated since
    """),
    {"_objects": _objects_rows, "_type_names": _objects_names},
    f"""SELECT o.id, o.address, o.size, n.name AS type,
        CASE WHEN o.type >= 0 THEN o.type END AS type_id,
        {_IS_ARRAY} AS is_array, (o.flags & {int(ObjectFlag.NOSCAN)}) = 0 AS has_pointers,
        (o.flags & {int(ObjectFlag.SURVIVED)}) <> 0 AS survived
    FROM _objects o LEFT JOIN _type_names n ON n.kind = o.type * 2 + ({_IS_ARRAY})::INTEGER""",
)


def _edges_rows(snapshot: Snapshot) -> Arrays:
    columns = snapshot.columns
    lengths = np.diff(columns.edge_start)
    source = np.repeat(ids(snapshot.object_count), lengths)
    return {"source": source, "target": columns.edge_target, "word": columns.edge_word}


_EDGES = Table(
    "edges",
    "one row for each pointer from an object to an object",
    columns_of("""
        source UINTEGER objects.id of the object that holds the pointer
        target UINTEGER objects.id of the object that it points to or into
        slot BIGINT byte offset of the pointer in the source
    """),
    {"_edges": _edges_rows},
    "SELECT source, target, word::BIGINT * 8 AS slot FROM _edges",
)


def _roots_slots(snapshot: Snapshot) -> Arrays:
    columns = snapshot.columns
    return {
        "node": columns.root_node,
        "target": columns.root_target,
        "path": columns.root_path,
        "flags": columns.root_flags,
    }


def _roots_nodes(snapshot: Snapshot) -> Arrays:
    roots, goroutines = snapshot.roots, snapshot.goroutines
    return {
        "id": ids(len(roots)),
        "name": texts([root.name for root in roots]),
        "layer": texts([Layer(root.layer).name.lower() for root in roots]),
        "package": texts([root.package or None for root in roots]),
        "goroutine": np.array(
            [goroutines[root.goroutine].id if root.goroutine >= 0 else -1 for root in roots], np.int64
        ),
    }


def _roots_strings(snapshot: Snapshot) -> Arrays:
    return {"id": ids(len(snapshot.strings)), "text": texts(snapshot.strings)}


_ROOTS = Table(
    "roots",
    "one row for each pointer from outside of the heap: of a global variable, a stack, the runtime",
    columns_of("""
        root INTEGER number of the root; a root has a row for each pointer in it
        name VARCHAR holder: main.cache, goroutine 18 [select] main.worker
        layer VARCHAR program, stdlib, parked, running (goroutines) or runtime
        package VARCHAR import path of a global's package
        goroutine BIGINT goroutines.id of a goroutine's root
        path VARCHAR access path behind the name: .field, :variable
        object UINTEGER objects.id of what it points to or into
        conservative BOOLEAN a word that looks like a pointer
    """),
    {"_roots": _roots_slots, "_nodes": _roots_nodes, "_strings": _roots_strings},
    f"""SELECT s.node AS root, n.name, n.layer, n.package,
        CASE WHEN n.goroutine >= 0 THEN n.goroutine END AS goroutine, t.text AS path,
        s.target AS object, (s.flags & {int(RootFlag.CONSERVATIVE)}) <> 0 AS conservative
    FROM _roots s JOIN _nodes n ON n.id = s.node JOIN _strings t ON t.id = s.path""",
)


def _types_rows(snapshot: Snapshot) -> Arrays:
    rows = snapshot.types
    return {
        "id": np.arange(len(rows), dtype=np.int32),
        "name": texts([t.name for t in rows]),
        "kind": texts([t.kind for t in rows]),
        "size": np.array([t.size for t in rows], np.int64),
        "elem": np.array([t.elem for t in rows], np.int32),
        "key": np.array([t.key for t in rows], np.int32),
        "fields": np.array([len(t.fields) for t in rows], np.int32),
    }


_TYPES = Table(
    "types",
    "one row for each Go type that occurs",
    columns_of("""
        id INTEGER number of the type
        name VARCHAR main.Session, map[string]int, []uint8
        kind VARCHAR struct, ptr, slice, map, string ...
        size BIGINT bytes of one value
        elem INTEGER types.id of the element of a pointer, slice, array, channel or map
        key INTEGER types.id of a map's key
        fields INTEGER how many fields a struct has
    """),
    {"_types": _types_rows},
    """SELECT id, name, kind, size, CASE WHEN elem >= 0 THEN elem END AS elem,
        CASE WHEN key >= 0 THEN key END AS key, fields FROM _types""",
)


def _maps_rows(snapshot: Snapshot) -> Arrays:
    columns = snapshot.columns
    return {
        "id": ids(len(columns.map_object)),
        "type": columns.map_type,
        "object": columns.map_object,
        "storage": columns.map_table,
        "entries": columns.map_entries,
        "slots": columns.map_slots,
        "bytes": columns.map_bytes,
        "needed": columns.map_needed,
    }


def _maps_types(snapshot: Snapshot) -> Arrays:
    return {"id": np.arange(len(snapshot.types)), "name": texts([t.name for t in snapshot.types])}


_MAPS = Table(
    "maps",
    "one row for each map of known type",
    columns_of("""
        id UINTEGER number of the map
        type VARCHAR map[string]*main.Session
        object UINTEGER objects.id of its header; NULL: it lies in another object, a stack or a global
        storage UINTEGER objects.id of its table, groups or buckets; NULL: empty
        entries BIGINT entries in use
        slots BIGINT slots for entries in all its tables, but for one that it is moving out of
        bytes BIGINT bytes of header, directory and tables
        needed_bytes BIGINT bytes that it would take if built afresh with these entries
    """),
    {"_maps": _maps_rows, "_map_types": _maps_types},
    f"""SELECT m.id, t.name AS type, CASE WHEN m.object <> {NONE} THEN m.object END AS object,
        CASE WHEN m.storage <> {NONE} THEN m.storage END AS storage, m.entries, m.slots, m.bytes,
        m.needed AS needed_bytes FROM _maps m LEFT JOIN _map_types t ON t.id = m.type""",
)


def _map_entries_rows(snapshot: Snapshot) -> Arrays:
    columns = snapshot.columns
    return {
        "map": columns.entry_map,
        "object": columns.entry_object,
        "word": columns.entry_word,
        "length": columns.entry_key_length,
        "key": texts(snapshot.entry_keys or [None] * len(columns.entry_map)),
    }


_MAP_ENTRIES = Table(
    "map_entries",
    "one row for each entry of maps whose keys or elements hold pointers",
    columns_of("""
        map UINTEGER maps.id
        object UINTEGER objects.id of the group or bucket that holds it
        slot BIGINT byte offset of its key in that object
        key_length BIGINT bytes of a string key; NULL: another type of key
        key VARCHAR the key; NULL unless the snapshot was taken with data
    """),
    {"_entries": _map_entries_rows},
    """SELECT map, object, word::BIGINT * 8 AS slot, CASE WHEN length >= 0 THEN length END AS key_length,
        key::VARCHAR AS key FROM _entries""",
)


#: In the order in which they are documented.
GRAPH = (_OBJECTS, _EDGES, _ROOTS, _TYPES, _MAPS, _MAP_ENTRIES)
