"""How map-holds-most looks in a heap: a map of many entries that dominates more than half of the
live bytes.

One look proves that it holds them; whether it leaks is a question of two looks. Imports ``patterns`` and the
floors below.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from goretain.model.findings import Confidence, Finding
from goretain.patterns.catalogue import own
from goretain.patterns.routes import route_to
from goretain.snapshot import NO_OBJECT, Meta

if TYPE_CHECKING:
    from goretain.heap.heap import Heap

#: Share of the reachable bytes, and bytes, that make a map worth a second look.
_SHARE = 0.5
_MINIMUM = 4 << 20
#: A map of fewer entries is a table of parts (a registry of pools), not one that grows.
_ENTRIES = 16


def find(heap: Heap) -> Iterator[Finding]:
    """At most one finding: of the innermost map that holds most."""
    columns, types = heap.snapshot.columns, heap.snapshot.types
    top = heap.maps.object
    rows = np.flatnonzero((top != NO_OBJECT) & (columns.map_entries >= _ENTRIES))
    retained = heap.graph.retained(top[rows])
    live = heap.reachable_bytes
    enough = (retained > _SHARE * live) & (retained >= _MINIMUM)
    if not enough.any():
        return
    # More than half fits into a heap only once: these maps lie inside one another, the smallest is innermost.
    rows, retained = rows[enough], retained[enough]
    best = int(np.argmin(retained))
    row, held = int(rows[best]), int(retained[best])
    entries = int(columns.map_entries[row])
    yield own(__package__).finding(
        confidence=Confidence(
            level="undecided",
            reason=f"proved that it holds {held / live:.0%} of the live heap in {entries:,} entries, "
            "undecided whether it leaks: one look cannot see growth",
            decide=_second_look(heap.snapshot.meta),
        ),
        route=route_to(heap, int(top[row])),
        count=1,
        saving_bytes=0,
        retained_bytes=held,
        sampled=heap.sites.held_by(top[[row]]),
        type=types[columns.map_type[row]].name if columns.map_type[row] >= 0 else None,
    )


def _second_look(meta: Meta) -> str:
    """The command that decides: a process can be asked again, a core can only be compared."""
    if meta.source == "live":
        return f"take a second snapshot: goretain diff {meta.pid} --every 30s"
    return "take a second snapshot later and compare: goretain diff FIRST SECOND"
