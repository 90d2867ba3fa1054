"""Goroutines that a trace leaves alive: who started them, and where they stand.

That they never end is for a longer trace to say: what is counted is what began while traced and did not end.
Imports ``golang.packages``, ``snapshot``, numpy, ``profile.frames`` and this room.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from goretain.golang.packages import package_of
from goretain.profile.frames import NOWHERE, own_frame
from goretain.profile.trace.columns import Trace
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
    of_goroutine = _creators(trace)
    last = np.flatnonzero(states.last)
    alive = last[states.state[last] != ENDED]
    gone = states.goroutine[last[states.state[last] == ENDED]].tolist()
    ended = Counter(of_goroutine[one] for one in gone if one in of_goroutine)
    created = Counter(of_goroutine.values())
    counts: Counter[tuple[Creator, str, Frame]] = Counter()
    asleep: Counter[tuple[Creator, str, Frame]] = Counter()
    still = (states.since[alive] <= trace.duration_ns // 2) & (states.state[alive] == Status.WAITING)
    frames = _Stacks(trace)
    rows = zip(
        states.goroutine[alive].tolist(),
        states.label[alive].tolist(),
        states.event[alive].tolist(),
        still.tolist(),
        strict=True,
    )
    for goroutine, label, event, sleeps in rows:
        place, outermost = frames.ends(event)
        creator = of_goroutine.get(goroutine) or Creator(NOWHERE, outermost)
        key = (creator, states.labels[label], place)
        counts[key] += 1
        asleep[key] += sleeps
    groups = [
        Unended(
            creator=creator,
            system=_is_system(creator.start),
            state=state,
            place=place,
            count=count,
            asleep=asleep[creator, state, place],
            created=created[creator],
            ended=ended[creator],
        )
        for (creator, state, place), count in counts.items()
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


def _creators(trace: Trace) -> dict[int, Creator]:
    """Goroutine -> what began it, of those that began while traced."""
    rows = trace.select(*_CREATES)
    stacks = zip(
        trace.number(rows, 0).tolist(),
        trace.generation(rows).tolist(),
        trace.number(rows, 1).tolist(),
        trace.number(rows, 2).tolist(),
        strict=True,
    )
    found: dict[int, Creator] = {}
    known: dict[tuple[int, int, int], Creator] = {}
    for goroutine, generation, start, created_at in stacks:
        key = (generation, start, created_at)
        if key not in known:
            begun = trace.tables.frames(generation, start)
            creating = trace.tables.frames(generation, created_at)
            known[key] = Creator(own_frame(creating), begun[0] if begun else NOWHERE)
        found[goroutine] = known[key]
    return found


#: Events with a stack of the goroutine that they put in a state: the place of its number.
_STACK_AT = {
    Event.GO_BLOCK: 1,
    Event.GO_STOP: 1,
    Event.GO_SYSCALL_BEGIN: 1,
    Event.GO_CREATE: 1,
    Event.GO_CREATE_BLOCKED: 1,
    Event.GO_STATUS_STACK: 3,
}


class _Stacks:
    """The ends of stacks, each looked at once."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._known: dict[tuple[int, int], tuple[Frame, Frame]] = {}

    def ends(self, event: int) -> tuple[Frame, Frame]:
        """(where the goroutine of an event stands, the function that it began with)."""
        trace, row = self._trace, np.array([event])
        place = _STACK_AT.get(Event(int(trace.events.kind[event])))
        if place is None:
            return NOWHERE, NOWHERE
        key = (int(trace.generation(row)[0]), int(trace.number(row, place)[0]))
        if key not in self._known:
            frames = trace.tables.frames(*key)
            self._known[key] = (own_frame(frames), frames[-1] if frames else NOWHERE)
        return self._known[key]
