"""Map fill: entries against slots of the table, and what a table of the right size would save.

Imports ``snapshot``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from goretain.heap.graph import UNREACHED, Graph
from goretain.snapshot import NO_OBJECT, Snapshot


@dataclass(frozen=True, slots=True)
class MapFill:
    """One map.

    Attributes:
        row: its row in the map columns.
        type: ``map[string]int``.
        object: id of the object that stands for it in chains: its header, or its table when the header
            lies in another object, a stack or a global; None for an empty map of the latter kind.
        holder: root node that holds it; ``graph.SHARED`` or ``graph.UNREACHED`` otherwise.
        entries, slots: in use, and in all its tables.
        bytes, needed: what header, directory and tables take, and would take if built afresh.
    """

    row: int
    type: str
    object: int | None
    holder: int
    entries: int
    slots: int
    bytes: int
    needed: int

    @property
    def fill(self) -> float:
        """Entries per slot, 0 .. 1; 1 for a map without slots."""
        return self.entries / self.slots if self.slots else 1.0

    @property
    def saving(self) -> int:
        """Bytes that a table of the right size would give back."""
        return max(0, self.bytes - self.needed)


def map_objects(snapshot: Snapshot) -> NDArray[np.uint32]:
    """uint32[k]: the object that stands for each map: header, else table, else NO_OBJECT."""
    columns = snapshot.columns
    return np.where(columns.map_object != NO_OBJECT, columns.map_object, columns.map_table)


class Maps(Sequence[MapFill]):
    """All maps of a snapshot by saving, descending; rows are made when asked for.

    Attributes:
        order: int64[k], row in the map columns by rank; the arrays below are by row.
        object: uint32[k], as :func:`map_objects` gives it.
        holder: int32[k], root node, ``graph.SHARED`` or ``graph.UNREACHED`` (also for maps without an
            object).
        saving: int64[k], bytes that a table of the right size would give back.
    """

    def __init__(self, snapshot: Snapshot, graph: Graph) -> None:
        columns = snapshot.columns
        self._snapshot = snapshot
        self.object = map_objects(snapshot)
        self.holder = np.full(len(self.object), UNREACHED, np.int32)
        known = self.object != NO_OBJECT
        self.holder[known] = graph.holder[self.object[known]]
        self.saving = np.maximum(columns.map_bytes - columns.map_needed, 0)
        self.order = np.argsort(-self.saving, kind="stable")

    def __len__(self) -> int:
        return len(self.order)

    @overload
    def __getitem__(self, rank: int) -> MapFill: ...
    @overload
    def __getitem__(self, rank: slice) -> list[MapFill]: ...
    def __getitem__(self, rank: int | slice) -> MapFill | list[MapFill]:
        if isinstance(rank, slice):
            return [self.row(k) for k in self.order[rank].tolist()]
        return self.row(int(self.order[rank]))

    def row(self, k: int) -> MapFill:
        """The map in row k of the map columns."""
        columns = self._snapshot.columns
        type_index = int(columns.map_type[k])
        return MapFill(
            row=k,
            type=self._snapshot.types[type_index].name if type_index >= 0 else "map",
            object=int(self.object[k]) if self.object[k] != NO_OBJECT else None,
            holder=int(self.holder[k]),
            entries=int(columns.map_entries[k]),
            slots=int(columns.map_slots[k]),
            bytes=int(columns.map_bytes[k]),
            needed=int(columns.map_needed[k]),
        )
