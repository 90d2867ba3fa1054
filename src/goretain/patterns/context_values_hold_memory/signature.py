"""How context-values-hold-memory looks in a heap: values that only a context that lasts refers to.

``context.WithValue`` makes a ``context.valueCtx`` (context/context.go: Context, key, val) that lives as long
as anything refers to it or to a context made from it. Two shapes are told apart: values of some size in
contexts that lasting holders keep, and chains of so many links that a loop must have made them, where
each lookup walks all links and most values are hidden by newer ones. Imports ``patterns`` and the floors
below.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from goretain.model.findings import Confidence, Finding
from goretain.patterns.catalogue import Pattern, own
from goretain.patterns.holding import by_place, holding_of, place_of
from goretain.patterns.routes import route_to
from goretain.patterns.slots import slot_targets
from goretain.patterns.windows import type_of_all
from goretain.snapshot import NO_OBJECT

if TYPE_CHECKING:
    from goretain.heap.heap import Heap

U32 = NDArray[np.uint32]
I64 = NDArray[np.int64]

_CONTEXT = "context.valueCtx"
#: Words of a context.valueCtx whose pointers lead to the parent and to the value.
_PARENT, _VALUE = 1, 5
#: What the values of one place keep alive: bytes, and share of the live heap.
_MINIMUM = 1 << 20
_SHARE = 0.02
#: A chain of more links was made by a loop; what it must keep alive.
_LINKS = 100
_CHAIN_MINIMUM = 64 << 10

_HELD = Confidence(
    level="likely",
    reason="seen in memory: only contexts refer to these values, and what keeps the contexts lasts; one look "
    "cannot see whether their work has ended",
    decide="read the code that keeps the context: a request, job or session that is over needs none",
)
_LOOP = Confidence(
    level="likely",
    reason="seen in memory: a chain of so many contexts is made by a loop that passes its context on",
    decide="read the loop: ctx = context.WithValue(ctx, ...) must begin from the same ctx each time",
)


def find(heap: Heap) -> Iterator[Finding]:
    """One finding for each holder and type of value, and for each holder of long chains."""
    types, columns = heap.snapshot.types, heap.snapshot.columns
    ours = np.array([t.name == _CONTEXT for t in types] + [False])[columns.object_type]
    contexts = np.flatnonzero(ours & heap.graph.reached).astype(np.uint32)
    if not len(contexts):
        return
    pattern = own(__package__)
    parent = _parents(heap, contexts)
    links = _links(parent)
    yield from _chains(heap, pattern, contexts, parent, links)
    yield from _values(heap, pattern, contexts[~_in_chain(parent, links)])


def _parents(heap: Heap, contexts: U32) -> I64:
    """Per context the row of its parent among them, -1 when that is of another kind."""
    target = slot_targets(heap.snapshot.columns, contexts, np.full(len(contexts), _PARENT, np.int64))
    at = np.minimum(np.searchsorted(contexts, target), len(contexts) - 1)
    return np.where(contexts[at] == target, at, -1)


def _links(parent: I64) -> I64:
    """How many contexts with values stand between each context and the first of its chain, it included."""
    links, above = np.ones(len(parent), np.int64), parent.copy()
    for _ in range(len(parent).bit_length()):  # each round doubles the steps taken
        known = np.flatnonzero(above >= 0)
        if not len(known):
            break
        links[known] += links[above[known]]
        above[known] = above[above[known]]
    return links


def _in_chain(parent: I64, links: I64) -> NDArray[np.bool_]:
    """Which contexts belong to a chain of more than ``_LINKS``."""
    inside = links > _LINKS
    at = np.flatnonzero(links == _LINKS + 1)
    for _ in range(_LINKS):
        at = np.unique(parent[at])
        inside[at] = True
    return inside


def _chains(heap: Heap, pattern: Pattern, contexts: U32, parent: I64, links: I64) -> Iterator[Finding]:
    """Long chains; their last context is the one that is in use."""
    last = links > _LINKS
    last[parent[parent >= 0]] = False
    rows = np.flatnonzero(last)
    holding = holding_of(heap, contexts[rows])
    if not holding.kept.any():
        return
    saving = heap.users.retained(contexts[parent[rows]])
    for mine in by_place(holding.code, saving, holding.kept, minimum=_CHAIN_MINIMUM):
        yield pattern.finding(
            confidence=_LOOP,
            route=route_to(heap, int(contexts[rows[mine[0]]])),
            count=int(links[rows[mine]].sum()),
            saving_bytes=int(saving[mine].sum()),
            retained_bytes=int(heap.graph.retained(contexts[rows[mine]]).sum()),
            sampled=heap.sites.held_by(contexts[rows[mine]]),
            type=_CONTEXT,
        )


def _values(heap: Heap, pattern: Pattern, contexts: U32) -> Iterator[Finding]:
    """Values by place."""
    columns = heap.snapshot.columns
    value = slot_targets(columns, contexts, np.full(len(contexts), _VALUE, np.int64))
    known = value != NO_OBJECT
    contexts, value = contexts[known], value[known]
    minimum = max(_MINIMUM, int(_SHARE * heap.reachable_bytes))
    holding = holding_of(heap, contexts)
    kept = holding.kept
    if not len(value) or int(heap.graph.retained(value[kept]).sum()) < minimum:
        return
    users = heap.users
    kept &= users.idom[users.number[value]] == users.number[contexts]
    saving = users.retained(value)
    place = place_of(heap, holding, columns.object_type[value])
    for rows in by_place(place, saving, kept, minimum=minimum):
        mine = value[rows]
        yield pattern.finding(
            confidence=_HELD,
            route=route_to(heap, int(mine[0])),
            count=len(mine),
            saving_bytes=int(saving[rows].sum()),
            retained_bytes=int(heap.graph.retained(mine).sum()),
            sampled=heap.sites.held_by(mine),
            type=type_of_all(heap, mine),
        )
