"""How finalizer-keeps-its-object looks in a heap: a finalizer or cleanup that leads back to its own object.

The collector keeps what the object of a finalizer points to, for the finalizer to use; if the object is found
on the way, it counts as in use, and its finalizer never runs (runtime.SetFinalizer says so of cycles). The
function and the argument of a cleanup are kept in the same way. Imports ``patterns`` and the floors below.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from goretain.model.findings import Confidence, Finding
from goretain.patterns.catalogue import own
from goretain.patterns.finalizers import groups, only_attached
from goretain.patterns.routes import route_to
from goretain.snapshot import SpecialKind

if TYPE_CHECKING:
    from goretain.heap.heap import Heap

#: What the objects of one kind keep alive.
_MINIMUM = 64 << 10
_CLEANUP_FIX = (
    "give the cleanup only what it must release (a descriptor, a handle), nothing that leads to the object"
)


def find(heap: Heap) -> Iterator[Finding]:
    """One finding for each type of object, finalizers and cleanups apart."""
    found = only_attached(heap)
    if found is None or not found.cycle.any():
        return
    pattern, columns, specials = own(__package__), heap.snapshot.columns, heap.snapshot.specials
    assert specials is not None
    for group in groups(heap, found, found.cycle):
        if group.bytes < _MINIMUM:
            continue
        objects = found.objects[group.members]
        largest = int(np.argmax(columns.object_size[objects]))
        row = found.row[group.members[largest]]
        cleanup = specials.special_kind[row] == SpecialKind.CLEANUP
        yield pattern.finding(
            confidence=_confidence(heap.snapshot.strings[specials.special_function[row]], cleanup=cleanup),
            route=route_to(heap, int(objects[largest])),
            count=len(objects),
            saving_bytes=group.bytes,
            retained_bytes=group.bytes,
            sampled=heap.sites.held_by(objects),
            type=heap.type_of(int(objects[largest])),
            fix=_CLEANUP_FIX if cleanup else pattern.fix,
        )


def _confidence(function: str, *, cleanup: bool) -> Confidence:
    what = "the function and the argument of the cleanup" if cleanup else "what the objects point to"
    kind = f"{'cleanup' if cleanup else 'finalizer'} {function}".rstrip()
    return Confidence(
        level="proved",
        reason=f"seen in memory: nothing else refers to these objects, but {what}, which the collector keeps "
        f"for the {kind}, leads back to them: it will never run",
    )
