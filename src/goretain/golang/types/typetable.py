"""The type table of the propagation: Go types as rows, expanded into leaf columns when a kernel needs them.

Imports ``kernels.propagate``, ``snapshot`` and the type rooms of ``golang``.
"""

from __future__ import annotations

import re
from typing import TypeAlias

import numpy as np

from goretain.golang.types.gotypes import ARENA_CHUNK, GoType, Leaf, leaf_runs
from goretain.golang.types.maptypes import MapParts, MapTypes, channel_type
from goretain.golang.types.masks import type_mask
from goretain.golang.types.universe import TypeUniverse
from goretain.kernels import propagate as kinds
from goretain.kernels.propagate import UNEXPANDED, Types
from goretain.snapshot.tables import TypeField, TypeInfo

_NODE_PREFIXES = ("internal/sync.node[", "internal/concurrent.node[")
_MASK_LIMIT = 512  # bytes of the largest object whose bitmap a mask is held against

#: Offset, kind, type, aux, aux2 of a leaf (see ``kernels.propagate``).
LeafRow: TypeAlias = tuple[int, int, int, int, int]
#: Structs that the runtime allocates in a larger one: pointee -> (container, its field).
_CONTAINERS = {
    # runtime/time.go newTimer: a time.Timer or Ticker is the front of a runtime.timeTimer (from Go 1.23).
    "time.Timer": ("runtime.timeTimer", None),
    "time.Ticker": ("runtime.timeTimer", None),
    "runtime.timer": ("runtime.timeTimer", "timer"),
}


