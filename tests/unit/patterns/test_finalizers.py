"""Finalizers and cleanups that keep their own object, wait in a row, or wait behind one that is stuck."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest

from goretain.heap.heap import Heap
from goretain.model.findings import Finding
from goretain.snapshot import (
    NO_OBJECT,
    Frame,
    Goroutine,
    Layer,
    RootFlag,
    SpecialKind,
    Specials,
    WaitKind,
    Waits,
)
from tests.support.heapdsl import HeapBuilder
from tests.unit.patterns.heaps import find

KB = 1 << 10
NONE = int(NO_OBJECT)
FINALIZER, CLEANUP, QUEUED = SpecialKind.FINALIZER, SpecialKind.CLEANUP, SpecialKind.QUEUED_FINALIZER


@dataclass
class Attaching:
    """A heap with specials; roots of specials are those that the collector has."""

    heap: HeapBuilder = field(default_factory=HeapBuilder)
    rows: list[tuple[int, int, int]] = field(default_factory=list)  # kind, object, target
    goroutines: list[Goroutine] = field(default_factory=list)
    waits: Waits | None = None

    def __post_init__(self) -> None:
        for name in ("main.conn", "main.file"):
            self.heap.type(name, "struct", 64)

    def finalizer(self, owner: int, function: int = NONE) -> None:
        self.rows.append((FINALIZER, owner, function))
        self._root("finalizer of *main.conn", function)

    def cleanup(self, owner: int, *kept: int) -> None:
        for target in kept:
            self.rows.append((CLEANUP, owner, target))
            self._root("cleanup main.release", target)

    def queued(self, owner: int) -> None:
        self.rows.append((QUEUED, owner, NONE))
        self._root("queued finalizer main.closeConn", owner)

    def _root(self, name: str, target: int) -> None:
        if target != NONE:
            self.heap.root(name, target, layer=Layer.RUNTIME, flags=RootFlag.SPECIAL)

    def find(self, code: str) -> list[Finding]:
        for kind, owner, _ in self.rows:
            if kind == FINALIZER:  # what the object points to is a root
                for source, _, target in list(self.heap.edges):
                    if source == owner:
                        self._root("finalizer of *main.conn", target)
        snapshot = self.heap.build()
        kinds, owners, targets = (list(column) for column in zip(*self.rows, strict=True))
        snapshot.specials = Specials(
            special_kind=np.array(kinds, np.uint8),
            special_object=np.array(owners, np.uint32),
            special_function=np.zeros(len(kinds), np.uint32),
            special_target=np.array(targets, np.uint32),
        )
        snapshot.goroutines.extend(self.goroutines)
        snapshot.waits = self.waits
        return find(code, Heap(snapshot))


def pair(made: Attaching, size: int = 100 * KB, type: str = "main.conn") -> tuple[int, int]:
    """A connection and its session, which refer to each other."""
    conn, session = made.heap.object(64, type), made.heap.object(size)
    made.heap.edge(conn, session)
    made.heap.edge(session, conn)
    return conn, session


def test_a_finalizer_in_a_cycle_never_runs() -> None:
    made = Attaching()
    for _ in range(3):
        made.finalizer(pair(made)[0])
    (finding,) = made.find("GR116")
    assert (finding.holder, finding.count, finding.type) == ("finalizer of *main.conn", 3, "main.conn")
    assert finding.saving_bytes == 3 * (100 * KB + 64)
    assert (finding.severity, finding.confidence.level) == ("leak", "proved")


def test_a_finalizer_that_only_waits_for_a_collection_is_healthy() -> None:
    made = Attaching()
    conn = made.heap.object(64, "main.conn")
    made.heap.edge(conn, made.heap.object(512 * KB))
    made.finalizer(conn)
    assert made.find("GR116") == []
    assert made.find("GR117") == []


def test_a_cycle_that_somebody_uses_is_healthy() -> None:
    for layer in (Layer.PROGRAM, Layer.PARKED, Layer.RUNNING, Layer.RUNTIME):
        made = Attaching()
        conn, session = pair(made)
        made.finalizer(conn)
        made.heap.root("runtime.timers", session, layer=layer)
        assert made.find("GR116") == []


def test_a_function_that_captured_the_object_keeps_it() -> None:
    made = Attaching()
    conn, closure = made.heap.object(128 * KB, "main.conn"), made.heap.object(16)
    made.heap.edge(closure, conn, 1)
    made.finalizer(conn, closure)
    (finding,) = made.find("GR116")
    assert finding.saving_bytes == 128 * KB + 16


@pytest.mark.parametrize("leads", ["argument", "function"])
def test_what_a_cleanup_keeps_may_lead_back_in_two_steps(leads: str) -> None:
    made = Attaching()
    file, handle = pair(made, type="main.file")
    argument, function = made.heap.object(16), made.heap.object(32)
    made.heap.edge(argument if leads == "argument" else function, handle)
    made.cleanup(file, argument, function)
    (finding,) = made.find("GR116")
    assert (finding.count, finding.type) == (1, "main.file")
    assert finding.saving_bytes == 100 * KB + 64 + 16 + 32
    assert "cleanup" in finding.fix
    assert "cleanup" in finding.confidence.reason


def test_an_object_s_own_cycle_does_not_matter_to_its_cleanup() -> None:
    made = Attaching()
    file, _ = pair(made)
    made.cleanup(file, made.heap.object(512 * KB))
    assert made.find("GR116") == []


def test_two_types_in_one_cycle_are_one_finding_and_what_waits_behind_it_is_its() -> None:
    made = Attaching()
    conn, file = made.heap.object(64, "main.conn"), made.heap.object(96 * KB, "main.file")
    made.heap.edge(conn, file)
    made.heap.edge(file, conn)
    behind, held = made.heap.object(64, "main.conn"), made.heap.object(KB)
    made.heap.edge(file, behind, 1)
    made.heap.edge(behind, held)
    for owner in (conn, file, behind):
        made.finalizer(owner)
    (finding,) = made.find("GR116")
    assert (finding.count, finding.saving_bytes) == (2, 64 + 96 * KB + 64 + KB)
    assert made.find("GR117") == []


def test_few_bytes_are_left_alone() -> None:
    made = Attaching()
    made.finalizer(pair(made, size=60 * KB)[0])
    assert made.find("GR116") == []


def chain(links: int, size: int = 8 * KB) -> tuple[Attaching, list[int]]:
    """Blocks with finalizers, each behind a list that is linked both ways; only the first is out of use."""
    made = Attaching()
    blocks = made.heap.objects(links, size, "main.conn")
    for before, block in pairwise(blocks):
        first, second = made.heap.objects(2, 32)
        made.heap.edge(before, first)
        made.heap.edge(first, second)
        made.heap.edge(second, first)
        made.heap.edge(second, block, 1)
    for block in blocks:
        made.finalizer(block)
    return made, blocks


@pytest.mark.parametrize(("links", "found"), [(15, 0), (16, 1), (400, 1)])
def test_finalizers_in_a_row_wait_for_as_many_collections(links: int, found: int) -> None:
    made, _ = chain(links)
    findings = made.find("GR117")
    assert [(f.count, f.saving_bytes) for f in findings] == [(links - 1, (links - 1) * (8 * KB + 64))] * found
    assert all(f"{links} of them wait" in f.confidence.reason for f in findings)
    assert made.find("GR116") == []


def test_a_row_that_somebody_uses_and_many_behind_one_are_healthy() -> None:
    made, blocks = chain(100)
    made.heap.root("main.log", blocks[0])
    assert made.find("GR117") == []
    made = Attaching()
    owner = made.heap.object(4 * KB, "main.conn")
    files = made.heap.objects(100, 8 * KB, "main.file")
    for word, file in enumerate(files):
        made.heap.edge(owner, file, word)
        made.finalizer(file)
    made.finalizer(owner)
    assert made.find("GR117") == []


def queue(count: int, *called: str, state: str = "waiting") -> Attaching:
    """Queued finalizers, and the goroutine that runs them with what it has called, innermost first."""
    made = Attaching()
    for _ in range(count):
        conn = made.heap.object(64, "main.conn")
        made.heap.edge(conn, made.heap.object(4 * KB))
        made.queued(conn)
    frames = tuple(Frame(name) for name in ("runtime.gopark", *called, "runtime.runFinalizers"))
    made.goroutines.append(
        Goroutine(id=5, state=state, wait_reason="chan receive", frames=frames, system=False)
    )
    return made


@pytest.mark.parametrize("state", ["waiting", "syscall"])
def test_what_waits_behind_a_finalizer_that_waits_is_kept(state: str) -> None:
    (finding,) = queue(100, "main.goodbye", "main.closeConn", state=state).find("GR118")
    assert (finding.count, finding.saving_bytes) == (100, 100 * (4 * KB + 64))
    assert finding.title == "finalizers wait behind one that does not return"
    assert finding.confidence.level == "likely"
    assert "goroutine 5, which runs them, waits in main.closeConn" in finding.confidence.reason


def test_it_is_proved_where_nothing_can_wake_the_goroutine() -> None:
    made = queue(100, "main.closeConn")
    one = np.zeros(1, np.int64)
    made.waits = Waits(
        wait_goroutine=one.astype(np.int32),
        wait_kind=np.array([WaitKind.CHANNEL_RECEIVE], np.uint8),
        wait_address=one,
        wait_object=np.array([NO_OBJECT], np.uint32),
        wait_name=one.astype(np.uint32),
    )
    (finding,) = made.find("GR118")
    assert finding.confidence.level == "proved"


def test_a_short_queue_one_that_is_worked_on_and_few_bytes_are_healthy() -> None:
    assert queue(63, "main.closeConn").find("GR118") == []
    assert queue(100, "main.closeConn", state="running").find("GR118") == []
    assert queue(100).find("GR118") == []  # it waits for work


def test_what_somebody_else_refers_to_is_not_the_queue_s() -> None:
    made = queue(100, "main.closeConn")
    made.heap.root("main.inUse", *range(0, 100, 2))  # fifty of the connections, which come first in each pair
    (finding,) = made.find("GR118")
    assert finding.saving_bytes == 50 * (4 * KB + 64)


def test_a_file_may_list_specials_that_are_no_roots_in_it() -> None:
    made = Attaching()
    made.finalizer(pair(made)[0])
    unreached, _ = pair(made)
    made.rows.append((CLEANUP, unreached, unreached))
    (finding,) = made.find("GR116")
    assert (finding.count, finding.saving_bytes) == (1, 100 * KB + 64)
