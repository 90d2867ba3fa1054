"""Types that objects prove by what they are, for programs without debug information.

Nothing is guessed. An interface is a word that the collector does not follow and that holds a type record or
an itab, before one that it follows (runtime/runtime2.go eface, iface); a closure begins with the entry of a
function; maps and channels are recognised by their headers (``mapshapes``, ``channelshapes``). What agrees
with more than one type stays unknown. Imports ``kernels`` and the type rooms of ``golang``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goretain.golang.types.channelshapes import find_channels
from goretain.golang.types.gotypes import GoType, Leaf
from goretain.golang.types.heapview import HeapView
from goretain.golang.types.mapshapes import MapShapes
from goretain.golang.types.masks import built_mask
from goretain.golang.types.moduletypes import among
from goretain.golang.types.universe import TypeUniverse
from goretain.kernels import structure
from goretain.kernels.propagate import Heap

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
_CLOSURE_LIMIT = 504  # bytes whose pointer bits fit a signed word
#: An interface without methods, and one with.
BOXED = tuple(
    Leaf(0, kind, GoType("interface", "interface", 16, empty_interface=kind == "eface"), "")
    for kind in ("eface", "iface")
)


@dataclass(frozen=True, slots=True)
class Found:
    """Evidence from untyped objects.

    Attributes:
        interfaces: int64[k], positions in words of memory where an interface begins; methods: bool[k],
            whether its type has methods (an itab).
        closures: (object, entry of its function).
    """

    interfaces: I64
    methods: NDArray[np.bool_]
    closures: list[tuple[int, int]]


class Structure:
    """Evidence of one heap.

    entries: int64[f], ascending addresses of all functions.
    """

    def __init__(self, heap: Heap, universe: TypeUniverse, entries: I64) -> None:
        self._heap = heap
        self._universe = universe
        self._entries = entries
        self._view = HeapView(heap, universe.program.layout)
        self._ranges = np.array(_ranges(universe.modules.ranges, universe.itabs), np.int64).reshape(-1, 2)
        self.maps = MapShapes(self._view, universe)

    def channels(self, type_of: I32) -> list[tuple[int, GoType]]:
        """Channels among the untyped objects."""
        return find_channels(self._view, self._universe, np.flatnonzero(type_of < 0))

    def map_headers(self, type_of: I32, header: I64) -> list[tuple[int, GoType]]:
        """(object, map type) of maps among the untyped objects; header: int64[n], as ``Inference.run``."""
        return self.maps.find(np.flatnonzero(type_of < 0), header)

    def words(self, type_of: I32) -> Found:
        """Interfaces and closures among the untyped objects."""
        none = np.empty(0, np.int64)
        room: int = structure.interface_words(self._heap, type_of, self._ranges, none, none)
        at, key = np.empty(room, np.int64), np.empty(room, np.int64)
        if room:
            structure.interface_words(self._heap, type_of, self._ranges, at, key)
        is_type, is_table = self._universe.modules.contains(key), among(key, self._universe.itabs)
        known = is_type | is_table
        return Found(at[known], is_table[known], self._closures(type_of))

    def fitting(self, closures: list[tuple[int, GoType]]) -> list[tuple[int, GoType]]:
        """Those of the would-be closures whose captured variables fill the object and have its pointer bits:
        eight bytes of anything may look like an address of code."""
        objects = np.array([o for o, _ in closures], np.int64)
        classes, sizes = self._heap.class_size, self._heap.table.size[objects]
        masks = self._view.masks(objects)
        found = []
        for (o, t), size, mask in zip(closures, sizes.tolist(), masks.tolist(), strict=True):
            if t.size > _CLOSURE_LIMIT or size != classes[np.searchsorted(classes, t.size)]:
                continue
            bits = sum(1 << int(w) for w in np.flatnonzero(built_mask(t)))
            if bits and mask == bits:
                found.append((o, t))
        return found

    def _closures(self, type_of: I32) -> list[tuple[int, int]]:
        if not len(self._entries):
            return []
        code = np.array([[self._entries[0], self._entries[-1]]], np.int64)
        none = np.empty(0, np.int64)
        room: int = structure.code_words(self._heap, type_of, code, none, none)
        objects, key = np.empty(room, np.int64), np.empty(room, np.int64)
        if room:
            structure.code_words(self._heap, type_of, code, objects, key)
        known = among(key, self._entries)
        return list(zip(objects[known].tolist(), key[known].tolist(), strict=True))


def _ranges(types: Sequence[tuple[int, int]], itabs: I64) -> list[tuple[int, int]]:
    """Where type records and itabs lie; itabs made while the program ran lie anywhere between two of them."""
    found = list(types)
    if len(itabs):
        # Those of the linker stand together, far from those that the runtime made: split at the widest gap.
        gap = int(np.argmax(np.diff(itabs))) + 1 if len(itabs) > 1 else 1
        parts = [part for part in (itabs[:gap], itabs[gap:]) if len(part)]
        found += [(int(part[0]), int(part[-1]) + 1) for part in parts]
    return found
