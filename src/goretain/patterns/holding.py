"""Who holds the objects that a pattern has picked: one code per object, to group by in numpy.

Holders that differ only in what changes between runs (goroutines of one function) share a code. Imports
``heap``, ``snapshot`` and numpy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from goretain.heap.graph import SHARED, UNREACHED
from goretain.patterns.names import stable_name
from goretain.snapshot import Layer

if TYPE_CHECKING:
    from goretain.heap.heap import Heap

U32 = NDArray[np.uint32]
I64 = NDArray[np.int64]

#: ``Goroutine.id`` of the one that runs main.main: what it holds lives as long as the program.
_MAIN_GOROUTINE = 1


@dataclass(frozen=True, slots=True)
class Holding:
    """Holders of some objects.

    Attributes:
        code: int64[k], per object the number of its holder; equal for equal stable names.
        layer: int64[k], ``Layer`` of the holder.
        passing: bool[k], only a goroutine that is working right now holds it: it may be gone the next moment.
        alive: bool[k], some root reaches the object.
    """

    code: I64
    layer: I64
    passing: NDArray[np.bool_]
    alive: NDArray[np.bool_]


def holding_of(heap: Heap, objects: U32) -> Holding:
    """Look up the holders of objects; what several holders share has the code of that set of holders."""
    graph, roots = heap.graph, heap.snapshot.roots
    node = graph.holder[objects].astype(np.int64)
    alive = node != UNREACHED
    shared = node == SHARED
    member = np.where(node >= 0, node, 0)
    group = np.where(node >= 0, node + 1, 0)
    if shared.any():
        tops = graph.top[graph.number[objects[shared]]]
        sets = graph.sets.set[np.searchsorted(graph.sets.top, tops)].astype(np.int64)
        group[shared] = -1 - sets
        members = graph.sets.members
        first = members.start[:-1].astype(np.int64)
        empty = members.start[1:] == members.start[:-1]
        padded = np.append(members.items, np.uint32(0))
        member[shared] = np.where(empty, 0, padded[first])[sets]
    known, inverse = np.unique(group, return_inverse=True)
    texts: dict[str, int] = {}
    names = [stable_name(roots[g - 1].name) if g > 0 else f"shared {g}" for g in known.tolist()]
    code = np.array([texts.setdefault(name, len(texts)) for name in names], np.int64)[inverse]
    layers = np.array([root.layer for root in roots] or [0], np.int64)
    passing = np.array([_passes(heap, k) for k in range(len(roots))] or [False], np.bool_)
    return Holding(code, layers[member], passing[member] & alive, alive)


def _passes(heap: Heap, node: int) -> bool:
    """Whether a root is a goroutine at work, other than the main one."""
    root = heap.snapshot.roots[node]
    if root.layer != Layer.RUNNING:
        return False
    goroutines = heap.snapshot.goroutines
    return not (0 <= root.goroutine < len(goroutines) and goroutines[root.goroutine].id == _MAIN_GOROUTINE)
