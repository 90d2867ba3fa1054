"""How child-contexts-never-cancelled looks in a heap: children that only their parent context refers to.

``context.cancelCtx`` (context/context.go) keeps every child that can be cancelled in the map ``children``
until the child or the parent is cancelled. The function that cancels the child refers to it; so does every
goroutine that still works with it. A child that nothing but its parent leads to can neither be used nor
cancelled by anybody. The runtime's timers do not count: they fire, at the deadline of a child that has one.
Imports ``patterns`` and the floors below.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from goretain.model.findings import Confidence, Finding
from goretain.patterns.catalogue import own
from goretain.patterns.holding import by_place, holding_of, place_of
from goretain.patterns.routes import route_to
from goretain.patterns.slots import slot_targets
from goretain.snapshot import NO_OBJECT

if TYPE_CHECKING:
    from goretain.heap.heap import Heap

U32 = NDArray[np.uint32]

_CHILDREN = "map[context.canceler]struct {}"
_WITH_DEADLINE = "context.timerCtx"
#: A context with fewer children is of no interest.
_CHILDREN_MINIMUM = 64
#: What the lost children of one holder keep alive together before it is reported.
_PLACE_MINIMUM = 64 << 10

_NEVER = Confidence(
    level="proved",
    reason="nothing but the parent refers to these children: their cancel functions are gone",
)
_LATE = Confidence(
    level="likely",
    reason="nothing but the parent and a timer refers to these children: they stay until their deadline",
    decide="compare the deadline with how long the work takes: far apart, this is the pattern",
)


def find(heap: Heap) -> Iterator[Finding]:
    """One finding for each holder and type of children."""
    pattern, children = own(__package__), _lost_children(heap)
    if not len(children):
        return
    holding, saving = holding_of(heap, children), heap.users.retained(children)
    place = place_of(heap, holding, heap.snapshot.columns.object_type[children])
    for mine in by_place(place, saving, holding.kept, count=_CHILDREN_MINIMUM, minimum=_PLACE_MINIMUM):
        lost = children[mine]
        kind = heap.type_of(int(lost[0]))
        yield pattern.finding(
            confidence=_LATE if kind == _WITH_DEADLINE else _NEVER,
            route=route_to(heap, int(lost[0])),
            count=len(lost),
            saving_bytes=int(saving[mine].sum()),
            retained_bytes=int(heap.graph.retained(lost).sum()),
            sampled=heap.sites.held_by(lost),
            type=kind,
        )


def _lost_children(heap: Heap) -> U32:
    """Ids of children that only the map of their parent leads to."""
    columns, types = heap.snapshot.columns, heap.snapshot.types
    ours = np.array([t.name == _CHILDREN for t in types] + [False])[columns.map_type]
    ours &= columns.map_entries >= _CHILDREN_MINIMUM
    entries = np.flatnonzero(ours[columns.entry_map])
    if not len(entries):
        return np.empty(0, np.uint32)
    groups = columns.entry_object[entries]
    # The key is an interface: its second word points to the child.
    child = slot_targets(columns, groups, columns.entry_word[entries].astype(np.int64) + 1)
    known = child != NO_OBJECT
    child, groups = child[known], groups[known]
    users = heap.users
    result: U32 = child[users.idom[users.number[child]] == users.number[groups]]
    return result
