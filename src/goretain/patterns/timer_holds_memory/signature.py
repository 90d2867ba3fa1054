"""How timer-holds-memory looks in a heap: timers that only the runtime's heap of timers leads to.

A timer that is set hangs from ``runtime.p.timers`` (runtime/time.go), and with it what it is given: the
channel of ``time.NewTimer`` and its kin, the function of ``time.AfterFunc``. Until Go 1.22 it is a
``time.Timer`` or ``time.Ticker`` with the ``runtimeTimer`` inside (time/sleep.go, time/tick.go), from 1.23 on
a ``runtime.timeTimer``; there the collector takes channel timers that nobody refers to, unless
asynctimerchan=1. A timer with a period is a ticker. Nobody can stop a timer that nobody refers to; if
somebody still waits for its channel, it is in use. Imports ``patterns`` and the floors below.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from goretain.model.findings import Confidence, Finding
from goretain.patterns.catalogue import own
from goretain.patterns.holding import by_place, holding_of
from goretain.patterns.names import fingerprint_of
from goretain.patterns.routes import route_to
from goretain.patterns.slots import field_word, slot_targets
from goretain.snapshot import NO_OBJECT, Layer, ObjectFlag, TimerFlag

if TYPE_CHECKING:
    from goretain.heap.heap import Heap

U32 = NDArray[np.uint32]
Flags = NDArray[np.bool_]

_TIMER, _TICKER = "time.Timer", "time.Ticker"
#: Type of a timer's object -> the fields that lead to what it is given.
_GIVEN = {
    _TIMER: ("r", "arg"),
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
_STOP_TICKER = "stop the ticker when the work ends: ticker := time.NewTicker(d); defer ticker.Stop()"
_UNTIL_FIRED = Confidence(
    level="likely",
    reason="nothing but the runtime refers to these timers: they keep what they were given until they fire",
    decide="compare their time with how long the work takes: far apart, this is the pattern",
)


def find(heap: Heap) -> Iterator[Finding]:
    """One finding for each type of timer and of what it is given, a function or a channel; tickers apart."""
    pattern, columns, types = own(__package__), heap.snapshot.columns, heap.snapshot.types
    timers, given = _abandoned(heap)
    kinds, given_kinds = columns.object_type[timers].astype(np.int64), columns.object_type[given]
    ticking, functions = _tickers(heap, timers), _functions(heap, timers, given)
    place = ((kinds + 1) * (len(types) + 1) + given_kinds + 1) * 4 + 2 * ticking + functions
    retained = heap.graph.retained(timers)
    for mine in by_place(place, retained, np.ones(len(place), np.bool_), count=_COUNT):
        total, largest = int(retained[mine].sum()), mine[0]
        function, ticker = bool(functions[largest]), bool(ticking[largest])
        if total < (_FUNCTION_MINIMUM if function else _CHANNEL_MINIMUM):
            continue
        timer = _TICKER if ticker else heap.type_of(int(timers[largest])) or _TIMER
        route = route_to(heap, int(given[largest]))
        yield pattern.finding(
            confidence=_FOR_EVER if ticker else _UNTIL_FIRED,
            route=route,
            count=len(mine),
            saving_bytes=total,
            retained_bytes=total,
            sampled=heap.sites.held_by(timers[mine]),
            type=heap.type_of(int(given[largest])),
            severity="waste" if function else pattern.severity,
            fix=_STOP_TICKER if ticker else pattern.fix,
            # Chains to channels are alike whatever kind of timer they belong to.
            fingerprint=fingerprint_of(f"{pattern.name} {timer}", route.chain),
        )


def _abandoned(heap: Heap) -> tuple[U32, U32]:
    """(timers, what each was given): pairs that only the runtime leads to."""
    columns, types = heap.snapshot.columns, heap.snapshot.types
    timers, given = ([objects] for objects in _untyped(heap))
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


def _untyped(heap: Heap) -> tuple[U32, U32]:
    """(timers, what each was given) as the runtime's heaps of timers say, of those of unknown type."""
    rows = heap.snapshot.timers
    if rows is None:
        return np.empty(0, np.uint32), np.empty(0, np.uint32)
    wanted = (rows.timer_flags & TimerFlag.SLEEP) == 0
    wanted &= (rows.timer_object != NO_OBJECT) & (rows.timer_target != NO_OBJECT)
    timers, given = rows.timer_object[wanted], rows.timer_target[wanted]
    unknown = (heap.snapshot.columns.object_type[timers] < 0) & heap.graph.reached[timers]
    return timers[unknown], given[unknown]


def _tickers(heap: Heap, timers: U32) -> Flags:
    """Which timers fire again and again: by their type, or by their period in the runtime's heaps."""
    kinds = np.array([t.name == _TICKER for t in heap.snapshot.types] + [False])
    ticking: Flags = kinds[heap.snapshot.columns.object_type[timers]]
    rows = heap.snapshot.timers
    if rows is not None:
        ticking |= np.isin(timers, rows.timer_object[rows.timer_period > 0])
    return ticking


def _functions(heap: Heap, timers: U32, given: U32) -> Flags:
    """Which timers call a function that they were given: a closure, or what is not known to be a channel."""
    kinds = heap.snapshot.columns.object_type[given]
    closures: Flags = np.array([t.role == "closure" for t in heap.snapshot.types] + [False])[kinds]
    rows = heap.snapshot.timers
    if rows is not None:
        called = rows.timer_object[(rows.timer_flags & TimerFlag.CHANNEL) == 0]
        closures |= (kinds < 0) & np.isin(timers, called)
    return closures
