"""What if a holder let go: the heap reached anew from all other roots.

Not read from dominators: those are of one layer, and memory that a goroutine reaches as well as a variable
does not come back when the variable lets go. Imports ``kernels``, this package, ``model`` and ``snapshot``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goretain.heap.choose import find_roots, suggest
from goretain.heap.graph import Graph
from goretain.heap.histogram import TypeRow, type_rows
from goretain.kernels.csr import Rows, group_rows
from goretain.kernels.reach import reach, root_of, shortest_forest
from goretain.model.errors import UsageError
from goretain.snapshot import Snapshot

U32 = NDArray[np.uint32]


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
        names: the holders, and parts of them (``main.state.cache``), as the program calls them.
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


def let_go(snapshot: Snapshot, graph: Graph, holders: Sequence[str]) -> Without:
    """Reach the heap without some roots. O(n + m).

    Args:
        holders: names of holders, ``*`` for anything; or of a field of a variable (``main.state.cache``).

    Raises:
        UsageError: there is no such holder.
    """
    columns = snapshot.columns
    cut = np.zeros(len(columns.root_node), np.bool_)
    names: dict[str, None] = {}
    for holder in holders:
        rows, found = _rows(snapshot, holder)
        cut[rows] = True
        names.update(dict.fromkeys(found))
    grouped = group_rows(columns.root_node[~cut], len(snapshot.roots))
    others = Rows(grouped.start, columns.root_target[~cut][grouped.items])
    layer = np.array([root.layer for root in snapshot.roots], np.int64)
    forest = shortest_forest(columns.edge_start, columns.edge_target, others, layer)
    keeper = root_of(forest)
    freed = np.flatnonzero(graph.reached & (keeper < 0)).astype(np.uint32)
    from_holders = reach(columns.edge_start, columns.edge_target, columns.root_target[cut])
    kept = np.flatnonzero(from_holders & (keeper >= 0))
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


def _rows(snapshot: Snapshot, holder: str) -> tuple[NDArray[np.int64], list[str]]:
    """Root rows that a name means, and what they are called."""
    columns = snapshot.columns
    nodes = find_roots(snapshot, holder)
    if nodes:
        return np.flatnonzero(np.isin(columns.root_node, nodes)), [snapshot.roots[k].name for k in nodes]
    for node, root in enumerate(snapshot.roots):
        if holder.startswith(root.name) and holder[len(root.name) :][:1] in (".", "["):
            path = holder[len(root.name) :]
            rows = np.flatnonzero(columns.root_node == node)
            texts = [snapshot.strings[columns.root_path[row]] for row in rows.tolist()]
            inside = [text == path or text.startswith((f"{path}.", f"{path}[")) for text in texts]
            if any(inside):
                return rows[inside], [holder]
    raise UsageError(
        f"no holder of this heap is called {holder!r}",
        hint=suggest(holder, (root.name for root in snapshot.roots)),
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
