"""Which objects the slots of objects point to, many at a time.

Imports ``snapshot`` and numpy.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from goretain.snapshot import NO_OBJECT, Columns, TypeInfo

U32 = NDArray[np.uint32]
I64 = NDArray[np.int64]


def edges_of(start: I64, objects: U32) -> tuple[I64, I64]:
    """(which of the objects, which edge) for all edges of some objects. int64 each.

    start: int64[n + 1], CSR row pointers.
    """
    counts = start[objects.astype(np.int64) + 1] - start[objects]
    row = np.repeat(np.arange(len(objects)), counts)
    within = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    return row, start[objects][row] + within


def slot_targets(columns: Columns, owners: U32, words: I64) -> U32:
    """What the word ``words[k]`` of object ``owners[k]`` points to; NO_OBJECT for none. uint32[k].

    words: of the objects, a malloc header counted, as edge_word has them.
    """
    result = np.full(len(owners), NO_OBJECT, np.uint32)
    known, place = np.unique(owners, return_inverse=True)
    row, edge = edges_of(columns.edge_start, known)
    if not len(edge):
        return result
    key = (row << 32) | columns.edge_word[edge]
    order = np.argsort(key, kind="stable")
    wanted = (place.astype(np.int64) << 32) | words
    at = np.minimum(np.searchsorted(key[order], wanted), len(order) - 1)
    found = key[order][at] == wanted
    result[found] = columns.edge_target[edge[order[at[found]]]]
    return result


def field_word(types: Sequence[TypeInfo], index: int, path: Sequence[str]) -> int | None:
    """Word offset of a field inside a value of a type: ``("timer", "arg")``; None where there is none."""
    offset = 0
    for name in path:
        field = next((f for f in types[index].fields if f.name == name), None)
        if field is None or field.type < 0:
            return None
        offset += field.offset
        index = field.type
    return offset // 8
