"""How finalizers-in-a-chain looks in a heap: objects with finalizers that only finalizers of others keep.

Finalizers run in the order of dependency (runtime.SetFinalizer): what an object with a finalizer points to
stays until it was finalized and freed, and so does every other object with a finalizer among that. Cleanups
(runtime.AddCleanup) wait like this for what keeps their object. The first of a chain goes with each
collection. Imports ``patterns`` and the floors below.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from goretain.model.findings import Confidence, Finding
from goretain.patterns.catalogue import own
from goretain.patterns.finalizers import groups, only_attached
from goretain.patterns.routes import route_to

if TYPE_CHECKING:
    from goretain.heap.heap import Heap

#: Links of a chain from which on it is worth to speak of, and what they keep alive.
_LINKS = 16
_MINIMUM = 64 << 10


def find(heap: Heap) -> Iterator[Finding]:
    """One finding for each type of object, finalizers and cleanups apart."""
    found = only_attached(heap)
    if found is None:
        return
    chosen = ~found.endless & (found.links + found.behind >= _LINKS)
    if not chosen.any():
        return
    pattern = own(__package__)
    for group in groups(heap, found, chosen):
        links = found.links[group.members]
        # The first of each chain waits for nothing: no root reaches it any more.
        waiting = found.objects[group.members[links > 1]]
        if group.bytes < _MINIMUM:
            continue
        first = int(found.objects[group.members[np.argmin(np.where(links > 1, links, links.max()))]])
        yield pattern.finding(
            confidence=_confidence(int(links.max())),
            route=route_to(heap, first),
            count=len(waiting),
            saving_bytes=group.bytes,
            retained_bytes=group.bytes,
            sampled=heap.sites.held_by(found.objects[group.members]),
            type=heap.type_of(first),
        )


def _confidence(links: int) -> Confidence:
    return Confidence(
        level="likely",
        reason=f"seen in memory: nothing but finalizers refers to these objects, and {links:,} of them wait "
        "for each other in a row: as many collections pass before the last is free",
        decide="look again after some collections: fewer of them means that the chain runs dry",
    )
