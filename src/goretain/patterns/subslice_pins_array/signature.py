"""How subslice-pins-array looks in a heap: arrays of which the slices into them show little.

What is lost is lost for certain, and so is the slack of a slice that was cut from the middle, wherever it is
stored. A slice that starts at its array's first byte is harder: a buffer in use looks like a part that was
cut from the front. So its slack is likely a leak in a map, a list, a channel or an interface, likely waste
(and only if there is much of it) in a field or variable, and healthy in the buffers of the standard library,
in pools and in empty slices. Arrays that matter for what their hidden elements point to are another
pattern. Imports ``patterns`` and the floors below.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from goretain.model.findings import Confidence, Finding, Severity
from goretain.patterns.catalogue import Pattern, own
from goretain.patterns.routes import route_to
from goretain.patterns.windows import I64, SMALL, Flags, Pinned, mostly_hidden, pinned, type_of_all
from goretain.snapshot import WindowKind

if TYPE_CHECKING:
    from goretain.heap.heap import Heap

#: Bytes that the objects of one place hide together before it is reported.
_PLACE_MINIMUM = 64 << 10
#: What fields and variables that may be buffers must hide: bytes, and share of the live heap.
_BUFFER_MINIMUM = 4 << 20
_BUFFER_SHARE = 0.05
#: A slice that shows at least this share of its array is taken for one that grows.
_GROWTH = 0.25

_LOST = Confidence(level="proved", reason="no slice or string reaches these bytes any more")
_CUT = Confidence(
    level="proved",
    reason="seen in memory: only append, up to the capacity, could still use the bytes that no slice shows",
)
_FRONT = Confidence(
    level="likely",
    reason="seen in memory, but the slice starts at its array's first byte: it may be a buffer in use",
    decide="read the code that stores it: a part that is kept is this pattern, a buffer that is filled again "
    "is not",
)


def find(heap: Heap) -> Iterator[Finding]:
    """One finding for each holder and field, and each way of hiding."""
    pattern, found = own(__package__), pinned(heap, WindowKind.SLICE, mostly_hidden(heap))
    cut, loose, buffer = classify(found)
    for rows in found.groups(cut, _PLACE_MINIMUM):
        mostly_lost = found.lost[rows].sum() > found.slack[rows].sum()
        yield _finding(heap, pattern, found, rows, _LOST if mostly_lost else _CUT, pattern.severity)
    for rows in found.groups(loose, _PLACE_MINIMUM):
        yield _finding(heap, pattern, found, rows, _FRONT, pattern.severity)
    buffer_minimum = max(_BUFFER_MINIMUM, int(_BUFFER_SHARE * heap.reachable_bytes))
    for rows in found.groups(buffer, buffer_minimum):
        yield _finding(heap, pattern, found, rows, _FRONT, "waste")


def classify(found: Pinned) -> tuple[Flags, Flags, Flags]:
    """Which objects are cut for certain, which perhaps, and which may be buffers; the rest is healthy."""
    size = found.shown + found.hidden
    kept = found.kept & ~found.dead_slots
    lost = kept & (found.lost * 2 >= size)
    library = found.where(lambda field: field.library)
    short = kept & ~lost & (found.shown > 0) & (found.shown < _GROWTH * size)
    # Small slices that were made with room and hold little yet are everywhere.
    front = short & (found.first == 0) & (found.hidden >= SMALL) & ~library
    loose = found.where(lambda field: field.kind in ("map", "element"))
    return lost | (short & (found.first > 0)), front & loose, front & ~loose


def _finding(
    heap: Heap, pattern: Pattern, found: Pinned, rows: I64, confidence: Confidence, severity: Severity
) -> Finding:
    """The finding of one place; its first row is the largest."""
    largest, hidden = int(found.objects[rows[0]]), int(found.hidden[rows].sum())
    return pattern.finding(
        confidence=confidence,
        route=route_to(heap, largest),
        count=len(rows),
        saving_bytes=int(found.saving[rows].sum()),
        hidden_bytes=hidden,
        retained_bytes=int(np.sum(heap.graph.retained(found.objects[rows]))),
        sampled=heap.sites.held_by(found.objects[rows]),
        type=type_of_all(heap, found.objects[rows]),
        severity=severity,
    )
