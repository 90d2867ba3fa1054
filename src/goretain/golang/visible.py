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

#: Room for windows at first: most pointers show all of an object. Room that is not used takes no memory.
_USUAL, _FEW = 8, 1 << 16
_COLUMNS = ("target", "source", "word", "kind", "start", "length", "capacity")


def find_windows(
    heap: propagate.Heap,
    inferred: Inferred,
    reached: Bits,
    edges: Edges,
    roots: ResolvedRoots,
    slots: RootSlots,
) -> windows.Windows:
    """The windows that show less than all of an object: once, and again where there are very many."""
    leaf = _leaf_rows(inferred, roots, slots)
    types = inferred.table.arrays()
    # What a finalizer's object points to is seen through that object; it needs no root window of its own.
    own = np.flatnonzero((roots.flags & int(RootFlag.SPECIAL)) == 0)
    at = roots.at >> 3
    words, type_of, array = inferred.words, inferred.type, inferred.array
    out = _empty(len(heap.span), len(edges.target) // _USUAL + _FEW)
    while True:
        windows.object_windows(heap, types, words, type_of, array, reached, edges.start, edges.target, out)
        windows.root_windows(heap, types, words, type_of, array, leaf, at, own, roots.target, out)
        rows = int(out.rows[0])
        if rows <= len(out.target):
            return _partial(out, rows)
        out = _empty(0, rows)._replace(shown=out.shown, opaque=out.opaque)


def _partial(out: windows.Windows, rows: int) -> windows.Windows:
    """The rows whose objects nothing shows whole."""
    kept = np.flatnonzero(out.shown[out.target[:rows]] == 0)
    columns = {name: getattr(out, name)[kept] for name in _COLUMNS}
    return out._replace(rows=np.array([len(kept)], np.int64), **columns)


def _leaf_rows(inferred: Inferred, roots: ResolvedRoots, slots: RootSlots) -> NDArray[np.int32]:
    """Row of the leaf table for each root, -1 where its type is unknown."""
    rows = np.array([*(inferred.table.root_leaf(leaf) for leaf in slots.leaves), -1], np.int32)
    return rows[roots.leaf]


def _empty(objects: int, rows: int) -> windows.Windows:
    """Output arrays for a pass of the kernels with room for this many rows."""
    return windows.Windows(
        shown=np.zeros(objects, np.uint8),
        opaque=np.zeros(objects, np.uint8),
        target=np.empty(rows, np.uint32),
        source=np.empty(rows, np.uint32),
        word=np.empty(rows, np.uint32),
        kind=np.empty(rows, np.uint8),
        start=np.empty(rows, np.int64),
        length=np.empty(rows, np.int64),
        capacity=np.empty(rows, np.int64),
        rows=np.zeros(1, np.int64),
    )


def object_flags(
    objects: Objects,
    inferred: Inferred,
    reached: Bits,
    specials: Specials,
    seen: windows.Windows,
) -> NDArray[np.uint16]:
    """uint16[n] of ObjectFlag."""
    k = objects.spans.spans
    of_span = np.zeros(len(k.start), np.uint16)
    for which, flag in (
        (k.noscan, ObjectFlag.NOSCAN),
        (k.header, ObjectFlag.HEADER),
        (k.noscan & (k.elem_size == 16), ObjectFlag.TINY),
        (k.large, ObjectFlag.LARGE),
    ):
        of_span[which == 1] |= np.uint16(flag)
    flags = of_span[objects.span]
    for bit, flag in (
        (objects.survived, ObjectFlag.SURVIVED),
        (seen.shown, ObjectFlag.SHOWN),
        (seen.opaque, ObjectFlag.OPAQUE),
        (inferred.array, ObjectFlag.ARRAY),
    ):
        flags |= np.multiply(bit, int(flag), dtype=np.uint16)
    finalized = objects.find(np.array([f.object for f in specials.finalizers], np.int64))
    finalized = finalized[finalized != NO_OBJECT]
    flags[finalized[~reached[finalized]]] |= np.uint16(ObjectFlag.AWAITING_FINALIZER)
    return flags
