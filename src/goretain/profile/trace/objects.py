"""Objects by type in a trace with allocations (GODEBUG=traceallocfree=1, Go 1.23 and newer).

Events of runtime/traceallocfree.go: every object that exists as the trace begins, that is allocated and that
the sweeper frees. What is not freed may be garbage that no sweep has come to. Imports ``kernels``, numpy and
this room.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from goretain.kernels.tracewire import I64
from goretain.profile.trace.columns import Trace, TracedType, distinct
from goretain.profile.trace.events import Event

#: Objects whose type the runtime was not told: texts and other memory without pointers.
UNTYPED = "(no type)"


class TypeCount(NamedTuple):
    """Objects of one type.

    Attributes:
        name: without paths of packages; of an array of values allocated as such, the type of one value.
        value_bytes: of one value; None of memory without a type.
        before: how many there were as the trace began; allocated, freed: while traced.
        left: of those allocated while traced, how many were not freed.
    """

    name: str
    value_bytes: int | None
    before: int
    allocated: int
    freed: int
    left: int


def type_counts(trace: Trace) -> list[TypeCount]:
    """The types of a trace's objects, those of which most are left first; [] where none are traced."""
    rows = trace.select(Event.HEAP_OBJECT, Event.HEAP_OBJECT_ALLOC, Event.HEAP_OBJECT_FREE)
    rows = rows[np.argsort(trace.time[rows], kind="stable")]
    rows = rows[np.argsort(trace.number(rows, 0), kind="stable")]
    kinds, identity = trace.events.kind[rows], trace.number(rows, 0)
    # The snapshot as a trace begins may tell of an object that was allocated meanwhile.
    twice = np.zeros(len(rows), np.bool_)
    twice[1:] = (identity[1:] == identity[:-1]) & (kinds[1:] == Event.HEAP_OBJECT)
    twice[1:] &= kinds[:-1] != Event.HEAP_OBJECT_FREE
    rows, kinds, identity = rows[~twice], kinds[~twice], identity[~twice]
    freed = np.zeros(len(rows), np.bool_)
    freed[:-1] = (identity[1:] == identity[:-1]) & (kinds[1:] == Event.HEAP_OBJECT_FREE)
    typed = kinds != Event.HEAP_OBJECT_FREE
    return _counted(trace, rows[typed], kinds[typed] == Event.HEAP_OBJECT_ALLOC, freed[typed])


def _counted(trace: Trace, rows: I64, born: NDArray[np.bool_], freed: NDArray[np.bool_]) -> list[TypeCount]:
    """By type: born while traced, and freed, of the objects that events tell of."""
    generation, number = trace.generation(rows), trace.number(rows, 1)
    first, which = distinct(generation, number)
    columns = np.zeros((len(first), 4), np.int64)
    for at, column in enumerate((~born, born, freed, born & ~freed)):
        columns[:, at] = np.bincount(which, column, len(first))
    sums: dict[TracedType | None, I64] = {}
    keys = zip(generation[first].tolist(), number[first].tolist(), strict=True)
    for key, counts in zip(keys, columns, strict=True):
        known = trace.tables.types.get(key)
        sums[known] = sums[known] + counts if known in sums else counts
    found = [
        TypeCount(known.name if known else UNTYPED, known.size if known else None, *counts.tolist())
        for known, counts in sums.items()
    ]
    return sorted(found, key=lambda row: (-row.left, row.name))
