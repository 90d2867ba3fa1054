"""The object graph of a snapshot with its roots in layers: dominators, retained sizes, holders.

Graph nodes are the n objects and one node per root (a variable with several pointer slots is one holder).
Imports ``kernels`` and ``snapshot``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from goretain.kernels.csr import Rows, group_rows, validate_graph
from goretain.kernels.dominators import (
    accumulate,
    dominators,
    holders,
    number_nodes,
    predecessors,
    tops,
    weigh,
)
from goretain.kernels.holders import HolderSets, holder_sets
from goretain.snapshot import Snapshot

U32 = NDArray[np.uint32]
I64 = NDArray[np.int64]
I32 = NDArray[np.int32]

#: Instead of a root node: held by several roots of its layer together, or by none that we found.
SHARED = -1
UNREACHED = -2


@dataclass(frozen=True)
class Graph:
    """Dominator trees of all layers. Arrays are by depth-first number (c reached nodes, 0 is the virtual
    root).

    Attributes:
        objects: n.
        roots: per root node the objects that it points to.
        number: uint32[n + nodes], number of a node, 0 when unreached; root node k is node n + k.
        vertex: uint32[c + 1], node of a number.
        idom: uint32[c + 1], number of the immediate dominator.
        top: uint32[c + 1], the child of the virtual root above.
        retained_bytes, retained_objects: int64[c + 1], uint32[c + 1], sums over the dominator subtree;
            entry 0 is everything reachable.
        sets: which roots reach what several of them share.
    """

    objects: int
    roots: Rows
    number: U32
    vertex: U32
    idom: U32
    top: U32
    retained_bytes: I64
    retained_objects: U32
    sets: HolderSets

    @cached_property
    def reached(self) -> NDArray[np.bool_]:
        """Which objects some root reaches. bool[n]."""
        result: NDArray[np.bool_] = self.number[: self.objects] != 0
        return result

    @cached_property
    def holder(self) -> I32:
        """int32[n]: the root node that dominates each object, SHARED or UNREACHED."""
        holder = np.empty(self.objects, np.int32)
        holders(self.number, self.top, self.vertex, holder)
        return holder

    def retained(self, objects: ArrayLike) -> I64:
        """Bytes that would go if an object went, for an id or an array of ids; 0 for unreached objects."""
        number = self.number[np.asarray(objects)]
        return np.where(number == 0, 0, self.retained_bytes[number])

    def dominator(self, object_id: int) -> int | None:
        """The object that alone keeps this one alive; None when a root does, or nothing alone."""
        above = int(self.idom[self.number[object_id]]) if self.number[object_id] else 0
        node = int(self.vertex[above])
        return node if above and node < self.objects else None

    def node_retained(self, node: int) -> tuple[int, int]:
        """(bytes, objects) that a root node alone holds."""
        number = self.number[self.objects + node]
        return int(self.retained_bytes[number]), int(self.retained_objects[number])


def build_graph(snapshot: Snapshot, layer: I64) -> Graph:
    """Measure the graph with root node k in layer ``layer[k]``. One pass over the heap for all layers.

    Raises:
        CorruptFile: the columns break an invariant.
    """
    columns = snapshot.columns
    start, target = columns.edge_start, columns.edge_target
    n, nodes = len(start) - 1, len(snapshot.roots)
    validate_graph(start, target, columns.root_node, columns.root_target, nodes)
    grouped = group_rows(columns.root_node, nodes)
    roots = Rows(grouped.start, columns.root_target[grouped.items])
    walk = number_nodes(start, target, roots, layer)
    back = predecessors(start, target, roots, layer, walk)
    idom = dominators(walk, back)
    top = np.empty_like(idom)
    tops(idom, top)
    sets = holder_sets(n, walk, back, idom, top)
    del back
    retained_bytes, retained_objects = np.empty(len(idom), np.int64), np.empty(len(idom), np.uint32)
    weigh(walk.vertex, columns.object_size, retained_bytes, retained_objects)
    accumulate(idom, retained_bytes)
    accumulate(idom, retained_objects)
    return Graph(n, roots, walk.number, walk.vertex, idom, top, retained_bytes, retained_objects, sets)
