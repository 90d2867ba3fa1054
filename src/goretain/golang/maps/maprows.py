"""Rows of the map and entry columns, and the reads that maps of both kinds share.

Imports numpy, ``snapshot`` and sibling rooms of ``golang``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from goretain.capture.ranges import USER_SPACE
from goretain.golang.memory.objects import Objects
from goretain.golang.memory.sizeclasses import slot_bytes
from goretain.golang.types.gotypes import GoType
from goretain.golang.types.infer import Inferred
from goretain.golang.types.maptypes import MapParts
from goretain.snapshot import NO_OBJECT

I64 = NDArray[np.int64]
U32 = NDArray[np.uint32]
I32 = NDArray[np.int32]

GROUP_SLOTS = 8
_HEADER_LIMIT = 512  # runtime/mbitmap.go: larger pointerful allocations carry an 8-byte header


@dataclass(slots=True)
class MapColumns:
    """Pieces of the map and entry columns of a snapshot (see ``snapshot.columns``); lists of arrays to
    concatenate.

    impossible: maps with more entries than they have room for, and tables of two maps: damaged memory.
    """

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
    impossible: int = 0


@dataclass(slots=True)
class GroupSlots:
    """Where the eight slots of a group or bucket keep their keys: bytes from the group's start; size of a
    group."""

    key: GoType
    key_offset: I64
    group_size: int


def group_slots(groups: GoType) -> GroupSlots | None:
    """Key places of a group type: ``slots`` of {key, elem}, or ``keys`` apart from the values."""
    slots, keys = groups.field_named("slots"), groups.field_named("keys")
    i = np.arange(GROUP_SLOTS)
    if slots is not None and slots.type.elem is not None:
        key = slots.type.elem.field_named("key")
        if key is not None:
            return GroupSlots(key.type, slots.offset + i * slots.type.elem.size + key.offset, groups.size)
    if keys is not None and keys.type.elem is not None:
        return GroupSlots(keys.type.elem, keys.offset + i * keys.type.elem.size, groups.size)
    return None


class MapRows:
    """Writes map and entry rows of one heap; what is read of maps of either kind goes through here.

    size_classes: ascending slot sizes; full: entries in two buckets above which a classic map doubles.
    """

    def __init__(self, objects: Objects, inferred: Inferred, size_classes: I64, full: int) -> None:
        self.objects = objects
        self.inferred = inferred
        self.size_classes = size_classes
        self.full = full
        self.words = objects.image.words
        self.memory = objects.image.memory
        self.columns = MapColumns()
        self._owned = np.zeros(len(objects), np.bool_)

    def claim(self, objects: U32 | I64) -> NDArray[np.bool_]:
        """Which of the objects become part of a map: every object is part of one map, and once. NO_OBJECT is
        part of none."""
        first = np.zeros(len(objects), np.bool_)
        first[np.unique(objects, return_index=True)[1]] = True
        there = objects != NO_OBJECT
        first[there] &= ~self._owned[objects[there]]
        self.columns.impossible += int((there & ~first).sum())
        first &= there
        self._owned[objects[first]] = True
        return first

    def word(self, at: I64, header: GoType, name: str) -> I64:
        """Words of a field of the headers at positions at."""
        f = header.field_named(name)
        offset = f.offset if f is not None else 0
        found: I64 = self.words[(at + offset) >> 3]
        return found

    def add_maps(
        self, parts: MapParts, ids: I64, table: U32, entries: I64, slots: I64, extra_bytes: I64, needed: I64
    ) -> I64:
        """Appends map rows; returns their row numbers."""
        c = self.columns
        rows = c.rows + np.arange(len(ids))
        c.rows += len(ids)
        possible = np.clip(entries, 0, slots)
        c.impossible += int((possible != entries).sum())
        c.object.append(ids.astype(np.uint32))
        c.type.append(np.full(len(ids), self.inferred.table.intern(parts.map_type), np.int32))
        c.table.append(table)
        c.entries.append(possible)
        c.slots.append(slots)
        c.bytes.append(self.objects.table.size[ids] + extra_bytes)
        c.needed.append(self.objects.table.size[ids] + needed)
        return rows

    def add_entries(
        self, slots: GroupSlots, rows: I64, objects: U32, group: I64, live: NDArray[np.bool_]
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
        length = self.words[(at + 8) >> 3] if slots.key.kind == "string" else np.full(len(g), -1, np.int64)
        c.entry_key_length.append(np.where((length >= 0) & (length < USER_SPACE), length, -1))
        c.key_at.append(at)
        c.key_type.append(slots.key)

    def group_room(self, objects: U32, group_size: int) -> I64:
        """How many groups or buckets fit into each object."""
        header = 8 * self.objects.spans.spans.header[self.objects.span[objects]].astype(np.int64)
        room: I64 = (self.objects.table.size[objects] - header) // group_size
        return room

    def each_group(self, rows: I64, objects: U32, count: I64) -> tuple[I64, U32, I64]:
        """One row per group: map row, object, number of the group in its object."""
        number = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
        return np.repeat(rows, count), np.repeat(objects, count), number

    def first_bytes(self, objects: U32, number: I64, group_size: int) -> NDArray[np.uint8]:
        """uint8[groups, 8]: control bytes or tophash of each group."""
        at = self.objects.positions(objects) + number * group_size
        first: NDArray[np.uint8] = self.memory[at[:, None] + np.arange(GROUP_SLOTS)]
        return first

    def allocation(self, request: I64, pointers: bool) -> I64:
        """Bytes of the slots that allocations of these sizes take."""
        with_header = request + 8 * ((request > _HEADER_LIMIT) & (request <= self.size_classes[-1] - 8))
        has_headers = pointers and bool(self.objects.spans.inline_bitmaps)
        return slot_bytes(self.size_classes, with_header if has_headers else request)

    @staticmethod
    def distinct(owner: I64, objects: U32) -> tuple[I64, U32]:
        """Each (owner, object) pair once."""
        pairs = np.unique(np.stack([owner, objects.astype(np.int64)], axis=1), axis=0)
        return pairs[:, 0], pairs[:, 1].astype(np.uint32)


class MapKind:
    """What the reader of one kind of map works on: the rows that it adds to, the objects, the memory."""

    def __init__(self, rows: MapRows) -> None:
        self.rows = rows
        self.objects = rows.objects
        self.words = rows.words
        self.memory = rows.memory
