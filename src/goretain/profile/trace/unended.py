"""Goroutines that a trace leaves alive: who started them, and where they stand.

That they never end is for a longer trace to say: what is counted is what began while traced and did not end.
Imports ``golang.packages``, ``snapshot``, numpy, ``profile.frames`` and this room.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from goretain.golang.packages import package_of
from goretain.kernels.tracewire import I64
from goretain.profile.frames import NOWHERE, own_frame
from goretain.profile.trace.columns import Trace, distinct
from goretain.profile.trace.events import Event, Status
from goretain.profile.trace.states import ENDED, States
from goretain.snapshot import Frame

_CREATES = (Event.GO_CREATE, Event.GO_CREATE_BLOCKED)


class Creator(NamedTuple):
    """The go statement and the function that it starts; without functions where the trace does not know."""

    created_at: Frame
    start: Frame


@dataclass(frozen=True, slots=True)
class Unended:
    """Goroutines of one creator that stand in one place.

    Attributes:
        creator: ``created_at`` without a name for goroutines from before the trace.
        system: whether it is the runtime's own.
        state: as in ``States.labels``; place: where they stand, the program's own frame if there is one.
        count: how many are alive as the trace ends; asleep: how many of them did nothing in its second half.
        created, ended: how many of that creator began and ended while traced; 0 from before the trace.
    """

    creator: Creator
    system: bool
    state: str
    place: Frame
    count: int
    asleep: int
    created: int
    ended: int


def unended(trace: Trace, states: States) -> list[Unended]:
    """The groups of goroutines that are alive as the trace ends, largest first: those that began
    while traced, older ones, the runtime's own.
    """
    creators = _Creators(trace)
    last, goroutine = states.last()
    has_ended = states.state[last] == ENDED
    alive, gone = last[~has_ended], creators.of(goroutine[has_ended])
    stacks = _Stacks(trace, states.event[alive].astype(np.int64))
    of = creators.of(goroutine[~has_ended])
    older = np.array([creators.number(Creator(NOWHERE, start)) for start in stacks.starts], np.int64)
    of = np.where(of < 0, older[stacks.which], of)
    created = np.bincount(creators.which, minlength=len(creators.known))
    ended = np.bincount(gone[gone >= 0], minlength=len(creators.known))
    still = (states.since[alive] <= trace.duration_ns // 2) & (states.state[alive] == Status.WAITING)
    places = {place: at for at, place in enumerate(dict.fromkeys(stacks.places))}
    place = np.array([places[one] for one in stacks.places], np.int64)[stacks.which]
    one, group = distinct(of, states.label[alive].astype(np.int64), place)
    rows = zip(
        of[one].tolist(),
        alive[one].tolist(),
        stacks.which[one].tolist(),
        np.bincount(group).tolist(),
        np.bincount(group, still).astype(np.int64).tolist(),
        strict=True,
    )
    known = list(creators.known)
    groups = [
        Unended(
            creator=known[creator],
            system=_is_system(known[creator].start),
            state=states.labels[states.label[row]],
            place=stacks.places[stack],
            count=count,
            asleep=asleep,
            created=int(created[creator]),
            ended=int(ended[creator]),
        )
        for creator, row, stack, count, asleep in rows
    ]
    return sorted(groups, key=_rank)


def _rank(group: Unended) -> tuple[bool, bool, int, str, int, str]:
    place = group.place
    return (group.system, not group.created, -group.count, place.function, place.line, group.state)


def _is_system(start: Frame) -> bool:
    """Whether a goroutine is the runtime's own, by the function that it began with."""
    package = package_of(start.function)
    if package == "runtime":
        return start.function != "runtime.main"
    return package.startswith("runtime/")


class _Creators:
    """What began goroutines; known: each, by its number; which: that of each one that began while traced."""

    def __init__(self, trace: Trace) -> None:
        rows = trace.select(*_CREATES)
        generation = trace.generation(rows)
        start, created_at = trace.number(rows, 1), trace.number(rows, 2)
        one, which = distinct(generation, start, created_at)
        self.known: dict[Creator, int] = {}
        numbers = []
        for key in zip(generation[one].tolist(), start[one].tolist(), created_at[one].tolist(), strict=True):
            begun = trace.tables.frames(key[0], key[1])
            creating = own_frame(trace.tables.frames(key[0], key[2]))
            numbers.append(self.number(Creator(creating, begun[0] if begun else NOWHERE)))
        self._goroutine, latest = np.unique(trace.number(rows, 0)[::-1], return_index=True)
        self.which: I64 = np.array(numbers, np.int64)[which][::-1][latest]

    def number(self, creator: Creator) -> int:
        """The number of a creator, which may be new."""
        return self.known.setdefault(creator, len(self.known))

    def of(self, goroutines: I64) -> I64:
        """The creator of each, -1 of those from before the trace."""
        if not len(self._goroutine):
            return np.full(len(goroutines), -1, np.int64)
        at = np.minimum(np.searchsorted(self._goroutine, goroutines), len(self._goroutine) - 1)
        return np.where(self._goroutine[at] == goroutines, self.which[at], -1)


#: Events with a stack of the goroutine that they put in a state, by the place of its number.
_STACK_AT = {
    1: (Event.GO_BLOCK, Event.GO_STOP, Event.GO_SYSCALL_BEGIN, Event.GO_CREATE, Event.GO_CREATE_BLOCKED),
    3: (Event.GO_STATUS_STACK,),
}


class _Stacks:
    """The ends of the stacks of events.

    Attributes:
        which: int64[n], the stack of each event.
        places, starts: of each stack where the goroutine stands, and the function that it began with.
    """

    def __init__(self, trace: Trace, event: I64) -> None:
        number = np.full(len(event), -1, np.int64)
        for place, kinds in _STACK_AT.items():
            rows = np.flatnonzero(np.isin(trace.events.kind[event], kinds))
            number[rows] = trace.number(event[rows], place)
        generation = np.where(number < 0, 0, trace.generation(event))
        one, self.which = distinct(generation, number)
        keys = zip(generation[one].tolist(), number[one].tolist(), strict=True)
        stacks = [trace.tables.frames(*key) for key in keys]
        self.places = list(map(own_frame, stacks))
        self.starts = [frames[-1] if frames else NOWHERE for frames in stacks]
