"""Objects that only finalizers and cleanups keep alive: of which other ones, or of themselves.

What the object of a finalizer points to is a root (gcScanFinalizer, runtime/mgcmark.go), and so are a
finalizer's function, a cleanup's function and its argument (runtime/mcleanup.go); the object itself is not.
So a finalizer or cleanup that leads back to its own object keeps it for ever, and one that leads to another
object with a finalizer delays that one by a collection. Imports ``heap``, ``kernels``, ``model``, the rest of
``patterns``, ``snapshot`` and numpy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from goretain.kernels.components import components, longest
from goretain.kernels.csr import Rows, group_rows, reverse
from goretain.kernels.reach import reach
from goretain.kernels.wakeups import wake
from goretain.patterns.holding import holding_of
from goretain.patterns.slots import edges_of
from goretain.snapshot import NO_OBJECT, Layer, RootFlag, Snapshot, SpecialKind

if TYPE_CHECKING:
    from goretain.heap.heap import Heap

U32 = NDArray[np.uint32]
I64 = NDArray[np.int64]
Bits = NDArray[np.bool_]

_ATTACHED = (SpecialKind.FINALIZER, SpecialKind.CLEANUP)
_QUEUED = (SpecialKind.QUEUED_FINALIZER, SpecialKind.QUEUED_CLEANUP)


@dataclass(frozen=True, slots=True)
class Attached:
    """k objects with a finalizer or cleanups that nothing but finalizers and cleanups refers to.

    Attributes:
        objects: uint32[k], ids, ascending.
        row: int64[k], of the first of an object's specials.
        kept: per object what its finalizer or cleanups keep alive, in one step.
        cycle: bool[k], whether that leads back to the object itself.
        links: int64[k], how many of these objects stand on the longest way to each, it included: of as many
            collections each lets one go. behind: int64[k], how many follow on the longest way from it.
        endless: bool[k], whether one in a cycle stands on a way to it.
        used: bool[n], what everything else reaches.
    """

    objects: U32
    row: I64
    kept: Rows
    cycle: Bits
    links: I64
    behind: I64
    endless: Bits
    used: Bits


@dataclass(frozen=True, slots=True)
class Group:
    """Some of these objects that one finding is about.

    Attributes:
        members: int64[g], rows of ``Attached``; bytes: what is alive only because of them.
    """

    members: I64
    bytes: int


def only_attached(heap: Heap) -> Attached | None:
    """The objects that only finalizers and cleanups keep; None when no such object is kept by another one's
    or its own."""
    snapshot = heap.snapshot
    specials, columns = snapshot.specials, snapshot.columns
    if specials is None:
        return None
    rows = np.flatnonzero(np.isin(specials.special_kind, _ATTACHED) & (specials.special_object != NO_OBJECT))
    owner = specials.special_object[rows]
    holding = holding_of(heap, owner)
    if not (holding.alive & (holding.layer == Layer.RUNTIME)).any():
        return None
    used = reach(columns.edge_start, columns.edge_target, _elsewhere(snapshot))
    rows = rows[~used[owner]]
    if not len(rows):
        return None
    kept = _kept(heap, rows, used)
    objects, first = np.unique(specials.special_object[rows], return_index=True)
    graph, count = _graph(heap, objects, kept, used), len(objects)
    label = components(graph.start, graph.items)
    mine = np.arange(len(label) - count, len(label))
    cycle = np.bincount(label)[label[mine]] > 1
    weight, endless = np.zeros(len(label), np.int64), np.zeros(len(label), np.bool_)
    weight[mine], endless[mine] = ~cycle, cycle
    links, endless = longest(graph.start, graph.items, label, weight, endless)
    back = reverse(graph.start, graph.items)
    behind, _ = longest(back.start, back.items, label.max() - label, weight, np.zeros_like(endless))
    behind -= weight
    return Attached(objects, rows[first], kept, cycle, links[mine], behind[mine], endless[mine], used)


def groups(heap: Heap, found: Attached, chosen: Bits) -> Iterator[Group]:
    """Chosen objects (bool[k]) by kind of special and type, what keeps most first.

    Others that they reach are theirs: each is counted in one group. Bytes that objects outside of a group
    keep as well are not counted.
    """
    specials, columns = heap.snapshot.specials, heap.snapshot.columns
    assert specials is not None
    kinds = specials.special_kind[found.row] == SpecialKind.CLEANUP
    place = columns.object_type[found.objects].astype(np.int64) * 2 + kinds
    totals = {
        code: _only_theirs(heap, found, chosen & (place == code))[0] for code in set(place[chosen].tolist())
    }
    left = chosen.copy()
    for code in sorted(totals, key=lambda code: (-totals[code], code)):
        members = left & (place == code)
        if not members.any():
            continue
        total, joined = _only_theirs(heap, found, members)
        yield Group(np.flatnonzero(left & (joined | members)), total)
        left &= ~(joined | members)


def _only_theirs(heap: Heap, found: Attached, members: Bits) -> tuple[int, Bits]:
    """Bytes that are alive only because of these objects' specials (bool[k]); bool[k], the objects among
    them."""
    live, joined = _follow(heap, found, members)
    others, _ = _follow(heap, found, ~members & ~joined)
    return int(heap.snapshot.columns.object_size[live & ~others & ~found.used].sum()), joined


def _follow(heap: Heap, found: Attached, begin: Bits) -> tuple[Bits, Bits]:
    """bool[n], what the specials of some objects reach; bool[k], objects that are among it."""
    columns = heap.snapshot.columns
    counts = np.diff(found.kept.start)
    row = np.arange(len(found.objects), dtype=np.int32)
    sources = found.kept.items[np.repeat(begin, counts)]
    return wake(columns.edge_start, columns.edge_target, found.used, sources, found.kept, found.objects, row)


def _elsewhere(snapshot: Snapshot) -> U32:
    """What is referred to by other things than finalizers and cleanups that are attached."""
    columns, specials = snapshot.columns, snapshot.specials
    assert specials is not None
    roots = columns.root_target[(columns.root_flags & RootFlag.SPECIAL) == 0]
    queued = np.isin(specials.special_kind, _QUEUED)
    weak = specials.special_kind == SpecialKind.WEAK_HANDLE
    others = np.concatenate((specials.special_target[queued | weak], specials.special_object[queued]))
    return np.concatenate((roots, others[others != NO_OBJECT]))


def _kept(heap: Heap, rows: I64, used: Bits) -> Rows:
    """Per object of these specials, ascending, what they keep and nothing else uses."""
    specials, columns = heap.snapshot.specials, heap.snapshot.columns
    assert specials is not None
    owner, target = specials.special_object[rows], specials.special_target[rows]
    finalized = owner[specials.special_kind[rows] == SpecialKind.FINALIZER]
    at, edge = edges_of(columns.edge_start, finalized)
    owner = np.concatenate((owner, finalized[at]))
    target = np.concatenate((target, columns.edge_target[edge]))
    wanted = target != NO_OBJECT
    # A file may list specials that are no roots in it.
    wanted[wanted] = ~used[target[wanted]] & heap.graph.reached[target[wanted]]
    owner, target = owner[wanted], target[wanted]
    objects = np.unique(specials.special_object[rows])
    grouped = group_rows(np.searchsorted(objects, owner), len(objects))
    return Rows(grouped.start, target[grouped.items])


def _graph(heap: Heap, objects: U32, kept: Rows, used: Bits) -> Rows:
    """Edges of what only specials keep: nodes are the objects there, and behind them one for each of
    ``objects`` that stands for what its specials keep."""
    columns = heap.snapshot.columns
    inside = heap.graph.reached & ~used
    inside[objects] = True
    nodes = np.flatnonzero(inside).astype(np.uint32)
    number = np.cumsum(inside) - 1
    row, edge = edges_of(columns.edge_start, nodes)
    target = columns.edge_target[edge]
    within = inside[target]
    special = len(nodes) + np.arange(len(objects))
    source = np.concatenate((row[within], number[objects], np.repeat(special, np.diff(kept.start))))
    leads = np.concatenate((number[target[within]], special, number[kept.items]))
    grouped = group_rows(source, len(nodes) + len(objects))
    return Rows(grouped.start.astype(np.int64), leads[grouped.items].astype(np.uint32))
