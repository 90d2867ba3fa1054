"""Reachable objects and bytes by Go type. Imports ``kernels`` and ``snapshot``."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goretain.kernels.sums import tally
from goretain.snapshot import ObjectFlag, Snapshot


@dataclass(frozen=True, slots=True)
class TypeRow:
    """Objects of one type: ``type`` is its Go name (``[]T`` for arrays of T), None for objects of unknown
    type."""

    type: str | None
    objects: int
    bytes: int


def type_rows(snapshot: Snapshot, chosen: NDArray[np.bool_]) -> list[TypeRow]:
    """Sum the chosen objects (bool[n]) by type name, by bytes descending."""
    columns = snapshot.columns
    keys = 2 * len(snapshot.types) + 2
    key = (columns.object_type + np.int32(1)) * np.int32(2)
    key += (columns.object_flags & ObjectFlag.ARRAY) != 0
    key[~chosen] = keys  # not listed
    counts, sizes = (sums[:-1] for sums in tally(key, columns.object_size, keys + 1))
    total: defaultdict[str | None, list[int]] = defaultdict(lambda: [0, 0])
    for k in np.flatnonzero(counts).tolist():
        row = total[_name(snapshot, k // 2 - 1, bool(k % 2))]
        row[0] += int(counts[k])
        row[1] += int(sizes[k])
    rows = [TypeRow(name, objects, size) for name, (objects, size) in total.items()]
    return sorted(rows, key=lambda row: (-row.bytes, row.type or ""))


def type_name(snapshot: Snapshot, object_id: int) -> str | None:
    """Go type of an object, ``[]T`` for an array of T, None when unknown."""
    flags = int(snapshot.columns.object_flags[object_id])
    return _name(snapshot, int(snapshot.columns.object_type[object_id]), bool(flags & ObjectFlag.ARRAY))


def _name(snapshot: Snapshot, type_index: int, array: bool) -> str | None:
    if type_index < 0:
        return None
    return ("[]" if array else "") + snapshot.types[type_index].name
