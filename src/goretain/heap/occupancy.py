"""How full the spans of the heap are, by size class. Imports ``snapshot`` and numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goretain.snapshot import Spans

I64 = NDArray[np.int64]
#: A span is kept by few where at most one in so many of its slots is live.
SPARSE = 4


@dataclass(frozen=True, slots=True)
class Occupancy:
    """The spans of one size class, with and without pointers; sizes in bytes.

    Attributes:
        slot_bytes: of one slot; 0 for large objects, which have a span each.
        spans, span_bytes: how many, and their pages.
        slots, objects, object_bytes: slots in them, live objects in these, and bytes of their slots.
        sparse_spans, sparse_bytes, sparse_objects: spans with objects that are at most a quarter full, their
            pages, and the objects that keep these from being returned.
        empty_bytes: pages of spans without a live object, which sweeping returns.
        excess_bytes: pages that the same objects would not need if they lay side by side.
    """

    slot_bytes: int
    spans: int
    span_bytes: int
    slots: int
    objects: int
    object_bytes: int
    sparse_spans: int
    sparse_bytes: int
    sparse_objects: int
    empty_bytes: int
    excess_bytes: int


def occupancies(spans: Spans) -> list[Occupancy]:
    """Size classes that have spans, those with most sparse bytes first, then most pages. Spans of unknown
    occupancy are left out."""
    known = spans.span_live >= 0
    size_class = (spans.span_class >> 1)[known].astype(np.int64)
    excess = _excess(spans, known)
    live, slots, pages = (c[known] for c in (spans.span_live, spans.span_slots, spans.span_bytes))
    slot_bytes = spans.span_slot_bytes[known]
    sparse = (live > 0) & (live * SPARSE <= slots)

    def summed(values: I64) -> I64:
        total = np.zeros(128, np.int64)
        np.add.at(total, size_class, values)
        return total

    columns = np.column_stack(
        (
            summed(np.ones(len(live), np.int64)),
            summed(pages),
            summed(slots),
            summed(live),
            summed(live * slot_bytes),
            summed(sparse.astype(np.int64)),
            summed(np.where(sparse, pages, 0)),
            summed(np.where(sparse, live, 0)),
            summed(np.where(live == 0, pages, 0)),
            excess,
        )
    )
    size_of = np.zeros(128, np.int64)
    size_of[size_class] = np.where(size_class == 0, 0, slot_bytes)
    rows = [Occupancy(int(size_of[c]), *columns[c].tolist()) for c in np.unique(size_class).tolist()]
    return sorted(rows, key=lambda row: (-row.sparse_bytes, -row.span_bytes, row.slot_bytes))


def _excess(spans: Spans, known: NDArray[np.bool_]) -> I64:
    """Bytes by size class that packing would spare; objects with and without pointers stay apart."""
    found = np.zeros(128, np.int64)
    for span_class in np.unique(spans.span_class[known]).tolist():
        chosen = known & (spans.span_class == span_class)
        if span_class >> 1 == 0:  # a span each
            found[0] += int(spans.span_bytes[chosen & (spans.span_live == 0)].sum())
            continue
        slots, pages = int(spans.span_slots[chosen].max()), int(spans.span_bytes[chosen].max())
        needed = -(-int(spans.span_live[chosen].sum()) // slots)
        found[span_class >> 1] += (int(chosen.sum()) - needed) * pages
    return found
