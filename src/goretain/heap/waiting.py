"""Leaked goroutines: those that nothing which still runs can ever wake.

A goroutine that waits can only be woken by who can get at the channel, lock or condition that it waits for.
So: everything that is reachable from global variables and from goroutines that do not wait is live; a
goroutine that waits for something live may be woken, and then what its stack holds is live too; what is left
when nothing more is found is leaked. Sound, not complete: a global variable that nobody sends on keeps its
receivers live. The runtime's own profile (findGoroutineLeaks, runtime/mgc.go, from Go 1.26) goes by the same
rule, but for weak pointers: one that live memory has is a way to its object, which ``Value``
(runtime_makeStrongFromWeak, runtime/mheap.go) gives to the program; it holds no memory. Ways back are not
followed: a runtime.g or sudog finds its goroutine, but cannot wake it.
Imports ``kernels``, ``snapshot`` and numpy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goretain.kernels.csr import Rows, group_rows
from goretain.kernels.wakeups import wake
from goretain.snapshot import NO_OBJECT, ObjectFlag, RootFlag, Snapshot, SpecialKind, Specials, WaitKind

Bits = NDArray[np.bool_]
U32 = NDArray[np.uint32]
#: ``Goroutine.id`` of the one that runs main.main.
MAIN = 1
#: Name of the roots that are handles of weak pointers, held by the runtime itself.
_WEAK = "weak handle"
#: Nothing of the program has to wake these: a timer, the network poller or the runtime does.
_WOKEN = (WaitKind.SLEEP, WaitKind.IO, WaitKind.OTHER)
#: Counters of what could not be read; any of it may hold what a goroutine waits for.
_SHORTFALLS = ("missing_spans", "objects_without_content", "objects_without_mask")


@dataclass(frozen=True, slots=True)
class Leaks:
    """What can never be woken, as seen in one snapshot.

    Attributes:
        leaked: bool[goroutines]. The main goroutine is never called leaked: that it waits for ever is how
            programs are kept alive; but what only it could wake is.
        live: bool[n], what globals and goroutines that can run reach; weak pointers are no way.
        proved: nothing is missing that could make a leaked goroutine live.
    """

    leaked: Bits
    live: Bits
    proved: bool


def stack_rows(snapshot: Snapshot) -> Rows:
    """Per goroutine the objects that its stack and registers hold, and what it waits for.

    Up to Go 1.22 only its sudog says for which channel it waits, which is no longer in use on its stack.
    """
    columns, waits = snapshot.columns, snapshot.waits
    own = columns.root_goroutine >= 0
    goroutine, target = columns.root_goroutine[own], columns.root_target[own]
    if waits is not None:
        known = waits.wait_object != NO_OBJECT
        goroutine = np.concatenate((goroutine, waits.wait_goroutine[known]))
        target = np.concatenate((target, waits.wait_object[known]))
    grouped = group_rows(goroutine, len(snapshot.goroutines))
    return Rows(grouped.start, target[grouped.items])


def find_leaks(snapshot: Snapshot, stacks: Rows) -> Leaks | None:
    """Leaked goroutines; None when it is unknown what goroutines wait for.

    stacks: as ``stack_rows`` gives them.
    """
    waits, columns = snapshot.waits, snapshot.columns
    if waits is None:
        return None
    waiting = _waiting(snapshot)
    held = (columns.root_flags & RootFlag.ALLOCATOR) == 0
    of_stack = columns.root_goroutine >= 0
    held[of_stack] = ~waiting[columns.root_goroutine[of_stack]]
    rows = waiting[waits.wait_goroutine] & (waits.wait_object != NO_OBJECT)
    asked = _Asked(snapshot, held, stacks, waits.wait_object[rows], waits.wait_goroutine[rows])
    live, woken = asked.wake()
    known = woken
    if (waiting & ~woken).any():
        woken = woken | asked.woken_through(*_weak(snapshot.specials, live))
    if (woken & ~known).any():
        held[of_stack] |= woken[columns.root_goroutine[of_stack]]
        live, _ = _Asked(snapshot, held, stacks, waits.wait_object[:0], waits.wait_goroutine[:0]).wake()
    leaked = waiting & ~woken
    leaked[[g.id == MAIN for g in snapshot.goroutines]] = False
    return Leaks(leaked, live, _complete(snapshot))


@dataclass(frozen=True, slots=True)
class _Asked:
    """A marking to be done.

    held: bool[r], roots to begin from. stacks: per goroutine the objects that its stack holds.
    wait_object, wait_goroutine: uint32[b], int32[b]: goroutine is woken when the object is reached.
    """

    snapshot: Snapshot
    held: Bits
    stacks: Rows
    wait_object: U32
    wait_goroutine: NDArray[np.int32]

    def wake(self) -> tuple[Bits, Bits]:
        """bool[n], what is live; bool[goroutines], which were woken."""
        columns = self.snapshot.columns
        return wake(
            columns.edge_start,
            columns.edge_target,
            (columns.object_flags & ObjectFlag.SCHEDULER) != 0,
            columns.root_target[self.held],
            self.stacks,
            self.wait_object,
            self.wait_goroutine,
        )

    def woken_through(self, handles: U32, objects: U32) -> Bits:
        """bool[goroutines], which are woken where a handle leads to its object as a pointer does."""
        count, roots = len(self.stacks.start) - 1, self.snapshot.roots
        if not len(handles):
            return np.zeros(count, np.bool_)
        # The special keeps the handle, but no statement reads it there.
        own = np.array([root.name == _WEAK for root in roots], np.bool_)[self.snapshot.columns.root_node]
        # A handle is one goroutine more: it waits to be reached itself, and has its object on its stack.
        ends = self.stacks.start[-1] + np.arange(1, len(handles) + 1, dtype=np.int64)
        further = _Asked(
            self.snapshot,
            self.held & ~own,
            Rows(np.concatenate((self.stacks.start, ends)), np.concatenate((self.stacks.items, objects))),
            np.concatenate((self.wait_object, handles)),
            np.concatenate((self.wait_goroutine, count + np.arange(len(handles), dtype=np.int32))),
        )
        return further.wake()[1][:count]


def _weak(specials: Specials | None, live: Bits) -> tuple[U32, U32]:
    """Handles of weak pointers and the objects that they lead to, of those that are not live anyway."""
    if specials is None:
        return np.empty(0, np.uint32), np.empty(0, np.uint32)
    handle, target = specials.special_target, specials.special_object
    rows = np.flatnonzero(
        (specials.special_kind == SpecialKind.WEAK_HANDLE) & (handle != NO_OBJECT) & (target != NO_OBJECT)
    )
    rows = rows[~live[target[rows]]]
    return handle[rows], target[rows]


def _waiting(snapshot: Snapshot) -> Bits:
    """Which goroutines wait for objects only, or for nothing: those that somebody has to wake."""
    waits = snapshot.waits
    assert waits is not None
    waiting = np.zeros(len(snapshot.goroutines), np.bool_)
    waiting[waits.wait_goroutine] = True
    # Unknown, in a global variable, on a stack of the system: may be woken by whom we do not see.
    elsewhere = (waits.wait_object == NO_OBJECT) & (waits.wait_address != 0)
    waiting[waits.wait_goroutine[elsewhere | np.isin(waits.wait_kind, _WOKEN)]] = False
    waiting[[g.system is not False for g in snapshot.goroutines]] = False
    return waiting


def _complete(snapshot: Snapshot) -> bool:
    """Whether everything that could wake a goroutine was read."""
    counts = snapshot.meta.counts
    return all(g.frames for g in snapshot.goroutines) and not any(counts.get(name) for name in _SHORTFALLS)
