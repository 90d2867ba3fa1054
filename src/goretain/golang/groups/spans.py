"""In-use spans as columns: size class, slots, and how many of them hold a live object.

Imports ``golang.memory``, ``kernels.arenas``, ``snapshot`` and numpy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from goretain.golang.memory.objects import Objects
from goretain.kernels.arenas import GO_PAGE
from goretain.snapshot import Spans

I64 = NDArray[np.int64]


def span_columns(objects: Objects, class_size: I64) -> Spans:
    """The group ``spans`` of a snapshot.

    class_size: int64[c], slot sizes of the classes from 1 on, ascending; class 0 is that of large objects.
    """
    table = objects.spans
    k = table.spans
    live = np.diff(np.searchsorted(objects.span, np.arange(len(k.start) + 1, dtype=np.int32)))
    size_class = np.where(k.large != 0, 0, np.searchsorted(class_size, k.elem_size) + 1)
    return Spans(
        span_start=k.start.astype(np.int64),
        span_bytes=(table.pages * GO_PAGE).astype(np.int64),
        span_class=(2 * size_class + k.noscan).astype(np.uint8),
        span_slot_bytes=k.elem_size.astype(np.int64),
        span_slots=k.slots.astype(np.int64),
        span_live=np.where(k.alloc_at < 0, -1, live),
    )
