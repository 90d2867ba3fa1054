"""What goroutines did when: the states that a trace tells of, as rows; each lasts until its goroutine's next.

States change by the events of runtime/traceruntime.go. A goroutine that began before the trace is told of at
its start (GO_STATUS), without the reason why it waits. Imports ``kernels``, numpy and this room.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goretain.kernels.tracewire import I64, U8
from goretain.profile.trace.columns import Trace
from goretain.profile.trace.events import Event, Status

F64 = NDArray[np.float64]

#: State of a goroutine that has ended; the others are those of Status.
ENDED = 0
_TOLD, _NO_STATE = 255, 254
#: The state that an event puts a goroutine in: the one that it names, or the one that runs on its thread.
_NAMED = {
    Event.GO_CREATE: Status.RUNNABLE,
    Event.GO_CREATE_BLOCKED: Status.WAITING,
    Event.GO_CREATE_SYSCALL: Status.SYSCALL,
    Event.GO_START: Status.RUNNING,
    Event.GO_SWITCH: Status.RUNNING,
    Event.GO_SWITCH_DESTROY: Status.RUNNING,
    Event.GO_UNBLOCK: Status.RUNNABLE,
    Event.GO_STATUS: _TOLD,
    Event.GO_STATUS_STACK: _TOLD,
}
_OWN = {
    Event.GO_DESTROY: ENDED,
    Event.GO_DESTROY_SYSCALL: ENDED,
    Event.GO_STOP: Status.RUNNABLE,
    Event.GO_BLOCK: Status.WAITING,
    Event.GO_SYSCALL_BEGIN: Status.SYSCALL,
    Event.GO_SYSCALL_END: Status.RUNNING,
    Event.GO_SYSCALL_END_BLOCKED: Status.RUNNABLE,
    Event.GO_LABEL: Status.RUNNING,
}
#: What becomes of the goroutine that hands over to the one that the event names.
_LEFT = {Event.GO_SWITCH: Status.WAITING, Event.GO_SWITCH_DESTROY: ENDED}
#: Events whose first number is the text that says why.
_REASONED = (Event.GO_BLOCK, Event.GO_LABEL)
_NAMES = {Status.RUNNABLE: "runnable", Status.RUNNING: "running", Status.SYSCALL: "in a system call"}
_COROUTINES = (Event.GO_SWITCH, Event.GO_CREATE_BLOCKED)
#: The label of goroutines that have ended.
ENDED_LABEL = "ended"


@dataclass(frozen=True, slots=True, eq=False)
class States:
    """What goroutines are in, by goroutine and time.

    Attributes:
        goroutine, since, until: int64[n]; times in nanoseconds. state: int64[n], a Status or ENDED.
        label: int64[n] into labels, "waiting: chan receive". event: int64[n], of the trace.
        last: bool[n], whether it is the goroutine's last.
    """

    goroutine: I64
    since: I64
    until: I64
    state: I64
    label: I64
    labels: tuple[str, ...]
    event: I64
    last: NDArray[np.bool_]


def states_of(trace: Trace) -> States:
    """The states of all goroutines of a trace."""
    goroutine, state, event = _changes(trace)
    order = np.argsort(trace.time[event], kind="stable")
    order = order[np.argsort(goroutine[order], kind="stable")]
    goroutine, state, event = goroutine[order], state[order], event[order]
    first = np.ones(len(event), np.bool_)
    first[1:] = goroutine[1:] != goroutine[:-1]
    told = np.isin(trace.events.kind[event], (Event.GO_STATUS, Event.GO_STATUS_STACK))
    # What a later generation tells anew is known.
    keep = (first | ~told) & (goroutine > 0) & (state <= Status.WAITING)
    goroutine, state, event = goroutine[keep], state[keep], event[keep]
    first, told = first[keep], told[keep]
    since = np.where(first & told, 0, trace.time[event])
    last = np.ones(len(event), np.bool_)
    last[:-1] = first[1:]
    until = np.full(len(event), trace.duration_ns)
    until[:-1] = np.where(first[1:], trace.duration_ns, since[1:])
    label, labels = _labelled(trace, state, event, first & told)
    return States(goroutine, since, until, state, label, labels, event, last)


def means(states: States, edges: I64) -> F64:
    """[len(labels), len(edges) - 1]: how many goroutines were in each on average, between the edges."""
    out = np.zeros((len(states.labels), len(edges) - 1))
    for label in range(len(states.labels)):
        rows = states.label == label
        spent = _elapsed(states.since[rows], edges) - _elapsed(states.until[rows], edges)
        out[label] = np.diff(spent) / np.maximum(np.diff(edges), 1)
    return out


def _elapsed(times: I64, edges: I64) -> F64:
    """Up to every edge, the time since each of ``times``, added up."""
    ordered = np.sort(times)
    before = np.searchsorted(ordered, edges, "right")
    sums = np.concatenate(([0.0], np.cumsum(ordered, dtype=np.float64)))
    return np.asarray(before * edges.astype(np.float64) - sums[before], np.float64)


def _changes(trace: Trace) -> tuple[I64, I64, I64]:
    """(goroutine, its new state, event) in the order of the events of threads."""
    events = trace.events
    named, own, left = (_table(states) for states in (_NAMED, _OWN, _LEFT))
    known = (named[events.kind] != _NO_STATE) | (own[events.kind] != _NO_STATE)
    rows = np.flatnonzero(known)
    kinds = events.kind[rows]
    is_named = named[kinds] != _NO_STATE
    goroutine = events.goroutine[rows].copy()
    goroutine[is_named] = trace.number(rows[is_named], 0)
    state = np.where(is_named, named[kinds], own[kinds]).astype(np.int64)
    is_told = state == _TOLD
    state[is_told] = trace.number(rows[is_told], 2)
    switched = rows[left[kinds] != _NO_STATE]
    return (
        np.concatenate((goroutine, events.goroutine[switched])),
        np.concatenate((state, left[events.kind[switched]].astype(np.int64))),
        np.concatenate((rows, switched)),
    )


def _table(states: dict[Event, int]) -> U8:
    table: U8 = np.full(256, _NO_STATE, np.uint8)
    for event, state in states.items():
        table[event] = state
    return table


def _labelled(trace: Trace, state: I64, event: I64, before: NDArray[np.bool_]) -> tuple[I64, tuple[str, ...]]:
    """(label of each row, the labels). before: rows that tell of what was so before the trace."""
    kinds = trace.events.kind[event]
    reasoned = np.isin(kinds, _REASONED)
    reason = np.zeros(len(event), np.int64)
    reason[reasoned] = trace.number(event[reasoned], 0)
    reason[np.isin(kinds, _COROUTINES) & (state == Status.WAITING)] = -1
    reason[before & (state == Status.WAITING)] = -2
    generation = np.where(reasoned, trace.generation(event), 0)
    columns = np.stack((state, generation, reason), axis=1)
    # One number for the three, so that one sort tells them apart: NumPy compares rows far slower.
    _, parts = np.unique(reason, return_inverse=True)
    keys = (generation * (int(parts.max(initial=0)) + 1) + parts) * 8 + state
    _, one, which = np.unique(keys, return_index=True, return_inverse=True)
    names = [_label(trace, *columns[at].tolist()) for at in one.tolist()]
    known = {name: at for at, name in enumerate(dict.fromkeys(names))}
    return np.array([known[name] for name in names], np.int64)[which], tuple(known)


def _label(trace: Trace, state: int, generation: int, reason: int) -> str:
    if state == ENDED:
        return ENDED_LABEL
    if state == Status.WAITING:
        text = {-1: "coroutine", -2: "since before the trace"}.get(reason)
        text = text or trace.tables.text(generation, reason)
        return f"waiting: {text}" if text else "waiting"
    text = trace.tables.text(generation, reason) if reason > 0 else ""
    return f"running: {text}" if text else _NAMES[Status(state)]
