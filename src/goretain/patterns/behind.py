"""What only the hidden part of an array keeps alive: objects that its unseen elements point to.

The collector scans an array whole, so ``queue[99990:]`` keeps what the first 99,990 elements point to.
Imports ``heap``, ``patterns.slots``, ``snapshot`` and numpy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from goretain.patterns.slots import edges_of
from goretain.snapshot import ObjectFlag

if TYPE_CHECKING:
    from goretain.heap.heap import Heap

U32 = NDArray[np.uint32]
I64 = NDArray[np.int64]

#: An array with more windows than this is taken to show all that it points to.
_WINDOW_LIMIT = 64
_HEADER_BYTES = 8


@dataclass(frozen=True, slots=True)
class Behind:
    """Bytes that k objects alone keep alive through slots that no window shows.

    Attributes:
        lost: int64[k], through slots outside every capacity: no statement reaches them again.
        slack: int64[k], through the others: reslicing or append could still use them.
    """

    lost: I64
    slack: I64

    @property
    def total(self) -> I64:
        """Both. int64[k]."""
        return self.lost + self.slack


def held_behind(heap: Heap, objects: U32) -> Behind:
    """What the hidden slots of each of k objects alone keep alive.

    A lower bound: counted are objects that such a slot points to and the array dominates directly, with what
    they retain; not those that only several hidden elements together keep. What a slot within a capacity and
    a lost one both point to counts as slack.
    """
    graph, columns = heap.graph, heap.snapshot.columns
    result = Behind(np.zeros(len(objects), np.int64), np.zeros(len(objects), np.int64))
    scanned = np.flatnonzero((columns.object_flags[objects] & ObjectFlag.NOSCAN) == 0)
    if not len(scanned):
        return result
    row, edge = edges_of(columns.edge_start, objects[scanned])
    target = columns.edge_target[edge]
    own = graph.idom[graph.number[target]] == graph.number[objects[scanned]][row]
    row, edge, target = row[own], edge[own], target[own]
    offset = columns.edge_word[edge].astype(np.int64) * 8
    shown, usable = _visible(heap, objects[scanned], row, offset)
    # 2: some slot in a length points to it, 1: some in a capacity, 0: none.
    seen = np.zeros(len(columns.object_size), np.uint8)
    seen[target[usable]] = 1
    seen[target[shown]] = 2
    # An object has one immediate dominator, so it belongs to one array only.
    for held, kind in ((result.lost, 0), (result.slack, 1)):
        chosen = seen[target] == kind
        hidden, first = np.unique(target[chosen], return_index=True)
        np.add.at(held, scanned[row[chosen][first]], graph.retained(hidden))
    return result


def _visible(heap: Heap, objects: U32, row: I64, offset: I64) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Per slot (row of its object, byte offset in it) whether a window's length, and its capacity, has it."""
    columns, windows = heap.snapshot.columns, heap.windows
    header = (columns.object_flags[objects] & ObjectFlag.HEADER) != 0
    offset = offset - np.where(header, _HEADER_BYTES, 0)[row]
    begin = windows.start[objects].astype(np.int64)
    count = windows.start[objects.astype(np.int64) + 1].astype(np.int64) - begin
    shown = (count > _WINDOW_LIMIT)[row]
    usable = shown.copy()
    for k in range(min(int(count.max(initial=0)), _WINDOW_LIMIT)):
        has = k < count
        window = windows.items[np.where(has, begin + k, 0)]
        start, length = columns.window_start[window], columns.window_length[window]
        after = has[row] & (offset >= start[row])
        shown |= after & (offset < (start + length)[row])
        usable |= after & (offset < (start + columns.window_capacity[window])[row])
    return shown, usable
