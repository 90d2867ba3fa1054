"""How boxed-values-in-maps looks in a heap: numbers, texts and lists that interfaces in maps point to.

An interface holds a pointer: a value that is none gets an object of its own (convT and its kin,
runtime/iface.go): 8 bytes for a number, 16 for a string's header, 24 for a slice's. encoding/json decodes
into ``map[string]any`` in this way, value by value. A struct in an interface cannot be told from a pointer
to it and is not counted. Imports ``patterns`` and the floors below.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from goretain.model.findings import Confidence, Finding
from goretain.patterns.catalogue import own
from goretain.patterns.holding import by_place, holding_of
from goretain.patterns.routes import route_to
from goretain.patterns.slots import edges_of
from goretain.snapshot import ObjectFlag, TypeInfo

if TYPE_CHECKING:
    from goretain.heap.heap import Heap

U32 = NDArray[np.uint32]
I64 = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: What the boxes of one holder take: bytes, and share of the live heap.
_MINIMUM = 1 << 20
_SHARE = 0.02
_NUMBERS = ("bool", "int", "uint", "float", "complex")
_ANY = "interface {}"
_WORD = 8


def find(heap: Heap) -> Iterator[Finding]:
    """One finding for each holder."""
    boxes = _boxes(heap)
    columns = heap.snapshot.columns
    minimum = max(_MINIMUM, int(_SHARE * heap.reachable_bytes))
    size = columns.object_size[boxes]
    if int(size.sum()) < minimum:
        return
    pattern, holding = own(__package__), holding_of(heap, boxes)
    for rows in by_place(holding.code, size, holding.kept, minimum=minimum):
        total = int(size[rows].sum())
        yield pattern.finding(
            confidence=_confidence(heap, boxes[rows]),
            route=route_to(heap, int(boxes[rows[0]])),
            count=len(rows),
            saving_bytes=total,
            retained_bytes=total,
            sampled=heap.sites.held_by(boxes[rows]),
            type=f"map[string]{_ANY}",
        )


def _confidence(heap: Heap, boxes: U32) -> Confidence:
    kinds = [t.kind for t in heap.snapshot.types]
    counts = np.bincount(heap.snapshot.columns.object_type[boxes], minlength=len(kinds))
    texts = sum(int(n) for n, kind in zip(counts, kinds, strict=True) if kind == "string")
    lists = sum(int(n) for n, kind in zip(counts, kinds, strict=True) if kind == "slice")
    return Confidence(
        level="likely",
        reason=f"seen in memory: interfaces point to {len(boxes) - texts - lists:,} objects with numbers, "
        f"{texts:,} with a string's header, {lists:,} with a slice's; in a struct these would be fields",
        decide="read where the maps are filled: values of a fixed shape can be a struct",
    )


def _boxes(heap: Heap) -> U32:
    """Objects with one basic value each to which interfaces lead: in maps, and in lists below them."""
    columns, types = heap.snapshot.columns, heap.snapshot.types
    places = [_interfaces(types, k) if t.role == "map-groups" else [] for k, t in enumerate(types)]
    if not any(places):
        return np.empty(0, np.uint32)
    boxed = np.array([_is_box(t) for t in types] + [False])
    boxed = boxed[columns.object_type] & ((columns.object_flags & ObjectFlag.ARRAY) == 0) & heap.graph.reached
    found = np.zeros(len(boxed), np.bool_)
    for kind in (k for k, place in enumerate(places) if place):
        tables = np.flatnonzero((columns.object_type == kind) & heap.graph.reached).astype(np.uint32)
        found[_values(heap, tables, places[kind], types[kind].size)] = True
    found &= boxed
    lists = np.array(
        [t.kind == "slice" and t.elem >= 0 and types[t.elem].name == _ANY for t in types] + [False]
    )
    lists = lists[columns.object_type]
    fresh = np.flatnonzero(found & lists).astype(np.uint32)
    while len(fresh):
        arrays = columns.edge_target[edges_of(columns.edge_start, fresh)[1]]
        inside = _values(heap, np.unique(arrays), [0], 2 * _WORD)
        inside = np.unique(inside[boxed[inside] & ~found[inside]])
        found[inside] = True
        fresh = inside[lists[inside]]
    return np.flatnonzero(found).astype(np.uint32)


def _values(heap: Heap, owners: U32, places: Sequence[int], size: int) -> U32:
    """What interfaces in objects point to: at these bytes of every ``size`` bytes."""
    columns = heap.snapshot.columns
    row, edge = edges_of(columns.edge_start, owners)
    header = (columns.object_flags[owners] & ObjectFlag.HEADER) != 0
    offset = columns.edge_word[edge].astype(np.int64) * _WORD - np.where(header, _WORD, 0)[row]
    # The second word of an interface points to the value.
    chosen = np.isin(offset % size, np.array(places, np.int64) + _WORD)
    return columns.edge_target[edge[chosen]]


def _is_box(info: TypeInfo) -> bool:
    return info.role == "" and (
        info.kind in ("string", "slice") or info.kind.rstrip("0123456789") in _NUMBERS
    )


def _interfaces(types: Sequence[TypeInfo], index: int) -> list[int]:
    """Byte offsets of the elements in a map's group or bucket, if it is one of map[string]any."""
    leaves = list(_leaves(types, index, 0))
    found = [offset for offset, info in leaves if info.name == _ANY]
    return found if len(found) == sum(info.kind == "string" for _, info in leaves) else []


def _leaves(types: Sequence[TypeInfo], index: int, offset: int) -> Iterator[tuple[int, TypeInfo]]:
    """(offset, type) of everything in a value of a type that has no parts of its own."""
    info = types[index]
    if info.kind == "array" and info.elem >= 0:
        for k in range(info.count):
            yield from _leaves(types, info.elem, offset + k * types[info.elem].size)
    elif info.kind == "struct":
        for field in info.fields:
            if field.type >= 0:
                yield from _leaves(types, field.type, offset + field.offset)
    else:
        yield offset, info
