"""Chains of names from a root to an object, in Go syntax.

``main.cache[key len 12].body (len 5, cap 1048576) -> [1048576]byte``: pointers are followed silently;
links inside maps (header, directory, table, group or bucket) fold to the key; a channel's buffer is
``<-[3]``; a captured variable is `` (closure main.f.func1 captured x)``; an interface is ``.(main.T)``; a
repeated link is ``.next×9998``; lengths and capacities are in elements of the slice (in bytes where its type
is unknown), of a string in bytes. Imports ``kernels``, ``model``
and ``snapshot``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from goretain.heap.backing import HEADER_BYTES
from goretain.heap.graph import Graph
from goretain.heap.histogram import type_name
from goretain.heap.slots import Slot, find_map_slot, find_slot, part_of, without_internals
from goretain.kernels.csr import Rows, group_rows
from goretain.kernels.reach import NONE, Forest, edge_words, path_back, shortest_forest, shortest_parents_from
from goretain.model.errors import UsageError
from goretain.model.findings import Chain
from goretain.snapshot import NO_OBJECT, ObjectFlag, Snapshot, TypeInfo, WindowKind

#: A link repeated more often than this is written once, with a count.
REPEAT_LIMIT = 3
#: Longer chains lose their middle.
LINK_LIMIT = 32
_KEY_TEXT_LIMIT = 40
_NUMBER = re.compile(r"\[\d+\]")
U32 = NDArray[np.uint32]


class ChainPrinter:
    """Finds shortest paths in a snapshot and writes them as chains.

    padding: bytes of an object that the allocator added (so that ends are arrays of their real length).
    """

    def __init__(
        self, snapshot: Snapshot, graph: Graph, windows: Rows, padding: Callable[[int], int]
    ) -> None:
        self._snapshot = snapshot
        self._columns = snapshot.columns
        self._types = snapshot.types
        self._graph = graph
        self._windows = windows
        self._padding = padding
        self._last: tuple[int, U32] | None = None

    def chain(self, object_id: int, node: int | None = None) -> Chain:
        """The shortest chain to an object, from its holder or from the given root node. Raises UsageError."""
        first, path = self._path(object_id, node)
        row = self._root_row(first, int(path[0]))
        words = edge_words(self._columns.edge_start, self._columns.edge_target, self._columns.edge_word, path)
        at_root = self._snapshot.strings[self._columns.root_path[row]]
        links = [without_internals(at_root, self._type(int(path[0]))), *self._links(path, words)]
        source, word = (int(path[-2]), int(words[-1])) if len(path) > 1 else (int(NO_OBJECT), row)
        links.append(self._window_text(object_id, source, word))
        kept = tuple(link for link in links if link)
        return Chain(root=self._snapshot.roots[first].name, links=kept, end=self.end(object_id))

    def end(self, object_id: int) -> str:
        """What the object at the end is called: ``[5]byte``, ``main.T``, ``map[string]int`` (a header)."""
        owner = self._map_of.get(object_id)
        if owner is not None:
            return owner
        t, bytes_ = self._type(object_id), self._data_bytes(object_id)
        if t is None:
            return f"object of unknown type ({bytes_} bytes)"
        if self._flag(object_id, ObjectFlag.ARRAY) and t.size > 0 and part_of(t) != "group":
            return f"[{(bytes_ - self._padding(object_id)) // t.size}]{t.name}"
        return t.name

    # -- paths ----------------------------------------------------------------------------------------------

    @cached_property
    def forest(self) -> Forest:
        """Shortest paths to all objects, from the roots of their layer."""
        layer = np.array([root.layer for root in self._snapshot.roots], np.int64)
        columns = self._columns
        return shortest_forest(columns.edge_start, columns.edge_target, self._graph.roots, layer)

    def _path(self, object_id: int, node: int | None) -> tuple[int, U32]:
        """(root node, objects from the one that it points to until the one asked for)."""
        n = self._snapshot.object_count
        parents = self.forest.parent
        first = node
        if node is not None and node != self._graph.holder[object_id]:
            parents = self._parents_from(node)
        else:
            first = None
        if parents[object_id] == NONE:
            name = "no root" if node is None else self._snapshot.roots[node].name + " does not"
            raise UsageError(f"{name} reach{'es' if node is None else ''} object {object_id}")
        path = path_back(parents, object_id, n)
        return (int(parents[path[0]]) - n if first is None else first), path

    def _parents_from(self, node: int) -> U32:
        """Shortest paths from one root node; those of the last one asked for are kept."""
        if self._last is None or self._last[0] != node:
            start, roots = self._graph.roots
            sources = roots[start[node] : start[node + 1]]
            columns = self._columns
            parents = shortest_parents_from(columns.edge_start, columns.edge_target, sources)
            self._last = (node, parents)
        return self._last[1]

    def _root_row(self, node: int, target: int) -> int:
        """The node's root row for target; of several the one with the shortest path text."""
        columns, strings = self._columns, self._snapshot.strings
        rows = np.flatnonzero((columns.root_target == target) & (columns.root_node == node))
        return int(min(rows, key=lambda row: len(strings[columns.root_path[row]])))

    # -- links ----------------------------------------------------------------------------------------------

    def _links(self, path: U32, words: U32) -> list[str]:
        """One text for each step out of path[k], or for a run of equal ones; the middle of many left out."""
        runs = self._runs(path, words)
        if len(runs) > 4 * LINK_LIMIT:  # steps inside maps have no text, so more runs than links are written
            runs = runs[: 2 * LINK_LIMIT] + runs[-2 * LINK_LIMIT :]
        written: list[tuple[int, int, str]] = []
        in_slice = False
        for k, length in runs:
            text, in_slice = self.step(int(path[k]), int(words[k]), int(path[k + 1]), in_slice)
            if text:
                written.append((k, k + length, text + (f"×{length}" if length > 1 else "")))
        texts = [text for _, _, text in written]
        if len(written) <= LINK_LIMIT:
            return texts
        half = LINK_LIMIT // 2
        left_out = written[-half][0] - written[half - 1][1]
        return [*texts[:half], f" … {left_out} links … ", *texts[-half:]]

    def _runs(self, path: U32, words: U32) -> list[tuple[int, int]]:
        """(first step, length) of single steps, and of equal ones that repeat too often to be written."""
        if not len(words):
            return []
        types = self._columns.object_type[path[:-1]]
        array = (self._columns.object_flags[path[:-1]] & ObjectFlag.ARRAY) != 0
        same = (types[1:] == types[:-1]) & (words[1:] == words[:-1]) & ~array[1:] & ~array[:-1]
        starts = np.flatnonzero(np.concatenate([[True], ~same]))
        runs: list[tuple[int, int]] = []
        for k, end in zip(starts.tolist(), [*starts[1:].tolist(), len(words)], strict=True):
            if end - k > REPEAT_LIMIT and (types[k] < 0 or part_of(self._types[types[k]]) in ("", "closure")):
                runs.append((k, end - k))
            else:
                runs += [(at, 1) for at in range(k, end)]
        return runs

    def like(self, source: int, word: int, target: int, in_slice: bool) -> tuple[str, bool]:
        """Text of a slot that stands for all slots like it: ``[*]`` for elements, ``[key]`` for keys.

        Args:
            in_slice: whether ``source`` was reached through a slice.

        Returns:
            The text, and whether the slot is a slice itself.
        """
        return self.step(source, word, target, in_slice, alike=True)

    def step(
        self, source: int, word: int, target: int, in_slice: bool, *, alike: bool = False
    ) -> tuple[str, bool]:
        """Text of the slot at ``word`` of ``source``; whether it is a slice, so that an element follows."""
        t, offset = self._type(source), word * 8 - self._header(source)
        if t is None or t.size <= 0:
            return ".unknown" if alike else f".unknown+{offset}", False
        number, inside = divmod(offset, t.size)
        slot = find_slot(self._types, int(self._columns.object_type[source]), inside)
        leaf = self._types[slot.type] if slot.type >= 0 else None
        part = part_of(t)
        if part == "inside":
            return "", False
        if part == "group":
            entry = self._entry(source, slot, number * t.size, alike=alike)
            return entry + self._assertion(leaf, target), _is_slice(leaf)
        if part == "entry":
            key = {".value": "[key]", ".key": "[key] key"}.get(slot.text, "")
            return key + self._assertion(leaf, target), _is_slice(leaf)
        if part == "closure":
            captured = slot.text.removeprefix(".")
            return f" ({t.name} captured {captured})" + self._assertion(leaf, target), _is_slice(leaf)
        if part == "chan" and slot.text == ".buf":
            return "<-", True
        element = f"[{number}]" if in_slice or self._flag(source, ObjectFlag.ARRAY) else ""
        path = numberless(element + slot.text) if alike else element + slot.text
        return path + self._assertion(leaf, target), _is_slice(leaf)

    def _assertion(self, leaf: TypeInfo | None, target: int) -> str:
        """``.(main.T)`` behind an interface."""
        if leaf is None or leaf.kind != "interface":
            return ""
        name = self._map_of.get(target) or type_name(self._snapshot, target)
        return f".({name})" if name else ""

    def _entry(self, source: int, slot: Slot, base: int, *, alike: bool) -> str:
        """``[key len 12].body`` or ``[key] key`` for a slot of a group or bucket, "" for overflow."""
        found = find_map_slot(self._types, slot, int(self._columns.object_type[source]))
        if found is None:
            return ""
        if alike:
            return "[key]" + (" key" if found.in_key else "") + numberless(found.rest)
        word = (base + found.key_offset + self._header(source)) // 8
        return self._key(source, word) + (" key" if found.in_key else "") + found.rest

    def _key(self, source: int, word: int) -> str:
        columns = self._columns
        rows = self._entries.items[self._entries.start[source] : self._entries.start[source + 1]]
        rows = rows[columns.entry_word[rows] == word]
        if not len(rows):
            return "[key]"
        row, length = int(rows[0]), int(columns.entry_key_length[rows[0]])
        if self._snapshot.entry_keys:
            text = self._snapshot.entry_keys[row]
            short = text if len(text) <= _KEY_TEXT_LIMIT else text[: _KEY_TEXT_LIMIT - 1] + "…"
            return f'["{short}"]' if length >= 0 else f"[{short}]"
        return f"[key len {length}]" if length >= 0 else "[key]"

    def _window_text(self, target: int, source: int, word: int) -> str:
        """`` (len 5, cap 8)`` in elements for a slice that shows a part, `` (len 5)`` for a string."""
        columns = self._columns
        rows = self._windows.items[self._windows.start[target] : self._windows.start[target + 1]]
        rows = rows[(columns.window_source[rows] == source) & (columns.window_word[rows] == word)]
        if not len(rows) or columns.window_kind[rows[0]] == WindowKind.POINTER:
            return ""
        length, capacity = int(columns.window_length[rows[0]]), int(columns.window_capacity[rows[0]])
        if columns.window_kind[rows[0]] == WindowKind.STRING:
            return f" (len {length})"
        width = self._element_size(source, word)
        t = self._type(target)
        if not width and t is not None and t.size > 0 and length % t.size == capacity % t.size == 0:
            width = t.size  # a variable's type is not kept: most likely a slice of what it points to
        unit, width = ("", width) if width else (" bytes", 1)
        return f" (len {length // width}{unit}, cap {capacity // width}{unit})"

    def _element_size(self, source: int, word: int) -> int:
        """Bytes of an element of the slice whose header's pointer is that word of an object; 0 unknown."""
        t = self._type(source) if source != NO_OBJECT else None
        if t is None or t.size <= 0:
            return 0
        inside = (word * 8 - self._header(source)) % t.size
        slot = find_slot(self._types, int(self._columns.object_type[source]), inside)
        leaf = self._types[slot.type] if slot.type >= 0 else None
        return self._types[leaf.elem].size if leaf is not None and _is_slice(leaf) and leaf.elem >= 0 else 0

    # -- facts about one object -----------------------------------------------------------------------------

    @cached_property
    def _entries(self) -> Rows:
        """Rows of the entry columns by the object that holds them."""
        return group_rows(self._columns.entry_object, self._snapshot.object_count)

    @cached_property
    def _map_of(self) -> dict[int, str]:
        """What the header and the table of every map are called."""
        columns = self._columns
        names: dict[int, str] = {}
        for objects, form in ((columns.map_table, "table of {}"), (columns.map_object, "{}")):
            known = np.flatnonzero((objects != NO_OBJECT) & (columns.map_type >= 0))
            types = columns.map_type[known].tolist()
            names.update(
                (o, form.format(self._types[t].name))
                for o, t in zip(objects[known].tolist(), types, strict=True)
            )
        return names

    def _type(self, object_id: int) -> TypeInfo | None:
        index = int(self._columns.object_type[object_id])
        return self._types[index] if index >= 0 else None

    def _flag(self, object_id: int, flag: ObjectFlag) -> bool:
        return bool(int(self._columns.object_flags[object_id]) & flag)

    def _header(self, object_id: int) -> int:
        return HEADER_BYTES if self._flag(object_id, ObjectFlag.HEADER) else 0

    def _data_bytes(self, object_id: int) -> int:
        return int(self._columns.object_size[object_id]) - self._header(object_id)


def numberless(path: str) -> str:
    """A path with ``[*]`` for the number of every element."""
    return _NUMBER.sub("[*]", path)


def _is_slice(leaf: TypeInfo | None) -> bool:
    return leaf is not None and leaf.kind == "slice"
