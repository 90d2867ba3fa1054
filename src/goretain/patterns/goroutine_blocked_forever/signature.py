"""How goroutine-blocked-forever looks in a heap: goroutines that nothing which still runs can wake.

Which these are is found by ``heap.waiting``; this says which belong together, what they wait for and what
ends the wait. Imports ``patterns`` and the floors below.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from goretain.model.errors import UsageError
from goretain.model.findings import Chain, Confidence, Finding, fingerprint
from goretain.model.units import iec
from goretain.patterns.catalogue import own
from goretain.patterns.routes import Route
from goretain.snapshot import NO_OBJECT, Frame, WaitKind

if TYPE_CHECKING:
    from goretain.heap.goroutines import GoroutineGroup
    from goretain.heap.heap import Heap


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of wait in words: what the goroutines do, with what, what would end it."""

    does: str
    thing: str
    fix: str


_CANCEL = "select with ctx.Done() beside it, and cancel the context where the work ends"
_UNLOCK = "unlock on every path (defer mu.Unlock()), and take locks in one order everywhere"
_KINDS = {
    WaitKind.CHANNEL_RECEIVE: _Kind(
        "to receive from a", "channel", f"close the channel where its last sender ends, or {_CANCEL}"
    ),
    WaitKind.CHANNEL_SEND: _Kind(
        "to send to a", "channel", f"give the channel room for the value (make(chan T, 1)), or {_CANCEL}"
    ),
    WaitKind.SELECT: _Kind(
        "in a select for a",
        "channel",
        "give the select a case that ends it: <-ctx.Done(), and cancel the context where the work ends",
    ),
    WaitKind.MUTEX: _Kind("to lock a", "Mutex", _UNLOCK),
    WaitKind.RW_MUTEX_READ: _Kind("to read-lock an", "RWMutex", _UNLOCK),
    WaitKind.RW_MUTEX_WRITE: _Kind("to lock an", "RWMutex", _UNLOCK),
    WaitKind.WAIT_GROUP: _Kind(
        "in Wait of a", "WaitGroup", "call Done on every path (defer wg.Done()), and Add before go"
    ),
    WaitKind.COND: _Kind(
        "in Wait of a", "Cond", "Broadcast when what is waited for can come no more, and check that first"
    ),
    WaitKind.SEMAPHORE: _Kind("for a", "semaphore", _UNLOCK),
}
_NIL = _Kind("on a", "nil channel", "make the channel before the goroutine starts, or do not start it")
_NO_CASES = _Kind("in a", "select without cases", "let the goroutine return: select {} never does")
_NIL_CASES = _Kind(
    "in a",
    "select whose channels are all nil",
    "make the channels before the goroutine starts, or give the select a case that ends it: <-ctx.Done()",
)
#: The runtime's words for a select that the compiler saw no case of.
_WITHOUT_CASES = "select (no cases)"


def find(heap: Heap) -> Iterator[Finding]:
    """One finding for each stack on which goroutines are leaked."""
    leaks, leaked = heap.leaks, heap.leaked
    if leaks is None or leaked is None:
        return
    pattern = own(__package__)
    for row, group in enumerate(leaked.groups):
        objects, kind = _wait_of(heap, group)
        held = leaked.objects[leaked.owner == row]
        chain = _chain(heap, group, held, objects)
        yield pattern.finding(
            confidence=_confidence(group, kind, proved=leaks.proved),
            route=Route(chain, (chain.root,)),
            count=len(group.members),
            saving_bytes=group.bytes,
            retained_bytes=group.retained_bytes,
            sampled=heap.sites.among(held),
            type=_type(heap, objects, kind),
            fix=kind.fix,
            fingerprint=fingerprint(pattern.name, group.state, *_functions(heap, group)),
        )


def _wait_of(heap: Heap, group: GoroutineGroup) -> tuple[list[int], _Kind]:
    """Objects that the group's first goroutine waits for, and in words."""
    waits = heap.snapshot.waits
    assert waits is not None
    rows = np.flatnonzero(waits.wait_goroutine == group.members[0])
    kind = WaitKind(int(waits.wait_kind[rows[0]]))
    objects = waits.wait_object[rows]
    known = objects[objects != NO_OBJECT].tolist()
    if known:
        return known, _KINDS[kind]
    if kind is not WaitKind.SELECT:
        return [], _NIL
    return [], _NO_CASES if group.state.startswith(_WITHOUT_CASES) else _NIL_CASES


def _chain(heap: Heap, group: GoroutineGroup, held: NDArray[np.uint32], objects: list[int]) -> Chain:
    """The chain to the largest thing that only the group holds, else to what it waits for."""
    if len(held):
        sizes = heap.snapshot.columns.object_size[held]
        return heap.chain(int(held[np.argmax(sizes)]))
    node = next((k for k, root in enumerate(heap.snapshot.roots) if root.goroutine in group.members), None)
    if node is None:
        id_ = heap.snapshot.goroutines[group.members[0]].id
        return Chain(root=f"goroutine {id_} [{group.state}] {_function(group)}", links=(), end="nothing")
    for target in objects:
        with contextlib.suppress(UsageError):
            return heap.chain(target, node)
    return Chain(root=heap.snapshot.roots[node].name, links=(), end="nothing of its own")


def _confidence(group: GoroutineGroup, kind: _Kind, *, proved: bool) -> Confidence:
    waits = f"{len(group.members)} goroutines wait" if len(group.members) > 1 else "a goroutine waits"
    place = f" at {_place(group.where)}" if group.where is not None else ""
    nobody = (
        ""
        if kind in (_NIL, _NO_CASES, _NIL_CASES)
        else " that no global variable and no other goroutine can get at"
    )
    begun = f"; started at {_place(group.created_at)}" if group.created_at is not None else ""
    return Confidence(
        level="proved" if proved else "likely",
        reason=f"seen in memory: {waits}{place} {kind.does} {kind.thing}{nobody}{begun}; "
        f"stacks {iec(group.stack_bytes)}",
        decide=None if proved else "look again at the running process: of this snapshot memory is missing",
    )


def _type(heap: Heap, objects: list[int], kind: _Kind) -> str:
    """What is waited for: the type of the struct that has the lock; a channel's own type is the runtime's."""
    known = heap.type_of(objects[0]) if objects else None
    return kind.thing if known is None or known.startswith("runtime.") else known


def _place(frame: Frame) -> str:
    return frame.place or frame.function


def _function(group: GoroutineGroup) -> str:
    return group.where.function if group.where is not None else "of unknown stack"


def _functions(heap: Heap, group: GoroutineGroup) -> list[str]:
    """Functions of the stack from the one that tells which goroutine it is: stable across builds."""
    names = [frame.function for frame in heap.snapshot.goroutines[group.members[0]].frames]
    return names[names.index(_function(group)) :] if group.where is not None else []
