"""Classic maps (up to Go 1.23, and GOEXPERIMENT=noswissmap): runtime/map.go hmap, bmap.

Imports numpy, ``snapshot`` and sibling rooms of ``golang``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from goretain.golang.maps.maprows import GROUP_SLOTS, MapKind, MapRows, group_slots
from goretain.golang.types.gotypes import GoType
from goretain.golang.types.maptypes import MapParts
from goretain.snapshot import NO_OBJECT

I64 = NDArray[np.int64]
U32 = NDArray[np.uint32]

_MIN_TOP_HASH = 5  # runtime/map.go minTopHash


def read_classic(rows: MapRows, parts: MapParts, ids: I64) -> None:
    """Adds the maps of one type whose headers are the objects ids."""
    _Classic(rows).read(parts, ids)


class _Classic(MapKind):
    """Classic maps of one heap."""

    def read(self, parts: MapParts, ids: I64) -> None:
        at = self.objects.positions(ids)
        header = parts.header
        entries = self.rows.word(at, header, "count")
        field_b = header.field_named("B")
        b = self.memory[at + (field_b.offset if field_b else 0)].astype(np.int64)
        buckets = self.objects.find(self.rows.word(at, header, "buckets"))
        old = self.objects.find(self.rows.word(at, header, "oldbuckets"))
        current = self._table(parts, at, buckets, "overflow")
        former = self._table(parts, at, old, "oldoverflow")
        owner, arrays = np.concatenate([current[0], former[0]]), np.concatenate([current[1], former[1]])
        own = self.rows.claim(arrays)
        # What is left of the table that a growing map moves out of is no room for entries, and goes soon.
        room = np.flatnonzero(own[: len(current[0])])
        slots = np.where(buckets != NO_OBJECT, self._slots(parts, b, owner[room], arrays[room]), 0)
        owner, arrays = owner[own], arrays[own]
        size = np.zeros(len(ids), np.int64)
        np.add.at(size, owner, self.objects.table.size[arrays])
        needed = self._classic_needed(parts, entries)
        rows = self.rows.add_maps(parts, ids, buckets, entries, slots, size, np.minimum(needed, size))
        self._classic_entries(parts, rows[owner], arrays)

    def _table(self, parts: MapParts, at: I64, buckets: U32, overflow: str) -> tuple[I64, U32]:
        """(index of the map, object) of the arrays of buckets and all their overflow buckets.

        Args:
            at: where the headers are.
            buckets: per map, its array or NO_OBJECT.
            overflow: the field of ``mapextra`` that lists those of maps without pointers.
        """
        owner = np.flatnonzero(buckets != NO_OBJECT)
        if parts.groups is not None and not parts.groups.has_pointers:
            return self._with_listed_overflow(parts.header, at, owner, buckets[owner], overflow)
        return self._with_overflow(parts, owner, buckets[owner])

    def _slots(self, parts: MapParts, b: I64, owner: I64, arrays: U32) -> I64:
        """Slots per map: of 2**b buckets, and of those for overflow."""
        slots: I64 = GROUP_SLOTS << np.minimum(b, 48)
        if parts.groups is None or not parts.groups.size:
            return slots
        total = np.zeros(len(b), np.int64)
        np.add.at(total, owner, self.objects.table.size[arrays] // parts.groups.size * GROUP_SLOTS)
        return np.maximum(slots, total)

    def _with_overflow(self, parts: MapParts, owner: I64, arrays: U32) -> tuple[I64, U32]:
        """Adds the overflow buckets that are objects of their own, following their chains."""
        overflow = parts.groups.field_named("overflow") if parts.groups is not None else None
        if parts.groups is None or overflow is None:
            return owner, arrays
        seen = [(owner, arrays)]
        while len(owner):
            held = self.objects.positions(arrays) >= 0
            room = self.rows.group_room(arrays[held], parts.groups.size)
            rows, members, number = self.rows.each_group(owner[held], arrays[held], room)
            at = self.objects.positions(members) + number * parts.groups.size + overflow.offset
            next_ = self.objects.find(self.words[at >> 3])
            new = (next_ != NO_OBJECT) & (next_ != members)
            known = np.concatenate([a for _, a in seen])
            new &= ~np.isin(next_, known)
            owner, arrays = self.rows.distinct(rows[new], next_[new])
            seen.append((owner, arrays))
        return np.concatenate([o for o, _ in seen]), np.concatenate([a for _, a in seen])

    def _with_listed_overflow(
        self, header: GoType, at: I64, owner: I64, arrays: U32, name: str
    ) -> tuple[I64, U32]:
        """Adds the overflow buckets of pointer-free maps, which ``hmap.extra`` lists: their own contents, and
        so the chains through them, are not part of a lean capture."""
        field = header.field_named("extra")
        extra = field.type.elem if field is not None else None
        if extra is None:
            return owner, arrays
        image = self.objects.image
        places = image.locate(self.rows.word(at, header, "extra"), extra.size)
        maps = np.flatnonzero(places >= 0)
        lists = image.locate(self.rows.word(places[maps], extra, name), 24)
        holders, lists = maps[lists >= 0], lists[lists >= 0]
        length = np.maximum(self.words[(lists + 8) >> 3], 0)
        listed = image.locate(self.words[lists >> 3], length * 8)
        length = np.where(listed >= 0, length, 0)
        rows, first = np.repeat(holders, length), np.repeat(listed, length)
        number = np.arange(len(rows)) - np.repeat(np.cumsum(length) - length, length)
        buckets = self.objects.find(self.words[(first + number * 8) >> 3])
        new = (buckets != NO_OBJECT) & ~np.isin(buckets, arrays)
        rows, buckets = self.rows.distinct(rows[new], buckets[new])
        return np.concatenate([owner, rows]), np.concatenate([arrays, buckets])

    def _classic_entries(self, parts: MapParts, rows: I64, arrays: U32) -> None:
        slots = group_slots(parts.groups) if parts.groups is not None else None
        if slots is None or parts.groups is None or not parts.groups.has_pointers:
            return
        held = self.objects.positions(arrays) >= 0
        room = self.rows.group_room(arrays[held], slots.group_size)
        rows_, members, number = self.rows.each_group(rows[held], arrays[held], room)
        top = self.rows.first_bytes(members, number, slots.group_size)
        self.rows.add_entries(slots, rows_, members, number, top >= _MIN_TOP_HASH)

    def _classic_needed(self, parts: MapParts, entries: I64) -> I64:
        """Bytes behind the header of a map made for this many entries (makemap, makeBucketArray in
        runtime/map.go)."""
        if parts.groups is None:
            return 0 * entries
        b = np.zeros(len(entries), np.int64)
        while (over := (entries > GROUP_SLOTS) & (entries * 2 > self.rows.full << b)).any():
            b[over] += 1
        buckets = (np.int64(1) << b) + np.where(b >= 4, np.int64(1) << np.maximum(b - 4, 0), 0)
        return np.where(
            entries <= 0, 0, self.rows.allocation(buckets * parts.groups.size, parts.groups.has_pointers)
        )
