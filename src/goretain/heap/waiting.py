"""Leaked goroutines: those that nothing which still runs can ever wake.

A goroutine that waits can only be woken by who can get at the channel, lock or condition that it waits for.
So: everything that is reachable from global variables and from goroutines that do not wait is live; a
goroutine that waits for something live may be woken, and then what its stack holds is live too; what is left
when nothing more is found is leaked. Sound, not complete: a global variable that nobody sends on keeps its
receivers live. The runtime's own profile (findGoroutineLeaks, runtime/mgc.go, from Go 1.26) goes by the same
rule. Ways back are not followed: a runtime.g or sudog finds its goroutine, but cannot wake it.
Imports ``kernels``, ``snapshot`` and numpy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goretain.kernels.csr import Rows, group_rows
from goretain.kernels.wakeups import wake
from goretain.snapshot import NO_OBJECT, ObjectFlag, RootFlag, Snapshot, WaitKind

Bits = NDArray[np.bool_]
#: ``Goroutine.id`` of the one that runs main.main.
MAIN = 1
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
        live: bool[n], what globals and goroutines that can run reach.
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
    live, woken = wake(
        columns.edge_start,
        columns.edge_target,
        (columns.object_flags & ObjectFlag.SCHEDULER) != 0,
        columns.root_target[held],
        stacks,
        waits.wait_object[rows],
        waits.wait_goroutine[rows],
    )
    leaked = waiting & ~woken
    leaked[[g.id == MAIN for g in snapshot.goroutines]] = False
    return Leaks(leaked, live, _complete(snapshot))


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
