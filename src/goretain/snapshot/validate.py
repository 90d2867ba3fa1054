"""The invariants of a snapshot's columns, checked once so that kernels may run without bounds checks.

The checking twin of :class:`goretain.snapshot.columns.Columns`; used on every file that is opened, and by
tests on every snapshot that ``golang`` builds. Imports msgspec, numpy and this package.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from goretain.snapshot.checks import LIMIT, check_ids, check_range, parts
from goretain.snapshot.columns import NO_OBJECT, Columns, Layer, Snapshot, WindowKind
from goretain.snapshot.groupchecks import check_groups
from goretain.snapshot.tables import TypeInfo

_ROWS = {  # prefix of the column names: the column that says how many rows they have
    "object": "object_address",
    "root": "root_node",
    "window": "window_target",
    "map": "map_object",
    "entry": "entry_map",
}


def validate(snapshot: Snapshot) -> None:
    """Check every invariant that analyses rely on. O(n + m) time, a few MB beyond the columns.

    Raises:
        ValueError: (column or table, what does not hold).
    """
    columns = snapshot.columns
    _check_lengths(columns)
    _check_objects(columns, len(snapshot.types))
    _check_edges(columns)
    _check_roots(snapshot)
    _check_windows(columns)
    _check_maps(snapshot)
    _check_tables(snapshot)
    check_groups(snapshot)


def _check_lengths(columns: Columns) -> None:
    for name in Columns.names():
        prefix = name.partition("_")[0]
        if prefix in _ROWS and len(getattr(columns, name)) != len(getattr(columns, _ROWS[prefix])):
            raise ValueError(name, f"has another number of rows than {_ROWS[prefix]}")
    if len(columns.object_address) >= int(NO_OBJECT):
        raise ValueError("object_address", "more objects than 32-bit ids")
    if len(columns.edge_start) != len(columns.object_address) + 1:
        raise ValueError("edge_start", "does not have one row more than there are objects")
    if len(columns.edge_word) != len(columns.edge_target):
        raise ValueError("edge_word", "has another number of rows than edge_target")


def _check_objects(columns: Columns, types: int) -> None:
    check_range("object_address", columns.object_address, 0, LIMIT)
    check_range("object_size", columns.object_size, 1, LIMIT)
    check_range("object_type", columns.object_type, -1, types)
    ends = columns.object_address[:-1] + columns.object_size[:-1]
    if bool((ends > columns.object_address[1:]).any()):
        raise ValueError("object_address", "objects overlap or are not in ascending order")


def _check_edges(columns: Columns) -> None:
    start, edges = columns.edge_start, len(columns.edge_target)
    if int(start[0]) != 0 or int(start[-1]) != edges:
        raise ValueError("edge_start", f"does not span the {edges} edges")
    if bool((start[1:] < start[:-1]).any()):
        raise ValueError("edge_start", "is not monotone")
    check_range("edge_target", columns.edge_target, 0, len(columns.object_address))
    for part in parts(edges):
        owner = np.searchsorted(start, np.arange(part.start, part.stop), side="right") - 1
        if bool(_outside(columns, owner, columns.edge_word[part]).any()):
            raise ValueError("edge_word", "lies outside of its object")


def _outside(columns: Columns, owner: NDArray[Any], word: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Whether each 8-byte word ends after its owner."""
    result: NDArray[np.bool_] = (word.astype(np.int64) + 1) * 8 > columns.object_size[owner]
    return result


def _check_roots(snapshot: Snapshot) -> None:
    columns = snapshot.columns
    check_range("root_node", columns.root_node, 0, len(snapshot.roots))
    check_range("root_target", columns.root_target, 0, len(columns.object_address))
    check_range("root_path", columns.root_path, 0, len(snapshot.strings))
    check_range("root_goroutine", columns.root_goroutine, -1, len(snapshot.goroutines))


