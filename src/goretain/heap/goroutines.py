"""Goroutines as holders: what those with one stack keep alive together, and which of them are leaked.

Goroutines that stand at the same place (same frames, lines included, same wait, same go statement) are one
group; leaked ones are groups of their own. The runtime's own goroutines are left out. Imports
``heap.waiting``, ``heap.graph``, ``kernels``, ``golang.packages`` and ``snapshot``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goretain.golang.packages import Packages, package_of
from goretain.heap.graph import Graph
from goretain.heap.waiting import Leaks
from goretain.kernels.csr import Rows
from goretain.kernels.wakeups import SEVERAL, exclusive
from goretain.snapshot import Frame, Goroutine, Layer, ObjectFlag, Snapshot

Bits = NDArray[np.bool_]
I32 = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class GoroutineGroup:
    """Goroutines with one stack.

    Attributes:
        members: indexes into ``Snapshot.goroutines``, ascending.
        state: wait reason, or state of one that does not wait.
        where: the frame that tells an engineer which goroutine this is: the innermost one of the program's
            own module; None when the stack is unknown.
        created_at: the go statement; None for the main goroutine, or unknown.
        leaked: whether nothing can wake them any more; None unknown.
        stack_bytes: of all their stacks.
        retained_bytes, retained_objects: heap that they keep alive, no global variable and no goroutine of
            another group.
    """

    members: tuple[int, ...]
    state: str
    where: Frame | None
    created_at: Frame | None
    leaked: bool | None
    stack_bytes: int
    retained_bytes: int
    retained_objects: int

    @property
    def bytes(self) -> int:
        """What the group costs: heap that only it holds, and stacks."""
        return self.retained_bytes + self.stack_bytes


@dataclass(frozen=True, slots=True)
class Goroutines:
    """All groups of some goroutines, most bytes first.

    Attributes:
        groups: none of the runtime's own.
        objects: uint32[h], what one group alone keeps alive; owner: int32[h], which group.
        shared_bytes, shared_objects: kept alive by several groups together.
    """

    groups: tuple[GoroutineGroup, ...]
    objects: NDArray[np.uint32]
    owner: I32
    shared_bytes: int
    shared_objects: int


def goroutine_groups(snapshot: Snapshot, graph: Graph, stacks: Rows, leaks: Leaks | None) -> Goroutines:
    """All goroutines of the program and what they hold besides global variables.

    stacks: per goroutine the objects that its stack holds (``heap.waiting.stack_rows``).
    """
    number, layer = graph.number, np.array([root.layer for root in snapshot.roots], np.int64)
    first = number[graph.objects + np.flatnonzero(layer >= Layer.PARKED)].min(initial=len(graph.vertex))
    before = (number[: graph.objects] > 0) & (number[: graph.objects] < first)
    return _measure(snapshot, _by_stack(snapshot, leaks), stacks, before, leaks)


def leaked_groups(snapshot: Snapshot, stacks: Rows, leaks: Leaks) -> Goroutines:
    """Leaked goroutines, and what would go if all of them went: everything that is live is barred."""
    members = [rows for rows in _by_stack(snapshot, leaks) if leaks.leaked[rows[0]]]
    return _measure(snapshot, members, stacks, leaks.live, leaks)


def _by_stack(snapshot: Snapshot, leaks: Leaks | None) -> list[list[int]]:
    """Rows of goroutines that belong together."""
    groups: dict[object, list[int]] = {}
    for row, g in enumerate(snapshot.goroutines):
        if not g.system:
            leaked = leaks is not None and bool(leaks.leaked[row])
            key = (leaked, g.state, g.wait_reason, g.frames or row, g.created_at, g.creator)
            groups.setdefault(key, []).append(row)
    return list(groups.values())


def _measure(
    snapshot: Snapshot, members: Sequence[Sequence[int]], stacks: Rows, barred: Bits, leaks: Leaks | None
) -> Goroutines:
    columns, packages = snapshot.columns, Packages(snapshot.meta.modules)
    # A sudog goes back to the runtime's own list, and a g is kept for the next goroutine.
    barred = barred | ((columns.object_flags & ObjectFlag.SCHEDULER) != 0)
    owner = exclusive(columns.edge_start, columns.edge_target, barred, _sources(members, stacks))
    held = np.flatnonzero(owner >= 0)
    sizes = np.bincount(owner[held], columns.object_size[held], len(members))
    objects = np.bincount(owner[held], minlength=len(members))
    groups = [
        GoroutineGroup(
            members=tuple(rows),
            state=_state(snapshot.goroutines[rows[0]]),
            where=speaking_frame(snapshot.goroutines[rows[0]].frames, packages),
            created_at=snapshot.goroutines[rows[0]].created_at,
            leaked=None if leaks is None else bool(leaks.leaked[rows[0]]),
            stack_bytes=sum(snapshot.goroutines[row].stack_bytes for row in rows),
            retained_bytes=int(sizes[k]),
            retained_objects=int(objects[k]),
        )
        for k, rows in enumerate(members)
    ]
    order = sorted(range(len(groups)), key=lambda k: (-groups[k].bytes, groups[k].members))
    rank = np.empty(len(groups), np.int32)
    rank[order] = np.arange(len(groups), dtype=np.int32)
    several = owner == SEVERAL
    return Goroutines(
        groups=tuple(groups[k] for k in order),
        objects=held.astype(np.uint32),
        owner=rank[owner[held]],
        shared_bytes=int(columns.object_size[several].sum()),
        shared_objects=int(several.sum()),
    )


def _sources(members: Sequence[Sequence[int]], stacks: Rows) -> Rows:
    """Per group the objects that the stacks of its goroutines hold."""
    parts = [
        np.concatenate([stacks.items[stacks.start[row] : stacks.start[row + 1]] for row in rows])
        for rows in members
    ]
    start = np.concatenate(([0], np.cumsum([len(part) for part in parts]))).astype(np.int64)
    return Rows(start, np.concatenate([*parts, np.empty(0, np.uint32)]).astype(np.uint32))


def _state(g: Goroutine) -> str:
    return g.wait_reason or g.state


def speaking_frame(stack: Sequence[Frame], packages: Packages) -> Frame | None:
    """The innermost frame of the program's own module, else of its dependencies, else outside the runtime,
    else the outermost."""
    owners = [package_of(frame.function) for frame in stack]
    ranked = (
        [f for f, owner in zip(stack, owners, strict=True) if packages.is_own(owner)],
        [f for f, o in zip(stack, owners, strict=True) if packages.layer(o) is Layer.PROGRAM],
        [f for f, o in zip(stack, owners, strict=True) if packages.layer(o) is not Layer.RUNTIME],
        list(stack[-1:]),
    )
    return next((frames[0] for frames in ranked if frames), None)
