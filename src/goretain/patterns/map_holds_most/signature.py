"""How map-holds-most looks in a heap: a map of many entries that dominates more than half of the
live bytes.

One look proves that it holds them; whether it leaks is a question of two looks. Imports ``patterns`` and the
floors below.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from goretain.heap.marks import Marks
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
#: Types of a trie's inner nodes and entries, before their type arguments.
_INNER, _ENTRY = "internal/sync.indirect[", "internal/sync.entry["


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A map: the object that stands for it, bytes that it retains, entries, and Go's name of its type."""

    object: int
    retained: int
    entries: int
    type: str | None


def find(heap: Heap) -> Iterator[Finding]:
    """At most one finding: of the innermost map that holds most."""
    live = heap.reachable_bytes
    least = max(int(_SHARE * live) + 1, _MINIMUM)
    found = _maps(heap, least) + _tries(heap, least)
    if not found:
        return
    # More than half fits into a heap only once: these maps lie inside one another, the smallest is innermost.
    best = min(found, key=lambda candidate: candidate.retained)
    yield own(__package__).finding(
        confidence=Confidence(
            level="undecided",
            reason=f"proved that it holds {best.retained / live:.0%} of the live heap in {best.entries:,} "
            "entries, undecided whether it leaks: one look cannot see growth",
            decide=_second_look(heap.snapshot.meta),
        ),
        route=route_to(heap, best.object),
        count=1,
        saving_bytes=0,
        retained_bytes=best.retained,
        sampled=heap.sites.held_by(np.array([best.object], np.uint32)),
        type=best.type,
    )


def _maps(heap: Heap, least: int) -> list[_Candidate]:
    """Maps of the language that hold at least so many bytes."""
    columns, types, objects = heap.snapshot.columns, heap.snapshot.types, heap.maps.object
    rows = np.flatnonzero((objects != NO_OBJECT) & (columns.map_entries >= _ENTRIES))
    retained = heap.graph.retained(objects[rows])
    large = retained >= least
    return [
        _Candidate(
            int(objects[row]),
            held,
            int(columns.map_entries[row]),
            types[columns.map_type[row]].name if columns.map_type[row] >= 0 else None,
        )
        for row, held in zip(rows[large].tolist(), retained[large].tolist(), strict=True)
    ]


def _tries(heap: Heap, least: int) -> list[_Candidate]:
    """Hash tries (internal/sync/hashtriemap.go), which a sync.Map is where it is no map, that hold at least
    so many bytes."""
    graph = heap.graph
    inner = _of_type(heap, _INNER)
    inner = inner[graph.retained(inner) >= least]
    if not len(inner):
        return []
    marks = Marks(graph.idom, graph.number[_of_type(heap, _ENTRY)])
    above = graph.vertex[graph.idom[graph.number[inner]]]
    candidates = []
    for root in inner[~np.isin(above, inner)].tolist():
        entries = len(marks.below(graph.number[[root]]))
        if entries >= _ENTRIES:
            candidates.append(_Candidate(root, int(graph.retained(root)), entries, "sync.Map"))
    return candidates


def _of_type(heap: Heap, prefix: str) -> NDArray[np.uint32]:
    """Ids of the reached objects whose type's name begins so."""
    ours = np.array([t.name.startswith(prefix) for t in heap.snapshot.types] + [False])
    found = ours[heap.snapshot.columns.object_type] & heap.graph.reached
    return np.flatnonzero(found).astype(np.uint32)


def _second_look(meta: Meta) -> str:
    """The command that decides: a process can be asked again, a core can only be compared."""
    if meta.source == "live":
        return f"take a second snapshot: goretain diff {meta.pid} --every 30s"
    return "take a second snapshot later and compare: goretain diff FIRST SECOND"
