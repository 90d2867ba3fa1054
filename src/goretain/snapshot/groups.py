"""Columns that a snapshot may lack, in groups: a group is there whole or, when nothing is known, is None.

They came with version 2 of the format; a snapshot of version 1 has none of them, and a program that does not
tell (a truncated core, a stripped runtime that no layout table describes) may lack any. Field names are the
names in the file.
Imports numpy only.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
U32 = NDArray[np.uint32]
U8 = NDArray[np.uint8]


class WaitKind(enum.IntEnum):
    """Values of ``Waits.wait_kind``: what a goroutine waits for."""

    CHANNEL_RECEIVE = 0
    CHANNEL_SEND = 1
    SELECT = 2
    MUTEX = 3
    RW_MUTEX_READ = 4
    RW_MUTEX_WRITE = 5
    WAIT_GROUP = 6
    COND = 7
    SEMAPHORE = 8  #: another semaphore: a poll.FD's lock, one that the runtime keeps for itself
    SLEEP = 9  #: time.Sleep: its timer wakes it
    IO = 10  #: the network poller wakes it
    OTHER = 11  #: what no other goroutine of the program has to do: the runtime's own reasons


class SpecialKind(enum.IntEnum):
    """Values of ``Specials.special_kind``."""

    FINALIZER = 0
    CLEANUP = 1
    WEAK_HANDLE = 2
    PINNED = 3  #: runtime.Pinner, more than once
    QUEUED_FINALIZER = 4  #: about to run; the object is the finalizer's argument
    QUEUED_CLEANUP = 5


class TimerFlag(enum.IntFlag):
    """Bits of ``Timers.timer_flags``."""

    CHANNEL = 1  #: of a channel (time.NewTimer, time.NewTicker, time.After); unset: it calls a function
    SLEEP = 2  #: of a goroutine in time.Sleep


@dataclass(slots=True)
class Waits:
    """What goroutines wait for: b rows, one for each channel, lock or condition; a select has one a case.

    A goroutine that is not waiting has no rows.

    wait_goroutine: int32[b], index into goroutines, ascending.
    wait_kind: uint8[b], WaitKind.
    wait_address: int64[b], of the channel (runtime.hchan), of the semaphore's word or of the condition's
        list; 0: there is nothing that could wake it (nil channels, a select without cases); -1: unknown.
    wait_object: uint32[b], the object in which that address lies, NO_OBJECT outside of the heap.
    wait_name: uint32[b], index into strings: the global variable in which it lies, "" otherwise.
    """

    wait_goroutine: I32
    wait_kind: U8
    wait_address: I64
    wait_object: U32
    wait_name: U32


@dataclass(slots=True)
class Spans:
    """In-use spans of the heap, in address order: s rows.

    span_start: int64[s], address; span_bytes: int64[s], its pages.
    span_class: uint8[s], runtime.spanClass: size class * 2, + 1 without pointers; class 0 is that of objects
        with a span of their own.
    span_slot_bytes: int64[s], bytes of a slot; span_slots: int64[s], how many.
    span_live: int64[s], slots with a live object (rows of the object columns); -1 unknown.
    """

    span_start: I64
    span_bytes: I64
    span_class: U8
    span_slot_bytes: I64
    span_slots: I64
    span_live: I64


@dataclass(slots=True)
class Specials:
    """What the runtime has attached to objects, and the queues of what will run: p rows.

    special_kind: uint8[p], SpecialKind.
    special_object: uint32[p], the object that it is attached to, NO_OBJECT for a queued cleanup.
    special_function: uint32[p], index into strings: function of a finalizer or cleanup, "" for none.
    special_target: uint32[p], what it keeps besides: closure of a finalizer, argument (or closure) of a
        cleanup, handle of a weak pointer; NO_OBJECT when it lies outside of the heap.
    """

    special_kind: U8
    special_object: U32
    special_function: U32
    special_target: U32


@dataclass(slots=True)
class Timers:
    """Timers that are set, those in the runtime's heaps of timers: t rows.

    timer_object: uint32[t], the object that it lies in, NO_OBJECT outside of the heap.
    timer_when: int64[t], nanoseconds of the monotonic clock at which it fires (Meta.monotonic_ns is now).
    timer_period: int64[t], nanoseconds, 0 for one that fires once.
    timer_flags: uint8[t], TimerFlag.
    timer_function: uint32[t], index into strings: the function that it calls.
    timer_target: uint32[t], the channel, closure or sleeping goroutine that it is given, NO_OBJECT outside of
        the heap.
    """

    timer_object: U32
    timer_when: I64
    timer_period: I64
    timer_flags: U8
    timer_function: U32
    timer_target: U32


@dataclass(slots=True)
class Samples:
    """Objects that the memory profile has sampled: a rows, by object.

    sample_object: uint32[a]; sample_site: int32[a], index into sites: where the object was allocated.
    """

    sample_object: U32
    sample_site: I32


#: Group -> its class. Order of the file.
GROUPS: Final[dict[str, Any]] = {
    "waits": Waits,
    "spans": Spans,
    "specials": Specials,
    "timers": Timers,
    "samples": Samples,
}

#: Group -> column -> dtype.
GROUP_DTYPES: Final[dict[str, dict[str, str]]] = {
    "waits": {
        "wait_goroutine": "<i4",
        "wait_kind": "|u1",
        "wait_address": "<i8",
        "wait_object": "<u4",
        "wait_name": "<u4",
    },
    "spans": {
        "span_start": "<i8",
        "span_bytes": "<i8",
        "span_class": "|u1",
        "span_slot_bytes": "<i8",
        "span_slots": "<i8",
        "span_live": "<i8",
    },
    "specials": {
        "special_kind": "|u1",
        "special_object": "<u4",
        "special_function": "<u4",
        "special_target": "<u4",
    },
    "timers": {
        "timer_object": "<u4",
        "timer_when": "<i8",
        "timer_period": "<i8",
        "timer_flags": "|u1",
        "timer_function": "<u4",
        "timer_target": "<u4",
    },
    "samples": {"sample_object": "<u4", "sample_site": "<i4"},
}
