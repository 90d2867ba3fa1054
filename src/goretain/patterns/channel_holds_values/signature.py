"""How channel-holds-values looks in a heap: buffers of channels whose slots lead to much memory.

Elements with pointers lie in a buffer of their own (``hchan.buf``, makechan in runtime/chan.go). Receiving
clears the slot (chanrecv, typedmemclr), so what a slot leads to has not been received. That a channel holds
these bytes is exact; whether someone will receive them no single look can see. Imports ``patterns`` and the
floors below.
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
from goretain.patterns.slots import edges_of

if TYPE_CHECKING:
    from goretain.heap.heap import Heap

U32 = NDArray[np.uint32]

#: Bytes of values that the channels of one place hold together before it is reported.
_PLACE_MINIMUM = 1 << 20
#: No type: those of unknown objects and elements are -1.
_NONE = -2

_WAITS = Confidence(
    level="undecided",
    reason="proved that the values are in the buffers and were not received, undecided whether they will be: "
    "a backlog at a busy moment looks the same",
    decide="look again when the program is idle: values that are still there wait for nobody",
)


def find(heap: Heap) -> Iterator[Finding]:
    """One finding for each holder and type of buffer."""
    columns, buffers = heap.snapshot.columns, _buffers(heap)
    waiting = heap.graph.retained(buffers) - columns.object_size[buffers]
    if int(waiting.sum()) < _PLACE_MINIMUM:
        return
    pattern, holding = own(__package__), holding_of(heap, buffers)
    place = place_of(heap, holding, columns.object_type[buffers])
    for rows in by_place(place, waiting, holding.kept & (waiting > 0), minimum=_PLACE_MINIMUM):
        largest = _largest_value(heap, buffers[rows[0]])
        yield pattern.finding(
            confidence=_WAITS,
            route=route_to(heap, largest),
            count=len(rows),
            saving_bytes=0,
            retained_bytes=int(waiting[rows].sum()),
            sampled=heap.sites.held_by(buffers[rows]),
            type=heap.type_of(largest),
        )


def _buffers(heap: Heap) -> U32:
    """Ids of the reached objects that are buffers of channels: arrays of the channel's elements."""
    columns, types = heap.snapshot.columns, heap.snapshot.types
    elem = np.array([t.elem if t.role == "chan" and t.elem >= 0 else _NONE for t in types] + [_NONE])
    channels = np.flatnonzero((elem[columns.object_type] != _NONE) & heap.graph.reached).astype(np.uint32)
    row, edge = edges_of(columns.edge_start, channels)
    target = columns.edge_target[edge]
    found: U32 = np.unique(target[columns.object_type[target] == elem[columns.object_type[channels[row]]]])
    return found


def _largest_value(heap: Heap, buffer: np.uint32) -> int:
    """The object that retains most of those that a buffer's slots lead to."""
    columns = heap.snapshot.columns
    _, edge = edges_of(columns.edge_start, np.array([buffer]))
    targets = columns.edge_target[edge]
    return int(targets[np.argmax(heap.graph.retained(targets))])