def _check_windows(columns: Columns) -> None:
    count = len(columns.object_address)
    check_range("window_target", columns.window_target, 0, count)
    check_ids("window_source", columns.window_source, count)
    check_range("window_kind", columns.window_kind, 0, len(WindowKind))
    for part in parts(len(columns.window_word)):
        source, word = columns.window_source[part], columns.window_word[part]
        held = source != NO_OBJECT
        if bool((word[~held] >= len(columns.root_node)).any()):
            raise ValueError("window_word", "names a root row that is not there")
        if bool(_outside(columns, source[held], word[held]).any()):
            raise ValueError("window_word", "lies outside of its object")
    for name in ("window_start", "window_length", "window_capacity"):
        check_range(name, getattr(columns, name), 0, LIMIT)
    if bool((columns.window_length > columns.window_capacity).any()):
        raise ValueError("window_length", "exceeds the capacity")


def _check_maps(snapshot: Snapshot) -> None:
    columns, count = snapshot.columns, snapshot.object_count
    check_ids("map_object", columns.map_object, count)
    check_ids("map_table", columns.map_table, count)
    check_range("map_type", columns.map_type, -1, len(snapshot.types))
    for name in ("map_entries", "map_slots", "map_bytes", "map_needed"):
        check_range(name, getattr(columns, name), 0, LIMIT)
    if bool((columns.map_entries > columns.map_slots).any()):
        raise ValueError("map_entries", "exceeds the slots")
    if int(columns.map_bytes.sum()) > int(columns.object_size.sum()):
        raise ValueError("map_bytes", "exceeds the size of all objects")
    check_range("entry_map", columns.entry_map, 0, len(columns.map_object))
    check_range("entry_object", columns.entry_object, 0, count)
    for part in parts(len(columns.entry_word)):
        # A key of no bytes may start where its object ends.
        at = columns.entry_word[part].astype(np.int64) * 8
        if bool((at > columns.object_size[columns.entry_object[part]]).any()):
            raise ValueError("entry_word", "lies outside of its object")
    check_range("entry_key_length", columns.entry_key_length, -1, LIMIT)


def _check_tables(snapshot: Snapshot) -> None:
    meta = snapshot.meta
    facts = (
        *msgspec.structs.astuple(meta.totals),
        meta.pause_ns,
        meta.copied_bytes,
        meta.rss_bytes,
        meta.threads,
    )
    if any(fact is not None and not 0 <= fact < 1 << 63 for fact in facts):
        raise ValueError("meta", "holds a count, size or time that cannot be")
    if len(snapshot.entry_keys) not in (0, len(snapshot.columns.entry_map)):
        raise ValueError("entry_keys", "is not parallel to the entry columns")
    for node in snapshot.roots:
        if not 0 <= node.layer < len(Layer) or not -1 <= node.goroutine < len(snapshot.goroutines):
            raise ValueError("roots", f"{node.name!r} has an unknown layer or goroutine")
    for info in snapshot.types:
        _check_type(info, snapshot.types)
    _check_containment(snapshot.types)


def _check_type(info: TypeInfo, types: list[TypeInfo]) -> None:
    inner = (info.elem, info.key, *(field.type for field in info.fields))
    if any(not -1 <= index < len(types) for index in inner):
        raise ValueError("types", f"{info.name!r} names a type that is not there")
    if not 0 <= info.size < LIMIT or not 0 <= info.count < LIMIT:
        raise ValueError("types", f"{info.name!r} has an impossible size")
    for field in info.fields:
        size = types[field.type].size if field.type >= 0 else 0
        if field.offset < 0 or field.offset + size > info.size:
            raise ValueError("types", f"field {field.name!r} of {info.name!r} lies outside of it")


def _check_containment(types: list[TypeInfo]) -> None:
    """No struct or array contains itself by value: whoever descends into a value comes to an end."""
    state = bytearray(len(types))  # 0 new, 1 on the way down, 2 done
    for first in range(len(types)):
        path = [first]
        while path:
            here = path[-1]
            if state[here] == 0:
                state[here] = 1
                for index in _contained(types[here]):
                    if state[index] == 1:
                        raise ValueError("types", f"{types[index].name!r} contains itself")
                    if state[index] == 0:
                        path.append(index)
            else:
                state[here] = 2
                path.pop()


def _contained(info: TypeInfo) -> list[int]:
    inner = [field.type for field in info.fields]
    if info.kind == "array":
        inner.append(info.elem)
    return [index for index in inner if index >= 0]
