"""Every map of the heap: entries, slots, bytes, and where each entry lies.

Imports numpy and sibling rooms of ``golang``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from goretain.golang.maps.classicmaps import read_classic
from goretain.golang.maps.maprows import MapColumns, MapRows
from goretain.golang.maps.swissmaps import read_swiss
from goretain.golang.memory.objects import Objects
from goretain.golang.types.infer import Inferred


def read_maps(objects: Objects, inferred: Inferred, size_classes: NDArray[np.int64]) -> MapColumns:
    """All maps whose header is an object of its own. size_classes: ascending slot sizes in bytes."""
    rows = MapRows(objects, inferred, size_classes)
    order = np.argsort(inferred.type, kind="stable")
    types = inferred.type[order]
    found = []
    for parts in inferred.table.map_parts():
        row = parts.header.index
        first, last = np.searchsorted(types, [row, row + 1])
        ids = np.sort(order[first:last])
        ids = ids[objects.positions(ids) >= 0]
        if len(ids):
            rows.claim(ids)
            found.append((parts, ids))
    for parts, ids in found:
        (read_swiss if parts.swiss else read_classic)(rows, parts, ids)
    return rows.columns
