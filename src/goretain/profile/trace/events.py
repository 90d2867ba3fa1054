"""The events of an execution trace: their numbers, and how many numbers follow them.

The numbering is that of internal/trace/tracev2/events.go, which only grows: a trace of an older Go has fewer
kinds. Imports ``kernels``.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from goretain.kernels.tracewire import NO_EVENT, U8


class Event(IntEnum):
    """A timed event; an entry of a table is none."""

    PROCS_CHANGE = 9
    PROC_START = 10
    PROC_STOP = 11
    PROC_STEAL = 12
    PROC_STATUS = 13
    GO_CREATE = 14
    GO_CREATE_SYSCALL = 15
    GO_START = 16
    GO_DESTROY = 17
    GO_DESTROY_SYSCALL = 18
    GO_STOP = 19
    GO_BLOCK = 20
    GO_UNBLOCK = 21
    GO_SYSCALL_BEGIN = 22
    GO_SYSCALL_END = 23
    GO_SYSCALL_END_BLOCKED = 24
    GO_STATUS = 25
    STW_BEGIN = 26
    STW_END = 27
    GC_ACTIVE = 28
    GC_BEGIN = 29
    GC_END = 30
    GC_SWEEP_ACTIVE = 31
    GC_SWEEP_BEGIN = 32
    GC_SWEEP_END = 33
    GC_MARK_ASSIST_ACTIVE = 34
    GC_MARK_ASSIST_BEGIN = 35
    GC_MARK_ASSIST_END = 36
    HEAP_ALLOC = 37
    HEAP_GOAL = 38
    GO_LABEL = 39
    USER_TASK_BEGIN = 40
    USER_TASK_END = 41
    USER_REGION_BEGIN = 42
    USER_REGION_END = 43
    USER_LOG = 44
    GO_SWITCH = 45
    GO_SWITCH_DESTROY = 46
    GO_CREATE_BLOCKED = 47
    GO_STATUS_STACK = 48
    SPAN = 128
    SPAN_ALLOC = 129
    SPAN_FREE = 130
    HEAP_OBJECT = 131
    HEAP_OBJECT_ALLOC = 132
    HEAP_OBJECT_FREE = 133
    GOROUTINE_STACK = 134
    GOROUTINE_STACK_ALLOC = 135
    GOROUTINE_STACK_FREE = 136


#: Numbers of the events 9 to 48 and 128 to 136, the time that each begins with among them.
_ARITIES = ("3314342311334311431232223221222534453345", "442332332")
ARITY: U8 = np.full(256, NO_EVENT, np.uint8)
for _event, _arity in zip(Event, "".join(_ARITIES), strict=True):
    ARITY[_event] = int(_arity)


def _table(*events: Event) -> U8:
    table: U8 = np.zeros(256, np.uint8)
    table[list(events)] = 1
    return table


#: uint8[256], 1 of what is looked for by its kind.
LISTED: U8 = _table(
    Event.GO_STATUS, Event.GO_STATUS_STACK, Event.GO_CREATE, Event.GO_CREATE_BLOCKED, Event.GO_CREATE_SYSCALL,
    Event.GC_BEGIN, Event.GC_END, Event.HEAP_ALLOC, Event.HEAP_GOAL,
    Event.HEAP_OBJECT, Event.HEAP_OBJECT_ALLOC, Event.HEAP_OBJECT_FREE,
)  # fmt: skip
#: uint8[256], 1 of what is kept: that, and what happens to goroutines. Others are counted.
STORED: U8 = LISTED | _table(
    Event.GO_START, Event.GO_UNBLOCK, Event.GO_SWITCH, Event.GO_SWITCH_DESTROY,
    Event.GO_STOP, Event.GO_BLOCK, Event.GO_DESTROY, Event.GO_DESTROY_SYSCALL, Event.GO_LABEL,
    Event.GO_SYSCALL_BEGIN, Event.GO_SYSCALL_END, Event.GO_SYSCALL_END_BLOCKED,
    Event.STW_BEGIN, Event.STW_END, Event.GC_MARK_ASSIST_BEGIN, Event.GC_MARK_ASSIST_END,
)  # fmt: skip


class Status(IntEnum):
    """Of a goroutine, as GO_STATUS has it (tracev2.GoStatus)."""

    RUNNABLE = 1
    RUNNING = 2
    SYSCALL = 3
    WAITING = 4
