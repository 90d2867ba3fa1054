"""The columns of a snapshot, put together from what the rooms of this floor have read.

Imports ``kernels``, ``snapshot`` and rooms of ``golang``.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from goretain.golang.maps.maprows import MapColumns
from goretain.golang.memory.objects import Edges, Objects
from goretain.golang.roots.rootobjects import ResolvedRoots
from goretain.golang.types.infer import Inferred
from goretain.kernels import windows
from goretain.snapshot import Columns

S = TypeVar("S", bound=np.generic)


def heap_columns(
    objects: Objects,
    edges: Edges,
    inferred: Inferred,
    roots: ResolvedRoots,
    seen: windows.Windows,
    maps: MapColumns,
    flags: NDArray[np.uint16],
) -> Columns:
    """Objects, edges, roots, windows and maps. flags: of the objects."""
    rows = int(seen.rows[0])
    return Columns(
        object_address=objects.table.address,
        object_size=objects.table.size,
        object_type=inferred.type,
        object_flags=flags,
        edge_start=edges.start,
        edge_target=edges.target,
        edge_word=edges.word,
        root_node=roots.node,
        root_target=roots.target,
        root_path=roots.path,
        root_flags=roots.flags,
        root_goroutine=roots.goroutine,
        window_target=seen.target[:rows],
        window_source=seen.source[:rows],
        window_word=seen.word[:rows],
        window_kind=seen.kind[:rows],
        window_start=seen.start[:rows],
        window_length=seen.length[:rows],
        window_capacity=seen.capacity[:rows],
        map_object=_joined(maps.object, np.uint32),
        map_type=_joined(maps.type, np.int32),
        map_table=_joined(maps.table, np.uint32),
        map_entries=_joined(maps.entries, np.int64),
        map_slots=_joined(maps.slots, np.int64),
        map_bytes=_joined(maps.bytes, np.int64),
        map_needed=_joined(maps.needed, np.int64),
        entry_map=_joined(maps.entry_map, np.uint32),
        entry_object=_joined(maps.entry_object, np.uint32),
        entry_word=_joined(maps.entry_word, np.uint32),
        entry_key_length=_joined(maps.entry_key_length, np.int64),
    )


def _joined(parts: list[NDArray[S]], dtype: type[S]) -> NDArray[S]:
    return np.concatenate([*parts, np.empty(0, dtype)]).astype(dtype, copy=False)
