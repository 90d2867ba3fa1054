"""Heaps made by hand for the signatures: one holder, one kind of slice, string or map at a time."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from goretain.heap.heap import Heap
from goretain.model.findings import Finding
from goretain.patterns import catalogue
from goretain.snapshot import NO_OBJECT, Goroutine, Layer, ObjectFlag, TypeField, TypeInfo, WindowKind
from goretain.snapshot.layout import DTYPES
from tests.unit.snapshot.synthetic import BYTES, TYPES, U8, Build

#: Types beyond the synthetic ones.
MORE = [
    TypeInfo(name="bytes.Buffer", kind="struct", size=40, fields=(TypeField("buf", 0, BYTES),)),
    TypeInfo(
        name="struct { key uint64; elem []uint8 }",
        kind="struct",
        size=32,
        fields=(TypeField("key", 0, U8), TypeField("elem", 8, BYTES)),
    ),
    TypeInfo(name="[8]slot", kind="array", size=256, elem=len(TYPES) + 1, count=8),
    TypeInfo(
        name="map[uint64][]uint8 groups",
        kind="struct",
        size=264,
        fields=(TypeField("ctrl", 0, U8), TypeField("slots", 8, len(TYPES) + 2)),
        role="map-groups",
    ),
    TypeInfo(name="map[uint64]uint64", kind="map", size=8, elem=U8, key=U8),
    TypeInfo(name="map[uint64]uint64 header", kind="struct", size=48, role="map-header"),
    TypeInfo(name="sync.poolLocal", kind="struct", size=128),
]
BUFFER, _, _, GROUPS, MAP, HEADER, POOL = (len(TYPES) + k for k in range(7))
__all__ = ["BUFFER", "BYTES", "GROUPS", "MAP", "POOL", "Maker", "Row", "find"]


@dataclass
class Row:
    """One array and the window into it."""

    size: int
    start: int
    length: int
    capacity: int


@dataclass
class Maker:
    """A heap in the making; holders are asked for by name and layer."""

    build: Build = field(default_factory=Build)
    kinds: list[int] = field(default_factory=list)
    maps: list[tuple[int, int, int, int, int]] = field(default_factory=list)

    def holder(self, name: str, layer: Layer = Layer.PROGRAM, goid: int = 0, state: str = "running") -> int:
        goroutine = -1
        if goid:
            self.build.goroutines.append(Goroutine(id=goid, state=state, wait_reason="", frames=()))
            goroutine = len(self.build.goroutines) - 1
        return self.build.node(name, layer, goroutine)

    def windows(
        self, node: int, rows: list[Row], *, type: int = 3, word: int = 2, kind: WindowKind = WindowKind.SLICE
    ) -> None:
        """For each row an owner below the node, whose slice or string at ``word`` shows the row's array."""
        for row in rows:
            owner = self.build.add(TYPES_ALL[type].size + 8, type)
            array = self.build.add(row.size, U8, ObjectFlag.NOSCAN | ObjectFlag.ARRAY)
            self.build.roots.append((node, owner, ""))
            self.build.edges.append((owner, word, array))
            self.build.windows.append((array, owner, word, row.start, row.length, row.capacity))
            self.kinds.append(kind)

    def variable(self, node: int, path: str, row: Row) -> None:
        """A slice in a variable."""
        array = self.build.add(row.size, U8, ObjectFlag.NOSCAN | ObjectFlag.ARRAY)
        self.build.roots.append((node, array, path))
        source, at = int(NO_OBJECT), len(self.build.roots) - 1
        self.build.windows.append((array, source, at, row.start, row.length, row.capacity))
        self.kinds.append(WindowKind.SLICE)

    def map(self, node: int, *, entries: int, slots: int, size: int, needed: int, holds: int = 0) -> int:
        """A map below the node with a table of ``size`` bytes that holds an object of ``holds`` bytes."""
        header = self.build.add(48, HEADER)
        table = self.build.add(size)
        self.build.roots.append((node, header, ""))
        self.build.edges.append((header, 2, table))
        if holds:
            self.build.edges.append((table, 0, self.build.add(holds)))
        self.maps.append((header, entries, slots, size + 48, needed))
        return table

    def heap(self) -> Heap:
        """The measured heap. Objects must have been added owner before owned: CSR rows are by owner."""
        snapshot = self.build.snapshot()
        snapshot.types.extend(MORE)
        columns = snapshot.columns
        columns.window_kind = np.array(self.kinds, DTYPES["window_kind"])
        figures = np.array(self.maps, np.int64).reshape(len(self.maps), 5)
        columns.map_object = figures[:, 0].astype(np.uint32)
        columns.map_type = np.full(len(figures), MAP, np.int32)
        columns.map_table = columns.map_object + np.uint32(1)
        columns.map_entries, columns.map_slots = figures[:, 1].copy(), figures[:, 2].copy()
        columns.map_bytes, columns.map_needed = figures[:, 3].copy(), figures[:, 4].copy()
        return Heap(snapshot)


TYPES_ALL = [*TYPES, *MORE]


def find(code: str, heap: Heap) -> list[Finding]:
    """What one pattern finds."""
    (pattern,) = (p for p in catalogue() if p.code == code)
    return list(pattern.find(heap))
