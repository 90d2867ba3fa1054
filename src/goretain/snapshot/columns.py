"""The columns of a snapshot, one numpy array each, and the Snapshot that joins them with its tables.

Field names are the names in the file. Imports numpy and this package's tables and groups.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from goretain.snapshot.groups import Samples, Spans, Specials, Timers, Waits
from goretain.snapshot.tables import Goroutine, Memory, Meta, RootNode, Site, TypeInfo

#: "No object" in a uint32 object column.
NO_OBJECT = np.uint32(0xFFFFFFFF)

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
U32 = NDArray[np.uint32]
U16 = NDArray[np.uint16]
U8 = NDArray[np.uint8]


class Layer(enum.IntEnum):
    """Root layers, in the order in which they claim objects (DESIGN: holder and retained size)."""

    PROGRAM = 0  #: globals of the program's own modules and their dependencies
    STDLIB = 1  #: globals of the standard library
    PARKED = 2  #: goroutines that wait
    RUNNING = 3  #: goroutines that run, are runnable or are in a system call
    RUNTIME = 4  #: runtime internals: allgs, allp, sched, semtable, timers, pools, specials


class ObjectFlag(enum.IntFlag):
    """Bits of ``Columns.object_flags``."""

    NOSCAN = 1  #: holds no pointers
    HEADER = 2  #: a malloc header: the first 8 bytes are *abi.Type, data starts at +8
    TINY = 4  #: 16-byte noscan block that may hold several tiny objects
    SURVIVED = 8  #: was reached by the last finished mark; unset: allocated since
    AWAITING_FINALIZER = 16  #: has a finalizer; what it points to is a root, it itself is not
    SHOWN = 32  #: some slice, string or typed pointer shows every byte of it
    OPAQUE = 64  #: a referrer of unknown type points to it: what is shown of it is undecided
    ARRAY = 128  #: holds several values of its type side by side (backing array)
    LARGE = 256  #: has a span of its own (size class 0)
    SCHEDULER = 512  #: runtime.g or runtime.sudog: who reaches it can find a goroutine, not wake it


class WindowKind(enum.IntEnum):
    """Values of ``Columns.window_kind``."""

    SLICE = 0
    STRING = 1
    POINTER = 2


class RootFlag(enum.IntFlag):
    """Bits of ``Columns.root_flags``."""

    CONSERVATIVE = 1  #: found by scanning words, not by a stack map
    SPECIAL = 2  #: finalizer, cleanup
    ALLOCATOR = 4  #: a block that objects are being allocated from: whoever follows it knows no object in it


@dataclass(slots=True)
class Columns:
    """All arrays of a snapshot. n objects, m edges, r root slots, w windows, k maps, e map entries.

    object_address: int64[n], ascending.
    object_size: int64[n], slot size in bytes.
    object_type: int32[n], index into types, -1 unknown.
    object_flags: uint16[n], ObjectFlag.
    edge_start: int64[n + 1], CSR row pointers.
    edge_target: uint32[m], object ids; duplicates and self loops occur.
    edge_word: uint32[m], slot's offset in its owner in 8-byte words.
    root_node: int32[r], index into roots.
    root_target: uint32[r], object id.
    root_path: uint32[r], index into strings: access path after the node's name (".m", ":local.f", "").
    root_flags: uint8[r], RootFlag.
    root_goroutine: int32[r], index into goroutines or -1.
    window_target: uint32[w], object seen through a slice, string or typed pointer that does not show all of
        it; objects flagged SHOWN have no rows.
    window_source: uint32[w], owner object of the referring slot, NO_OBJECT for a root.
    window_word: uint32[w], the slot's word in its owner, or the row in the root columns for a root.
    window_kind: uint8[w], WindowKind: through what the target is seen.
    window_start: int64[w], bytes from the start of the target's data (after a malloc header) to the window.
    window_length, window_capacity: int64[w], bytes shown and bytes that the referrer may still use.
    map_object: uint32[k], header object, NO_OBJECT for a header inside another object, a stack or a global.
    map_type: int32[k], the map type (kind "map").
    map_table: uint32[k], the object that holds groups or buckets (the directory when there are several
        tables), NO_OBJECT when the map is empty.
    map_entries: int64[k], used count in the header.
    map_slots: int64[k], slots of all its tables, but for one that it is moving out of.
    map_bytes: int64[k], bytes of header, directory, tables and groups/buckets.
    map_needed: int64[k], bytes that the same map would take if built afresh with map_entries entries.
    entry_map: uint32[e], row of the map; entries of maps whose groups hold pointers.
    entry_object: uint32[e], the group or bucket object that holds the entry.
    entry_word: uint32[e], word offset of the entry's key in entry_object.
    entry_key_length: int64[e], bytes of a string key, -1 for other key types.
    """

    object_address: I64
    object_size: I64
    object_type: I32
    object_flags: U16
    edge_start: I64
    edge_target: U32
    edge_word: U32
    root_node: I32
    root_target: U32
    root_path: U32
    root_flags: U8
    root_goroutine: I32
    window_target: U32
    window_source: U32
    window_word: U32
    window_kind: U8
    window_start: I64
    window_length: I64
    window_capacity: I64
    map_object: U32
    map_type: I32
    map_table: U32
    map_entries: I64
    map_slots: I64
    map_bytes: I64
    map_needed: I64
    entry_map: U32
    entry_object: U32
    entry_word: U32
    entry_key_length: I64

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Column names in file order."""
        return tuple(f.name for f in fields(cls))


@dataclass(slots=True)
class Snapshot:
    """One heap: columns, tables and strings.

    Attributes:
        meta: what it is of.
        columns: the arrays.
        types, roots, goroutines: tables that the columns index.
        strings: texts that ``root_path`` indexes; strings[0] is "".
        entry_keys: texts of map keys, parallel to the entry columns; empty unless captured with data.
        waits, spans, specials, timers, samples: groups of columns, None when unknown (all of them in a file
            of version 1).
        memory: what the process uses beside live objects, None when unknown.
        sites: allocation sites that ``samples`` index, None when unknown.
    """

    meta: Meta
    columns: Columns
    types: list[TypeInfo]
    roots: list[RootNode]
    goroutines: list[Goroutine]
    strings: list[str]
    entry_keys: list[str]
    waits: Waits | None = None
    spans: Spans | None = None
    specials: Specials | None = None
    timers: Timers | None = None
    samples: Samples | None = None
    memory: Memory | None = None
    sites: list[Site] | None = None

    @property
    def object_count(self) -> int:
        """n, the number of live objects."""
        return len(self.columns.object_address)
