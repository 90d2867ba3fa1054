"""Leaked goroutines are reported by stack, with what only they hold, and nothing that can be woken is."""

from __future__ import annotations

import numpy as np
import pytest

from goretain.heap.heap import Heap
from goretain.model.findings import Finding
from goretain.snapshot import NO_OBJECT, Frame, Goroutine, Layer, RootFlag, Snapshot, WaitKind, Waits
from tests.unit.patterns.heaps import find
from tests.unit.snapshot.synthetic import Build

KB = 1 << 10
REASONS = {
    WaitKind.CHANNEL_RECEIVE: "chan receive",
    WaitKind.CHANNEL_SEND: "chan send",
    WaitKind.SELECT: "select",
    WaitKind.MUTEX: "sync.Mutex.Lock",
    WaitKind.SLEEP: "sleep",
    WaitKind.IO: "IO wait",
}
Row = tuple[int, WaitKind, int, int]  # goroutine, kind, address, object


class Parked:
    """A heap of goroutines that wait, each with a channel and a buffer of its own."""

    def __init__(self) -> None:
        self.build = Build()
        self.rows: list[Row] = []

    def goroutine(
        self,
        kind: WaitKind,
        buffer: int,
        *,
        function: str = "main.work",
        address: int | None = None,
        **more: object,
    ) -> tuple[int, int]:
        """Its channel and its row; address: of what it waits for, where that is not the channel."""
        build, row = self.build, len(self.build.goroutines)
        channel, held = build.add(96), build.add(buffer)
        node = build.node(f"goroutine {row + 2} [{REASONS[kind]}] {function}", Layer.PARKED, row)
        build.roots += [(node, channel, ":c"), (node, held, ":buf")]
        facts: dict[str, object] = {"wait_reason": REASONS[kind], "system": False, "stack_bytes": 2048} | more
        frames = (Frame("runtime.gopark", "proc.go", 1), Frame(function, "/src/main.go", 7))
        build.goroutines.append(
            Goroutine(id=row + 2, state="waiting", frames=frames, **facts)  # type: ignore[arg-type]
        )
        at = channel if address is None else int(NO_OBJECT)
        self.rows.append((row, kind, 1 if address is None else address, at))
        return channel, row

    def snapshot(self, **meta: object) -> Snapshot:
        snapshot = self.build.snapshot(**meta)
        rows = sorted(self.rows)
        snapshot.waits = Waits(
            np.array([row[0] for row in rows], np.int32),
            np.array([row[1] for row in rows], np.uint8),
            np.array([row[2] for row in rows], np.int64),
            np.array([row[3] for row in rows], np.uint32),
            np.zeros(len(rows), np.uint32),
        )
        return snapshot

    def findings(self, **meta: object) -> list[Finding]:
        return find("GR105", Heap(self.snapshot(**meta)))


@pytest.mark.parametrize(
    "kind", [WaitKind.CHANNEL_RECEIVE, WaitKind.CHANNEL_SEND, WaitKind.SELECT, WaitKind.MUTEX]
)
def test_goroutines_of_one_stack_are_one_finding(kind: WaitKind) -> None:
    heap = Parked()
    for _ in range(3):
        heap.goroutine(kind, 8 * KB)
    (finding,) = heap.findings()
    assert (finding.count, finding.retained_bytes) == (3, 3 * (8 * KB + 96))
    assert finding.saving_bytes == 3 * (8 * KB + 96 + 2048)
    assert finding.confidence.level == "proved"
    assert finding.chain.text.startswith("goroutine 2 [")
    assert ":buf" in finding.chain.text
    assert "main.go:7" in finding.confidence.reason


def test_whom_a_global_can_wake_is_not_leaked_nor_who_can_be_woken_by_it() -> None:
    heap = Parked()
    known, first = heap.goroutine(WaitKind.CHANNEL_RECEIVE, 8 * KB)
    inner, _ = heap.goroutine(WaitKind.CHANNEL_SEND, 8 * KB, function="main.next")
    heap.build.roots += [(heap.build.node("main.jobs", Layer.PROGRAM), known, "")]
    heap.build.roots += [(heap.build.roots[2 * first][0], inner, ":next")]
    assert heap.findings() == []


def test_what_only_finds_a_goroutine_cannot_wake_it() -> None:
    heap = Parked()
    channel, _ = heap.goroutine(WaitKind.CHANNEL_RECEIVE, 8 * KB)
    node = heap.build.node("runtime.mcache.tiny", Layer.RUNTIME)
    heap.build.roots.append((node, channel, "[0]"))
    snapshot = heap.snapshot()
    assert find("GR105", Heap(snapshot)) == []
    snapshot.columns.root_flags[-1] |= RootFlag.ALLOCATOR
    (finding,) = find("GR105", Heap(snapshot))
    assert finding.count == 1


@pytest.mark.parametrize(
    ("kind", "more", "leaked"),
    [
        (WaitKind.CHANNEL_RECEIVE, {"address": 0}, "nil channel"),
        (WaitKind.SELECT, {"address": 0}, "select whose channels are all nil"),
        (WaitKind.SELECT, {"address": 0, "wait_reason": "select (no cases)"}, "select without cases"),
        (WaitKind.CHANNEL_RECEIVE, {"address": -1}, None),  # it is not known what for
        (WaitKind.MUTEX, {"address": 0x55_0000}, None),  # a global variable
        (WaitKind.SLEEP, {"address": -1}, None),
        (WaitKind.IO, {"address": -1}, None),
        (WaitKind.CHANNEL_RECEIVE, {"system": True}, None),
        (WaitKind.CHANNEL_RECEIVE, {"system": None}, None),
    ],
)
def test_each_kind_of_wait_is_told_apart(kind: WaitKind, more: dict[str, object], leaked: str | None) -> None:
    heap = Parked()
    heap.goroutine(kind, 8 * KB, **more)  # type: ignore[arg-type]
    assert [f.type for f in heap.findings()] == ([leaked] if leaked else [])


def test_missing_memory_makes_it_likely() -> None:
    heap = Parked()
    heap.goroutine(WaitKind.CHANNEL_RECEIVE, 8 * KB)
    (finding,) = heap.findings(counts={"objects_without_content": 3})
    assert finding.confidence.level == "likely"
    assert finding.confidence.decide


def test_the_main_goroutine_is_never_leaked_but_what_only_it_could_wake_is() -> None:
    heap = Parked()
    _, row = heap.goroutine(WaitKind.SELECT, 8 * KB, address=0, function="main.main")
    heap.build.goroutines[row] = Goroutine(
        id=1, state="waiting", wait_reason="select (no cases)", frames=(Frame("main.main"),), system=False
    )
    channel, _ = heap.goroutine(WaitKind.CHANNEL_RECEIVE, 8 * KB)
    heap.build.roots.append((heap.build.roots[0][0], channel, ":c"))
    (finding,) = heap.findings()
    assert "main.work" in finding.holder
