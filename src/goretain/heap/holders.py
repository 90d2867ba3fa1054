"""Holders and what several of them share.

A holder is a root node: a global variable, a goroutine, a runtime special. What one alone keeps alive is its
retained size; what several of its layer reach and none dominates is shared, counted once. Imports ``kernels``
and ``snapshot``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goretain.heap.graph import Graph
from goretain.kernels.holders import MANY
from goretain.snapshot import Layer, Snapshot


@dataclass(frozen=True, slots=True)
class Holder:
    """One root and what it alone keeps alive.

    Attributes:
        name: ``main.cache``, ``goroutine 18 [chan receive] main.worker``.
        layer: which layer of roots it belongs to.
        node: index into ``Snapshot.roots``.
        retained_bytes, retained_objects: what would go if it let go.
        shared_bytes: what it keeps alive together with others of its layer (not what is shared by more
            holders than are listed).
    """

    name: str
    layer: Layer
    node: int
    retained_bytes: int
    retained_objects: int
    shared_bytes: int


@dataclass(frozen=True, slots=True)
class Shared:
    """Memory that the same holders reach and none of them dominates, with all that it dominates.

    Attributes:
        bytes, objects: counted once.
        nodes: root nodes of all its holders, ascending; empty when there are more than are listed.
        holders: their names; empty likewise.
        example: id of its largest object (by retained bytes) that only the holders together keep alive.
    """

    bytes: int
    objects: int
    nodes: tuple[int, ...]
    holders: tuple[str, ...]
    example: int


def find_holders(snapshot: Snapshot, graph: Graph) -> list[Holder]:
    """All roots that keep something alive, by retained bytes, then shared bytes, descending."""
    shared = _shared_bytes(graph, len(snapshot.roots))
    found = []
    for node, root in enumerate(snapshot.roots):
        size, count = graph.node_retained(node)
        if count or shared[node]:
            found.append(Holder(root.name, Layer(root.layer), node, size, count, int(shared[node])))
    return sorted(found, key=lambda h: (-h.retained_bytes, -h.shared_bytes, h.name, h.node))


def find_shared(snapshot: Snapshot, graph: Graph) -> list[Shared]:
    """All groups of shared memory, one for each set of holders, by bytes descending."""
    sets = graph.sets
    if not len(sets.top):
        return []
    count = len(sets.members.start) - 1
    sizes = _by_set(graph, graph.retained_bytes)
    objects = _by_set(graph, graph.retained_objects)
    order = np.lexsort((graph.retained_bytes[sets.top], sets.set))
    last = np.searchsorted(sets.set[order], np.arange(count), side="right") - 1
    example = graph.vertex[sets.top[order[last]]]
    groups = []
    for k in np.argsort(-sizes, kind="stable").tolist():
        if objects[k]:
            nodes = set_nodes(graph, k)
            names = tuple(snapshot.roots[node].name for node in nodes)
            groups.append(Shared(int(sizes[k]), int(objects[k]), nodes, names, int(example[k])))
    return groups


def holder_nodes(graph: Graph, object_id: int) -> tuple[int, ...]:
    """Root nodes of its layer that keep an object alive: its holder, or all that share it."""
    holder = int(graph.holder[object_id])
    if holder >= 0:
        return (holder,)
    if not graph.reached[object_id]:
        return ()
    return set_nodes(graph, int(sets_of(graph, np.array([object_id]))[0]))


def sets_of(graph: Graph, objects: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """int64[k]: the set of holders of each of k shared objects."""
    places = np.searchsorted(graph.sets.top, graph.top[graph.number[objects]])
    sets: NDArray[np.int64] = graph.sets.set[places].astype(np.int64)
    return sets


def set_nodes(graph: Graph, k: int) -> tuple[int, ...]:
    """Root nodes of a set of holders, ascending; empty when there are more than are listed."""
    members = graph.sets.members
    return tuple(members.items[members.start[k] : members.start[k + 1]].tolist())


def _by_set(graph: Graph, figure: NDArray[np.int64] | NDArray[np.uint32]) -> NDArray[np.int64]:
    """Sum of a retained figure over the shared tops of each set."""
    total = np.zeros(len(graph.sets.members.start) - 1, np.int64)
    np.add.at(total, graph.sets.set, figure[graph.sets.top].astype(np.int64))
    return total


def _shared_bytes(graph: Graph, nodes: int) -> NDArray[np.int64]:
    """Per root node, the bytes of all listed groups that it belongs to."""
    members = graph.sets.members
    sizes = _by_set(graph, graph.retained_bytes)
    if len(sizes):
        sizes[MANY] = 0
    start = members.start.astype(np.int64)
    lengths = start[1:] - start[:-1]
    total = np.zeros(nodes, np.int64)
    np.add.at(total, members.items, np.repeat(sizes[: len(lengths)], lengths))
    return total
