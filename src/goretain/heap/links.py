"""What every object's link from its parent in a forest is called, all links alike under one number.

Texts are made once for each distinct (type of the parent, offset in it, kind of the object), not once for
each object. Imports ``kernels``, this package and ``snapshot``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from goretain.heap.backing import HEADER_BYTES
from goretain.heap.chains import ChainPrinter, numberless
from goretain.heap.histogram import type_name
from goretain.heap.slots import without_internals
from goretain.kernels.merge import SILENT
from goretain.kernels.reach import NONE, Forest
from goretain.snapshot import NO_OBJECT, ObjectFlag, Snapshot

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
U32 = NDArray[np.uint32]

_OFFSET_BITS = 40


class Links:
    """The links of a forest.

    Attributes:
        number: int32[n], index into ``texts`` of each reached object's link; SILENT where the chain has no
            text for it (inside a map).
        kind: int32[n], equal for objects that chains do not tell apart by type, -1 unknown.
        texts: ``.next``, ``[key].body``, ``[*]``; the first is "".
    """

    def __init__(self, snapshot: Snapshot, printer: ChainPrinter, forest: Forest, words: U32) -> None:
        """words: uint32[n], where in its parent the link of an object is, NONE for no direct link."""
        self._snapshot = snapshot
        self._columns = snapshot.columns
        self._printer = printer
        self._known: dict[str, int] = {"": SILENT}
        self.kind = kinds_of(snapshot)
        self.number = np.zeros(snapshot.object_count, np.int32)
        order = forest.order
        parent = forest.parent[order]
        from_object = parent < snapshot.object_count
        near = words[order] != NONE
        self._direct(order[from_object & near], parent[from_object & near], words)
        self._distant(order[from_object & ~near])
        self._from_roots(order[~from_object], parent[~from_object].astype(np.int64) - snapshot.object_count)
        self.texts = list(self._known)

    def _direct(self, objects: U32, parents: U32, words: U32) -> None:
        """Links that are one edge."""
        if not len(objects):
            return
        places, first, place = np.unique(
            self._places(parents, words[objects]), return_index=True, return_inverse=True
        )
        slices = np.zeros(len(places), np.bool_)
        for k, at in enumerate(first.tolist()):
            slices[k] = self._printer.like(
                int(parents[at]), int(words[objects[at]]), int(objects[at]), False
            )[1]
        in_slice = np.zeros(self._snapshot.object_count, np.bool_)
        in_slice[objects] = slices[place]
        kinds = int(self.kind.max(initial=-1)) + 2
        key = (place.astype(np.int64) * kinds + self.kind[objects] + 1) * 2 + in_slice[parents]
        _, first, place = np.unique(key, return_index=True, return_inverse=True)
        texts = [
            self._printer.like(
                int(parents[at]), int(words[objects[at]]), int(objects[at]), bool(in_slice[parents[at]])
            )[0]
            for at in first.tolist()
        ]
        self.number[objects] = self._numbers(texts)[place]

    def _places(self, parents: U32, words: U32) -> I64:
        """A number for (type of the parent, array or not, offset in a value); one for all unknown types."""
        types = self._columns.object_type[parents].astype(np.int64)
        flags = self._columns.object_flags[parents]
        sizes = np.array([t.size for t in self._snapshot.types] + [0], np.int64)[types]
        offset = words.astype(np.int64) * 8 - np.where(flags & ObjectFlag.HEADER, HEADER_BYTES, 0)
        known = sizes > 0
        inside = np.where(known, offset % np.maximum(sizes, 1), 0)
        array = (flags & ObjectFlag.ARRAY) != 0
        places: I64 = (((types + 1) * 2 + array) * known << _OFFSET_BITS) | inside
        return places

    def _distant(self, objects: U32) -> None:
        """Links between objects that are not neighbours: `` … main.T``."""
        if len(objects):
            _, first, place = np.unique(self.kind[objects], return_index=True, return_inverse=True)
            names = [type_name(self._snapshot, int(objects[at])) for at in first.tolist()]
            self.number[objects] = self._numbers([_distant(name) for name in names])[place]

    def _from_roots(self, objects: U32, nodes: I64) -> None:
        """Links from a root node: the access path after its name, the shortest of several."""
        if not len(objects):
            return
        columns, strings = self._columns, self._snapshot.strings
        node_of = np.full(self._snapshot.object_count, -1, np.int64)
        node_of[objects] = nodes
        rows = np.flatnonzero(node_of[columns.root_target] == columns.root_node)
        length = np.array([len(text) for text in strings], np.int64)[columns.root_path[rows]]
        rows = rows[np.argsort(-length, kind="stable")]  # the last one written is the shortest
        path = np.full(self._snapshot.object_count, NO_OBJECT, np.uint32)
        path[columns.root_target[rows]] = columns.root_path[rows]
        key = (path[objects].astype(np.int64) << 32) | (self.kind[objects].astype(np.int64) + 1)
        _, first, place = np.unique(key, return_index=True, return_inverse=True)
        texts = []
        for at in first.tolist():
            chosen, type_index = int(path[objects[at]]), int(columns.object_type[objects[at]])
            t = self._snapshot.types[type_index] if type_index >= 0 else None
            if chosen == NO_OBJECT:  # several roots hold it together: no single path leads to it
                texts.append(_distant(type_name(self._snapshot, int(objects[at]))))
            else:
                texts.append(numberless(without_internals(strings[chosen], t)))
        self.number[objects] = self._numbers(texts)[place]

    def _numbers(self, texts: list[str]) -> I32:
        return np.array([self._known.setdefault(text, len(self._known)) for text in texts], np.int32)


def _distant(name: str | None) -> str:
    return f" … {name or 'unknown type'}"


def kinds_of(snapshot: Snapshot) -> I32:
    """int32[n]: the type, array or single value; of a map's header the map's type."""
    columns = snapshot.columns
    array = (columns.object_flags & ObjectFlag.ARRAY) != 0
    kind = np.where(columns.object_type < 0, -1, columns.object_type * 2 + array)
    known = (columns.map_object != NO_OBJECT) & (columns.map_type >= 0)
    kind[columns.map_object[known]] = 2 * len(snapshot.types) + columns.map_type[known]
    return kind.astype(np.int32)
