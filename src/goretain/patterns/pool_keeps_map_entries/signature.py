"""How pool-keeps-map-entries looks in a heap: maps that only a sync.Pool holds, with entries in them.

Nobody uses what an idle item of a pool points to: its next user either clears it, and it could have been
cleared before, or sees the entries of the last one. Imports ``patterns`` and the floors below.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from goretain.model.findings import Confidence, Finding
from goretain.patterns.catalogue import own
from goretain.patterns.holding import by_place, holding_of, place_of, pooled
from goretain.patterns.routes import route_to
from goretain.patterns.slots import edges_of
from goretain.snapshot import NO_OBJECT

if TYPE_CHECKING:
    from goretain.heap.heap import Heap

#: Bytes that the entries of the maps of one pool keep alive before it is reported.
_PLACE_MINIMUM = 64 << 10
_EXTRA = "runtime.mapextra"


def find(heap: Heap) -> Iterator[Finding]:
    """One finding for each holder of pools and type of map."""
    columns = heap.snapshot.columns
    rows = np.flatnonzero((columns.map_entries > 0) & (heap.maps.object != NO_OBJECT))
    rows = rows[heap.graph.reached[heap.maps.object[rows]]]
    rows = rows[pooled(heap, heap.maps.object[rows])]
    if not len(rows):
        return
    maps = heap.maps.object[rows]
    behind = np.maximum(heap.users.retained(maps) - columns.map_bytes[rows] - _extra_bytes(heap, maps), 0)
    pattern, holding = own(__package__), holding_of(heap, maps)
    place = place_of(heap, holding, columns.map_type[rows])
    for mine in by_place(place, behind, holding.alive, minimum=_PLACE_MINIMUM):
        total, entries = int(behind[mine].sum()), int(columns.map_entries[rows[mine]].sum())
        kind = int(columns.map_type[rows[mine[0]]])
        yield pattern.finding(
            confidence=Confidence(
                level="likely",
                reason=f"seen in memory: idle maps of the pool have {entries:,} entries, which only their "
                "next user can see; items that nobody takes go with the second collection",
                decide="read where they are put back: clear(m) belongs before Put",
            ),
            route=route_to(heap, int(maps[mine[0]])),
            count=len(mine),
            saving_bytes=total,
            retained_bytes=total,
            sampled=heap.sites.held_by(maps[mine]),
            type=heap.snapshot.types[kind].name if kind >= 0 else None,
        )


def _extra_bytes(heap: Heap, maps: NDArray[np.uint32]) -> NDArray[np.int64]:
    """int64[k]: what classic maps have beside header and buckets (runtime/map.go mapextra)."""
    columns = heap.snapshot.columns
    extra = np.array([t.name == _EXTRA for t in heap.snapshot.types] + [False])
    row, edge = edges_of(columns.edge_start, maps)
    target = columns.edge_target[edge]
    size = np.where(extra[columns.object_type[target]], columns.object_size[target], 0)
    return np.bincount(row, size, len(maps)).astype(np.int64)