class TypeTable:
    """Rows of Go types; a row is the type's ``index``.

    Attributes:
        types: GoType of each row; bytes_row: the row of string and []byte data.
    """

    def __init__(self, universe: TypeUniverse) -> None:
        self.universe = universe
        self.maps = MapTypes(universe)
        self.types: list[GoType] = []
        self._leaf_rows: list[LeafRow] = []
        self._runs: list[tuple[int, int]] = []
        self._expanded: dict[int, tuple[int, int]] = {}
        self._masks: list[int] = []
        self._part_owner: dict[int, MapParts] = {}
        self._channels: dict[int, GoType | None] = {}
        self._arrays: Types | None = None
        self.bytes_row = self.intern(GoType("byte", "uint8", 1, role="data"))

    def intern(self, t: GoType | None) -> int:
        """Row of a type, -1 for None."""
        if t is None:
            return -1
        if t.index < 0:
            t.index = len(self.types)
            self.types.append(t)
            self._arrays = None
        return t.index

    def root_leaf(self, leaf: Leaf) -> int:
        """Row of a leaf column entry for a root of this leaf's kind and type (offset 0)."""
        self._add_leaf(self._leaf_row(leaf.kind, leaf.type, 0))
        return len(self._leaf_rows) - 1

    def expand(self, row: int) -> None:
        """Writes the leaves of a row's type, once; types that they name become rows."""
        if row in self._expanded:
            return
        t = self.types[row]
        leaves = self._leaves(t)
        start = len(self._leaf_rows)
        for leaf, count, stride in leaves:
            self._add_leaf(leaf, count, stride)
        self._arrays = None
        self._expanded[row] = (start, len(self._leaf_rows))

    def _add_leaf(self, leaf: LeafRow, count: int = 1, stride: int = 0) -> None:
        self._leaf_rows.append(leaf)
        self._runs.append((count, stride))
        self._arrays = None

    def arrays(self) -> Types:
        """The table as the kernels read it. Rebuilt after every intern or expand."""
        if self._arrays is None:
            self._arrays = self._build()
        return self._arrays

    def _build(self) -> Types:
        n = len(self.types)
        leaves = np.array(self._leaf_rows, np.int64).reshape(-1, 5)
        runs = np.array(self._runs, np.int64).reshape(-1, 2)
        start, end = np.full(n, UNEXPANDED, np.int32), np.full(n, UNEXPANDED, np.int32)
        for row, (first, last) in self._expanded.items():
            start[row], end[row] = first, last
        for t in self.types[len(self._masks) :]:
            self._masks.append(type_mask(self.universe, t) if t.size <= _MASK_LIMIT else 0)
        return Types(
            size=np.array([t.size for t in self.types], np.int64),
            pointers=np.array([t.has_pointers for t in self.types], np.uint8),
            any_scan=np.array([_any_scan(t) for t in self.types], np.uint8),
            mask=np.array(self._masks, np.uint64).view(np.int64),
            unmasked=np.array([t.role in ("closure", "chan") for t in self.types], np.uint8),
            leaf_start=start,
            leaf_end=end,
            leaf_offset=np.ascontiguousarray(leaves[:, 0]),
            leaf_kind=leaves[:, 1].astype(np.uint8),
            leaf_type=leaves[:, 2].astype(np.int32),
            leaf_aux=leaves[:, 3].astype(np.int32),
            leaf_aux2=np.ascontiguousarray(leaves[:, 4]),
            leaf_count=np.ascontiguousarray(runs[:, 0]),
            leaf_stride=np.ascontiguousarray(runs[:, 1]),
        )

    def _leaves(self, t: GoType) -> list[tuple[LeafRow, int, int]]:
        """(leaf, count, stride) of every run of a type."""
        special = self._map_leaves(t)
        if special is not None:
            return [(row, 1, 0) for row in special]
        found = [
            (self._leaf_row(run.leaf.kind, run.leaf.type, run.leaf.offset), run.count, run.stride)
            for run in leaf_runs(t)
        ]
        if t.role == "chan" and t.elem is not None:
            at = self._offset(t, "buf")
            found = [run for run in found if run[0][0] != at]
            found.append(((at, kinds.TILE, self.intern(t.elem), -1, 0), 1, 0))
        return found

    def _map_leaves(self, t: GoType) -> list[LeafRow] | None:
        """The leaves of a map's parts, whose fields lead to parts of the same map; None for other types."""
        if t.role == "map-header":
            return self._header_leaves(self._part_owner[id(t)])
        if t.role == "map-table":
            groups = self.intern(self._part_owner[id(t)].groups)
            return [(self._offset(t, "groups"), kinds.TILE, groups, -1, 0)]
        if t.role == "map-directory":
            return [(0, kinds.EXACT, self.intern(t.elem), -1, 0)]
        return None

    @staticmethod
    def _offset(t: GoType, name: str) -> int:
        f = t.field_named(name)
        return f.offset if f is not None else 0

    def _header_leaves(self, parts: MapParts) -> list[LeafRow]:
        header, groups = parts.header, self.intern(parts.groups)
        if parts.swiss:
            at, length = self._offset(header, "dirPtr"), self._offset(header, "dirLen")
            return [(at, kinds.MAP_DIRECTORY, groups, self.intern(parts.directory), (length - at) // 8)]
        extra = header.field_named("extra")
        rows = [(self._offset(header, name), kinds.TILE, groups, -1, 0) for name in ("buckets", "oldbuckets")]
        if extra is not None and extra.type.kind == "ptr":
            rows.append((extra.offset, kinds.EXACT, self.intern(extra.type.elem), -1, 0))
        return rows

    def map_header(self, t: GoType) -> int:
        """Row of the header type of a map type, -1 when unknown."""
        parts = self.maps.parts(t)
        if parts is None:
            return -1
        for part in (parts.header, parts.table):
            if part is not None:
                self._part_owner[id(part)] = parts
        return self.intern(parts.header)

    def map_parts(self) -> list[MapParts]:
        """The parts of every map type met so far."""
        found = {id(parts): parts for parts in self._part_owner.values() if parts.header.index >= 0}
        return list(found.values())

    def _leaf_row(self, kind: str, t: GoType, offset: int) -> LeafRow:
        if kind.endswith("-pointer"):
            whole = self._leaf_row(kind.removesuffix("-pointer"), t, offset)
            return offset, kinds.PART, *whole[2:]
        if kind == "ptr":
            return self._pointer_row(t.elem, offset)
        if kind == "slice":
            elem = t.elem
            if elem is not None and elem.kind in ("uint8", "int8") and elem.size == 1:
                return offset, kinds.SLICE, self.bytes_row, -1, 1
            return offset, kinds.SLICE, self.intern(elem), -1, elem.size if elem is not None else 0
        if kind == "string":
            return offset, kinds.STRING, self.bytes_row, -1, 1
        if kind == "map":
            return offset, kinds.EXACT, self.map_header(t), -1, 0
        if kind == "chan":
            if id(t) not in self._channels:
                self._channels[id(t)] = channel_type(self.universe, t)
            return offset, kinds.EXACT, self.intern(self._channels[id(t)]), -1, 0
        fixed = {"func": kinds.FUNC, "eface": kinds.EFACE, "iface": kinds.IFACE, "unsafeptr": kinds.UNSAFE}
        return offset, fixed[kind], -1, -1, 0

    def _container_row(self, elem: GoType, offset: int) -> LeafRow | None:
        """A pointer to a struct that the runtime allocates as part of a larger one."""
        name, inside = _CONTAINERS.get(elem.name, ("", None))
        container = self.universe.struct(name) if name else None
        if container is None:
            return None
        part = container.field_named(inside) if inside is not None else None
        at = part.offset if part is not None else 0
        return offset, kinds.INSIDE, self.intern(elem), self.intern(container), at

    def _pointer_row(self, elem: GoType | None, offset: int) -> LeafRow:
        contained = self._container_row(elem, offset) if elem is not None else None
        if contained is not None:
            return contained
        prefix = next((p for p in _NODE_PREFIXES if elem is not None and elem.name.startswith(p)), None)
        if prefix is None or elem is None:
            return offset, kinds.PTR, self.intern(elem), -1, elem.size if elem is not None else 0
        arguments = elem.name[len(prefix) :]
        package = prefix.removesuffix("node[")
        entry = self._generic(f"{package}entry[", arguments)
        indirect = self._generic(f"{package}indirect[", arguments)
        return offset, kinds.NODE, self.intern(entry), self.intern(indirect), 0

    def _generic(self, prefix: str, arguments: str) -> GoType | None:
        """A generic type by its arguments; the compiler may describe only the instance over shapes."""
        exact = self.universe.named(prefix + arguments)
        return exact or self.universe.named(
            prefix + arguments.replace("interface {}", "go.shape.interface {}")
        )

    # -- the snapshot's type table
    # ------------------------------------------------------------------------------

    def infos(self) -> list[TypeInfo]:
        """TypeInfo of every row; element, key and field types become rows too."""
        out: list[TypeInfo] = []
        while len(out) < len(self.types):
            t = self.types[len(out)]
            fields = tuple(TypeField(f.name, f.offset, self.intern(f.type)) for f in t.fields)
            wants_elem = t.kind in ("ptr", "slice", "array", "chan", "map") or t.role in (
                "chan",
                "map-directory",
            )
            out.append(
                TypeInfo(
                    name=spoken(t.name),
                    kind=t.kind,
                    size=t.size,
                    elem=self.intern(t.elem) if wants_elem else -1,
                    key=self.intern(t.key) if t.kind == "map" else -1,
                    count=t.count,
                    fields=fields,
                    role=t.role,
                )
            )
        return out


def _any_scan(t: GoType) -> bool:
    """Whether allocations of the type may be pointer-free or not, whatever its fields say.

    A channel is pointer-free when unbuffered or of pointer-free elements; of a closure the fields may not
    all be known: up to Go 1.22 the debug information does not say what it captures. A chunk of a user arena
    holds values of any types.
    """
    return t.role in ("chan", "closure") or t.name in ("runtime.hchan", ARENA_CHUNK)


def spoken(name: str) -> str:
    """A type's name with byte for uint8, which is the same type: what people write."""
    return re.sub(r"\buint8\b", "byte", name)
