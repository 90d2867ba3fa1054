"""The timers in the heaps of all Ps: those that are set, and some that were stopped a while ago.

Reads ``runtime.p.timers``: up to Go 1.22 a slice of ``runtime.timer``, then a ``runtime.timers`` with a slice
of ``runtime.timerWhen`` (runtime/time.go). From Go 1.23 on a timer with a channel is there only while
somebody waits for it, unless GODEBUG=asynctimerchan=1. Imports ``golang.layout`` and ``golang.stacks``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from goretain.golang.layout import Program
from goretain.golang.stacks.records import RecordReader

_P, _TIMER, _HEAP = "runtime.p", "runtime.timer", "runtime.timers"
#: More timers than this are no heap of timers.
_LIMIT = 1 << 26
# Values of timer.status up to Go 1.22, and the bit of timer.state since, of timers that are stopped.
_DELETED, _ZOMBIE = (0, 3, 4, 5), 4
_MODIFIED = (7, 8)  # values of timer.status: it was given another time, nextwhen


@dataclass(frozen=True, slots=True)
class Timer:
    """A timer in a heap.

    Attributes:
        address: of the runtime.timer.
        when: nanoseconds of the monotonic clock at which it fires; period: between two times, 0 for once.
        function: address of the function value that it calls; argument: of what it gives to it.
        of_channel: it belongs to a channel and says so (not up to Go 1.22, nor with asynctimerchan=1).
        stopped: it will not fire.
    """

    address: int
    when: int
    period: int
    function: int
    argument: int
    of_channel: bool
    stopped: bool


def read_timers(program: Program) -> Iterator[Timer]:
    """All of them. Raises MissingMemory where one was not captured, UnknownLayout."""
    layout = program.layout
    in_struct = layout.has(_P, "timers", "heap")
    path = ("timers", "heap") if in_struct else ("timers",)
    stride = layout.size("runtime.timerWhen") if in_struct else 8
    state = ("state", "isChan") if layout.has(_TIMER, "isChan") else ("status", "nextwhen")
    reader = RecordReader(layout, _TIMER, ("when",), ("period",), ("f",), *((name,) for name in state))
    data = layout.offset(_TIMER, "arg") + 8
    processors, count, _ = program.slice(program.symbol("runtime.allp"))
    for i in range(count):
        p = program.word(processors + 8 * i)
        if not p:
            continue
        first, length, _ = program.slice(p + layout.offset(_P, *path))
        for slot in range(first, first + stride * min(length, _LIMIT), stride):
            timer = program.word(slot)
            when, period, function, status, more = reader.read(program.memory, timer)
            if state[0] == "status":
                stopped, channel = status in _DELETED, False
                when = more if status in _MODIFIED else when
            else:
                stopped, channel = bool(status & _ZOMBIE), bool(more)
            argument = program.word(timer + data)
            yield Timer(timer, when, period, function, argument, channel, stopped)
