"""How interior-pointer-pins-array looks in a heap: objects that only pointers to a small part of them keep.

Go has no pointer arithmetic: what lies beside the element or field that a pointer leads to is lost for
certain. A pointer to the first bytes of something larger is doubtful: code that uses unsafe points to a
header and means what follows. So it is likely, only for large objects, and never in what the standard library
allocates (a ``*time.Timer`` is a ``runtime.timeTimer``, time/sleep.go) nor from a stack to an object of
unknown type: the word may be what the compiler left there of a slice or an interface. Imports ``patterns``
and the floors below.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from goretain.golang.packages import Packages
from goretain.model.findings import Confidence, Finding
from goretain.patterns.catalogue import own
from goretain.patterns.fields import is_standard
from goretain.patterns.holding import holding_of
from goretain.patterns.routes import route_to
from goretain.patterns.windows import SMALL, Flags, Pinned, mostly_hidden, pinned, type_of_all
from goretain.snapshot import Layer, WindowKind

if TYPE_CHECKING:
    from goretain.heap.heap import Heap

#: Bytes that the objects of one place hide together before it is reported.
_PLACE_MINIMUM = 64 << 10

_LOST = Confidence(level="proved", reason="no slice, string or pointer reaches these bytes any more")

_FIRST = Confidence(
    level="likely",
    reason="seen in memory, but the pointer leads to the first byte: with unsafe, code may mean what follows",
    decide="read where the pointer is made: &table[0] is this pattern, a header in front of data is not",
)


def find(heap: Heap) -> Iterator[Finding]:
    """One finding for each holder and field, and each kind of pointer."""
    pattern, found = own(__package__), pinned(heap, WindowKind.POINTER, mostly_hidden(heap))
    ours = found.kept & ~_of_library(heap, found)
    whole = _of_a_split_value(heap, found)
    for chosen, confidence in (
        (ours & (found.first > 0), _LOST),
        (ours & ~whole & (found.first == 0) & (found.hidden >= SMALL), _FIRST),
    ):
        for rows in found.groups(chosen, _PLACE_MINIMUM):
            objects = found.objects[rows]
            yield pattern.finding(
                confidence=confidence,
                route=route_to(heap, int(objects[0])),
                count=len(rows),
                saving_bytes=int(found.saving[rows].sum()),
                hidden_bytes=int(found.hidden[rows].sum()),
                retained_bytes=int(np.sum(heap.graph.retained(objects))),
                sampled=heap.sites.held_by(objects),
                type=type_of_all(heap, objects),
            )


def _of_library(heap: Heap, found: Pinned) -> Flags:
    """Which objects are structs of the standard library or the runtime."""
    packages = Packages(heap.snapshot.meta.modules)
    names = [t.kind == "struct" and is_standard(t.name, packages) for t in heap.snapshot.types]
    return np.array([*names, False])[heap.snapshot.columns.object_type[found.objects]]


def _of_a_split_value(heap: Heap, found: Pinned) -> Flags:
    """Which pointers may be all that a stack still has of a slice or an interface."""
    unknown = heap.snapshot.columns.object_type[found.objects] < 0
    stacks = np.isin(holding_of(heap, found.objects).layer, (Layer.RUNNING, Layer.PARKED))
    return unknown & stacks & found.where(lambda field: field.kind == "variable")
