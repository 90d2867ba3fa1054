"""What a capture should take, and when an attempt at it is given up so that another may go better.

Before anything is stopped the capture is rehearsed on the running target: the plan is made, and some of the
copy. What that takes is what the pause should take. A pause that takes much longer was disturbed: the
hypervisor took the processor away, interrupts came, the target's threads found no processor to stop on. Such
things last for tens of milliseconds and are gone when one looks again. So the target is released at once,
runs for a moment, and is stopped again. Imports nothing of goretain.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

#: So many attempts may be given up; the one after them goes through, however long it takes.
MOST_GIVEN_UP = 3
# The longest pause is meant to stay below three usual ones. To look at the clock and to release take some of
# that, and what is usual may be a little less than what was rehearsed.
_TOO_LONG = 2.0
# With less than this left of what it should take, to go on is over sooner than to start again.
_NEARLY_DONE = 0.25
# Threads that stop wait for their slices of the processor, some milliseconds each: nothing is amiss yet.
_NOT_BELOW = 0.008
# What disturbs for tens of milliseconds does not double what takes longer than this, and what doubles it is
# going to be there the next time too.
_NOT_BEYOND = 0.1
# The target runs for so many times as long as it stood still before it is stopped again, and within these.
_REST, _SHORTEST_REST, _LONGEST_REST = 10.0, 0.1, 2.0


class Disturbed(Exception):  # it is no error: the capture is tried again
    """An attempt takes much longer than it should."""


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds of this thread's processor time and by the clock."""

    processor: float
    clock: float

    @classmethod
    def now(cls) -> Took:
        """The times of both clocks."""
        return cls(time.thread_time(), time.monotonic())

    def since(self, began: Took) -> Took:
        """The time between two."""
        return Took(self.processor - began.processor, self.clock - began.clock)

    def scaled(self, factor: float) -> Took:
        """So many times as long."""
        return Took(self.processor * factor, self.clock * factor)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What it took to plan, and would take to copy so many bytes, on the running target."""

    planning: Took
    copying: Took
    copied: int

    def expected(self, *, first: bool) -> Expected:
        """What a pause should take. first: this thread goes before all others then, and waits for none."""
        if first:
            return Expected(self.planning.processor, self.copying.processor, self.copied)
        return Expected(self.planning.clock, self.copying.clock, self.copied)


@dataclass(frozen=True, slots=True)
class Expected:
    """Seconds that planning and the copy of so many bytes should take."""

    planning: float
    copying: float
    copied: int

    def forbids(self, elapsed: float, phase: str, since: float, done: int, whole: int) -> bool:
        """Whether an attempt is to be given up now.

        Args:
            elapsed: seconds since the first thread was stopped. phase: stopping, planning, copying; since:
            seconds since it began. done, whole: bytes copied and to be copied; 0, 0 while that is not known.
        """
        whole = whole or self.copied
        copying = self.copying * whole / max(self.copied, 1)
        left = copying * (whole - done) / max(whole, 1)
        if phase != "copying":
            left += max(self.planning - (since if phase == "planning" else 0.0), 0.0)
        should = self.planning + copying
        if should > _NOT_BEYOND or left < should * _NEARLY_DONE:
            return False
        return elapsed + left > max(should * _TOO_LONG, _NOT_BELOW)


def rest(pause: float) -> float:
    """Seconds that the target runs undisturbed after it stood still for so many."""
    return min(max(pause * _REST, _SHORTEST_REST), _LONGEST_REST)


def note(pauses: list[int]) -> list[str]:
    """What the reader should know of pauses in nanoseconds, all but the last given up."""
    if len(pauses) < 2:
        return []
    times = "once" if len(pauses) == 2 else f"{len(pauses) - 1} times"
    said = (
        f"the capture was given up {times}, as something else held it up, and tried again: the target stood"
        f" still {len(pauses)} times, {sum(pauses) / 1e6:.1f} ms in all, {max(pauses) / 1e6:.1f} ms at the"
        " longest"
    )
    return [said]
