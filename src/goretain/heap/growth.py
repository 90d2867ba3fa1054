"""What grew between two snapshots: growth is a question of two looks.

Imports this package and ``snapshot``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goretain.heap.graph import SHARED
from goretain.heap.heap import Heap
from goretain.heap.histogram import TypeRow, type_rows
from goretain.heap.holders import set_nodes, sets_of
from goretain.snapshot import ObjectFlag, Snapshot

_GOROUTINE = re.compile(r"^goroutine \d+ ")
#: With its state, which changes from look to look without a change of who holds what.
_STATE = re.compile(r"^goroutine \d+ (\[[^\]]*\] )?")
#: Holders of shared memory that are named; the others are counted.
_NAMED = 4


@dataclass(frozen=True, slots=True)
class Change:
    """One holder, group of goroutines, set of holders or type in both snapshots; 0 where it does not occur.

    Attributes:
        name: None for objects of unknown type. Goroutines of one state and function are one row, without
            numbers. Of a set all holders: "main.byID and main.byName".
        before_bytes, after_bytes: retained by a holder, shared by a set of them, summed of a type.
        before_objects, after_objects: likewise.
        before_count, after_count: how many roots the row sums up; 0 for sets and types.
    """

    name: str | None
    before_bytes: int
    after_bytes: int
    before_objects: int
    after_objects: int
    before_count: int = 0
    after_count: int = 0

    @property
    def bytes(self) -> int:
        """How many bytes it grew by; negative when it shrank."""
        return self.after_bytes - self.before_bytes

    @property
    def objects(self) -> int:
        """How many objects it grew by."""
        return self.after_objects - self.before_objects


@dataclass(frozen=True, slots=True)
class Growth:
    """The difference of two snapshots.

    Attributes:
        seconds: between the two captures.
        same_process: whether both are of one process, so that addresses compare.
        bytes, objects: growth of what is reachable.
        holders, types: what changed, by growth of bytes descending.
        shared: growth of what several holders share, all in all.
        shared_groups: the same by who shares it; what changed, by growth of bytes descending.
        survivors: uint32 ids in the second snapshot: reachable, not there in the first at the same
            address with the same type and size, and reached by the garbage collector's last mark, so
            older than it; empty for different processes. An object that took the place of a freed one of
            the same type is not told apart.
        survivor_types: the survivors by type.
        survivor_holders: (name of the holder or of all that share it, objects, bytes) of the survivors,
            by bytes.
    """

    seconds: float
    same_process: bool
    bytes: int
    objects: int
    holders: list[Change]
    types: list[Change]
    shared: Change
    shared_groups: list[Change]
    survivors: NDArray[np.uint32]
    survivor_types: list[TypeRow]
    survivor_holders: list[tuple[str, int, int]]


def diff(before: Snapshot, after: Snapshot) -> Growth:
    """Compare two snapshots, ``before`` taken first."""
    return compare(Heap(before), Heap(after))


def compare(before: Heap, after: Heap) -> Growth:
    """Like :func:`diff`, for snapshots whose analyses are wanted anyway."""
    old, new = before.snapshot.meta, after.snapshot.meta
    same = old.pid == new.pid != 0 and old.build_id == new.build_id
    survivors = _survivors(before.snapshot, after) if same else np.empty(0, np.uint32)
    chosen = np.zeros(after.snapshot.object_count, np.bool_)
    chosen[survivors] = True
    return Growth(
        seconds=new.taken_at - old.taken_at,
        same_process=same,
        bytes=after.reachable_bytes - before.reachable_bytes,
        objects=after.reachable_objects - before.reachable_objects,
        holders=_changes(_holder_rows(before), _holder_rows(after)),
        types=_changes(_type_rows(before), _type_rows(after)),
        shared=_changes([_shared_row(before)], [_shared_row(after)], unchanged=True)[0],
        shared_groups=_changes(_group_rows(before), _group_rows(after)),
        survivors=survivors,
        survivor_types=type_rows(after.snapshot, chosen),
        survivor_holders=_by_holder(after, survivors),
    )


_Row = tuple[str | None, int, int, int]  # name, bytes, objects, count of roots


def _holder_rows(heap: Heap) -> list[_Row]:
    return [
        (_GOROUTINE.sub("goroutines ", h.name), h.retained_bytes, h.retained_objects, 1) for h in heap.holders
    ]


def _type_rows(heap: Heap) -> list[_Row]:
    return [(row.type, row.bytes, row.objects, 0) for row in heap.histogram]


def _shared_row(heap: Heap) -> _Row:
    return "shared", sum(s.bytes for s in heap.shared), sum(s.objects for s in heap.shared), 0


def _group_rows(heap: Heap) -> list[_Row]:
    return [(_group_name(group.holders), group.bytes, group.objects, 0) for group in heap.shared]


def _group_name(holders: Sequence[str]) -> str:
    """All holders of a group in one name, variables first, goroutines of one function as one."""
    names = sorted(
        {_STATE.sub("goroutines ", name) for name in holders}, key=lambda n: (n.startswith("goroutines "), n)
    )
    if not names:
        return "more holders than are listed"
    if len(names) > _NAMED:
        names = [*names[: _NAMED - 1], f"{len(names) - _NAMED + 1} more"]
    return " and ".join([*([", ".join(names[:-1])] if names[1:] else []), names[-1]])


def _changes(before: Iterable[_Row], after: Iterable[_Row], *, unchanged: bool = False) -> list[Change]:
    """Join rows by name; those without any difference are left out unless asked for."""
    sums: defaultdict[str | None, list[int]] = defaultdict(lambda: [0] * 6)
    for side, rows in enumerate((before, after)):
        for name, *figures in rows:
            for place, figure in enumerate(figures):
                sums[name][2 * place + side] += figure
    changes = [Change(name, *figures) for name, figures in sums.items()]
    kept = [c for c in changes if unchanged or c.bytes or c.objects or c.before_count != c.after_count]
    return sorted(kept, key=lambda c: (-c.bytes, -c.objects, c.name or ""))


def _survivors(before: Snapshot, after: Heap) -> NDArray[np.uint32]:
    """Objects of ``after`` that are not in ``before`` and are older than the last mark."""
    old, new = before.columns, after.snapshot.columns
    survived = after.graph.reached & ((new.object_flags & ObjectFlag.SURVIVED) != 0)
    place = np.searchsorted(old.object_address, new.object_address)
    here = place < len(old.object_address)
    place[~here] = 0
    if len(old.object_address):
        there = (
            here
            & (old.object_address[place] == new.object_address)
            & (old.object_size[place] == new.object_size)
            & (_names(before, old.object_type)[place] == _names(after.snapshot, new.object_type))
        )
        survived &= ~there
    return np.flatnonzero(survived).astype(np.uint32)


def _names(snapshot: Snapshot, types: NDArray[np.int32]) -> NDArray[np.int64]:
    """A number for each object's type name that is the same in every snapshot of this run; 0 for unknown."""
    numbers = np.array([hash(t.name) for t in snapshot.types] + [0], np.int64)
    return numbers[types]


def _by_holder(heap: Heap, objects: NDArray[np.uint32]) -> list[tuple[str, int, int]]:
    """Sum reached objects by the name of what holds them."""
    graph, roots = heap.graph, heap.snapshot.roots
    code = graph.holder[objects].astype(np.int64)
    shared = code == SHARED
    code[shared] = -1 - sets_of(graph, objects[shared])
    known, inverse = np.unique(code, return_inverse=True)
    counts, sizes = np.bincount(inverse, minlength=len(known)), np.zeros(len(known), np.int64)
    np.add.at(sizes, inverse, heap.snapshot.columns.object_size[objects])
    sums: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for k, count, size in zip(known.tolist(), counts.tolist(), sizes.tolist(), strict=True):
        if k >= 0:
            name = _GOROUTINE.sub("goroutines ", roots[k].name)
        else:
            name = _group_name([roots[node].name for node in set_nodes(graph, -1 - k)])
        row = sums[name]
        row[0] += count
        row[1] += size
    return sorted(((n, objects, size) for n, (objects, size) in sums.items()), key=lambda r: (-r[2], r[0]))
