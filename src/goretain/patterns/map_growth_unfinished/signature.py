"""How map-growth-unfinished looks in a heap: maps whose header still points to an old table.

A classic map that doubles moves two buckets with each write (growWork and evacuate, runtime/map.go); reads
move none. So a map that is only read after it began to double keeps ``hmap.oldbuckets`` for ever. One that is
being filled looks the same. Imports ``patterns`` and the floors below.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from goretain.model.findings import Confidence, Finding
from goretain.patterns.catalogue import own
from goretain.patterns.holding import by_place, holding_of, place_of
from goretain.patterns.routes import route_to
from goretain.patterns.slots import field_word, slot_targets
from goretain.snapshot import NO_OBJECT

if TYPE_CHECKING:
    from goretain.heap.heap import Heap

U32 = NDArray[np.uint32]

#: Bytes of the old tables of one place before they are reported.
_PLACE_MINIMUM = 1 << 20

_WRITES_END_IT = Confidence(
    level="undecided",
    reason="proved that the old table is there, undecided whether it stays: each write moves two buckets out "
    "of it, reading moves none",
    decide="look again: an old table that is still there belongs to a map that nobody writes to",
)


def find(heap: Heap) -> Iterator[Finding]:
    """One finding for each holder and type of map."""
    columns = heap.snapshot.columns
    headers, tables = _growing(heap)
    size = columns.object_size[tables].astype(np.int64)
    pattern, holding = own(__package__), holding_of(heap, headers)
    place = place_of(heap, holding, columns.object_type[headers])
    for rows in by_place(place, size, holding.kept, minimum=_PLACE_MINIMUM):
        route = route_to(heap, int(headers[rows[0]]))
        yield pattern.finding(
            confidence=_WRITES_END_IT,
            route=route,
            count=len(rows),
            saving_bytes=0,
            retained_bytes=int(size[rows].sum()),
            sampled=heap.sites.held_by(headers[rows]),
            type=route.chain.end,
        )


def _growing(heap: Heap) -> tuple[U32, U32]:
    """Headers of the reached maps that have an old table, and these tables."""
    columns, types = heap.snapshot.columns, heap.snapshot.types
    words = np.array([_old_word(heap, k) for k in range(len(types))] + [-1], np.int64)
    headers = np.flatnonzero((words[columns.object_type] >= 0) & heap.graph.reached).astype(np.uint32)
    tables = slot_targets(columns, headers, words[columns.object_type[headers]])
    there = tables != NO_OBJECT
    return headers[there], tables[there]


def _old_word(heap: Heap, index: int) -> int:
    """Word of ``oldbuckets`` in a type; -1 where that is no header of a classic map."""
    types = heap.snapshot.types
    word = field_word(types, index, ("oldbuckets",)) if types[index].role == "map-header" else None
    return -1 if word is None else word
