"""The snapshot of a heap dump without its program: what the dump itself says, and no more.

Addresses, sizes and pointers are all there; variables are places in the segments, stack slots are places in
the frames of named functions. Of types a dump names those that have methods and stand in interfaces (its
itabs): an object is of such a type where a malloc header, or an interface value in another object, says so.
The other types are unknown. Imports ``kernels``, ``snapshot``, numpy, this room and ``golang.memory``.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from goretain.golang.heapdump.bareroots import BareRoots, read_roots, values_at
from goretain.golang.heapdump.dump import HeapDump
from goretain.golang.heapdump.dumped import counts, dumped_table, memory_of, notes, span_table, totals
from goretain.golang.heapdump.memory import DumpedMemory, read_memory
from goretain.golang.heapdump.objects import DumpedObjects, read_objects, spans_of
from goretain.golang.memory.objects import Edges, find_edges
from goretain.golang.memory.spans import SpanTable
from goretain.kernels.heapscan import Masks
from goretain.kernels.lookup import ObjectTable, find_many
from goretain.snapshot import NO_OBJECT, Columns, Meta, ObjectFlag, Snapshot, TypeInfo, empty_columns

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]

_NAMELESS = (
    "without its program a heap dump names neither variables nor most types: give the program with --binary"
)


def read_bare(dump: HeapDump, remark: str = "") -> Snapshot:
    """The snapshot. remark: why there is no program. Raises CorruptFile."""
    found = read_objects(dump)
    held = read_memory(dump, found, None, 0)
    spans = span_table(dump, found, spans_of(found, held.content_at, dump.data, own_types=False))
    table = dumped_table(found, spans)
    none = np.zeros(len(found.address), np.int64)
    nothing = np.empty(0, np.int64)
    masks = Masks(nothing, nothing, np.zeros(1, np.int64), nothing)
    words: I64 = held.memory[: len(held.memory) & ~7].view(np.int64)
    edges = find_edges(words, spans.spans, table, found.span, none.astype(np.uint8), none, masks)
    types, object_type = _Types(dump, found, held, edges).read(table)
    roots = read_roots(dump, table, edges)
    return Snapshot(
        meta=_meta(dump, found, edges, remark),
        columns=_columns(found, spans, table, edges, object_type, roots),
        types=types,
        roots=roots.nodes,
        goroutines=roots.goroutines,
        strings=roots.strings,
        entry_keys=[],
        memory=memory_of(dump),
    )


def _meta(dump: HeapDump, found: DumpedObjects, edges: Edges, remark: str) -> Meta:
    return Meta(
        program=dump.path,
        go_version=dump.go_version,
        build_id="",
        source="dump",
        pid=0,
        taken_at=Path(dump.path).stat().st_mtime,
        totals=totals(dump, found),
        features=("green-tea",) if found.marks else (),
        notes=(*filter(None, (remark,)), _NAMELESS, *notes(dump, found)),
        counts={**edges.counts, **counts(found)},
    )


class _Types:
    """Types of objects that the dump itself tells."""

    def __init__(self, dump: HeapDump, found: DumpedObjects, held: DumpedMemory, edges: Edges) -> None:
        self._dump, self._found, self._edges = dump, found, edges
        self._words: I64 = held.memory.view(np.int64)
        inside = found.address - found.starts[found.span]
        self._first: I64 = (held.content_at[found.span] + inside) >> 3
        self._rows: dict[tuple[str, int], int] = {}

    def read(self, table: ObjectTable) -> tuple[list[TypeInfo], I32]:
        """The types, and int32[n]: the type of each object, -1 unknown."""
        of = np.full(len(self._found.address), -1, np.int32)
        for objects, addresses in (self._in_variables(table), self._boxed(), self._headers()):
            known = np.unique(addresses)
            rows = np.array([self._row(address) for address in known.tolist()], np.int32)
            if len(known):
                of[objects] = rows[np.searchsorted(known, addresses)]
        infos = [TypeInfo(name=name, kind="unknown", size=size) for name, size in self._rows]
        return infos, self._fitting(of, infos)

    def _row(self, address: int) -> int:
        size, name = self._dump.types[address]
        return self._rows.setdefault((name, size), len(self._rows))

    def _named(self, addresses: I64, *, boxed: bool) -> NDArray[np.bool_]:
        """Which types have a name: of a pointer type the dump writes the package only.

        boxed: only those whose values interfaces point to.
        """
        named = [
            address
            for address, (_, name) in self._dump.types.items()
            if not name.endswith(".") and not (boxed and address in self._dump.direct)
        ]
        return np.isin(addresses, np.array(named, np.int64))

    def _fitting(self, of: I32, infos: list[TypeInfo]) -> I32:
        sizes = np.array([*(info.size for info in infos), 0], np.int64)
        return np.where(sizes[of] <= self._found.size, of, -1).astype(np.int32)

    def _headers(self) -> tuple[I64, I64]:
        """Objects with a malloc header, and the types that these name."""
        objects = np.flatnonzero(self._found.header[self._found.span])
        named = self._words[self._first[objects]]
        known = self._named(named, boxed=False)
        return objects[known], named[known]

    def _boxed(self) -> tuple[I64, I64]:
        """Objects that interfaces with methods point to, and the types that their itabs name."""
        edges = self._edges
        owner = np.repeat(np.arange(len(self._first)), np.diff(edges.start))
        behind = edges.word > 0
        before = self._words[self._first[owner[behind]] + edges.word[behind] - 1]
        return self._of_itabs(edges.target[behind].astype(np.int64), before)

    def _in_variables(self, table: ObjectTable) -> tuple[I64, I64]:
        """The same of interfaces in the segments, whose first word is no pointer to the collector."""
        values, before = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        for _, block in self._dump.segments():
            inner = replace(block, pointers=tuple(offset for offset in block.pointers if offset))
            values.append(values_at(self._dump, inner))
            before.append(values_at(self._dump, inner, -8))
        target = find_many(np.concatenate(values), table)
        held = target != NO_OBJECT
        return self._of_itabs(target[held].astype(np.int64), np.concatenate(before)[held])

    def _of_itabs(self, objects: I64, words: I64) -> tuple[I64, I64]:
        """The objects whose word is an itab, and the types that these itabs are of."""
        held = np.isin(words, np.array(sorted(self._dump.itabs), np.int64))
        types = np.array([self._dump.itabs[itab] for itab in words[held].tolist()], np.int64)
        known = self._named(types, boxed=True)
        return objects[held][known], types[known]


def _columns(
    found: DumpedObjects, spans: SpanTable, table: ObjectTable, edges: Edges, of: I32, roots: BareRoots
) -> Columns:
    k = spans.spans
    flags = np.zeros(len(found.address), np.uint16)
    for which, flag in (
        (found.noscan, ObjectFlag.NOSCAN),
        (found.header, ObjectFlag.HEADER),
        (found.noscan & (k.elem_size == 16), ObjectFlag.TINY),
        (k.large == 1, ObjectFlag.LARGE),
    ):
        flags[which[found.span]] |= np.uint16(flag)
    # What points to an object is of no known type, so how much of it is used is not known either.
    flags |= np.uint16(ObjectFlag.OPAQUE)
    return replace(
        empty_columns(),
        object_address=table.address,
        object_size=table.size,
        object_type=of,
        object_flags=flags,
        edge_start=edges.start,
        edge_target=edges.target,
        edge_word=edges.word,
        root_node=roots.node,
        root_target=roots.target,
        root_path=roots.path,
        root_flags=roots.flags,
        root_goroutine=roots.goroutine,
    )
