"""Swiss maps (Go 1.24 on): internal/runtime/maps/{map,table,group}.go.

Imports numpy, ``snapshot`` and sibling rooms of ``golang``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from goretain.golang.maps.maprows import GROUP_SLOTS, MapKind, MapRows, group_slots
from goretain.golang.types.maptypes import MapParts
from goretain.snapshot import NO_OBJECT

I64 = NDArray[np.int64]
U32 = NDArray[np.uint32]

_TABLE_LIMIT = 1024  # internal/runtime/maps/table.go maxTableCapacity


def read_swiss(rows: MapRows, parts: MapParts, ids: I64) -> None:
    """Adds the maps of one type whose headers are the objects ids."""
    _Swiss(rows).read(parts, ids)


class _Swiss(MapKind):
    """Swiss maps of one heap."""

    def read(self, parts: MapParts, ids: I64) -> None:
        at = self.objects.positions(ids)
        header = parts.header
        entries, pointer = self.rows.word(at, header, "used"), self.rows.word(at, header, "dirPtr")
        length = self.rows.word(at, header, "dirLen")
        length = np.where((length >= 0) & (length <= 1 << 40), length, 0)
        target = self.objects.find(pointer)
        target[~self.rows.claim(target)] = NO_OBJECT
        small = (length == 0) & (target != NO_OBJECT)
        slots, size = np.where(small, GROUP_SLOTS, 0), np.zeros(len(ids), np.int64)
        size[target != NO_OBJECT] = self.objects.table.size[target[target != NO_OBJECT]]
        groups = [(np.flatnonzero(small), target[small], np.ones(int(small.sum()), np.int64))]
        big = np.flatnonzero((length > 0) & (target != NO_OBJECT))
        if len(big):
            owner, tables = self._swiss_tables(big, pointer[big], length[big])
            own = self.rows.claim(tables)
            owner, tables = owner[own], tables[own]
            where = self.objects.positions(tables)
            owner, tables, where = owner[where >= 0], tables[where >= 0], where[where >= 0]
            capacity, data = self._swiss_table_fields(parts, where)
            data_object = self.objects.find(data)
            held = self.rows.claim(data_object)
            np.add.at(slots, owner, capacity)
            np.add.at(size, owner, self.objects.table.size[tables])
            np.add.at(size, owner[held], self.objects.table.size[data_object[held]])
            groups.append((owner[held], data_object[held], capacity[held] // GROUP_SLOTS))
        needed = self._swiss_needed(parts, entries)
        rows = self.rows.add_maps(parts, ids, target, entries, slots, size, np.minimum(needed, size))
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
        count = np.minimum(count, self.rows.group_room(objects, slots.group_size))[held]
        rows_, members, number = self.rows.each_group(rows[owner[held]], objects[held], count)
        control = self.rows.first_bytes(members, number, slots.group_size)
        self.rows.add_entries(slots, rows_, members, number, (control & 0x80) == 0)

    def _swiss_needed(self, parts: MapParts, entries: I64) -> I64:
        """Bytes behind the header of a map made for this many entries (maps.NewMap in
        internal/runtime/maps/map.go)."""
        if parts.groups is None or parts.table is None:
            return 0 * entries
        pointers = parts.groups.has_pointers
        target = entries * 8 // 7
        tables = _power_of_two(-(-target // _TABLE_LIMIT))
        capacity = np.maximum(_power_of_two(-(-target // np.maximum(tables, 1))), GROUP_SLOTS)
        groups = self.rows.allocation(capacity // GROUP_SLOTS * parts.groups.size, pointers)
        table = self.rows.allocation(np.full(len(entries), parts.table.size), True)
        big = self.rows.allocation(tables * 8, True) + tables * (table + groups)
        small = self.rows.allocation(np.full(len(entries), parts.groups.size), pointers)
        return np.where(entries <= 0, 0, np.where(entries <= GROUP_SLOTS, small, big))

    def _tables_of(self, rows: I64, pointers: I64) -> tuple[I64, U32]:
        """(index into rows, object) of each distinct non-nil pointer per row."""
        found = self.objects.find(pointers)
        held = found != NO_OBJECT
        pairs = np.unique(np.stack([rows[held], found[held].astype(np.int64)], axis=1), axis=0)
        return pairs[:, 0], pairs[:, 1].astype(np.uint32)


def _power_of_two(n: I64) -> I64:
    """Smallest power of two that is at least n (at least 1)."""
    m = np.maximum(n, 1)
    return np.int64(1) << np.ceil(np.log2(m)).astype(np.int64)
