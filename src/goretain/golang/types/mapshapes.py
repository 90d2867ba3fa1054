"""Maps among objects of unknown type: a header whose fields, tables and pointer bits fit only one map type.

Swiss maps (internal/runtime/maps Map, table; Go 1.24 on) and classic ones (runtime.hmap). A large table names
its type of groups or buckets in its malloc header, and each such type belongs to one pair of key and element.
A small one carries no name: of all map types of the program just one must have groups that fill the slot and
have the collector's pointer bits, and the entries counted in it must be the header's. Imports the type rooms
of ``golang``, ``kernels`` and numpy.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from goretain.golang.types.gotypes import GoType
from goretain.golang.types.heapview import HeapView
from goretain.golang.types.maptypes import CLASSIC_MAP, SWISS_MAP, SWISS_TABLE
from goretain.golang.types.masks import type_mask
from goretain.golang.types.universe import TypeUniverse
from goretain.kernels.arenas import GO_PAGE
from goretain.kernels.structure import UNMASKED

I64 = NDArray[np.int64]
Bits = NDArray[np.bool_]
GROUP_SLOTS = 8
_MASK_LIMIT = 512
_MASK_WORDS = 64
_ALL = (1 << _MASK_WORDS) - 1
#: Swiss control bytes: a full slot's is below 128, the others are empty and deleted.
_EMPTY, _DELETED = 0x80, 0xFE
#: Classic tophash (runtime/map.go minTopHash): smaller values are marks.
_MIN_TOP_HASH = 5
#: Buckets of one map that are looked at to count its entries.
_BUCKETS_READ = 64
_DEEPEST = 48


@dataclass(frozen=True, slots=True)
class _Groups:
    """One type of groups or buckets: size, pointer bits of one (0 above 512 bytes), whether it has any; the
    map type."""

    size: int
    mask: int
    pointers: bool
    map_type: GoType


class MapShapes:
    """Recognises the map headers of one heap."""

    def __init__(self, view: HeapView, universe: TypeUniverse) -> None:
        self._view = view
        self._universe = universe
        self._swiss = view.layout.has_struct(SWISS_TABLE)
        self._fitting: dict[tuple[int, int, int, bool], _Groups | None] = {}

    def find(self, objects: I64, header: I64) -> list[tuple[int, GoType]]:
        """(object, map type) of the maps among objects; header: int64[n], types that headers name."""
        struct = SWISS_MAP if self._swiss else CLASSIC_MAP
        if not len(objects) or not self._view.layout.has_struct(struct):
            return []
        classes = self._view.heap.class_size
        slot = classes[np.searchsorted(classes, self._view.layout.size(struct))]
        chosen = (self._view.heap.table.size[objects] == slot) & ~self._view.noscan(objects)
        objects = objects[chosen]
        objects = objects[self._view.masks(objects) == self._header_mask(struct)]
        objects = objects[self._view.at(objects) >= 0]
        return self._find_swiss(objects, header) if self._swiss else self._find_classic(objects, header)

    # -- types ----------------------------------------------------------------------------------------------

    @cached_property
    def by_groups(self) -> dict[int, _Groups]:
        """Address of the type record of groups or buckets -> the map type that has them.

        Of several map types of one key and element the one without a name, which all of them are.
        """
        found: dict[int, _Groups] = {}
        for address in self._universe.modules.addresses.tolist():
            t = self._universe.from_runtime(address)
            # abi.MapType.Group or Bucket
            groups = t.inner if t is not None and t.kind == "map" else None
            if t is None or groups is None or not groups.size:
                continue
            key = groups.runtime_address
            if key in found and not t.name.startswith("map["):
                continue
            mask = type_mask(self._universe, groups) if groups.size <= _MASK_LIMIT else 0
            found[key] = _Groups(groups.size, mask, groups.has_pointers, t)
        return found

    def _header_mask(self, struct: str) -> int:
        names = ("dirPtr",) if struct == SWISS_MAP else ("buckets", "oldbuckets", "extra")
        return sum(1 << (self._view.layout.offset(struct, name) // 8) for name in names)

    def _fit(self, slot: int, mask: int, count: int, noscan: bool) -> _Groups | None:
        """The only type of groups of which ``count`` fill an object of this size and pointer bits (-1 not
        kept)."""
        key = (slot, mask, count, noscan)
        if key not in self._fitting:
            fitting = [g for g in self.by_groups.values() if self._fits(g, slot, mask, count, noscan)]
            self._fitting[key] = fitting[0] if len(fitting) == 1 else None
        return self._fitting[key]

    def _fits(self, groups: _Groups, slot: int, mask: int, count: int, noscan: bool) -> bool:
        if groups.pointers == noscan:
            return False
        need = groups.size * count
        classes = self._view.heap.class_size
        has_headers = not self._view.layout.has("runtime.heapArena", "bitmap")
        if has_headers and not noscan and _MASK_LIMIT < need <= classes[-1] - 8:
            need += 8
        if need > classes[-1]:
            return slot == -(-need // GO_PAGE) * GO_PAGE
        if slot != classes[np.searchsorted(classes, need)]:
            return False
        if mask == UNMASKED or noscan:
            return True
        words = groups.size // 8
        whole = sum(groups.mask << (i * words) for i in range(min(count, -(-_MASK_WORDS // words))))
        return mask & _ALL == whole & _ALL

    # -- Swiss maps -----------------------------------------------------------------------------------------

    def _find_swiss(self, objects: I64, header: I64) -> list[tuple[int, GoType]]:
        view = self._view
        at = view.at(objects)
        length, depth = view.field(at, SWISS_MAP, "dirLen"), view.field(at, SWISS_MAP, "globalDepth")
        first = view.find(view.field(at, SWISS_MAP, "dirPtr"))
        # A map that never had a table has no shift yet (NewEmptyMap).
        shift = view.field(at, SWISS_MAP, "globalShift")
        good = (first >= 0) & (depth <= _DEEPEST) & ((shift == 64 - depth) | ((length == 0) & (shift == 0)))
        used = view.field(at, SWISS_MAP, "used")
        small = good & (length == 0) & (depth == 0) & (used >= 0) & (used <= GROUP_SLOTS)
        found = self._small(objects[small], first[small], used[small], header)
        large = good & (length == np.int64(1) << np.minimum(depth, _DEEPEST))
        large &= view.at(np.maximum(first, 0)) >= 0
        return found + self._tables(objects[large], first[large], header)

    def _small(self, objects: I64, groups: I64, used: I64, header: I64) -> list[tuple[int, GoType]]:
        """Maps of one group without a table, as far as the group's control bytes count the entries."""
        view = self._view
        at = view.at(groups)
        rows = np.flatnonzero(at >= 0)
        control = view.heap.memory[at[rows][:, None] + np.arange(GROUP_SLOTS)]
        full = control < _EMPTY
        good = (full.sum(axis=1) == used[rows]) & (full | (control == _EMPTY) | (control == _DELETED)).all(
            axis=1
        )
        rows = rows[good]
        return self._typed(objects[rows], groups[rows], np.ones(len(rows), np.int64), header)

    def _tables(self, objects: I64, directories: I64, header: I64) -> list[tuple[int, GoType]]:
        """Maps with a directory of tables: the first table's groups tell the type."""
        view = self._view
        table = view.find(view.heap.words[view.at(directories) >> 3])
        good = (table >= 0) & (view.at(np.maximum(table, 0)) >= 0)
        good &= view.data_bytes(np.maximum(table, 0)) >= view.layout.size(SWISS_TABLE)
        objects, table = objects[good], table[good]
        at = view.at(table)
        capacity = view.field(at, SWISS_TABLE, "capacity")
        groups = view.find(view.field(at, SWISS_TABLE, "groups", "data"))
        count = capacity // GROUP_SLOTS
        good = (groups >= 0) & (count > 0) & (count & (count - 1) == 0)
        good &= view.field(at, SWISS_TABLE, "groups", "lengthMask") == count - 1
        for name in ("used", "growthLeft"):
            good &= view.field(at, SWISS_TABLE, name) <= capacity
        return self._typed(objects[good], groups[good], count[good], header)

    # -- classic maps ---------------------------------------------------------------------------------------

    def _find_classic(self, objects: I64, header: I64) -> list[tuple[int, GoType]]:
        view = self._view
        at = view.at(objects)
        b, entries = view.field(at, CLASSIC_MAP, "B"), view.field(at, CLASSIC_MAP, "count")
        buckets = view.find(view.field(at, CLASSIC_MAP, "buckets"))
        good = (buckets >= 0) & (b <= _DEEPEST) & (entries >= 0)
        objects, buckets, b, entries = objects[good], buckets[good], b[good], entries[good]
        base = np.int64(1) << b
        count = np.where(b >= 4, base + (np.int64(1) << np.maximum(b - 4, 0)), base)
        found = []
        for (o, t), row in self._typed_rows(objects, buckets, count, header):
            inner = t.inner
            if inner is not None and self._counts(
                int(buckets[row]), inner.size, int(base[row]), entries[row]
            ):
                found.append((o, t))
        return found

    def _counts(self, buckets: int, size: int, base: int, entries: int) -> bool:
        """Whether the marks of the first buckets count no more entries than the header, of one bucket just
        as many; buckets whose contents were not captured prove nothing."""
        at = int(self._view.at(np.array([buckets]))[0])
        if at < 0:
            return False
        read = min(base, _BUCKETS_READ, int(self._view.data_bytes(np.array([buckets]))[0]) // size)
        marks = self._view.heap.memory[at + size * np.arange(read)[:, None] + np.arange(GROUP_SLOTS)]
        full = int((marks >= _MIN_TOP_HASH).sum())
        return full == entries if base == 1 else full <= entries

    # -- both -----------------------------------------------------------------------------------------------

    def _typed(self, objects: I64, groups: I64, count: I64, header: I64) -> list[tuple[int, GoType]]:
        return [pair for pair, _ in self._typed_rows(objects, groups, count, header)]

    def _typed_rows(
        self, objects: I64, groups: I64, count: I64, header: I64
    ) -> list[tuple[tuple[int, GoType], int]]:
        """((header object, map type), row) of the headers whose groups, ``count`` in one object, tell it."""
        view = self._view
        named = header[groups]
        masks = view.masks(groups)
        sizes = view.heap.table.size[groups]
        noscan = view.noscan(groups)
        found = []
        for row, o in enumerate(objects.tolist()):
            key = int(named[row])
            if key:
                fit = self.by_groups.get(key)
            else:
                fit = self._fit(int(sizes[row]), int(masks[row]), int(count[row]), bool(noscan[row]))
            if fit is not None:
                found.append(((o, fit.map_type), row))
        return found
