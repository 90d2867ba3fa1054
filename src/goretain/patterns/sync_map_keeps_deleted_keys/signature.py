"""How sync-map-keeps-deleted-keys looks in a heap: entries of a sync.Map without a value.

Until Go 1.23 a ``sync.Map`` (sync/map.go) is a ``readOnly`` copy of a ``map[any]*entry`` that lookups use
without a lock. Delete only empties the ``entry``: the key stays until a new map is copied and takes over,
which needs a new key and as many misses as there are entries. Later versions have a tree (internal/sync) that
lets keys go; there is no sync.entry then, and nothing to find. Imports ``patterns`` and the floors below.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from goretain.model.findings import Confidence, Finding
from goretain.patterns.catalogue import own
from goretain.patterns.holding import by_place, holding_of
from goretain.patterns.routes import route_to
from goretain.patterns.slots import slot_targets
from goretain.snapshot import NO_OBJECT, ObjectFlag

if TYPE_CHECKING:
    from goretain.heap.heap import Heap

U32 = NDArray[np.uint32]
I64 = NDArray[np.int64]

_MAP = "map[interface {}]*sync.entry"
#: Deleted entries of one holder, and bytes that they keep.
_COUNT = 256
_PLACE_MINIMUM = 64 << 10
#: Words of a classic bucket (runtime/map.go bmap): tophash, eight keys, eight elements, overflow; and where
#: keys begin. Of a Swiss group: control word, eight slots of key and element.
_BUCKET, _KEYS, _KEY_WORDS = 26, 1, 16

_STAY = Confidence(
    level="likely",
    reason="seen in memory: the entries are empty, their keys are there; new keys and many misses would make "
    "the map copy itself without them",
    decide="look again when the program is at work: keys that are still there stay",
)


def find(heap: Heap) -> Iterator[Finding]:
    """One finding for each holder."""
    key, entry = _deleted(heap)
    if len(entry) < _COUNT:
        return
    pattern, holding = own(__package__), holding_of(heap, entry)
    weight = heap.graph.retained(entry)
    known = key != NO_OBJECT
    weight[known] += heap.graph.retained(key[known])
    for mine in by_place(holding.code, weight, holding.kept, count=_COUNT, minimum=_PLACE_MINIMUM):
        total = int(weight[mine].sum())
        shown = int(key[mine[0]] if known[mine[0]] else entry[mine[0]])
        yield pattern.finding(
            confidence=_STAY,
            route=route_to(heap, shown),
            count=len(mine),
            saving_bytes=total,
            retained_bytes=total,
            sampled=heap.sites.held_by(entry[mine]),
            type=heap.type_of(shown),
        )


def _deleted(heap: Heap) -> tuple[U32, U32]:
    """(key or NO_OBJECT, entry) of every deleted entry, each once: an old and a new copy share them."""
    columns, types = heap.snapshot.columns, heap.snapshot.types
    ours = np.array([t.name == _MAP for t in types] + [False])[columns.map_type]
    rows = np.flatnonzero(ours[columns.entry_map]) if ours.any() else np.empty(0, np.int64)
    owner, word = columns.entry_object[rows], columns.entry_word[rows].astype(np.int64)
    entry = slot_targets(columns, owner, _element_word(heap, owner, word))
    key = slot_targets(columns, owner, word + 1)
    alive = (entry != NO_OBJECT) & heap.graph.reached[np.where(entry == NO_OBJECT, 0, entry)]
    entry, key = entry[alive], key[alive]
    empty = columns.edge_start[entry.astype(np.int64) + 1] == columns.edge_start[entry]
    known, first = np.unique(entry[empty], return_index=True)
    return key[empty][first], known


def _element_word(heap: Heap, owner: U32, word: I64) -> I64:
    """Words of the elements that belong to the keys at ``word``."""
    if "classic-maps" not in heap.snapshot.meta.features:
        return word + 2
    header = ((heap.snapshot.columns.object_flags[owner] & ObjectFlag.HEADER) != 0).astype(np.int64)
    bucket, inside = np.divmod(word - header, _BUCKET)
    element: I64 = header + bucket * _BUCKET + _KEYS + _KEY_WORDS + (inside - _KEYS) // 2
    return element
