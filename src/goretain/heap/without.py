"""What if a holder let go: the heap reached anew from all other roots.

Not read from dominators: those are of one layer, and memory that a goroutine reaches as well as a variable
does not come back when the variable lets go. Imports ``kernels``, this package, ``model`` and ``snapshot``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goretain.heap.chains import ChainPrinter
from goretain.heap.elements import Elements, bare, beyond, covers, starts_at
from goretain.heap.graph import Graph
from goretain.heap.histogram import TypeRow, type_rows
from goretain.heap.naming import find_roots, suggest
from goretain.kernels.csr import Rows, group_rows
from goretain.kernels.reach import reach, root_of, shortest_forest
from goretain.model.errors import UsageError
from goretain.snapshot import Snapshot

U32 = NDArray[np.uint32]
I64 = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Keeper:
    """Another root that keeps what the holder would let go: bytes and objects are counted for one only."""

    name: str
    bytes: int
    objects: int


@dataclass(frozen=True, slots=True)
class Without:
    """What would come back if some holders let go together.

    Attributes:
        names: the holders, and parts of them (``main.state.cache[key].body``), as the program calls them.
        freed: uint32 ids of the objects that nothing else reaches.
        freed_bytes: their sizes.
        types: they, by type, most bytes first.
        kept_bytes, kept_objects: reached from the holders and from others too: stays.
        keepers: who keeps those, most bytes first.
    """

    names: tuple[str, ...]
    freed: U32
    freed_bytes: int
    types: list[TypeRow]
    kept_bytes: int
    kept_objects: int
    keepers: list[Keeper]

    @property
    def freed_objects(self) -> int:
        """How many objects come back."""
        return len(self.freed)


def let_go(snapshot: Snapshot, graph: Graph, printer: ChainPrinter, holders: Sequence[str]) -> Without:
    """Reach the heap without some roots and pointers. O(n + m).

    Args:
        holders: names of holders, ``*`` for anything; or chains from one to pointers inside it
            (``main.state.cache``, ``main.state.cache[key].body``).

    Raises:
        UsageError: there is no such holder, or no such part of it.
    """
    columns = snapshot.columns
    cut, cut_edges = np.zeros(len(columns.root_node), np.bool_), np.zeros(len(columns.edge_target), np.bool_)
    names: dict[str, None] = {}
    for holder in holders:
        nodes = find_roots(snapshot, holder)
        if nodes:
            cut[np.isin(columns.root_node, nodes)] = True
            names.update(dict.fromkeys(snapshot.roots[k].name for k in nodes))
        else:
            rows, edges = _part(snapshot, printer, holder)
            cut[rows], cut_edges[edges] = True, True
            names[bare(holder)] = None
    keeper = _kept_by(snapshot, ~cut, ~cut_edges)
    freed = np.flatnonzero(graph.reached & (keeper < 0)).astype(np.uint32)
    sources = np.concatenate([columns.root_target[cut], columns.edge_target[cut_edges]])
    kept = np.flatnonzero(reach(columns.edge_start, columns.edge_target, sources) & (keeper >= 0))
    chosen = np.zeros(snapshot.object_count, np.bool_)
    chosen[freed] = True
    return Without(
        names=tuple(names),
        freed=freed,
        freed_bytes=int(columns.object_size[freed].sum()),
        types=type_rows(snapshot, chosen),
        kept_bytes=int(columns.object_size[kept].sum()),
        kept_objects=len(kept),
        keepers=_keepers(snapshot, kept, keeper[kept]),
    )


def _kept_by(snapshot: Snapshot, rows: Flags, edges: Flags) -> NDArray[np.int32]:
    """int32[n]: a root node that reaches each object by the remaining root rows and edges; -1 none does."""
    columns = snapshot.columns
    grouped = group_rows(columns.root_node[rows], len(snapshot.roots))
    others = Rows(grouped.start, columns.root_target[rows][grouped.items])
    layer = np.array([root.layer for root in snapshot.roots], np.int64)
    start, target = columns.edge_start, columns.edge_target
    if not edges.all():
        start = np.concatenate([[0], np.cumsum(edges)])[start].astype(np.int64)
        target = target[edges]
    return root_of(shortest_forest(start, target, others, layer))


def _part(snapshot: Snapshot, printer: ChainPrinter, chain: str) -> tuple[I64, I64]:
    """Root rows and edges that a chain to a part of a holder stands for."""
    columns, chain = snapshot.columns, bare(chain)
    elements, found = Elements(snapshot, printer), []
    for node, root in enumerate(snapshot.roots):
        if not starts_at(chain, root.name):
            continue
        path, rows = chain[len(root.name) :], np.flatnonzero(columns.root_node == node)
        texts = [snapshot.strings[columns.root_path[row]] for row in rows.tolist()]
        inside = [covers(path, text) for text in texts]
        if any(inside):
            return rows[inside], np.empty(0, np.int64)
        for text in sorted({text for text in texts if beyond(text, path)}):
            targets = columns.root_target[rows[[t == text for t in texts]]]
            found.append(elements.edges(targets, beyond(text, path)))
    edges = np.unique(np.concatenate([np.empty(0, np.int64), *found]))
    if len(edges):
        return np.empty(0, np.int64), edges
    many = "write out what × and … stand for in a chain: .next.next; " if re.search("[×…]", chain) else ""
    raise UsageError(
        f"no holder of this heap, and no pointer in one, is called {chain!r}",
        hint=many + suggest(chain, (root.name for root in snapshot.roots)),
    )


def _keepers(snapshot: Snapshot, kept: NDArray[np.int64], keeper: NDArray[np.int32]) -> list[Keeper]:
    nodes, place = np.unique(keeper, return_inverse=True)
    counts, sizes = np.bincount(place, minlength=len(nodes)), np.zeros(len(nodes), np.int64)
    np.add.at(sizes, place, snapshot.columns.object_size[kept])
    rows = [
        Keeper(snapshot.roots[node].name, int(sizes[k]), int(counts[k]))
        for k, node in enumerate(nodes.tolist())
    ]
    return sorted(rows, key=lambda row: (-row.bytes, -row.objects, row.name))
