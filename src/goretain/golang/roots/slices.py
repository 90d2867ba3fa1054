"""Slices of bytes among words of data that nothing types: pointer, length and capacity that fit an object.

For programs without debug information. A word that leads into a pointer-free object, followed by a length and
a capacity that ends where the object's allocation ended: what lies at the end of the capacity is decided by
the allocator's size class, so that other words agree with it by no accident. Source: reflect.SliceHeader.
Imports ``kernels`` and rooms of ``golang``.
"""

from __future__ import annotations

import numpy as np

from goretain.golang.memory.objects import Objects
from goretain.golang.roots.rootslots import RootSlots
from goretain.golang.types.gotypes import GoType, Leaf
from goretain.kernels.arenas import slots_below
from goretain.kernels.propagate import Heap
from goretain.snapshot import NO_OBJECT

#: A smaller capacity may be any number.
_LEAST = 64


def claim_slices(slots: RootSlots, objects: Objects, heap: Heap) -> None:
    """Gives untyped words of data that begin a slice of bytes the leaf of one."""
    rows = np.flatnonzero((slots.leaf < 0) & (slots.address > 0) & (slots.goroutine < 0) & (slots.flags == 0))
    target = objects.find(slots.value[rows])
    at = objects.image.locate(slots.address[rows], 24)
    good = (target != NO_OBJECT) & (at >= 0) & (at % 8 == 0)
    rows, target, at = rows[good], target[good], at[good]
    noscan = objects.spans.spans.noscan[objects.span[target]] == 1
    rows, target, at = rows[noscan], target[noscan], at[noscan]
    length, capacity = objects.image.words[(at >> 3) + 1], objects.image.words[(at >> 3) + 2]
    size = objects.table.size[target]
    used = slots.value[rows] - objects.table.address[target] + capacity
    smaller = slots_below(heap.class_size, size)
    fits = (length >= 0) & (length <= capacity) & (capacity >= _LEAST) & (used > smaller) & (used <= size)
    slots.leaf[rows[fits]] = len(slots.leaves)
    byte = GoType("byte", "uint8", 1)
    slots.leaves.append(Leaf(0, "slice", GoType("[]byte", "slice", 24, elem_ref=byte), ""))
