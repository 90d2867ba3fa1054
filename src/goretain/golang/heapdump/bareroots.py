"""Roots of a heap dump without its program, by the places that the dump gives them.

A pointer word of a segment is ``data+0x1f0``, one of a frame ``goroutine 18 [chan receive] main.worker`` with
the path ``:main.worker+0x20``. Whose variables they are is not known, so all are the program's.
Imports ``capture.ranges``, ``snapshot``, numpy, this room and ``golang.memory``, ``golang.stacks``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from goretain.capture.ranges import USER_SPACE
from goretain.golang.heapdump.dump import Block, DumpedGoroutine, HeapDump
from goretain.golang.memory.objects import Edges
from goretain.golang.stacks.goroutines import STATES
from goretain.kernels.lookup import ObjectTable, find_many
from goretain.snapshot import NO_OBJECT, Frame, Goroutine, Layer, RootFlag, RootNode

I64 = NDArray[np.int64]
_WAITING = ("waiting", "leaked")
#: Functions that do not tell what a goroutine is for.
_RUNTIME = ("runtime.", "runtime/", "internal/", "sync.", "syscall.")


@dataclass(slots=True)
class BareRoots:
    """Root slots that hold objects, as a snapshot's columns have them, and the tables that they index."""

    node: NDArray[np.int32]
    target: NDArray[np.uint32]
    path: NDArray[np.uint32]
    flags: NDArray[np.uint8]
    goroutine: NDArray[np.int32]
    nodes: list[RootNode]
    goroutines: list[Goroutine]
    strings: list[str]


@dataclass(slots=True)
class _Slots:
    """Root words as they are found: value, node, path, flags, goroutine of each."""

    rows: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    nodes: list[RootNode] = field(default_factory=list)
    texts: dict[str, int] = field(default_factory=lambda: {"": 0})

    def node(self, name: str, layer: Layer, goroutine: int = -1) -> int:
        """A new holder."""
        self.nodes.append(RootNode(name=name, layer=int(layer), goroutine=goroutine))
        return len(self.nodes) - 1

    def add(self, value: int, node: int, path: str = "", flags: int = 0, goroutine: int = -1) -> None:
        """A root word of a holder; one that is no address in user space holds nothing."""
        if not 0 < value < USER_SPACE:
            return
        text = self.texts.setdefault(path, len(self.texts))
        self.rows.append((value, node, text, flags, goroutine))


def read_roots(dump: HeapDump, table: ObjectTable, edges: Edges) -> BareRoots:
    """All roots that the dump names."""
    slots = _Slots()
    for name, block in dump.segments():
        values = values_at(dump, block)
        for i in np.flatnonzero(find_many(values, table) != NO_OBJECT).tolist():
            slots.add(int(values[i]), slots.node(f"{name}+{block.pointers[i]:#x}", Layer.PROGRAM))
    for i, goroutine in enumerate(dump.goroutines):
        _add_goroutine(slots, dump, goroutine, i)
    for description, address in dump.roots:
        slots.add(address, slots.node(description, Layer.RUNTIME))
    _add_finalizers(slots, dump, table, edges)
    rows = np.array(slots.rows, np.int64).reshape(-1, 5)
    target = find_many(np.ascontiguousarray(rows[:, 0]), table)
    rows, target = rows[target != NO_OBJECT], target[target != NO_OBJECT]
    return BareRoots(
        node=rows[:, 1].astype(np.int32),
        target=target,
        path=rows[:, 2].astype(np.uint32),
        flags=rows[:, 3].astype(np.uint8),
        goroutine=rows[:, 4].astype(np.int32),
        nodes=slots.nodes,
        goroutines=[_told(goroutine) for goroutine in dump.goroutines],
        strings=list(slots.texts),
    )


def values_at(dump: HeapDump, block: Block, shift: int = 0) -> I64:
    """Values of a block's pointer words, or of the words that lie ``shift`` bytes from them."""
    at = block.at + np.array(block.pointers, np.int64) + shift
    values: I64 = dump.data[at[:, None] + np.arange(8)].reshape(-1).view(np.int64)
    return values


def _state(goroutine: DumpedGoroutine) -> str:
    return STATES.get(goroutine.status, f"state {goroutine.status}")


def _add_goroutine(slots: _Slots, dump: HeapDump, goroutine: DumpedGoroutine, index: int) -> None:
    waits = _state(goroutine) in _WAITING
    layer = Layer.RUNTIME if goroutine.system else Layer.PARKED if waits else Layer.RUNNING
    state = goroutine.wait_reason if waits and goroutine.wait_reason else _state(goroutine)
    functions = [frame.function for frame in goroutine.frames]
    own = next((name for name in functions if not name.startswith(_RUNTIME)), next(iter(functions), ""))
    node = slots.node(f"goroutine {goroutine.id} [{state}] {own}".rstrip(), layer, index)
    for frame in goroutine.frames:
        for offset, value in zip(frame.memory.pointers, values_at(dump, frame.memory).tolist(), strict=True):
            slots.add(value, node, f":{frame.function}+{offset:#x}", 0, index)
    slots.add(goroutine.context, node, ":(context)", 0, index)
    for what, address in goroutine.roots:
        slots.add(address, node, f":{what}", 0, index)


def _add_finalizers(slots: _Slots, dump: HeapDump, table: ObjectTable, edges: Edges) -> None:
    """Functions of finalizers and what their objects point to (gcScanFinalizer, runtime/mgcmark.go)."""
    flags = int(RootFlag.SPECIAL)
    for target, function, of_type in dump.finalizers:
        _, name = dump.types.get(of_type, (0, ""))
        node = slots.node(f"finalizer of {name}" if name else "finalizer", Layer.RUNTIME)
        slots.add(function, node, ".fn", flags)
        (found,) = find_many(np.array([target], np.int64), table)
        if found != NO_OBJECT:
            for held in edges.target[edges.start[found] : edges.start[found + np.uint32(1)]].tolist():
                slots.add(int(table.address[held]), node, "", flags)
    for target, function, _ in dump.queued:
        node = slots.node("queued finalizer", Layer.RUNTIME)
        slots.add(function, node, ".finalizer function", flags)
        slots.add(target, node, ".finalizer argument", flags)


def _told(goroutine: DumpedGoroutine) -> Goroutine:
    state = _state(goroutine)
    return Goroutine(
        id=goroutine.id,
        state=state,
        wait_reason=goroutine.wait_reason if state in _WAITING else "",
        frames=tuple(Frame(frame.function) for frame in goroutine.frames),
        stack_bytes=sum(frame.memory.length for frame in goroutine.frames),
        system=goroutine.system,
    )
