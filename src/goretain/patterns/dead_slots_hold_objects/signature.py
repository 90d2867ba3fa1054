"""How dead-slots-hold-objects looks in a heap: arrays whose hidden elements alone keep objects alive.

The collector scans an array whole. What hangs from an element before the slice, or behind its capacity, is
lost for certain. What hangs from an element between length and capacity may be wanted: a program that empties
a list by ``s[:0]`` and takes the old elements back by ``s[:n]`` reuses them; most never do. Arrays that weigh
more than what they hold, or that a small part was cut from the middle of, are subslice-pins-array's. Imports
``patterns`` and the floors below.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from goretain.model.findings import Confidence, Finding, Severity
from goretain.patterns.catalogue import Pattern, own
from goretain.patterns.routes import route_to
from goretain.patterns.windows import I64, Flags, Pinned, pinned, type_of_all
from goretain.snapshot import ObjectFlag, WindowKind

if TYPE_CHECKING:
    from goretain.heap.heap import Heap

#: Bytes that lost elements of one place keep alive before it is reported.
_LOST_MINIMUM = 64 << 10
#: The same for elements that the program may still take back: bytes, and share of the live heap.
_SLACK_MINIMUM = 1 << 20
_SLACK_SHARE = 0.01

_LOST = Confidence(level="proved", reason="no slice reaches these elements any more")
_SLACK = Confidence(
    level="likely",
    reason="seen in memory: the elements lie beyond the length, within the capacity; a program that takes "
    "them back by reslicing reuses what they hold",
    decide="read the code that shortens the slice: elements that are overwritten before they are read are "
    "this pattern",
)


def find(heap: Heap) -> Iterator[Finding]:
    """One finding for each holder and field, and each kind of dead slot."""
    pattern, found = own(__package__), pinned(heap, WindowKind.SLICE, _candidates(heap))
    dead = found.kept & found.dead_slots
    lost = found.behind_lost >= found.behind_slack
    library = found.where(lambda field: field.library)
    for rows in found.groups(dead & lost, _LOST_MINIMUM):
        yield _finding(heap, pattern, found, rows, _LOST, pattern.severity)
    slack_minimum = max(_SLACK_MINIMUM, int(_SLACK_SHARE * heap.reachable_bytes))
    for rows in found.groups(dead & ~lost & ~library, slack_minimum):
        yield _finding(heap, pattern, found, rows, _SLACK, "waste")


def _candidates(heap: Heap) -> Flags:
    """Arrays with pointers and a hidden part that keep something alive."""
    columns, holds = heap.snapshot.columns, heap.backing.hidden > 0
    rows = np.flatnonzero(holds)
    holds[rows] = (heap.graph.retained(rows) > columns.object_size[rows]) & (
        (columns.object_flags[rows] & ObjectFlag.NOSCAN) == 0
    )
    return holds


def _finding(
    heap: Heap, pattern: Pattern, found: Pinned, rows: I64, confidence: Confidence, severity: Severity
) -> Finding:
    """The finding of one place; its first row is the largest."""
    arrays = found.objects[rows]
    return pattern.finding(
        confidence=confidence,
        route=route_to(heap, int(arrays[0])),
        count=len(rows),
        saving_bytes=int(found.behind[rows].sum()),
        retained_bytes=int(np.sum(heap.graph.retained(arrays))),
        sampled=heap.sites.held_by(arrays),
        type=type_of_all(heap, arrays),
        severity=severity,
    )
