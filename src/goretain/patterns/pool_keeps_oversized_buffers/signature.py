"""How pool-keeps-oversized-buffers looks in a heap: items of a sync.Pool that outweigh the others by far.

A ``sync.Pool`` (sync/pool.go) keeps one item of each P in ``poolLocal.private`` and the others in chains of
``poolChainElt`` whose slots are ``eface`` (sync/poolqueue.go); what it held before the last collection hangs
from ``victim`` in the same way. How large an item ought to be is asked of the pool itself: half of its items
are no larger than the median. Imports ``patterns`` and the floors below.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from goretain.model.findings import Confidence, Finding
from goretain.patterns.catalogue import own
from goretain.patterns.holding import by_place, holding_of, of_pools, place_of
from goretain.patterns.routes import route_to
from goretain.patterns.slots import edges_of

if TYPE_CHECKING:
    from goretain.heap.heap import Heap

U32 = NDArray[np.uint32]
I64 = NDArray[np.int64]

#: Items up to this size are what pools are for (the standard library puts nothing larger back into its own).
_ITEM_MINIMUM = 64 << 10
#: How much larger than the median of its pool an item must be, and what all such items must give back.
_FACTOR = 4
_PLACE_MINIMUM = 1 << 20

_DECIDE = "look again when the program is at work: if they are still there, small tasks keep large buffers"


def find(heap: Heap) -> Iterator[Finding]:
    """One finding for each holder of pools and type of their items."""
    items = _items(heap)
    # Users keep no more of an object alive than its holders do.
    if not (heap.graph.retained(items) > _ITEM_MINIMUM).any():
        return
    pattern = own(__package__)
    holding = holding_of(heap, items)
    size = heap.users.retained(items)
    place = place_of(heap, holding, heap.snapshot.columns.object_type[items])
    for mine in by_place(place, size, holding.alive):
        usual = int(np.sort(size[mine])[(len(mine) - 1) // 2])
        large = mine[(size[mine] > _ITEM_MINIMUM) & (size[mine] >= _FACTOR * usual)]
        saving = int((size[large] - usual).sum())
        if saving < _PLACE_MINIMUM:
            continue
        largest = int(items[large[0]])
        yield pattern.finding(
            confidence=_confidence(size, large, mine),
            route=route_to(heap, largest),
            count=len(large),
            saving_bytes=saving,
            retained_bytes=int(size[large].sum()),
            sampled=heap.sites.held_by(items[large]),
            type=heap.type_of(largest),
        )


def _confidence(size: I64, large: I64, mine: I64) -> Confidence:
    """How sure, with the figures of one pool."""
    share = float(size[large].sum() / size[mine].sum())
    return Confidence(
        level="likely",
        reason=f"seen in memory: {len(large):,} of {len(mine):,} items have {share:.0%} of the pool's bytes; "
        "the collector drops items that nobody took between two collections, so a pool in use keeps them",
        decide=_DECIDE,
    )


def _items(heap: Heap) -> U32:
    """Ids of the objects that only slots of pools lead to."""
    columns, graph, pools = heap.snapshot.columns, heap.graph, of_pools(heap.snapshot)
    slots = np.flatnonzero(pools[columns.object_type] & graph.reached).astype(np.uint32)
    if not len(slots):
        return np.empty(0, np.uint32)
    row, edge = edges_of(columns.edge_start, slots)
    target = columns.edge_target[edge]
    own_items = graph.idom[graph.number[target]] == graph.number[slots[row]]
    own_items &= ~pools[columns.object_type[target]]
    result: U32 = np.unique(target[own_items])
    return result
