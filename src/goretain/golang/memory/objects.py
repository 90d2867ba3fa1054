"""The live objects of an image and the edges between them.

Imports ``capture``, ``kernels`` and ``golang.memory.spans``, ``golang.types.masks``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goretain.capture.image import Image
from goretain.golang.memory.spans import SpanTable
from goretain.golang.types.masks import read_masks
from goretain.golang.types.universe import TypeUniverse
from goretain.kernels import heapscan
from goretain.kernels.csr import drop_edges
from goretain.kernels.heapscan import Masks, Spans
from goretain.kernels.lookup import ObjectTable, find_many
from goretain.snapshot import HeapTotals

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]
U32 = NDArray[np.uint32]


@dataclass(slots=True)
class Objects:
    """Live objects in address order; n rows.

    Attributes:
        table: addresses and sizes, and the way from an address to an object.
        span: int32[n], row of the span table; survived: uint8[n], 1 when the last mark reached the object.
        totals: sums, dead objects included.
        missing_spans: spans that were not captured, or not their allocation bits (their objects are not
            counted).
    """

    image: Image
    spans: SpanTable
    table: ObjectTable
    span: I32
    survived: U8
    totals: HeapTotals
    missing_spans: int

    def __len__(self) -> int:
        return len(self.span)

    def find(self, addresses: I64) -> U32:
        """Object ids of addresses, interior pointers included; NO_OBJECT where there is none."""
        return find_many(addresses, self.table)

    def positions(self, ids: NDArray[np.integer]) -> I64:
        """Positions of the objects' first data bytes (after a malloc header) in the image's memory, -1 not
        captured."""
        k = self.spans.spans
        s = self.span[ids]
        at = k.content_at[s] + self.table.address[ids] - k.start[s] + 8 * k.header[s]
        return np.where(k.content_at[s] >= 0, at, -1)


@dataclass(slots=True)
class Edges:
    """CSR of pointer slots: start int64[n + 1], target uint32[m], word uint32[m]; header: int64[n]; counts
    by name."""

    start: I64
    target: U32
    word: U32
    header: I64
    counts: dict[str, int]


def read_objects(image: Image, spans: SpanTable) -> Objects:
    """All live objects."""
    k = spans.spans
    state = np.zeros(int(k.first_slot[-1]), np.uint8)
    missing: int = heapscan.slot_states(image.memory, k, state)
    sums = np.zeros(4, np.int64)
    heapscan.count_states(state, k, sums)
    n = int(sums[0])
    address, size = np.empty(n, np.int64), np.empty(n, np.int64)
    span, survived = np.empty(n, np.int32), np.empty(n, np.uint8)
    object_at = np.empty(len(state), np.uint32)
    heapscan.list_objects(state, k, address, size, span, survived, object_at)
    totals = HeapTotals(
        live_objects=n,
        live_bytes=int(sums[1]),
        dead_objects=int(sums[2]),
        dead_bytes=int(sums[3]),
        in_use_bytes=spans.in_use_bytes,
        stack_bytes=spans.stack_bytes,
        span_count=len(k.start),
    )
    missing += spans.unreadable
    return Objects(
        image, spans, object_table(spans, address, size, object_at), span, survived, totals, missing
    )


def object_table(spans: SpanTable, address: I64, size: I64, object_at: U32) -> ObjectTable:
    """Finds objects by address. object_at: uint32[slots], the object in each slot, or MISSING."""
    k = spans.spans
    return ObjectTable(address, size, spans.table, k.elem_size, k.slots, k.first_slot, object_at)


def read_edges(objects: Objects, universe: TypeUniverse) -> Edges:
    """Every pointer slot of every object, resolved."""
    header = np.zeros(len(objects), np.int64)
    words, k = objects.image.words, objects.spans.spans
    heapscan.header_types(words, k, objects.table.address, objects.span, header)
    masks = read_masks(universe, np.unique(header[header != 0]))
    return find_edges(words, k, objects.table, objects.span, objects.survived, header, masks)


def find_edges(
    words: I64, spans: Spans, table: ObjectTable, span: I32, survived: U8, header: I64, masks: Masks
) -> Edges:
    """Every pointer slot of every object, resolved.

    words: of the image; table, span, survived: of the objects, as ``Objects`` has them; header: int64[n], the
    abi.Type that an object names, 0 without; masks: of these types.
    """
    counters = np.zeros(8, np.int64)
    room: int = heapscan.count_slots(words, spans, masks, table.address, span, header)
    start = np.empty(len(span) + 1, np.int64)
    # What of it is not needed is never touched, and takes no memory.
    target, word = np.empty(room, np.uint32), np.empty(room, np.uint32)
    m = heapscan.fill_edges(words, spans, masks, table, span, survived, header, start, target, word, counters)
    counts = {
        "pointer_slots": int(counters[heapscan.SLOTS]),
        "pointers": int(counters[heapscan.NONZERO]),
        "edges": m,
        "pointers_to_free_slots": int(counters[heapscan.DANGLING]),
        "objects_without_content": int(counters[heapscan.NO_CONTENT]),
        "objects_without_mask": int(counters[heapscan.NO_MASK]),
    }
    return Edges(start, target[:m], word[:m], header, counts)


def without_edges(edges: Edges, object_type: I32, fields: Sequence[tuple[int, int]]) -> Edges:
    """The edges less those from some fields of some types; in the arrays of the given ones.

    Args:
        object_type: int32[n], type row of each object.
        fields: (type row, word of the field in its object).
    """
    dropped = [_field_edges(edges, np.flatnonzero(object_type == row), word) for row, word in fields]
    rows = np.unique(np.concatenate([*dropped, np.empty(0, np.int64)]))
    if not len(rows):
        return edges
    m = drop_edges(rows, edges.start, edges.target, edges.word)
    counted = {**edges.counts, "edges": m}
    return Edges(edges.start, edges.target[:m], edges.word[:m], edges.header, counted)


def _field_edges(edges: Edges, objects: I64, word: int) -> I64:
    """Rows of the objects' edges from this word."""
    counts = edges.start[objects + 1] - edges.start[objects]
    first = np.repeat(edges.start[objects] - (np.cumsum(counts) - counts), counts)
    rows: I64 = first + np.arange(int(counts.sum()))
    found: I64 = rows[edges.word[rows] == word]
    return found


def shortfalls(counts: dict[str, int]) -> list[str]:
    """What of the heap could not be read, as sentences."""
    texts = {
        "missing_spans": "spans or their allocation bits are missing: their objects are not counted",
        "objects_without_content": "objects with pointers were not captured: what they hold is not followed",
        "impossible_maps": "maps have more entries than room, or share their tables: their counts are wrong",
        "objects_without_mask": "objects have no readable pointer mask: what they hold is unknown",
    }
    return [f"{counts[name]} {text}" for name, text in texts.items() if counts[name]]
