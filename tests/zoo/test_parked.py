"""Goroutines that nothing can wake: all that tests/zoo/parked planted, none that something still can."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec
import pytest

from goretain.diagnosis import diagnose
from goretain.diagnosis.together import give_back
from goretain.heap.heap import Heap
from goretain.reports.why import why_report
from goretain.snapshot import NO_OBJECT, Goroutine, ObjectFlag, Snapshot, WaitKind, load, save, validate
from tests.support.formats import SNAPSHOT
from tests.support.golang import VERSIONS, Target, go_program, running, wait_until_blocked
from tests.support.heaps import snapshot_of

#: Function -> what it waits for.
KINDS = {
    "main.leakReceive": WaitKind.CHANNEL_RECEIVE,
    "main.leakSend": WaitKind.CHANNEL_SEND,
    "main.leakRange": WaitKind.CHANNEL_RECEIVE,
    "main.leakSelect": WaitKind.SELECT,
    "main.leakNilReceive": WaitKind.CHANNEL_RECEIVE,
    "main.leakNilSend": WaitKind.CHANNEL_SEND,
    "main.leakNilSelect": WaitKind.SELECT,
    "main.leakPartSelect": WaitKind.SELECT,
    "main.leakNoCases": WaitKind.SELECT,
    "main.leakMutex": WaitKind.MUTEX,
    "main.leakReader": WaitKind.RW_MUTEX_READ,
    "main.leakWriter": WaitKind.RW_MUTEX_WRITE,
    "main.leakWaitGroup": WaitKind.WAIT_GROUP,
    "main.leakCond": WaitKind.COND,
    "main.liveSleeper": WaitKind.SLEEP,
    "main.liveAccept": WaitKind.IO,
}
#: They wait for nothing at all.
NOTHING = {"main.leakNilReceive", "main.leakNilSend", "main.leakNilSelect", "main.leakNoCases"}
BUFFERS = {"main.leakReceive": 4096, "main.leakSend": 8192}


def function_of(g: Goroutine) -> str:
    """The function of the program that a goroutine says it is."""
    names = [f.function for f in g.frames if f.function.startswith(("main.leak", "main.live"))]
    return names[0] if names else g.start


def check_leaks(snapshot: Snapshot, target: Target) -> None:
    heap = Heap(snapshot)
    leaks = heap.leaks
    assert leaks is not None
    assert leaks.proved
    found = Counter(
        function_of(g) for g, leaked in zip(snapshot.goroutines, leaks.leaked, strict=True) if leaked
    )
    assert found == Counter(target.table("PLANTED"))
    assert found.total() == 70
    alive = Counter(
        function_of(g) for g, leaked in zip(snapshot.goroutines, leaks.leaked, strict=True) if not leaked
    )
    for name, count in target.table("ALIVE").items():
        if name.startswith(("main.liveSleeper", "main.liveMutex", "main.liveAccept", "main.liveTimer")):
            assert alive[name] >= count


def check_waits(snapshot: Snapshot) -> None:
    """Every goroutine of the program that waits has rows of the right kind, with a known address."""
    waits = snapshot.waits
    assert waits is not None
    for row, (goroutine, kind, address) in enumerate(
        zip(waits.wait_goroutine.tolist(), waits.wait_kind.tolist(), waits.wait_address.tolist(), strict=True)
    ):
        name = function_of(snapshot.goroutines[goroutine])
        if name in KINDS:
            assert kind == KINDS[name], name
            assert (address == 0) == (name in NOTHING), name
        if name.startswith(("main.leak", "main.live")) and kind not in (WaitKind.SLEEP, WaitKind.IO):
            assert address != -1, name
        if name == "main.liveMutex" and waits.wait_name[row]:
            assert snapshot.strings[waits.wait_name[row]] == "main.lock"
    cases = Counter(function_of(snapshot.goroutines[g]) for g in waits.wait_goroutine.tolist())
    assert cases["main.leakSelect"] == 10


def check_memory(snapshot: Snapshot) -> None:
    """What only leaked goroutines hold is exact: buffers by group, nothing live among it."""
    heap = Heap(snapshot)
    leaked = heap.leaked
    assert leaked is not None
    by_name = {group.where.function: group for group in leaked.groups if group.where is not None}
    for name, size in BUFFERS.items():
        group = by_name[name]
        assert len(group.members) == 5
        # The buffer and the channel; from Go 1.23 on a channel has a timer and a slot of 112 bytes.
        assert group.retained_bytes in ((size + 96) * 5, (size + 112) * 5)
        assert group.stack_bytes > 0
        assert group.leaked
    assert leaks_total(heap) == sum(g.retained_bytes for g in leaked.groups) + leaked.shared_bytes


def check_report(snapshot: Snapshot) -> None:
    """Every stack of leaked goroutines is in the report, however few rows of each list are asked for; what
    they hold comes back once."""
    heap = Heap(snapshot)
    found = diagnose(heap).findings
    held = next(f for f in found if f.chain.root.endswith("main.leakSend"))
    again = msgspec.structs.replace(held, code="GR101", pattern="subslice-pins-array", saving_bytes=8 * 8192)
    assert give_back(heap, [again, *found]) == give_back(heap, found) > held.saving_bytes
    section = why_report("parked", heap, top=1).goroutines
    assert section is not None
    assert sum(row.count for row in section.stacks if row.leaked) == section.leaked == 70
    assert sum(not row.leaked for row in section.stacks) <= 1


def leaks_total(heap: Heap) -> int:
    """Bytes that a walk from the leaked stacks finds and the live part does not have, the slow way."""
    columns, leaks = heap.snapshot.columns, heap.leaks
    assert leaks is not None
    waits = heap.snapshot.waits
    assert waits is not None
    others = leaks.live | ((columns.object_flags & ObjectFlag.SCHEDULER) != 0)
    todo = [
        int(target)
        for target, g in zip(columns.root_target.tolist(), columns.root_goroutine.tolist(), strict=True)
        if g >= 0 and leaks.leaked[g]
    ]
    waited = zip(waits.wait_object.tolist(), waits.wait_goroutine.tolist(), strict=True)
    todo += [o for o, g in waited if o != NO_OBJECT and leaks.leaked[g]]
    seen: set[int] = set()
    while todo:
        o = todo.pop()
        if o not in seen and not others[o]:
            seen.add(o)
            todo += columns.edge_target[columns.edge_start[o] : columns.edge_start[o + 1]].tolist()
    return int(columns.object_size[sorted(seen)].sum())


@pytest.mark.parametrize("version", VERSIONS)
def test_all_planted_and_no_live_goroutine_is_leaked(version: str) -> None:
    with running(go_program("parked", version)) as target:
        wait_until_blocked(target.pid)
        snapshot = snapshot_of(target.pid)
    validate(snapshot)
    check_leaks(snapshot, target)
    check_waits(snapshot)
    check_memory(snapshot)
    check_report(snapshot)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_same_where_nothing_is_named(version: str) -> None:
    with running(go_program("parked", version, flags=["-ldflags=-s -w"])) as target:
        wait_until_blocked(target.pid)
        snapshot = snapshot_of(target.pid)
    validate(snapshot)
    check_leaks(snapshot, target)


def test_a_saved_snapshot_says_the_same_and_one_of_version_1_nothing(tmp_path: Path) -> None:
    with running(go_program("parked", VERSIONS[-1])) as target:
        wait_until_blocked(target.pid)
        snapshot = snapshot_of(target.pid)
    save(snapshot, tmp_path / "parked.goretain")
    check_leaks(load(tmp_path / "parked.goretain"), target)
    old = load(SNAPSHOT.with_name("snapshot-1.goretain"))
    (missing,) = [n for n in diagnose(Heap(old)).not_judged if n.code == "GR105"]
    assert "goroutine-waits" in missing.reason


def test_without_the_table_of_waits_nothing_is_said() -> None:
    with running(go_program("parked", VERSIONS[-1])) as target:
        wait_until_blocked(target.pid)
        snapshot = snapshot_of(target.pid)
    snapshot.waits = None
    heap = Heap(snapshot)
    assert heap.leaks is None
    assert heap.leaked is None
    assert all(group.leaked is None for group in heap.goroutines.groups)


@pytest.mark.parametrize("version", [v for v in VERSIONS if v >= "1.24"])
def test_who_is_reached_through_a_weak_pointer_may_be_woken(version: str) -> None:
    with running(go_program("weakly", version)) as target:
        wait_until_blocked(target.pid)
        heap = Heap(snapshot_of(target.pid))
    assert heap.leaks is not None
    assert heap.leaked is not None
    rows = zip(heap.snapshot.goroutines, heap.leaks.leaked, strict=True)
    assert Counter(function_of(g) for g, leaked in rows if leaked) == Counter(target.table("PLANTED"))
    # A weak pointer holds nothing: what the leaked ones have would go with them.
    for group in heap.leaked.groups:
        assert group.retained_bytes > 4 * (64 << 10)
