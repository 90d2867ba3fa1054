"""A small language to write heaps down in tests: objects, edges, roots, slices, maps -> Snapshot."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from goretain.snapshot import (
    NO_OBJECT,
    Columns,
    HeapTotals,
    Layer,
    Meta,
    ObjectFlag,
    RootNode,
    Snapshot,
    TypeField,
    TypeInfo,
    WindowKind,
)
from goretain.snapshot.layout import DTYPES
from goretain.snapshot.tables import Role

NONE = int(NO_OBJECT)
BYTE, STRING, SLICE, POINTER = "byte", "string", "[]byte", "unsafe.Pointer"


@dataclass
class HeapBuilder:
    """Collects rows; every method returns what later rows need: ids, nodes, type indices.

    Objects lie one behind the other from 0xc000000000, 8 bytes apart.
    """

    types: list[TypeInfo] = field(default_factory=list)
    roots: list[RootNode] = field(default_factory=list)
    rows: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    edges: list[tuple[int, int, int]] = field(default_factory=list)
    strings: list[str] = field(default_factory=lambda: [""])
    entry_keys: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.type(BYTE, "uint8", 1, role="data")
        self.type(STRING, "string", 16)
        self.type(SLICE, "slice", 24, elem=BYTE)
        self.type(POINTER, "unsafeptr", 8)

    def index(self, name: str) -> int:
        return next(i for i, t in enumerate(self.types) if t.name == name)

    def type(
        self,
        name: str,
        kind: str,
        size: int,
        *,
        elem: str = "",
        key: str = "",
        count: int = 0,
        role: Role = "",
    ) -> int:
        elem_index, key_index = (self.index(n) if n else -1 for n in (elem, key))
        info = TypeInfo(
            name=name, kind=kind, size=size, elem=elem_index, key=key_index, count=count, role=role
        )
        self.types.append(info)
        return len(self.types) - 1

    def pointer(self, elem: str) -> str:
        self.type(f"*{elem}", "ptr", 8, elem=elem if any(t.name == elem for t in self.types) else "")
        return f"*{elem}"

    def struct(self, name: str, role: Role = "", **fields: str) -> int:
        """Fields by name and type name, laid out in order on 8-byte boundaries."""
        laid_out, offset = [], 0
        for field_name, type_name in fields.items():
            t = self.index(type_name)
            laid_out.append(TypeField(field_name, offset, t))
            offset += -(-self.types[t].size // 8) * 8
        info = TypeInfo(name=name, kind="struct", size=offset, fields=tuple(laid_out), role=role)
        self.types.append(info)
        return len(self.types) - 1

    def object(self, size: int, type: str = "", flags: int = 0) -> int:
        self.rows["object_size"].append(size)
        self.rows["object_type"].append(self.index(type) if type else -1)
        self.rows["object_flags"].append(int(flags))
        return len(self.rows["object_size"]) - 1

    def objects(self, count: int, size: int, type: str = "", flags: int = 0) -> list[int]:
        return [self.object(size, type, flags) for _ in range(count)]

    def edge(self, source: int, target: int, word: int = 0) -> None:
        self.edges.append((source, word, target))

    def root(
        self,
        name: str,
        *targets: int,
        layer: Layer = Layer.PROGRAM,
        path: str = "",
        flags: int = 0,
        goroutine: int = -1,
    ) -> int:
        """One root slot for each target; a second call with the same name adds slots to the same root."""
        node = next((i for i, root in enumerate(self.roots) if root.name == name), len(self.roots))
        if node == len(self.roots):
            self.roots.append(RootNode(name=name, layer=int(layer), goroutine=goroutine))
        if path not in self.strings:
            self.strings.append(path)
        for target in targets:
            row = (node, target, self.strings.index(path), int(flags), goroutine)
            for column, value in zip(("node", "target", "path", "flags", "goroutine"), row, strict=True):
                self.rows[f"root_{column}"].append(value)
        return node

    def slice(
        self,
        target: int,
        start: int,
        length: int,
        capacity: int,
        *,
        source: int = NONE,
        word: int = 0,
        kind: WindowKind = WindowKind.SLICE,
    ) -> None:
        """A window into target from a slot, and the edge; without a source, word is a root row."""
        row = (target, source, word, int(kind), start, length, capacity)
        names = ("target", "source", "word", "kind", "start", "length", "capacity")
        for column, value in zip(names, row, strict=True):
            self.rows[f"window_{column}"].append(value)
        if source != NONE:
            self.edge(source, target, word)

    def string(self, target: int, start: int, length: int, *, source: int = NONE, word: int = 0) -> None:
        self.slice(target, start, length, length, source=source, word=word, kind=WindowKind.STRING)

    def map(
        self,
        type: str,
        *,
        header: int = NONE,
        table: int = NONE,
        entries: int,
        slots: int,
        bytes: int,
        needed: int,
    ) -> int:
        row = (header, self.index(type), table, entries, slots, bytes, needed)
        names = ("object", "type", "table", "entries", "slots", "bytes", "needed")
        for column, value in zip(names, row, strict=True):
            self.rows[f"map_{column}"].append(value)
        return len(self.rows["map_type"]) - 1

    def entry(
        self, map_row: int, table: int, word: int, key_length: int = -1, key: str | None = None
    ) -> None:
        for column, value in zip(
            ("map", "object", "word", "key_length"), (map_row, table, word, key_length), strict=True
        ):
            self.rows[f"entry_{column}"].append(value)
        if key is not None:
            self.entry_keys.append(key)

    def build(self, *, pid: int = 1, taken_at: float = 0.0) -> Snapshot:
        sizes = np.array(self.rows["object_size"], np.int64)
        n = len(sizes)
        given = {
            "object_address": 0xC000000000 + np.cumsum(sizes + 8) - sizes - 8 if n else np.empty(0),
            **self._edge_columns(n),
        }
        columns = {}
        for name, dtype in DTYPES.items():
            columns[name] = np.asarray(given.get(name, self.rows[name]), dtype=dtype)
        totals = HeapTotals(
            live_objects=n, live_bytes=int(sizes.sum()), dead_objects=0, dead_bytes=0, in_use_bytes=0,
            stack_bytes=0, span_count=0,
        )  # fmt: skip
        meta = Meta(
            program="test", go_version="go1.26.6", build_id="id", source="live", pid=pid, taken_at=taken_at,
            totals=totals,
        )  # fmt: skip
        return Snapshot(meta, Columns(**columns), self.types, self.roots, [], self.strings, self.entry_keys)

    def _edge_columns(self, n: int) -> dict[str, Any]:
        edges = sorted(self.edges, key=lambda e: (e[0], e[1]))
        lengths = np.bincount([e[0] for e in edges], minlength=n) if n else np.empty(0, np.int64)
        return {
            "edge_start": np.concatenate([[0], np.cumsum(lengths)]),
            "edge_target": [e[2] for e in edges],
            "edge_word": [e[1] for e in edges],
        }


def whole(flags: int = 0) -> int:
    """Flags of an object that somebody shows completely."""
    return int(flags) | int(ObjectFlag.SHOWN)
