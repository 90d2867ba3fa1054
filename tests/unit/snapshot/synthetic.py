"""Snapshots made by hand and at random, for tests that need one and no Go program."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from goretain.snapshot import (
    NO_OBJECT,
    Columns,
    Frame,
    Goroutine,
    HeapTotals,
    Layer,
    Memory,
    Meta,
    ObjectFlag,
    RootNode,
    Samples,
    Site,
    Snapshot,
    Spans,
    SpecialKind,
    Specials,
    TimerFlag,
    Timers,
    TypeField,
    TypeInfo,
    WaitKind,
    Waits,
    WindowKind,
)
from goretain.snapshot.layout import DTYPES

TYPES = [
    TypeInfo(name="uint8", kind="uint8", size=1),
    TypeInfo(name="string", kind="string", size=16, role=""),
    TypeInfo(name="[]uint8", kind="slice", size=24, elem=0),
    TypeInfo(
        name="main.Entry",
        kind="struct",
        size=40,
        fields=(TypeField("name", 0, 1), TypeField("body", 16, 2)),
    ),
    TypeInfo(name="*main.Entry", kind="ptr", size=8, elem=3),
    TypeInfo(name="[]*main.Entry", kind="slice", size=24, elem=4),
]
U8, STRING, BYTES, ENTRY, ENTRY_POINTER, ENTRIES = range(6)


@dataclass
class Build:
    """Rows to be; objects are added at ascending addresses."""

    sizes: list[int] = field(default_factory=list)
    types: list[int] = field(default_factory=list)
    flags: list[int] = field(default_factory=list)
    edges: list[tuple[int, int, int]] = field(default_factory=list)  # owner, word, target
    roots: list[tuple[int, int, str]] = field(default_factory=list)  # node, target, path
    windows: list[tuple[int, int, int, int, int, int]] = field(default_factory=list)
    nodes: list[RootNode] = field(default_factory=list)
    goroutines: list[Goroutine] = field(default_factory=list)
    base: int = 0xC000000000

    def add(self, size: int, type: int = -1, flags: int = 0) -> int:
        """A new object; its id."""
        self.sizes.append(size)
        self.types.append(type)
        self.flags.append(flags)
        return len(self.sizes) - 1

    def node(self, name: str, layer: Layer, goroutine: int = -1) -> int:
        self.nodes.append(RootNode(name=name, layer=layer, goroutine=goroutine, package=""))
        return len(self.nodes) - 1

    def snapshot(self, **meta: object) -> Snapshot:
        n = len(self.sizes)
        strings = ["", *sorted({path for _, _, path in self.roots} - {""})]
        columns = {name: np.zeros(0, dtype) for name, dtype in DTYPES.items()}
        sizes = np.array(self.sizes, np.int64)
        columns["object_address"] = self.base + np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)[:n]
        columns["object_size"] = sizes
        columns["object_type"] = np.array(self.types, np.int32)
        columns["object_flags"] = np.array(self.flags, np.uint16)
        edges = sorted(self.edges)
        counts = (
            np.bincount(np.array([e[0] for e in edges], np.int64), minlength=n)
            if n
            else np.zeros(0, np.int64)
        )
        columns["edge_start"] = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        columns["edge_word"] = np.array([e[1] for e in edges], np.uint32)
        columns["edge_target"] = np.array([e[2] for e in edges], np.uint32)
        columns["root_node"] = np.array([r[0] for r in self.roots], np.int32)
        columns["root_target"] = np.array([r[1] for r in self.roots], np.uint32)
        columns["root_path"] = np.array([strings.index(r[2]) for r in self.roots], np.uint32)
        columns["root_flags"] = np.zeros(len(self.roots), np.uint8)
        columns["root_goroutine"] = np.array([self.nodes[r[0]].goroutine for r in self.roots], np.int32)
        for at, name in enumerate(("target", "source", "word", "start", "length", "capacity")):
            dtype = DTYPES[f"window_{name}"]
            columns[f"window_{name}"] = np.array([w[at] for w in self.windows], dtype)
        columns["window_kind"] = np.full(len(self.windows), WindowKind.SLICE, np.uint8)
        return Snapshot(
            meta=meta_of(int(sizes.sum()), n, **meta),
            columns=Columns(**columns),
            types=list(TYPES),
            roots=self.nodes,
            goroutines=self.goroutines,
            strings=strings,
            entry_keys=[],
        )


def meta_of(live_bytes: int, live_objects: int, **more: object) -> Meta:
    totals = HeapTotals(
        live_objects=live_objects,
        live_bytes=live_bytes,
        dead_objects=3,
        dead_bytes=4096,
        in_use_bytes=live_bytes + 65536,
        stack_bytes=131072,
        span_count=9,
    )
    facts: dict[str, object] = {
        "program": "/srv/bin/shop",
        "go_version": "go1.26.6",
        "build_id": "abc/def",
        "source": "live",
        "pid": 4242,
        "taken_at": 1_790_000_000.0,
        "totals": totals,
        "pause_ns": 7_300_000,
        "copied_bytes": 5 << 20,
        "rss_bytes": 300 << 20,
        "threads": 9,
        "features": ("swiss-maps", "inline-bitmaps"),
    }
    return Meta(**(facts | more))  # type: ignore[arg-type]


def small(**meta: object) -> Snapshot:
    """``main.cache`` holds three entries that show 16 bytes of 1 MiB each, a parked goroutine a buffer."""
    build = Build()
    cache = build.node("main.cache", Layer.PROGRAM)
    worker = build.node("goroutine 18 [chan receive] main.worker", Layer.PARKED, 0)
    frames = (Frame("runtime.gopark", "proc.go", 398), Frame("main.worker", "main.go", 51))
    build.goroutines.append(
        Goroutine(id=18, state="waiting", wait_reason="chan receive", frames=frames, creator="main.main")
    )
    slots = build.add(32, ENTRY_POINTER, ObjectFlag.ARRAY)
    build.roots.append((cache, slots, ""))
    for at in range(3):
        entry = build.add(48, ENTRY)
        body = build.add(1 << 20, U8, ObjectFlag.NOSCAN | ObjectFlag.ARRAY | ObjectFlag.LARGE)
        build.edges += [(slots, at, entry), (entry, 2, body)]
        build.windows.append((body, entry, 2, 0, 16, 16))  # lost, not slack: a leak whatever the thresholds
    buffer = build.add(64 << 10, U8, ObjectFlag.NOSCAN | ObjectFlag.ARRAY)
    build.roots.append((worker, buffer, ":buf"))
    build.add(512)  # reached by nothing
    snapshot = build.snapshot(**meta)
    add_groups(snapshot, buffer)
    return snapshot


def add_groups(snapshot: Snapshot, buffer: int) -> None:
    """One row or two in every group of columns; the goroutine waits for what nothing else refers to."""
    none, one = np.array([NO_OBJECT], np.uint32), np.array([buffer], np.uint32)
    text, zero = np.zeros(1, np.uint32), np.zeros(1, np.int64)
    address = snapshot.columns.object_address[[buffer]]
    kind = np.array([WaitKind.CHANNEL_RECEIVE], np.uint8)
    snapshot.waits = Waits(np.zeros(1, np.int32), kind, address, one, text)
    snapshot.spans = Spans(
        span_start=np.array([0xC000000000, 0xC000004000], np.int64),
        span_bytes=np.array([8192, 8192], np.int64),
        span_class=np.array([10, 2], np.uint8),
        span_slot_bytes=np.array([48, 16], np.int64),
        span_slots=np.array([170, 512], np.int64),
        span_live=np.array([3, -1], np.int64),
    )
    snapshot.specials = Specials(np.array([SpecialKind.CLEANUP], np.uint8), one, text, none)
    snapshot.timers = Timers(one, zero, zero, np.array([TimerFlag.CHANNEL], np.uint8), text, none)
    snapshot.samples = Samples(one, np.zeros(1, np.int32))
    snapshot.memory = Memory(heap_in_use=1 << 22, gc_percent=-1)
    snapshot.sites = [Site(frames=(Frame("main.load", "main.go", 12),), objects=1, bytes=64 << 10)]


def scattered(seed: int, objects: int = 40, edges: int = 90) -> Snapshot:
    """A random graph: self loops, duplicates, unreachable parts, windows, maps and map entries."""
    draw = np.random.default_rng(seed)
    build = Build()
    for _ in range(objects):
        build.add(int(draw.choice([8, 16, 48, 256, 8192])), int(draw.integers(-1, len(TYPES))))
    for layer in Layer:
        build.node(f"root {int(layer)}", layer)
    for _ in range(edges if objects else 0):
        owner, target = (int(x) for x in draw.integers(0, objects, 2))
        build.edges.append((owner, int(draw.integers(0, build.sizes[owner] // 8)), target))
    for _ in range(8 if objects else 0):
        build.roots.append(
            (int(draw.integers(0, 5)), int(draw.integers(0, objects)), f":v{draw.integers(3)}")
        )
    for owner, word, target in build.edges[::5]:
        length = int(draw.integers(0, build.sizes[target]))
        build.windows.append((target, owner, word, 0, length, build.sizes[target]))
    snapshot = build.snapshot()
    _add_maps(snapshot.columns, draw, objects)
    return snapshot


def _add_maps(columns: Columns, draw: np.random.Generator, objects: int) -> None:
    count = 4 if objects else 0
    tops = {"entry_map": count, "entry_word": 1}
    for name, dtype in DTYPES.items():
        if name.startswith(("map_", "entry_")):
            rows = count * 3 if name.startswith("entry_") else count
            setattr(columns, name, draw.integers(0, max(tops.get(name, objects), 1), rows).astype(dtype))
    columns.map_type = np.full(count, -1, np.int32)
    columns.map_object[: count // 2] = NO_OBJECT
    columns.map_slots += columns.map_entries
