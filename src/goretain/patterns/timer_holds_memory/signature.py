"""How timer-holds-memory looks in a heap: timers that only the runtime's heap of timers leads to.

A timer that is set hangs from ``runtime.p.timers`` (runtime/time.go), and with it what it is given: the
channel of ``time.NewTimer`` and its kin, the function of ``time.AfterFunc``. Until Go 1.22 it is a
``time.Timer`` or ``time.Ticker`` with the ``runtimeTimer`` inside (time/sleep.go, time/tick.go), from 1.23 on
a ``runtime.timeTimer``; there the collector takes channel timers that nobody refers to. Nobody can stop a
timer that nobody refers to; if somebody still waits for its channel, it is in use. Imports ``patterns`` and
the floors below.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from goretain.model.findings import Confidence, Finding
from goretain.patterns.catalogue import own
from goretain.patterns.holding import by_place, holding_of
from goretain.patterns.names import fingerprint_of
from goretain.patterns.routes import route_to
from goretain.patterns.slots import field_word, slot_targets
from goretain.snapshot import NO_OBJECT, Layer, ObjectFlag, TypeInfo

if TYPE_CHECKING:
    from goretain.heap.heap import Heap

U32 = NDArray[np.uint32]
I64 = NDArray[np.int64]

_TICKER = "time.Ticker"
#: Type of a timer's object -> the fields that lead to what it is given.
_GIVEN = {
    "time.Timer": ("r", "arg"),
    _TICKER: ("r", "arg"),
    "runtime.timeTimer": ("timer", "arg"),
}
#: Fewer timers are not what fills a heap; what those of one kind keep alive together.
_COUNT = 64
_CHANNEL_MINIMUM = 64 << 10
#: Timers that call a function may be there for good (they expire the entries of a cache): only much matters.
_FUNCTION_MINIMUM = 1 << 20

_FOR_EVER = Confidence(
    level="proved", reason="nothing but the runtime refers to these tickers: nobody can stop them any more"
)
_UNTIL_FIRED = Confidence(
    level="likely",
    reason="nothing but the runtime refers to these timers: they keep what they were given until they fire",
    decide="compare their time with how long the work takes: far apart, this is the pattern",
)


def find(heap: Heap) -> Iterator[Finding]:
    """One finding for each type of timer and of what it is given: a function, or a channel."""
    pattern, columns, types = own(__package__), heap.snapshot.columns, heap.snapshot.types
    timers, given = _abandoned(heap)
    kinds, given_kinds = columns.object_type[timers].astype(np.int64), columns.object_type[given]
    place = kinds * (len(types) + 1) + given_kinds + 1
    retained = heap.graph.retained(timers)
    for mine in by_place(place, retained, np.ones(len(place), np.bool_), count=_COUNT):
        total, largest = int(retained[mine].sum()), mine[0]
        function = _role(types, int(given_kinds[mine[0]])) == "closure"
        if total < (_FUNCTION_MINIMUM if function else _CHANNEL_MINIMUM):
            continue
        timer, route = types[kinds[largest]].name, route_to(heap, int(given[largest]))
        yield pattern.finding(
            confidence=_FOR_EVER if timer == _TICKER else _UNTIL_FIRED,
            route=route,
            count=len(mine),
            saving_bytes=total,
            retained_bytes=total,
            sampled=heap.sites.held_by(timers[mine]),
            type=heap.type_of(int(given[largest])),
            severity="waste" if function else pattern.severity,
            # Chains to channels are alike whatever kind of timer they belong to.
            fingerprint=fingerprint_of(f"{pattern.name} {timer}", route.chain),
        )


def _abandoned(heap: Heap) -> tuple[U32, U32]:
    """(timers, what each was given): pairs that only the runtime leads to."""
    columns, types = heap.snapshot.columns, heap.snapshot.types
    timers, given = [np.empty(0, np.uint32)], [np.empty(0, np.uint32)]
    for index, t in enumerate(types):
        word = field_word(types, index, _GIVEN[t.name]) if t.name in _GIVEN else None
        if word is None:
            continue
        objects = np.flatnonzero((columns.object_type == index) & heap.graph.reached).astype(np.uint32)
        # What it is given is an interface, and the data of one is its second word; a malloc header counts.
        header = (columns.object_flags[objects] & ObjectFlag.HEADER != 0).astype(np.int64)
        target = slot_targets(columns, objects, header + word + 1)
        known = target != NO_OBJECT
        timers.append(objects[known])
        given.append(target[known])
    pairs = np.concatenate(timers), np.concatenate(given)
    ours = [holding_of(heap, objects).layer == Layer.RUNTIME for objects in pairs]
    both = ours[0] & ours[1]
    return pairs[0][both], pairs[1][both]


def _role(types: Sequence[TypeInfo], index: int) -> str:
    return types[index].role if index >= 0 else ""
