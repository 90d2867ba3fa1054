"""How finalizer-queue-blocked looks in a heap: a long queue, and the goroutine that works on it waits.

One goroutine runs all finalizers (runtime/mfinal.go: runfinq, runFinalizers from Go 1.25 on) and, in Go 1.24,
all cleanups; later one for every four processors runs those (runtime/mcleanup.go: runCleanups). What is
queued keeps its object, its function and its argument. Imports ``patterns`` and the floors below.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from goretain.kernels.reach import reach
from goretain.model.findings import Confidence, Finding
from goretain.patterns.catalogue import own
from goretain.patterns.routes import route_to
from goretain.snapshot import NO_OBJECT, Goroutine, RootFlag, Snapshot, SpecialKind

if TYPE_CHECKING:
    from goretain.heap.heap import Heap

#: Functions of the goroutines that run what is queued.
_FINALIZERS = ("runtime.runfinq", "runtime.runFinalizers")
_CLEANUPS = ("runtime.runCleanups",)
_NAMES = {SpecialKind.QUEUED_FINALIZER: "finalizers", SpecialKind.QUEUED_CLEANUP: "cleanups"}
#: A goroutine that has nothing to do waits right in its runner; states in which the others do not work.
_STUCK = ("waiting", "syscall", "leaked")
#: A shorter queue is one that was filled just now; and what it keeps alive.
_COUNT = 64
_MINIMUM = 64 << 10


def find(heap: Heap) -> Iterator[Finding]:
    """One finding for finalizers, and one for cleanups."""
    specials = heap.snapshot.specials
    if specials is None:
        return
    for kind, runners in _runners(heap.snapshot):
        rows = np.flatnonzero(specials.special_kind == kind)
        if len(rows) < _COUNT:
            continue
        stuck = next(_stuck(heap.snapshot, runners), None)
        kept = np.concatenate((specials.special_object[rows], specials.special_target[rows]))
        kept = np.unique(kept[kept != NO_OBJECT])
        kept = kept[heap.graph.reached[kept]]
        if stuck is None or not len(kept):
            continue
        yield from _finding(heap, kind, kept, stuck)


def _finding(
    heap: Heap, kind: SpecialKind, kept: NDArray[np.uint32], stuck: tuple[int, str]
) -> Iterator[Finding]:
    """What a queue of a kind keeps; stuck: index of a goroutine, and the function that it waits in."""
    columns, specials = heap.snapshot.columns, heap.snapshot.specials
    assert specials is not None
    total = int(columns.object_size[heap.graph.reached & ~_elsewhere(heap.snapshot, kept)].sum())
    if total < _MINIMUM:
        return
    pattern = own(__package__)
    largest = int(kept[np.argmax(heap.graph.retained(kept))])
    count = int((specials.special_kind == kind).sum())
    yield pattern.finding(
        confidence=_confidence(heap, _NAMES[kind], count, stuck),
        route=route_to(heap, largest),
        count=count,
        saving_bytes=total,
        retained_bytes=total,
        sampled=heap.sites.held_by(kept),
        type=heap.type_of(largest),
        title=pattern.title.replace("finalizers or cleanups", _NAMES[kind]),
    )


def _runners(snapshot: Snapshot) -> Iterator[tuple[SpecialKind, tuple[str, ...]]]:
    """Who runs each kind of what is queued."""
    yield SpecialKind.QUEUED_FINALIZER, _FINALIZERS
    apart = any(frame.function in _CLEANUPS for g in snapshot.goroutines for frame in g.frames)
    yield SpecialKind.QUEUED_CLEANUP, _CLEANUPS if apart else _FINALIZERS


def _elsewhere(snapshot: Snapshot, kept: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """What is reached without the roots of the queue. bool[n]; kept: what the queue's records keep."""
    columns = snapshot.columns
    queue = np.zeros(len(snapshot.roots), np.bool_)
    of_special = (columns.root_flags & RootFlag.SPECIAL) != 0
    queue[columns.root_node[of_special & np.isin(columns.root_target, kept)]] = True
    return reach(columns.edge_start, columns.edge_target, columns.root_target[~queue[columns.root_node]])


def _stuck(snapshot: Snapshot, runners: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Goroutines that wait in what a runner has called: index, and the function of the program that waits."""
    for index, goroutine in enumerate(snapshot.goroutines):
        called = _called(goroutine, runners)
        if called and goroutine.state in _STUCK:
            yield index, called[-1]


def _called(goroutine: Goroutine, runners: tuple[str, ...]) -> list[str]:
    """Functions that a runner has called and that have not returned, innermost first; none of the runtime."""
    names = [frame.function for frame in goroutine.frames]
    end = next((k for k, name in enumerate(names) if name in runners), 0)
    return [name for name in names[:end] if not name.startswith(("runtime.", "reflect."))]


def _confidence(heap: Heap, what: str, count: int, stuck: tuple[int, str]) -> Confidence:
    index, function = stuck
    goroutine = heap.snapshot.goroutines[index]
    for_ever = heap.leaks is not None and bool(heap.leaks.leaked[index])
    reason = goroutine.wait_reason or goroutine.state
    ends = "nothing can wake it any more" if for_ever else "until it returns no other runs"
    return Confidence(
        level="proved" if for_ever else "likely",
        reason=f"seen in memory: {count:,} {what} are queued, and goroutine {goroutine.id}, which runs them, "
        f"waits in {function} [{reason}]: {ends}",
        decide=None if for_ever else "look again: the same goroutine in the same place is stuck",
    )
