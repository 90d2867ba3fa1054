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


def read_maps(
    objects: Objects, inferred: Inferred, size_classes: NDArray[np.int64], *, full_at_six: bool
) -> MapColumns:
    """All maps whose header is an object of its own.

    Args:
        size_classes: ascending slot sizes in bytes.
        full_at_six: whether classic maps double at 6 entries a bucket, not at 6.5.
    """
    rows = MapRows(objects, inferred, size_classes, 12 if full_at_six else 13)
    kinds = inferred.table.map_parts()
    is_header = np.zeros(len(inferred.table.types) + 1, np.bool_)  # of an unknown type, -1: the last
    is_header[[parts.header.index for parts in kinds]] = True
    headers = np.flatnonzero(is_header[inferred.type])
    types = inferred.type[headers]
    found = []
    for parts in kinds:
        ids = headers[types == parts.header.index]
        ids = ids[objects.positions(ids) >= 0]
        if len(ids):
            rows.claim(ids)
            found.append((parts, ids))
    for parts, ids in found:
        (read_swiss if parts.swiss else read_classic)(rows, parts, ids)
    return rows.columns
