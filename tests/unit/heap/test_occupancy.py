"""How full spans are, on spans made by hand."""

from __future__ import annotations

import numpy as np

from goretain.heap.occupancy import Occupancy, occupancies
from goretain.snapshot import Spans

_PAGE = 8192


def _spans(*rows: tuple[int, int, int, int, int]) -> Spans:
    """rows: span class, pages, slot bytes, slots, live."""
    span_class, pages, slot_bytes, slots, live = np.array(rows, np.int64).T
    ends = np.cumsum(pages * _PAGE)
    return Spans(
        span_start=0xC000000000 + ends - pages * _PAGE,
        span_bytes=pages * _PAGE,
        span_class=span_class.astype(np.uint8),
        span_slot_bytes=slot_bytes,
        span_slots=slots,
        span_live=live,
    )


def test_few_objects_of_a_size_keep_pages() -> None:
    # Class 10 and 11 are one size with and without pointers: they are not packed together.
    rows = occupancies(
        _spans(
            (10, 1, 64, 128, 1),
            (10, 1, 64, 128, 32),  # a quarter: still sparse
            (10, 1, 64, 128, 33),
            (10, 1, 64, 128, 0),
            (11, 1, 64, 126, 126),
            (0, 5, 40_000, 1, 1),
            (1, 3, 20_000, 1, 0),
            (20, 1, 128, 64, -1),  # unknown
        )
    )
    assert rows == [
        Occupancy(
            slot_bytes=64,
            spans=5,
            span_bytes=5 * _PAGE,
            slots=4 * 128 + 126,
            objects=66 + 126,
            object_bytes=192 * 64,
            sparse_spans=2,
            sparse_bytes=2 * _PAGE,
            sparse_objects=33,
            empty_bytes=_PAGE,
            excess_bytes=3 * _PAGE,
        ),
        Occupancy(
            slot_bytes=0,
            spans=2,
            span_bytes=8 * _PAGE,
            slots=2,
            objects=1,
            object_bytes=40_000,
            sparse_spans=0,
            sparse_bytes=0,
            sparse_objects=0,
            empty_bytes=3 * _PAGE,
            excess_bytes=3 * _PAGE,
        ),
    ]


def test_a_heap_without_known_spans_has_no_rows() -> None:
    assert occupancies(_spans((10, 1, 64, 128, -1))) == []
