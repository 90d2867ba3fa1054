"""What is new in a later look at a process and outlived a garbage collection.

Imports this package and ``snapshot``.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goretain.heap.graph import SHARED
from goretain.heap.heap import Heap
from goretain.heap.histogram import TypeRow, type_rows
from goretain.heap.holders import set_nodes, sets_of
from goretain.heap.tally import set_name
from goretain.model.names import alike
from goretain.snapshot import ObjectFlag, Snapshot


@dataclass(frozen=True, slots=True)
class Survivors:
    """Objects of a later look that the first one at the same process did not have.

    Attributes:
        objects: uint32 ids in the later snapshot: reachable, not there in the first at the same address with
            the same type and size, and reached by the garbage collector's last mark, so older than it. An
            object that took the place of a freed one of the same type is not told apart.
        types: they, by type.
        holders: (name of the holder or of all that share it, objects, bytes) of them, by bytes.
    """

    objects: NDArray[np.uint32]
    types: list[TypeRow]
    holders: list[tuple[str, int, int]]


def same_process(before: Snapshot, after: Snapshot) -> bool:
    """Whether both are of one process, so that addresses compare."""
    old, new = before.meta, after.meta
    return old.pid == new.pid != 0 and old.build_id == new.build_id


def survivors(before: Heap, after: Heap) -> Survivors | None:
    """What is new in ``after``, a later look; None for different processes."""
    if not same_process(before.snapshot, after.snapshot):
        return None
    objects = _survivors(before.snapshot, after)
    chosen = np.zeros(after.snapshot.object_count, np.bool_)
    chosen[objects] = True
    return Survivors(objects, type_rows(after.snapshot, chosen), _by_holder(after, objects))


def _survivors(before: Snapshot, after: Heap) -> NDArray[np.uint32]:
    """Objects of ``after`` that are not in ``before`` and are older than the last mark."""
    old, new = before.columns, after.snapshot.columns
    survived = after.graph.reached & ((new.object_flags & ObjectFlag.SURVIVED) != 0)
    place = np.searchsorted(old.object_address, new.object_address)
    here = place < len(old.object_address)
    place[~here] = 0
    if len(old.object_address):
        there = (
            here
            & (old.object_address[place] == new.object_address)
            & (old.object_size[place] == new.object_size)
            & (_names(before, old.object_type)[place] == _names(after.snapshot, new.object_type))
        )
        survived &= ~there
    return np.flatnonzero(survived).astype(np.uint32)


def _names(snapshot: Snapshot, types: NDArray[np.int32]) -> NDArray[np.int64]:
    """A number for each object's type name that is the same in every snapshot of this run; 0 for unknown."""
    numbers = np.array([hash(t.name) for t in snapshot.types] + [0], np.int64)
    return numbers[types]


def _by_holder(heap: Heap, objects: NDArray[np.uint32]) -> list[tuple[str, int, int]]:
    """Sum reached objects by the name of what holds them."""
    graph, roots = heap.graph, heap.snapshot.roots
    code = graph.holder[objects].astype(np.int64)
    shared = code == SHARED
    code[shared] = -1 - sets_of(graph, objects[shared])
    known, inverse = np.unique(code, return_inverse=True)
    counts, sizes = np.bincount(inverse, minlength=len(known)), np.zeros(len(known), np.int64)
    np.add.at(sizes, inverse, heap.snapshot.columns.object_size[objects])
    sums: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for k, count, size in zip(known.tolist(), counts.tolist(), sizes.tolist(), strict=True):
        if k >= 0:
            name = alike(roots[k].name)
        else:
            name = set_name(roots[node].name for node in set_nodes(graph, -1 - k))
        row = sums[name]
        row[0] += count
        row[1] += size
    return sorted(((n, objects, size) for n, (objects, size) in sums.items()), key=lambda r: (-r[2], r[0]))
