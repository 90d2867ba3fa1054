"""Who holds the objects that a pattern has picked: one code per object, and the groups by that.

Holders that differ only in what changes between runs (goroutines of one function) share a code. Imports
``heap``, ``snapshot`` and numpy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from goretain.heap.graph import SHARED, UNREACHED
from goretain.patterns.names import stable_name
from goretain.snapshot import Layer, Snapshot

if TYPE_CHECKING:
    from goretain.heap.heap import Heap

U32 = NDArray[np.uint32]
I64 = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: ``Goroutine.id`` of the one that runs main.main: what it holds lives as long as the program.
_MAIN_GOROUTINE = 1
#: ``Goroutine.state`` of one that waits for the kernel.
_IN_SYSTEM_CALL = "syscall"
#: How many dominators above an object are searched for a pool: a pool's slots, and a few structs.
_POOL_DEPTH = 64


@dataclass(frozen=True, slots=True)
class Holding:
    """Holders of some objects.

    Attributes:
        code: int64[k], per object the number of its holder; equal for equal stable names.
        kept: bool[k], held by what lasts: not by the runtime, nor by a goroutine that is working right now
            (one in a system call waits).
        alive: bool[k], some root reaches the object.
        layer: int64[k], value of ``Layer`` of its holders; meaningless where no root reaches it.
    """

    code: I64
    kept: NDArray[np.bool_]
    alive: NDArray[np.bool_]
    layer: I64


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
    lasting = np.array([_lasts(heap, k) for k in range(len(roots))] or [False], np.bool_)
    layer = np.array([root.layer for root in roots] or [0], np.int64)
    return Holding(code, lasting[member] & alive, alive, layer[member])


def place_of(heap: Heap, holding: Holding, types: NDArray[np.int32]) -> I64:
    """One number for each pair of holder and type. int64[k]; types: int32[k], -1 unknown."""
    return holding.code * (len(heap.snapshot.types) + 1) + types + 1


def by_place(place: I64, weight: I64, chosen: Flags, *, count: int = 1, minimum: int = 0) -> Iterator[I64]:
    """Rows of the chosen objects, place by place, the heaviest first.

    Places with fewer than ``count`` rows, or a smaller sum of weights than ``minimum``, are left out.
    """
    rows = np.flatnonzero(chosen)
    rows = rows[np.lexsort((-weight[rows], place[rows]))]
    for group in np.split(rows, np.flatnonzero(np.diff(place[rows])) + 1):
        if len(group) >= count and int(weight[group].sum()) >= minimum:
            yield group


def _lasts(heap: Heap, node: int) -> bool:
    """Whether what a root holds stays: not of the runtime, nor of a goroutine at work but the main one.

    A system call may last as long as any wait: read(2) on a pipe is a channel receive in other words.
    """
    root = heap.snapshot.roots[node]
    if root.layer != Layer.RUNNING:
        return root.layer != Layer.RUNTIME
    goroutines = heap.snapshot.goroutines
    if not 0 <= root.goroutine < len(goroutines):
        return False
    goroutine = goroutines[root.goroutine]
    return goroutine.id == _MAIN_GOROUTINE or goroutine.state == _IN_SYSTEM_CALL


def of_pools(snapshot: Snapshot) -> NDArray[np.bool_]:
    """Per type, and False behind the last for an unknown one, whether sync.Pool keeps items in it.

    sync.poolLocal and sync.poolChainElt (sync/pool.go, sync/poolqueue.go), and sync.eface, a chain's slots.
    """
    names = [t.name.removeprefix("[]") for t in snapshot.types]
    return np.array([n.startswith("sync.pool") or n == "sync.eface" for n in names] + [False])


def pooled(heap: Heap, objects: U32) -> NDArray[np.bool_]:
    """bool[k]: which objects only a sync.Pool keeps: the collector empties it when nobody takes them.

    Looks for the pool's own structs among their dominators.
    """
    graph, columns = heap.graph, heap.snapshot.columns
    result = np.zeros(len(objects), np.bool_)
    of_pool = of_pools(heap.snapshot)
    if not of_pool.any():
        return result
    rows = np.arange(len(objects))
    number = graph.idom[graph.number[objects]]
    for _ in range(_POOL_DEPTH):
        node = graph.vertex[number].astype(np.int64)
        going = (number != 0) & (node < graph.objects)
        rows, number, node = rows[going], number[going], node[going]
        if not len(rows):
            break
        result[rows] |= of_pool[columns.object_type[node]]
        number = graph.idom[number]
    return result
