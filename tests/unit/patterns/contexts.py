"""A context with children, made by hand: a map of the runtime's own kind with one group for each child."""

from __future__ import annotations

import numpy as np

from goretain.heap.heap import Heap
from goretain.snapshot import TypeInfo
from goretain.snapshot.layout import DTYPES
from tests.unit.snapshot.synthetic import TYPES, Build

#: Types beyond the synthetic ones.
MORE = [
    TypeInfo(name="map[context.canceler]struct {}", kind="map", size=8),
    TypeInfo(name="context.cancelCtx", kind="struct", size=80),
    TypeInfo(name="context.timerCtx", kind="struct", size=112),
]
MAP, CANCEL, TIMER = (len(TYPES) + k for k in range(3))


def children(build: Build, node: int, count: int, size: int, type: int = CANCEL) -> list[int]:
    """Add a map of children below a root node; ids of the children. Build.heap lists its entries."""
    header = build.add(48)
    build.roots.append((node, header, ".children"))
    result = []
    for _ in range(count):
        group, child = build.add(272), build.add(size, type)
        build.edges += [(header, 2, group), (group, 2, child)]
        result.append(child)
    return result


def heap_of(build: Build, header: int, found: list[int]) -> Heap:
    """The heap; the map at ``header`` has an entry for each child, at word 1 of its group."""
    snapshot = build.snapshot()
    snapshot.types.extend(MORE)
    columns, count = snapshot.columns, len(found)
    for name, values in {
        "map_object": [header],
        "map_type": [MAP],
        "map_table": [header + 1],
        "map_entries": [count],
        "map_slots": [count],
        "map_bytes": [272 * count + 48],
        "map_needed": [272 * count + 48],
        "entry_map": [0] * count,
        "entry_object": [child - 1 for child in found],
        "entry_word": [1] * count,
        "entry_key_length": [-1] * count,
    }.items():
        setattr(columns, name, np.array(values, DTYPES[name]))
    return Heap(snapshot)
