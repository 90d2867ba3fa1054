"""What only the hidden part of an array keeps alive: objects that its unseen elements point to.

The collector scans an array whole, so ``queue[99990:]`` keeps what the first 99,990 elements point to.
Imports ``heap``, ``snapshot`` and numpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from goretain.snapshot import ObjectFlag

if TYPE_CHECKING:
    from goretain.heap.heap import Heap

U32 = NDArray[np.uint32]
I64 = NDArray[np.int64]

#: An array with more windows than this is taken to show all that it points to.
_WINDOW_LIMIT = 64
_HEADER_BYTES = 8


def held_behind(heap: Heap, objects: U32) -> I64:
    """int64[k]: bytes that each object alone keeps alive through slots that no window shows.

    A lower bound: counted are objects that such a slot points to and the array dominates directly, with what
    they retain; not those that only several hidden elements together keep.
    """
    graph, columns = heap.graph, heap.snapshot.columns
    result = np.zeros(len(objects), np.int64)
    scanned = np.flatnonzero((columns.object_flags[objects] & ObjectFlag.NOSCAN) == 0)
    if not len(scanned):
        return result
    row, edge = _edges(columns.edge_start, objects[scanned])
    target = columns.edge_target[edge]
    own = graph.idom[graph.number[target]] == graph.number[objects[scanned]][row]
    row, edge, target = row[own], edge[own], target[own]
    shown = _shown(heap, objects[scanned], row, columns.edge_word[edge].astype(np.int64) * 8)
    seen = np.zeros(len(columns.object_size), np.bool_)
    seen[target[shown]] = True
    # An object has one immediate dominator, so it belongs to one array only.
    hidden, first = np.unique(target[~shown & ~seen[target]], return_index=True)
    owner = scanned[row[~shown & ~seen[target]][first]]
    np.add.at(result, owner, graph.retained(hidden))
    return result


def _edges(start: I64, objects: U32) -> tuple[I64, I64]:
    """(which of the objects, which edge) for all edges of some objects."""
    counts = start[objects.astype(np.int64) + 1] - start[objects]
    row = np.repeat(np.arange(len(objects)), counts)
    within = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    return row, start[objects][row] + within


def _shown(heap: Heap, objects: U32, row: I64, offset: I64) -> NDArray[np.bool_]:
    """Per slot (row of its object, byte offset in it) whether a window shows it."""
    columns, windows = heap.snapshot.columns, heap.windows
    header = (columns.object_flags[objects] & ObjectFlag.HEADER) != 0
    offset = offset - np.where(header, _HEADER_BYTES, 0)[row]
    begin = windows.start[objects].astype(np.int64)
    count = windows.start[objects.astype(np.int64) + 1].astype(np.int64) - begin
    shown = (count > _WINDOW_LIMIT)[row]
    for k in range(min(int(count.max(initial=0)), _WINDOW_LIMIT)):
        has = k < count
        window = windows.items[np.where(has, begin + k, 0)]
        start, length = columns.window_start[window], columns.window_length[window]
        shown |= has[row] & (offset >= start[row]) & (offset < (start + length)[row])
    return shown
