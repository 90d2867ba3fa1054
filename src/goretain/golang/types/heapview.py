"""Columns of many objects at once, read without knowing their types: words, fields of a runtime struct.

Imports ``kernels``, ``golang.layout`` and numpy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from goretain.golang.layout import Layout
from goretain.kernels import structure
from goretain.kernels.lookup import find_many
from goretain.kernels.propagate import Heap
from goretain.snapshot import NO_OBJECT

I64 = NDArray[np.int64]
Bits = NDArray[np.bool_]


class HeapView:
    """Reads a heap by object; objects that were not captured must be left out by the caller (``at`` < 0)."""

    def __init__(self, heap: Heap, layout: Layout) -> None:
        self.heap = heap
        self.layout = layout

    def at(self, objects: I64) -> I64:
        """Positions of the objects' first data bytes in memory, -1 where not captured."""
        k = self.heap.spans
        s = self.heap.span[objects]
        found = k.content_at[s] + self.heap.table.address[objects] - k.start[s] + 8 * k.header[s]
        return np.where(k.content_at[s] >= 0, found, -1)

    def noscan(self, objects: I64) -> Bits:
        """Which objects hold no pointers."""
        return np.asarray(self.heap.spans.noscan[self.heap.span[objects]] == 1, np.bool_)

    def data_bytes(self, objects: I64) -> I64:
        """Bytes of the slots behind their malloc headers."""
        header = self.heap.spans.header[self.heap.span[objects]].astype(np.int64)
        found: I64 = self.heap.table.size[objects] - 8 * header
        return found

    def field(self, at: I64, struct: str, *path: str) -> I64:
        """An integer or pointer field of the structs at positions, zero-extended."""
        offset, width = self.layout.offset(struct, *path), self.layout.width(struct, *path)
        if width == 8:
            words: I64 = self.heap.words[(at + offset) >> 3]
            return words
        value = np.zeros(len(at), np.int64)
        for byte in range(width):
            value |= self.heap.memory[at + offset + byte].astype(np.int64) << (8 * byte)
        return value

    def find(self, addresses: I64) -> I64:
        """Ids of the objects whose data (behind a malloc header) begin at addresses, -1 for others."""
        ids = find_many(addresses, self.heap.table).astype(np.int64)
        known = ids != NO_OBJECT
        ids = np.where(known, ids, 0)
        first = self.heap.table.address[ids] + 8 * self.heap.spans.header[self.heap.span[ids]]
        return np.where(known & (first == addresses), ids, -1)

    def masks(self, objects: I64) -> I64:
        """Pointer bits of the objects' first 64 words as the collector has them, -1 where it has none."""
        out = np.empty(len(objects), np.int64)
        structure.object_masks(self.heap, objects, out)
        return out
