"""Root slots that hold objects, as the type inference, the windows and the snapshot need them.

Imports ``capture``, ``snapshot`` and ``golang``'s ``memory``, ``types`` and ``roots``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goretain.capture.image import Image
from goretain.golang.memory.objects import Edges, Objects
from goretain.golang.roots.roots import RootSlots, finalizer_roots
from goretain.golang.types.infer import Seeds
from goretain.snapshot import NO_OBJECT, RootFlag

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
U32 = NDArray[np.uint32]
U8 = NDArray[np.uint8]


@dataclass(slots=True)
class ResolvedRoots:
    """Root slots that hold objects: r rows. leaf and at (byte position in memory) are -1 where the type is
    unknown."""

    node: I32
    target: U32
    path: U32
    flags: U8
    goroutine: I32
    leaf: I32
    at: I64


def _first_word(slots: RootSlots) -> I64:
    """Addresses of the leaves' first words: an interface's type word stands before its data word."""
    shift = np.array([leaf.pointer_offset - leaf.offset for leaf in slots.leaves], np.int64)
    if not len(shift):
        return np.where(slots.leaf >= 0, slots.address, 0)
    return np.where(
        (slots.leaf >= 0) & (slots.address > 0), slots.address - shift[np.maximum(slots.leaf, 0)], 0
    )


def root_seeds(slots: RootSlots, image: Image) -> Seeds:
    """Where type inference starts: every captured root slot of known type."""
    at = image.locate(_first_word(slots), 8)
    use = (slots.leaf >= 0) & (slots.address > 0) & (at >= 0)
    return Seeds(slots.leaves, slots.leaf[use], at[use])


def resolve_roots(objects: Objects, edges: Edges, slots: RootSlots) -> ResolvedRoots:
    """The root slots that point into objects, and what attached finalizers root."""
    target = objects.find(slots.value)
    held = target != NO_OBJECT
    at = objects.image.locate(_first_word(slots), 8)
    finalized = objects.find(np.array([f.object for f in slots.finalizers], np.int64))
    known = finalized != NO_OBJECT
    node, referents = finalizer_roots(
        finalized[known], slots.finalizer_node[known], edges.start, edges.target
    )
    extra = len(referents)
    none = np.full(extra, -1, np.int32)
    return ResolvedRoots(
        node=np.concatenate([slots.node[held], node]).astype(np.int32),
        target=np.concatenate([target[held], referents]).astype(np.uint32),
        path=np.concatenate([slots.path[held], np.zeros(extra, np.int32)]).astype(np.uint32),
        flags=np.concatenate([slots.flags[held], np.full(extra, int(RootFlag.SPECIAL), np.uint8)]),
        goroutine=np.concatenate([slots.goroutine[held], none]),
        leaf=np.concatenate([np.where(at >= 0, slots.leaf, -1)[held], none]).astype(np.int32),
        at=np.concatenate([at[held], none.astype(np.int64)]),
    )
