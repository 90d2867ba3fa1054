"""How pointer-keyed-map looks in a heap: maps keyed by pointers to objects that only the map still refers to.

Nobody can look up or delete an entry without its key, and who has no pointer to the object has no key. So an
entry whose key is dominated by the map is out of reach but for a loop over the map: a registry whose objects
were forgotten everywhere else. The runtime's own references do not count. Imports ``patterns`` and the floors
below.
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
from goretain.patterns.slots import slot_targets
from goretain.snapshot import NO_OBJECT

if TYPE_CHECKING:
    from goretain.heap.heap import Heap

U32 = NDArray[np.uint32]
I64 = NDArray[np.int64]

#: Maps with fewer entries are tables of parts; what forgotten keys of one place keep.
_COUNT = 64
_PLACE_MINIMUM = 256 << 10

_FORGOTTEN = Confidence(
    level="likely",
    reason="seen in memory: nothing but the map refers to these keys, so no statement can look them up or "
    "delete them by key; a loop over the map still can",
    decide="read the code: a set that is only walked through is healthy, one that is asked by key is not",
)


def find(heap: Heap) -> Iterator[Finding]:
    """One finding for each holder and type of map."""
    row, key = _forgotten(heap)
    if len(key) < _COUNT:
        return
    columns, types, pattern = heap.snapshot.columns, heap.snapshot.types, own(__package__)
    holding, weight = holding_of(heap, key), heap.users.retained(key)
    place = place_of(heap, holding, columns.map_type[row])
    for mine in by_place(place, weight, holding.kept, count=_COUNT, minimum=_PLACE_MINIMUM):
        yield pattern.finding(
            confidence=_FORGOTTEN,
            route=route_to(heap, int(key[mine[0]])),
            count=len(mine),
            saving_bytes=int(weight[mine].sum()),
            retained_bytes=int(heap.graph.retained(key[mine]).sum()),
            sampled=heap.sites.held_by(key[mine]),
            type=types[columns.map_type[row[mine[0]]]].name,
        )


def _forgotten(heap: Heap) -> tuple[I64, U32]:
    """(row of its map, key) of every entry whose key nothing but the map's own memory leads to."""
    columns, types = heap.snapshot.columns, heap.snapshot.types
    ours = np.array([t.kind == "map" and t.key >= 0 and types[t.key].kind == "ptr" for t in types] + [False])
    wanted = ours[columns.map_type] & (columns.map_entries >= _COUNT)
    entries = np.flatnonzero(wanted[columns.entry_map]) if wanted.any() else np.empty(0, np.int64)
    owner = columns.entry_object[entries]
    key = slot_targets(columns, owner, columns.entry_word[entries].astype(np.int64))
    known = key != NO_OBJECT
    entries, owner, key = entries[known], owner[known], key[known]
    if len(key) < _COUNT or int(heap.graph.retained(key).sum()) < _PLACE_MINIMUM:
        return np.empty(0, np.int64), np.empty(0, np.uint32)
    users = heap.users
    alone = users.idom[users.number[key]] == users.number[owner]
    return columns.entry_map[entries[alone]].astype(np.int64), key[alone]
