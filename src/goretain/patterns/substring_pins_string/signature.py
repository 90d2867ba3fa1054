"""How substring-pins-string looks in a heap: texts of which the strings into them show less than half.

A string has no capacity: what no string shows is lost for certain. Imports ``patterns`` and the floors below.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from goretain.model.findings import Confidence, Finding
from goretain.patterns.catalogue import own
from goretain.patterns.routes import route_to
from goretain.patterns.windows import mostly_hidden, pinned, type_of_all
from goretain.snapshot import WindowKind

if TYPE_CHECKING:
    from goretain.heap.heap import Heap

#: Bytes that the texts of one place hide together before it is reported.
_PLACE_MINIMUM = 64 << 10

_LOST = Confidence(level="proved", reason="no string reaches these bytes any more")


def find(heap: Heap) -> Iterator[Finding]:
    """One finding for each holder and field."""
    pattern, found = own(__package__), pinned(heap, WindowKind.STRING, mostly_hidden(heap))
    chosen = found.kept & (found.hidden >= found.shown)
    for rows in found.groups(chosen, _PLACE_MINIMUM):
        largest, hidden = int(found.objects[rows[0]]), int(found.hidden[rows].sum())
        yield pattern.finding(
            confidence=_LOST,
            route=route_to(heap, largest),
            count=len(rows),
            saving_bytes=int(found.saving[rows].sum()),
            hidden_bytes=hidden,
            retained_bytes=int(np.sum(heap.graph.retained(found.objects[rows]))),
            sampled=heap.sites.held_by(found.objects[rows]),
            type=type_of_all(heap, found.objects[rows]),
        )
