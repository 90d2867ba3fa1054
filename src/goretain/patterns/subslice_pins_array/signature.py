"""How subslice-pins-array looks in a heap: arrays of which the slices into them show little.

What is lost is lost for certain. Slack is harder: a buffer between two uses looks like a part that was cut
from the front of an array. So slack counts as a leak where the slice was cut from the middle, or stands where
nobody appends (a map's value, a channel, an interface), as waste where it is a field or variable, and not at
all in the buffers of the standard library, in pools and in empty slices. Imports ``patterns`` and the floors
below.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from goretain.model.findings import Confidence, Finding
from goretain.patterns.catalogue import Pattern, own
from goretain.patterns.windows import I64, SMALL, Flags, Pinned, pinned, type_of_all
from goretain.snapshot import Layer, WindowKind

if TYPE_CHECKING:
    from goretain.heap.heap import Heap

#: Bytes that the objects of one place hide together before it is reported.
_PLACE_MINIMUM = 64 << 10
#: The same for what may be a buffer between two uses.
_BUFFER_MINIMUM = 1 << 20
#: A slice that shows at least this share of its array is taken for one that grows.
_GROWTH = 0.25

_LOST = Confidence(level="proved", reason="no slice or string reaches these bytes any more")
_CUT = Confidence(
    level="proved", reason="seen in memory: only append could still use the bytes that no slice shows"
)
_BUFFER = Confidence(
    level="likely",
    reason="seen in memory, but the slice starts at its array's first byte: it may be a buffer in use",
)


def find(heap: Heap) -> Iterator[Finding]:
    """One finding for each holder and field."""
    pattern, found = own(__package__), pinned(heap, WindowKind.SLICE)
    lost, cut, buffer = classify(found)
    certain = lost | cut
    for rows in found.groups(certain, _PLACE_MINIMUM):
        mostly_lost = found.lost[rows].sum() > found.slack[rows].sum()
        yield _finding(heap, pattern, found, rows, _LOST if mostly_lost else _CUT)
    for rows in found.groups(buffer, _BUFFER_MINIMUM):
        yield _finding(heap, pattern, found, rows, _BUFFER)


def classify(found: Pinned) -> tuple[Flags, Flags, Flags]:
    """Which objects are lost for the most part, cut short, or perhaps buffers in use; the rest is healthy."""
    size = found.shown + found.hidden
    kept = ~found.passing & (found.layer != Layer.RUNTIME)
    lost = kept & (found.lost * 2 >= size)
    short = kept & ~lost & (found.shown > 0) & (found.shown < _GROWTH * size) & ~found.of_fields("library")
    large, in_place = found.hidden >= SMALL, found.of_fields("placed")
    cut = short & ((found.first > 0) | (large & ~in_place))
    # Small slices that were made with room and hold little yet are everywhere.
    return lost, cut, short & large & ~cut


def _finding(heap: Heap, pattern: Pattern, found: Pinned, rows: I64, confidence: Confidence) -> Finding:
    """The finding of one place; its first row is the largest."""
    largest, hidden = int(found.objects[rows[0]]), int(found.hidden[rows].sum())
    chain = heap.chain(largest)
    return pattern.finding(
        confidence=confidence,
        chain=chain,
        count=len(rows),
        saving_bytes=hidden,
        hidden_bytes=hidden,
        retained_bytes=int(np.sum(heap.graph.retained(found.objects[rows]))),
        type=type_of_all(heap, found.objects[rows]),
        also_from=tuple(heap.also_from(largest)),
        severity="waste" if confidence is _BUFFER else pattern.severity,
    )
