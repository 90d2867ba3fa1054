"""How map-never-shrinks looks in a heap: tables with many more slots than their entries need.

A map that has just doubled is 7/16 full (Swiss) or 13/32 (classic), so less than a quarter means that it once
held more than it does, or was made for more. Which of the two, and whether the room will be used, is not to
be seen in one look, not even by the marks that deletion leaves: a map that each batch empties and fills again
has them too. So the bytes are exact and that they are waste is likely. Imports ``patterns`` and the floors
below.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from goretain.model.findings import Confidence, Finding
from goretain.patterns.catalogue import own
from goretain.patterns.holding import holding_of, pooled
from goretain.patterns.routes import route_to
from goretain.snapshot import NO_OBJECT

if TYPE_CHECKING:
    from goretain.heap.heap import Heap

#: A table less full than this was filled, or made, for many more entries.
_FILL = 0.25
#: What one map, and all maps of one place together, must be able to give back.
_MAP_MINIMUM = 1 << 10
_PLACE_MINIMUM = 64 << 10

_DECIDE = (
    "look again when the program is at its busiest, or read where the map is made and filled: room that is "
    "never used again is waste"
)


def find(heap: Heap) -> Iterator[Finding]:
    """One finding for each holder and map type."""
    pattern, columns = own(__package__), heap.snapshot.columns
    objects, saving = heap.maps.object, heap.maps.saving
    sparse = columns.map_entries < _FILL * columns.map_slots
    rows = np.flatnonzero(sparse & (saving >= _MAP_MINIMUM) & (objects != NO_OBJECT))
    holding = holding_of(heap, objects[rows])
    keep = holding.kept & ~pooled(heap, objects[rows])
    rows, code = rows[keep], holding.code[keep]
    place = code * (len(heap.snapshot.types) + 1) + columns.map_type[rows] + 1
    order = np.lexsort((-saving[rows], place))
    rows, place = rows[order], place[order]
    for group in np.split(rows, np.flatnonzero(np.diff(place)) + 1):
        total = int(saving[group].sum()) if len(group) else 0
        if total < _PLACE_MINIMUM:
            continue
        largest = int(objects[group[0]])
        entries, slots = int(columns.map_entries[group].sum()), int(columns.map_slots[group].sum())
        yield pattern.finding(
            confidence=Confidence(
                level="likely",
                reason=f"seen in memory: {entries:,} entries in {slots:,} slots; but one look cannot tell "
                "what deletion left from a hint that make was given, nor whether the room is filled again",
                decide=_DECIDE,
            ),
            route=route_to(heap, largest),
            count=len(group),
            saving_bytes=total,
            retained_bytes=int(heap.graph.retained(objects[group]).sum()),
            sampled=heap.sites.held_by(objects[group]),
            type=_type_name(heap, int(columns.map_type[group[0]])),
        )


def _type_name(heap: Heap, index: int) -> str | None:
    """Name of a map's type, None when unknown."""
    return heap.snapshot.types[index].name if index >= 0 else None
