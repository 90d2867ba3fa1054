"""What goroutines wait for, as columns: the objects behind the addresses, the names of global variables.

Imports ``golang``'s ``memory``, ``stacks`` and ``types``, ``snapshot`` and numpy.
"""

from __future__ import annotations

from bisect import bisect_right

import numpy as np
from numpy.typing import NDArray

from goretain.golang.groups.texts import Texts
from goretain.golang.memory.objects import Objects
from goretain.golang.packages import display_name
from goretain.golang.stacks.goroutines import Goroutines
from goretain.golang.stacks.waits import WaitTable
from goretain.golang.types.universe import TypeUniverse
from goretain.snapshot import NO_OBJECT, Waits


def wait_columns(table: WaitTable, objects: Objects, universe: TypeUniverse, texts: Texts) -> Waits:
    """The group ``waits`` of a snapshot."""
    address = np.array([row.address for row in table.rows], np.int64)
    found = np.where(address > 0, objects.find(address), NO_OBJECT).astype(np.uint32)
    names = _GlobalNames(universe)
    text = [
        texts.row(names.at(at)) if at > 0 and o == NO_OBJECT else 0
        for at, o in zip(address.tolist(), found.tolist(), strict=True)
    ]
    return Waits(
        wait_goroutine=np.array([row.goroutine for row in table.rows], np.int32),
        wait_kind=np.array([row.kind for row in table.rows], np.uint8),
        wait_address=address,
        wait_object=found,
        wait_name=np.array(text, np.uint32),
    )


def scheduler_objects(
    goroutines: Goroutines, waits: WaitTable | None, objects: Objects
) -> NDArray[np.uint32]:
    """Ids of objects that are a runtime.g, or a runtime.sudog that stands in a queue."""
    addresses = [*goroutines.all, *(waits.sudogs if waits is not None else ())]
    found = objects.find(np.array(addresses, np.int64))
    held: NDArray[np.uint32] = found[found != NO_OBJECT]
    return held


class _GlobalNames:
    """Names of the global variables that addresses lie in, where debug information has them."""

    def __init__(self, universe: TypeUniverse) -> None:
        self._universe = universe
        self._variables = sorted(universe.descriptions.globals, key=lambda variable: variable.address)
        self._addresses = [variable.address for variable in self._variables]

    def at(self, address: int) -> str:
        """``main.mu``; "" where no variable is known."""
        place = address - self._universe.program.bias
        row = bisect_right(self._addresses, place) - 1
        if row < 0 or not self._variables[row].type:
            return ""
        variable = self._variables[row]
        size = self._universe.from_dwarf(variable.type).size
        return display_name(variable.name) if place < variable.address + size else ""
