"""What of each object is seen, and what is known of it: the windows and flags of a snapshot.

Imports ``kernels``, ``snapshot`` and rooms of ``golang``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from goretain.golang.memory.objects import Edges, Objects
from goretain.golang.roots.rootobjects import ResolvedRoots
from goretain.golang.roots.roots import RootSlots
from goretain.golang.roots.specials import Specials
from goretain.golang.types.infer import Inferred
from goretain.kernels import propagate, windows
from goretain.snapshot import NO_OBJECT, ObjectFlag, RootFlag

Bits = NDArray[np.bool_]


def find_windows(
    heap: propagate.Heap,
    inferred: Inferred,
    reached: Bits,
    edges: Edges,
    roots: ResolvedRoots,
    slots: RootSlots,
) -> windows.Windows:
    """Counts, then lists, the windows that show less than all of an object."""
    n = len(heap.span)
    rows = np.array([inferred.table.root_leaf(leaf) for leaf in slots.leaves], np.int32)
    types = inferred.table.arrays()
    leaf = np.where(roots.leaf >= 0, rows[np.maximum(roots.leaf, 0)] if len(rows) else -1, -1).astype(
        np.int32
    )
    # What a finalizer's object points to is seen through that object; it needs no root window of its own.
    own = (roots.flags & int(RootFlag.SPECIAL)) == 0
    shown, opaque = np.zeros(n, np.uint8), np.zeros(n, np.uint8)
    room = 0
    for _ in range(2):
        out = windows.Windows(
            shown,
            opaque,
            np.empty(room, np.uint32),
            np.empty(room, np.uint32),
            np.empty(room, np.uint32),
            np.empty(room, np.uint8),
            np.empty(room, np.int64),
            np.empty(room, np.int64),
            np.empty(room, np.int64),
            np.zeros(1, np.int64),
        )
        windows.object_windows(
            heap,
            types,
            inferred.words,
            inferred.type,
            inferred.array,
            reached,
            edges.start,
            edges.target,
            out,
        )
        rows_of = np.flatnonzero(own)
        windows.root_windows(
            heap,
            types,
            inferred.words,
            inferred.type,
            inferred.array,
            leaf,
            roots.at >> 3,
            rows_of,
            roots.target,
            out,
        )
        room = int(out.rows[0])
        if not room:
            break
    return out


def object_flags(
    objects: Objects,
    inferred: Inferred,
    reached: Bits,
    specials: Specials,
    seen: windows.Windows,
) -> NDArray[np.uint16]:
    """uint16[n] of ObjectFlag."""
    k, size = objects.spans.spans, objects.table.size
    flags = np.zeros(len(objects), np.uint16)
    noscan = k.noscan[objects.span] == 1
    for which, flag in (
        (noscan, ObjectFlag.NOSCAN),
        (k.header[objects.span] == 1, ObjectFlag.HEADER),
        (noscan & (size == 16), ObjectFlag.TINY),
        (objects.survived == 1, ObjectFlag.SURVIVED),
        (seen.shown == 1, ObjectFlag.SHOWN),
        (seen.opaque == 1, ObjectFlag.OPAQUE),
        (inferred.array == 1, ObjectFlag.ARRAY),
        (k.large[objects.span] == 1, ObjectFlag.LARGE),
    ):
        flags[which] |= np.uint16(flag)
    finalized = objects.find(np.array([f.object for f in specials.finalizers], np.int64))
    finalized = finalized[finalized != NO_OBJECT]
    flags[finalized[~reached[finalized]]] |= np.uint16(ObjectFlag.AWAITING_FINALIZER)
    return flags
