"""Every map of the heap: entries, slots, bytes, and where each entry lies.

Swiss maps (Go 1.24 on): internal/runtime/maps/{map,table,group}.go; classic maps: runtime/map.go hmap, bmap.
Imports numpy, ``snapshot`` and sibling rooms of ``golang``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from goretain.golang.gotypes import GoType
from goretain.golang.infer import Inferred
from goretain.golang.maptypes import MapParts
from goretain.golang.objects import Objects
from goretain.golang.sizeclasses import slot_bytes
from goretain.snapshot import NO_OBJECT

I64 = NDArray[np.int64]
U32 = NDArray[np.uint32]
I32 = NDArray[np.int32]

_GROUP_SLOTS = 8
_TABLE_LIMIT = 1024  # internal/runtime/maps/table.go maxTableCapacity
_MIN_TOP_HASH = 5  # runtime/map.go minTopHash
_HEADER_LIMIT = 512  # runtime/mbitmap.go: larger pointerful allocations carry an 8-byte header


@dataclass(slots=True)
class MapColumns:
    """Pieces of the map and entry columns of a snapshot (see ``snapshot.columns``); lists of arrays to
    concatenate."""

    object: list[U32] = field(default_factory=list)
    type: list[I32] = field(default_factory=list)
    table: list[U32] = field(default_factory=list)
    entries: list[I64] = field(default_factory=list)
    slots: list[I64] = field(default_factory=list)
    bytes: list[I64] = field(default_factory=list)
    needed: list[I64] = field(default_factory=list)
    entry_map: list[U32] = field(default_factory=list)
    entry_object: list[U32] = field(default_factory=list)
    entry_word: list[U32] = field(default_factory=list)
    entry_key_length: list[I64] = field(default_factory=list)
    key_at: list[I64] = field(default_factory=list)
    key_type: list[GoType] = field(default_factory=list)
    rows: int = 0


@dataclass(slots=True)
class _Slots:
    """Where the eight slots of a group or bucket keep their keys: bytes from the group's start; size of a
    group."""

    key: GoType
    key_offset: I64
    group_size: int


def group_slots(groups: GoType) -> _Slots | None:
    """Key places of a group type: ``slots`` of {key, elem}, or ``keys`` apart from the values."""
    slots, keys = groups.field_named("slots"), groups.field_named("keys")
    i = np.arange(_GROUP_SLOTS)
    if slots is not None and slots.type.elem is not None:
        key = slots.type.elem.field_named("key")
        if key is not None:
            return _Slots(key.type, slots.offset + i * slots.type.elem.size + key.offset, groups.size)
    if keys is not None and keys.type.elem is not None:
        return _Slots(keys.type.elem, keys.offset + i * keys.type.elem.size, groups.size)
    return None


class MapReader:
    """Reads the maps of one heap; size_classes: ascending slot sizes."""

    def __init__(self, objects: Objects, inferred: Inferred, size_classes: I64) -> None:
        self.objects = objects
        self.inferred = inferred
        self.size_classes = size_classes
        self.words = objects.image.words
        self.memory = objects.image.memory
        self.columns = MapColumns()

    def read(self) -> MapColumns:
        """All maps whose header is an object of its own."""
        table = self.inferred.table
        order = np.argsort(self.inferred.type, kind="stable")
        types = self.inferred.type[order]
        for parts in table.map_parts():
            row = parts.header.index
            first, last = np.searchsorted(types, [row, row + 1])
            ids = np.sort(order[first:last])
            ids = ids[self.objects.positions(ids) >= 0]
            if len(ids):
                (self._swiss if parts.swiss else self._classic)(parts, ids)
        return self.columns

    # -- shared
    # -------------------------------------------------------------------------------------------------

    def _word(self, at: I64, header: GoType, name: str) -> I64:
        f = header.field_named(name)
        offset = f.offset if f is not None else 0
        word: I64 = self.words[(at + offset) >> 3]
        return word

    def _add_maps(
        self, parts: MapParts, ids: I64, table: U32, entries: I64, slots: I64, extra_bytes: I64, needed: I64
    ) -> I64:
        """Appends map rows; returns their row numbers."""
        c = self.columns
        rows = c.rows + np.arange(len(ids))
        c.rows += len(ids)
        c.object.append(ids.astype(np.uint32))
        c.type.append(np.full(len(ids), self.inferred.table.intern(parts.map_type), np.int32))
        c.table.append(table)
        c.entries.append(entries)
        c.slots.append(slots)
        c.bytes.append(self.objects.table.size[ids] + extra_bytes)
        c.needed.append(self.objects.table.size[ids] + needed)
        return rows

    def _add_entries(
        self, slots: _Slots, rows: I64, objects: U32, group: I64, live: NDArray[np.bool_]
    ) -> None:
        """Entries of groups: map row, object and number of each group in it; live: bool[groups, 8]."""
        g, i = np.nonzero(live)
        if not len(g):
            return
        c, owner = self.columns, objects[g]
        offset = group[g] * slots.group_size + slots.key_offset[i]
        at = self.objects.positions(owner) + offset
        header = 8 * self.objects.spans.spans.header[self.objects.span[owner]].astype(np.int64)
        c.entry_map.append(rows[g].astype(np.uint32))
        c.entry_object.append(owner)
        c.entry_word.append(((offset + header) >> 3).astype(np.uint32))
        is_text = slots.key.kind == "string"
        c.entry_key_length.append(self.words[(at + 8) >> 3] if is_text else np.full(len(g), -1, np.int64))
        c.key_at.append(at)
        c.key_type.append(slots.key)

    def _tables_of(self, rows: I64, pointers: I64) -> tuple[I64, U32]:
        """(index into rows, object) of each distinct non-nil pointer per row."""
        found = self.objects.find(pointers)
        held = found != NO_OBJECT
        pairs = np.unique(np.stack([rows[held], found[held].astype(np.int64)], axis=1), axis=0)
        return pairs[:, 0], pairs[:, 1].astype(np.uint32)

    # -- Swiss
    # --------------------------------------------------------------------------------------------------

    def _swiss(self, parts: MapParts, ids: I64) -> None:
        at = self.objects.positions(ids)
        header = parts.header
        entries, pointer = self._word(at, header, "used"), self._word(at, header, "dirPtr")
        length = self._word(at, header, "dirLen")
        length = np.where((length >= 0) & (length <= 1 << 40), length, 0)
        target = self.objects.find(pointer)
        small = (length == 0) & (target != NO_OBJECT)
        slots, size = np.where(small, _GROUP_SLOTS, 0), np.zeros(len(ids), np.int64)
        size[target != NO_OBJECT] = self.objects.table.size[target[target != NO_OBJECT]]
        groups = [(np.flatnonzero(small), target[small], np.ones(int(small.sum()), np.int64))]
        big = np.flatnonzero((length > 0) & (target != NO_OBJECT))
        if len(big):
            owner, tables = self._swiss_tables(big, pointer[big], length[big])
            where = self.objects.positions(tables)
            owner, tables, where = owner[where >= 0], tables[where >= 0], where[where >= 0]
            capacity, data = self._swiss_table_fields(parts, where)
            data_object = self.objects.find(data)
            held = data_object != NO_OBJECT
            np.add.at(slots, owner, capacity)
            np.add.at(size, owner, self.objects.table.size[tables])
            np.add.at(size, owner[held], self.objects.table.size[data_object[held]])
            groups.append((owner[held], data_object[held], capacity[held] // _GROUP_SLOTS))
        needed = self._swiss_needed(parts, entries)
        rows = self._add_maps(parts, ids, target, entries, slots, size, np.minimum(needed, size))
        self._swiss_entries(parts, rows, groups)

    def _swiss_tables(self, maps: I64, directory: I64, length: I64) -> tuple[I64, U32]:
        starts = self.objects.image.locate(directory, length * 8)
        ok = starts >= 0
        maps, starts, length = maps[ok], starts[ok], length[ok]
        owner = np.repeat(maps, length)
        within = np.arange(int(length.sum())) - np.repeat(np.cumsum(length) - length, length)
        return self._tables_of(owner, self.words[(np.repeat(starts, length) >> 3) + within])

    def _swiss_table_fields(self, parts: MapParts, at: I64) -> tuple[I64, I64]:
        """(capacity, groups.data) of tables at positions."""
        table = parts.table
        capacity = table.field_named("capacity") if table else None
        groups = table.field_named("groups") if table else None
        data = groups.type.field_named("data") if groups else None
        if capacity is None or groups is None or data is None:
            return 0 * at, 0 * at
        where = at + capacity.offset
        count = self.memory[where].astype(np.int64) | self.memory[where + 1].astype(np.int64) << 8
        return count, self.words[(at + groups.offset + data.offset) >> 3]

    def _swiss_entries(self, parts: MapParts, rows: I64, groups: list[tuple[I64, U32, I64]]) -> None:
        """groups: (index into rows, object, how many groups it holds) of each array of groups."""
        slots = group_slots(parts.groups) if parts.groups is not None else None
        if slots is None or parts.groups is None or not parts.groups.has_pointers:
            return
        owner = np.concatenate([g[0] for g in groups])
        objects = np.concatenate([g[1] for g in groups])
        count = np.concatenate([g[2] for g in groups])
        held = self.objects.positions(objects) >= 0
        # what the allocator added behind the last group is zero, and zero is the control byte of a full slot
        count = np.minimum(count, self._group_room(objects, slots.group_size))[held]
        rows_, members, number = self._each_group(rows[owner[held]], objects[held], count)
        control = self._first_bytes(members, number, slots.group_size)
        self._add_entries(slots, rows_, members, number, (control & 0x80) == 0)

    def _group_room(self, objects: U32, group_size: int) -> I64:
        """How many groups or buckets fit into each object."""
        header = 8 * self.objects.spans.spans.header[self.objects.span[objects]].astype(np.int64)
        room: I64 = (self.objects.table.size[objects] - header) // group_size
        return room

    def _each_group(self, rows: I64, objects: U32, count: I64) -> tuple[I64, U32, I64]:
        """One row per group: map row, object, number of the group in its object."""
        number = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
        return np.repeat(rows, count), np.repeat(objects, count), number

    def _first_bytes(self, objects: U32, number: I64, group_size: int) -> NDArray[np.uint8]:
        """uint8[groups, 8]: control bytes or tophash of each group."""
        at = self.objects.positions(objects) + number * group_size
        first: NDArray[np.uint8] = self.memory[at[:, None] + np.arange(_GROUP_SLOTS)]
        return first

    def _swiss_needed(self, parts: MapParts, entries: I64) -> I64:
        """Bytes behind the header of a map made for this many entries (maps.NewMap in
        internal/runtime/maps/map.go)."""
        if parts.groups is None or parts.table is None:
            return 0 * entries
        pointers = parts.groups.has_pointers
        target = entries * 8 // 7
        tables = _power_of_two(-(-target // _TABLE_LIMIT))
        capacity = np.maximum(_power_of_two(-(-target // np.maximum(tables, 1))), _GROUP_SLOTS)
        groups = self._allocation(capacity // _GROUP_SLOTS * parts.groups.size, pointers)
        table = self._allocation(np.full(len(entries), parts.table.size), True)
        big = self._allocation(tables * 8, True) + tables * (table + groups)
        small = self._allocation(np.full(len(entries), parts.groups.size), pointers)
        return np.where(entries <= 0, 0, np.where(entries <= _GROUP_SLOTS, small, big))

    def _allocation(self, request: I64, pointers: bool) -> I64:
        with_header = request + 8 * ((request > _HEADER_LIMIT) & (request <= self.size_classes[-1] - 8))
        has_headers = pointers and bool(self.objects.spans.inline_bitmaps)
        return slot_bytes(self.size_classes, with_header if has_headers else request)

    # -- classic
    # ------------------------------------------------------------------------------------------------

    def _classic(self, parts: MapParts, ids: I64) -> None:
        at = self.objects.positions(ids)
        header = parts.header
        entries = self._word(at, header, "count")
        field_b = header.field_named("B")
        b = self.memory[at + (field_b.offset if field_b else 0)].astype(np.int64)
        buckets = self.objects.find(self._word(at, header, "buckets"))
        old = self.objects.find(self._word(at, header, "oldbuckets"))
        owner = np.concatenate([np.flatnonzero(buckets != NO_OBJECT), np.flatnonzero(old != NO_OBJECT)])
        arrays = np.concatenate([buckets[buckets != NO_OBJECT], old[old != NO_OBJECT]])
        owner, arrays = self._with_overflow(parts, owner, arrays)
        size = np.zeros(len(ids), np.int64)
        np.add.at(size, owner, self.objects.table.size[arrays])
        group_size = parts.groups.size if parts.groups is not None else 0
        slots = _GROUP_SLOTS << np.minimum(b, 48)
        if group_size:
            total = np.zeros(len(ids), np.int64)
            np.add.at(total, owner, self.objects.table.size[arrays] // group_size * _GROUP_SLOTS)
            slots = np.maximum(slots, total)
        slots = np.where(buckets != NO_OBJECT, slots, 0)
        needed = self._classic_needed(parts, entries)
        rows = self._add_maps(parts, ids, buckets, entries, slots, size, np.minimum(needed, size))
        self._classic_entries(parts, rows[owner], arrays)

    def _with_overflow(self, parts: MapParts, owner: I64, arrays: U32) -> tuple[I64, U32]:
        """Adds the overflow buckets that are objects of their own, following their chains."""
        overflow = parts.groups.field_named("overflow") if parts.groups is not None else None
        if parts.groups is None or overflow is None:
            return owner, arrays
        seen = [(owner, arrays)]
        while len(owner):
            held = self.objects.positions(arrays) >= 0
            room = self._group_room(arrays[held], parts.groups.size)
            rows, members, number = self._each_group(owner[held], arrays[held], room)
            at = self.objects.positions(members) + number * parts.groups.size + overflow.offset
            next_ = self.objects.find(self.words[at >> 3])
            new = (next_ != NO_OBJECT) & (next_ != members)
            known = np.concatenate([a for _, a in seen])
            new &= ~np.isin(next_, known)
            owner, arrays = self._distinct(rows[new], next_[new])
            seen.append((owner, arrays))
        return np.concatenate([o for o, _ in seen]), np.concatenate([a for _, a in seen])

    @staticmethod
    def _distinct(owner: I64, objects: U32) -> tuple[I64, U32]:
        pairs = np.unique(np.stack([owner, objects.astype(np.int64)], axis=1), axis=0)
        return pairs[:, 0], pairs[:, 1].astype(np.uint32)

    def _classic_entries(self, parts: MapParts, rows: I64, arrays: U32) -> None:
        slots = group_slots(parts.groups) if parts.groups is not None else None
        if slots is None or parts.groups is None or not parts.groups.has_pointers:
            return
        held = self.objects.positions(arrays) >= 0
        room = self._group_room(arrays[held], slots.group_size)
        rows_, members, number = self._each_group(rows[held], arrays[held], room)
        top = self._first_bytes(members, number, slots.group_size)
        self._add_entries(slots, rows_, members, number, top >= _MIN_TOP_HASH)

    def _classic_needed(self, parts: MapParts, entries: I64) -> I64:
        """Bytes behind the header of a map made for this many entries (makemap, makeBucketArray in
        runtime/map.go)."""
        if parts.groups is None:
            return 0 * entries
        b = np.zeros(len(entries), np.int64)
        while (over := (entries > _GROUP_SLOTS) & (entries * 2 > 13 << b)).any():
            b[over] += 1
        buckets = (np.int64(1) << b) + np.where(b >= 4, np.int64(1) << np.maximum(b - 4, 0), 0)
        return np.where(
            entries <= 0, 0, self._allocation(buckets * parts.groups.size, parts.groups.has_pointers)
        )


def _power_of_two(n: I64) -> I64:
    """Smallest power of two that is at least n (at least 1)."""
    m = np.maximum(n, 1)
    return np.int64(1) << np.ceil(np.log2(m)).astype(np.int64)
