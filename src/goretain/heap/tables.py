"""The tables of a measured heap: those of the snapshot, and what keeps each object alive.

Imports ``snapshot`` and this package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from goretain.heap.graph import SHARED
from goretain.snapshot.sql import GRAPH, PROCESS, Bound, Table, known
from goretain.snapshot.sql.columns import Arrays, columns_of, ids

if TYPE_CHECKING:
    from goretain.heap.heap import Heap


def _dominators(heap: Heap) -> Arrays:
    graph, n = heap.graph, heap.snapshot.object_count
    number = graph.number[:n]
    above = graph.vertex[graph.idom[number]].astype(np.int64)
    alone = (number == 0) | (graph.idom[number] == 0) | (above >= n)
    return {
        "object": ids(n),
        "dominator": np.where(alone, -1, above),
        "root": graph.holder,
        "bytes": np.where(number == 0, 0, graph.retained_bytes[number]),
        "objects": np.where(number == 0, 0, graph.retained_objects[number]).astype(np.int64),
    }


_DOMINATORS = Table(
    "dominators",
    "one row for each live object: what alone keeps it alive, and what it alone keeps alive",
    columns_of("""
        object UINTEGER objects.id
        dominator UINTEGER objects.id of what alone keeps it alive; NULL: a root does, or several do
        root INTEGER roots.root of the one holder under which it lies; NULL: several share it, or none
        state VARCHAR held, shared (by several holders) or unreached (garbage)
        retained_bytes BIGINT bytes that would go with it, its own included; 0 for garbage
        retained_objects BIGINT objects that would go with it, itself included; 0 for garbage
    """),
    {"_dominators": _dominators},
    f"""SELECT object, CASE WHEN dominator >= 0 THEN dominator::UINTEGER END AS dominator,
        CASE WHEN root >= 0 THEN root END AS root,
        CASE WHEN root >= 0 THEN 'held' WHEN root = {SHARED} THEN 'shared' ELSE 'unreached' END AS state,
        bytes AS retained_bytes, objects AS retained_objects FROM _dominators""",
)

#: All tables, in the order in which they are documented.
TABLES = (*GRAPH, _DOMINATORS, *PROCESS)


def heap_tables(heap: Heap) -> list[Bound]:
    """The tables of a heap; nothing is measured before a query names what needs it."""
    snapshot = heap.snapshot
    graph = [Bound(table, snapshot) for table in (*GRAPH, *known(snapshot))]
    return [*graph, Bound(_DOMINATORS, heap)]
