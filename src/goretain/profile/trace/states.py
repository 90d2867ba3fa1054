"""What goroutines did when: the states that a trace tells of, as rows; each lasts until its goroutine's next.

States change by the events of runtime/traceruntime.go, in the order of their sequence numbers, as in
internal/trace/order.go; clocks say when. A goroutine that began before the trace is told of at its start
(GO_STATUS), without the reason why it waits. Imports ``kernels``, numpy and this room.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goretain.kernels import traceorder as order
from goretain.kernels import tracewire as wire
from goretain.kernels.tracewire import I32, I64, U8
from goretain.profile.trace.columns import Trace, distinct
from goretain.profile.trace.events import Event, Status

F64 = NDArray[np.float64]

#: State of a goroutine that has ended; the others are those of Status.
ENDED = 0
#: The state that an event puts the goroutine in that it names.
_NAMED: dict[int, dict[Event, int]] = {
    order.TELLS: {Event.GO_STATUS: 0, Event.GO_STATUS_STACK: 0},
    order.BEGINS: {
        Event.GO_CREATE: Status.RUNNABLE,
        Event.GO_CREATE_BLOCKED: Status.WAITING,
        Event.GO_CREATE_SYSCALL: Status.SYSCALL,
    },
    order.NAMES: {Event.GO_START: Status.RUNNING, Event.GO_UNBLOCK: Status.RUNNABLE},
    order.SWITCHES: {Event.GO_SWITCH: Status.RUNNING, Event.GO_SWITCH_DESTROY: Status.RUNNING},
}
#: The state of the goroutine on its thread; what belongs in its order without changing its state.
_OWN: dict[int, dict[Event, int]] = {
    order.OWN: {
        Event.GO_DESTROY: ENDED,
        Event.GO_DESTROY_SYSCALL: ENDED,
        Event.GO_STOP: Status.RUNNABLE,
        Event.GO_BLOCK: Status.WAITING,
        Event.GO_SYSCALL_BEGIN: Status.SYSCALL,
        Event.GO_SYSCALL_END: Status.RUNNING,
        Event.GO_SYSCALL_END_BLOCKED: Status.RUNNABLE,
        Event.GO_LABEL: Status.RUNNING,
        Event.STW_BEGIN: order.PASSING,
        Event.STW_END: order.PASSING,
        Event.GC_MARK_ASSIST_BEGIN: order.PASSING,
        Event.GC_MARK_ASSIST_END: order.PASSING,
    },
    order.SWITCHES: {Event.GO_SWITCH: Status.WAITING, Event.GO_SWITCH_DESTROY: ENDED},
}


def _table(rows: dict[int, dict[Event, int]]) -> tuple[U8, U8]:
    """uint8[256] each: what a kind of event says, the state that it says."""
    role, states = np.full(256, order.NOTHING, np.uint8), np.zeros(256, np.uint8)
    for what, of_event in rows.items():
        for event, state in of_event.items():
            role[event], states[event] = what, state
    return role, states


_NAMED_ROLE, _NAMED_STATE = _table(_NAMED)
_OWN_ROLE, _OWN_STATE = _table(_OWN)
_SAYS = order.Says(np.maximum(_NAMED_ROLE, _OWN_ROLE), _NAMED_STATE, _OWN_STATE)
#: Events whose first number is the text that says why.
_REASONED = (Event.GO_BLOCK, Event.GO_LABEL)
_NAMES = {
    ENDED: "ended",
    Status.RUNNABLE: "runnable",
    Status.RUNNING: "running",
    Status.SYSCALL: "in a system call",
    Status.WAITING: "waiting",
}
_COROUTINES = (Event.GO_SWITCH, Event.GO_CREATE_BLOCKED)
#: Labels that are no state of their own: numbers behind those of states.
_COROUTINE, _BEFORE, _REASONS = 5, 6, 7
#: int32[256, 8]: the label of a state by the kind of event that told of it; -1 where that has a reason.
_CODES: I32 = np.tile(np.arange(8, dtype=np.int32), (256, 1))
_CODES[list(_COROUTINES), Status.WAITING] = _COROUTINE
_CODES[list(_NAMED[order.TELLS]), Status.WAITING] = _BEFORE
_CODES[list(_REASONED)] = -1
#: The label of goroutines that have ended.
ENDED_LABEL = _NAMES[ENDED]


@dataclass(frozen=True, slots=True, eq=False)
class States:
    """What goroutines are in, by goroutine and the order of what happened to it.

    Attributes:
        goroutine: int64[g], ascending; start: int64[g + 1], the states of each, of some none.
        since: int64[n], nanoseconds; each lasts until the goroutine's next, or until end.
        state: uint8[n], a Status or ENDED. label: int32[n] into labels, "waiting: chan receive".
        event: int32[n], of the trace.
        passing: int32[m, 2], index of a goroutine and event, of what begins and ends pauses and assists.
    """

    goroutine: I64
    start: I64
    since: I64
    end: int
    state: U8
    label: I32
    labels: tuple[str, ...]
    event: I32
    passing: I32

    def last(self) -> tuple[I64, I64]:
        """(the last state of each goroutine that has one, the goroutine)."""
        has = np.diff(self.start) > 0
        return self.start[1:][has] - 1, self.goroutine[has]

    def until(self, rows: I64) -> I64:
        """int64[k]: when states ended."""
        until = self.since[np.minimum(rows + 1, len(self.since) - 1)]
        until[np.isin(rows, self.last()[0])] = self.end
        return until


def states_of(trace: Trace) -> States:
    """The states of all goroutines of a trace; of those that it never tells of there are none."""
    known = _known(trace)
    changes, start = _ordered(trace, known)
    passing = np.empty((int((changes.state == order.PASSING).sum()), 2), np.int32)
    used = order.settle(start, changes, trace.time, passing)
    changes = order.Changes(changes.key[:used], changes.state[:used], changes.event[:used])
    label, labels = _labelled(trace, changes)
    return States(
        goroutine=known.id,
        start=start,
        since=changes.key,
        end=trace.duration_ns,
        state=changes.state,
        label=label,
        labels=labels,
        event=changes.event,
        passing=passing,
    )


def means(states: States, edges: I64) -> F64:
    """[len(labels), len(edges) - 1]: how many goroutines were in each on average, between the edges."""
    spent = np.zeros((len(states.labels), len(edges) - 1), np.int64)
    order.spend(states.start, states.label, states.since, edges, spent)
    return np.asarray(spent / np.maximum(np.diff(edges), 1), np.float64)


def _known(trace: Trace) -> order.Known:
    """The goroutines that a trace tells of, or that begin in it."""
    ids = np.unique(trace.number(trace.select(*_NAMED[order.TELLS], *_NAMED[order.BEGINS]), 0))
    ids = ids[ids > 0]
    told = trace.select(*_NAMED[order.TELLS])
    told = told[trace.number(told, 2) == Status.SYSCALL]
    generation, thread, goroutine = trace.generation(told), trace.number(told, 1), trace.number(told, 0)
    by = np.lexsort((thread, generation))
    known = order.Known(
        id=ids,
        slot=np.zeros(2 << max(len(ids) - 1, 1).bit_length(), np.int32),
        factor=np.array([secrets.randbits(62) * 2 + 1]),
        sitting=np.stack((generation, thread, goroutine), axis=1)[by],
    )
    order.place_known(known)
    return known


def _ordered(trace: Trace, known: order.Known) -> tuple[order.Changes, I64]:
    """(changes, where those of each goroutine begin)."""

    def room(rows: int) -> order.Changes:
        return order.Changes(np.empty(rows, np.int64), np.empty(rows, np.uint8), np.empty(rows, np.int32))

    generations, rank = np.unique(trace.batches[:, wire.GENERATION], return_inverse=True)
    given = (trace.data, trace.events, trace.batches, rank, _SAYS, known, _threads(trace))
    counts, start = np.zeros(len(known.id), np.int64), np.zeros(len(known.id) + 1, np.int64)
    order.list_changes(*given, counts, room(0))
    np.cumsum(counts, out=start[1:])
    changes, most = room(int(start[-1])), int(counts.max(initial=0))
    if not most:
        return changes, start
    order.list_changes(*given, start[:-1].copy(), changes)
    base, slot = np.empty(len(generations), np.int64), np.empty(4 * most, np.int32)
    if not order.sort_changes(start, changes, room(most), base, slot):
        # Sequence numbers with gaps: some events are not what they were.
        by = np.lexsort((changes.key, np.repeat(np.arange(len(counts)), counts)))
        changes = order.Changes(changes.key[by], changes.state[by], changes.event[by])
    return changes, start


def _threads(trace: Trace) -> order.Threads:
    """The threads, before their first events."""
    of_row = trace.batches[trace.events.row, wire.THREAD]
    first = np.concatenate(([0], np.flatnonzero(np.diff(of_row)) + 1, [len(of_row)]))
    room = len(first) - 1
    return order.Threads(
        first, np.empty((room, 5), np.int64), np.empty(room, np.int64), np.empty(room, np.int64)
    )


def _labelled(trace: Trace, changes: order.Changes) -> tuple[I32, tuple[str, ...]]:
    """(label of each row, the labels)."""
    code = np.empty(len(changes.key), np.int32)
    open = np.empty(trace.count(*_REASONED), np.int64)
    rows = open[: order.code_states(trace.events.kind, changes, _CODES, code, open)]
    said = changes.event[rows].astype(np.int64)
    generation, reason = trace.generation(said), trace.number(said, 0)
    one, which = distinct(generation, reason)
    # A reason is no label of its own: a goroutine waits for it, or runs for it.
    code[rows] = _REASONS + 2 * which + (changes.state[rows] == Status.RUNNING)
    names = [*(_NAMES[at] for at in range(5)), "waiting: coroutine", "waiting: since before the trace"]
    for key in zip(generation[one].tolist(), reason[one].tolist(), strict=True):
        text = trace.tables.text(*key)
        names += [f"{_NAMES[at]}: {text}" if text else _NAMES[at] for at in (Status.WAITING, Status.RUNNING)]
    used = np.flatnonzero(np.bincount(code, minlength=len(names))).tolist()
    known = {name: at for at, name in enumerate(dict.fromkeys(names[at] for at in used))}
    label = np.array([known.get(name, 0) for name in names], np.int32)
    return np.take(label, code, out=code, mode="clip"), tuple(known)
