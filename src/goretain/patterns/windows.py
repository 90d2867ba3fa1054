"""Objects of which slices, strings or pointers show only a part, gathered by place: what the window patterns
share.

Imports ``heap``, ``snapshot``, ``model`` and numpy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from goretain.patterns.behind import held_behind
from goretain.patterns.fields import Field, slot_fields
from goretain.patterns.holding import by_place, holding_of, pooled
from goretain.patterns.names import stable_name
from goretain.snapshot import NO_OBJECT, Snapshot, WindowKind

if TYPE_CHECKING:
    from goretain.heap.heap import Heap

U32 = NDArray[np.uint32]
I64 = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: Where a word lies in a variable of unknown type: most such variables that hold many alike are arrays.
_UNTYPED = re.compile(r"^(\+0x[0-9a-f]+)?$")
#: An object that hides less is not worth a copy of what it shows.
_OBJECT_MINIMUM = 64
#: Objects that hide less than this are what parsers leave behind everywhere: only many of them matter.
SMALL = 1 << 10
_SMALL_PLACE_MINIMUM = 1 << 20


@dataclass(frozen=True, slots=True)
class Pinned:
    """k objects, each seen through at least one window that shows less than the object.

    Attributes:
        objects: uint32[k], ids.
        shown, lost, slack: int64[k], bytes; they and the padding add up to the slot.
        behind_lost, behind_slack: int64[k], bytes of other objects that only hidden slots keep alive: slots
            outside every capacity, and the others.
        first: int64[k], where the earliest window starts.
        kept: bool[k], held by what lasts: not by the runtime, a pool or a goroutine at work.
        field: int64[k], index into fields: where the window's own header is stored.
        place: int64[k], number of the pair of holder and field.
    """

    objects: U32
    shown: I64
    lost: I64
    slack: I64
    behind_lost: I64
    behind_slack: I64
    first: I64
    kept: Flags
    field: I64
    fields: list[Field]
    place: I64

    @property
    def hidden(self) -> I64:
        """Bytes that no window shows."""
        return self.lost + self.slack

    @property
    def behind(self) -> I64:
        """Bytes of other objects that only hidden slots keep alive."""
        return self.behind_lost + self.behind_slack

    @property
    def dead_slots(self) -> Flags:
        """Objects whose hidden slots keep more alive than the object itself hides, but for those that a small
        part was cut from: there are elements on its other side too."""
        small_part = (self.first > 0) & (self.behind_slack > 0) & (self.hidden >= self.shown)
        return (self.behind > self.hidden) & ~small_part

    @property
    def saving(self) -> I64:
        """Bytes that come back when every window's owner keeps a copy of what it shows."""
        return self.hidden + self.behind

    def where(self, test: Callable[[Field], bool]) -> Flags:
        """Per object whether its field passes a test."""
        values = np.array([test(f) for f in self.fields] or [False], np.bool_)
        return values[self.field]

    def groups(self, chosen: Flags, minimum: int) -> Iterator[I64]:
        """Rows of the chosen objects, place by place, the one that saves most first.

        Places that save less than ``minimum`` bytes in total are left out; those of small objects need more.
        """
        for group in by_place(self.place, self.saving, chosen, minimum=minimum):
            total = int(self.saving[group].sum())
            if total >= min(SMALL * len(group), _SMALL_PLACE_MINIMUM):
                yield group


def type_of_all(heap: Heap, objects: U32) -> str | None:
    """Go type of some objects: of the array itself when all are alike, ``[]T`` when their sizes differ."""
    columns = heap.snapshot.columns
    alike = len(np.unique(columns.object_size[objects])) == 1
    kinds = np.unique(columns.object_type[objects])
    if len(kinds) > 1 or kinds[0] < 0:
        return None
    return heap.chain(int(objects[0])).end if alike else heap.type_of(int(objects[0]))


def mostly_hidden(heap: Heap) -> Flags:
    """Objects that hide at least half of their bytes, and enough to speak of."""
    hidden = heap.backing.hidden
    enough: Flags = hidden >= _OBJECT_MINIMUM
    rows = np.flatnonzero(enough)  # few
    whole = heap.snapshot.columns.object_size[rows] - heap.backing.padding[rows]
    enough[rows] = 2 * hidden[rows] >= whole
    return enough


def pinned(heap: Heap, kind: WindowKind, worth: Flags) -> Pinned:
    """Objects that windows of a kind show in part. Undecided and unreached ones are left out.

    An object that several kinds see counts as seen by the first of slices, strings and pointers: the bytes of
    a slice may still change, a pointer shows least.

    Args:
        worth: bool[n], which objects to look at.
    """
    columns, backing = heap.snapshot.columns, heap.backing
    wanted = worth & ~backing.undecided
    for other in WindowKind:
        if other < kind:
            wanted[columns.window_target[columns.window_kind == other]] = False
    rows = np.flatnonzero(wanted[columns.window_target] & (columns.window_kind == kind))
    rows = rows[np.argsort(columns.window_target[rows], kind="stable")]
    targets, begin = np.unique(columns.window_target[rows], return_index=True)
    objects = targets.astype(np.uint32)
    first = np.minimum.reduceat(columns.window_start[rows], begin) if len(begin) else np.empty(0, np.int64)
    field, places = _fields(heap.snapshot, rows[begin])
    holding = holding_of(heap, objects)
    lost, slack = backing.lost[objects], backing.slack[objects]
    shown = columns.object_size[objects] - backing.padding[objects] - lost - slack
    behind = held_behind(heap, objects)
    found = Pinned(
        objects=objects,
        shown=shown,
        lost=lost,
        slack=slack,
        behind_lost=behind.lost,
        behind_slack=behind.slack,
        first=first,
        kept=holding.kept & ~pooled(heap, objects),
        field=field,
        fields=places,
        place=holding.code * max(len(places), 1) + field,
    )
    return _only(found, holding.alive)


def _only(found: Pinned, keep: Flags) -> Pinned:
    """The rows to keep."""
    arrays = {f.name: getattr(found, f.name) for f in fields(found) if f.name != "fields"}
    return Pinned(fields=found.fields, **{name: array[keep] for name, array in arrays.items()})


def _fields(snapshot: Snapshot, rows: I64) -> tuple[I64, list[Field]]:
    """Per window row the field that holds its slice or string header: of a heap object, or a variable."""
    columns = snapshot.columns
    source, word = columns.window_source[rows], columns.window_word[rows]
    in_heap = source != NO_OBJECT
    result = np.empty(len(rows), np.int64)
    result[in_heap], places = slot_fields(snapshot, source[in_heap], word[in_heap])
    path, inverse = np.unique(columns.root_path[word[~in_heap]], return_inverse=True)
    codes = {field.name: code for code, field in enumerate(places)}
    names = [f"variable {_UNTYPED.sub('[]', stable_name(snapshot.strings[p]))}" for p in path.tolist()]
    of_path = np.array([codes.setdefault(name, len(codes)) for name in names], np.int64)
    places += [Field(name, "variable") for name in list(codes)[len(places) :]]
    result[~in_heap] = of_path[inverse]
    return result, places
