"""Captures at arbitrary moments of a program that allocates at full speed while the collector runs.

Nothing can be compared with MemStats here, since it never stands still. What must hold all the same: no
capture fails, no pointer leads to a free slot, what the program never drops is found each time, also
where only the frame of a running goroutine holds it, and what no root reaches was dropped since the last mark
or allocated since. Once the program has stopped and collected, nothing is unreached at all.
"""

from __future__ import annotations

import time
from collections import Counter

import numpy as np
import pytest

from goretain.heap.heap import Heap
from goretain.snapshot import Snapshot
from tests.support.golang import EXPERIMENTS, VERSIONS, go_program, running, wait_until_blocked
from tests.support.heaps import snapshot_of

_BUILDS = [(version, "") for version in VERSIONS] + list(EXPERIMENTS)


def _reached_by_type(snapshot: Snapshot) -> Counter[str]:
    """Number of reached objects by the name of their type."""
    types = snapshot.columns.object_type[Heap(snapshot).graph.reached]
    numbers, counts = np.unique(types[types >= 0], return_counts=True)
    return Counter({snapshot.types[n].name: int(c) for n, c in zip(numbers, counts, strict=True)})


def _retained(heap: Heap, name: str) -> tuple[int, int]:
    """(bytes, objects) that the root of this name alone holds."""
    (node,) = [index for index, root in enumerate(heap.snapshot.roots) if root.name == name]
    return heap.graph.node_retained(node)


def _is_reached(snapshot: Snapshot, address: int) -> bool:
    """Whether the object at an address is reached (its type may be unknown: a register may hold it)."""
    row = int(np.searchsorted(snapshot.columns.object_address, address))
    return bool(snapshot.columns.object_address[row] == address and Heap(snapshot).graph.reached[row])


def _account_for_all(heap: Heap) -> None:
    """Every allocated object is listed and is reached, marked by the last collection, or younger than it."""
    coverage = heap.coverage
    parts = (coverage.reached, coverage.survived, coverage.since)
    for whole in (coverage.allocated, coverage.enumerated):
        assert sum(part.objects for part in parts) == whole.objects
        assert sum(part.bytes for part in parts) == whole.bytes


def _hold_to_facts(build: tuple[str, str], captures: int) -> None:
    version, experiment = build
    program = go_program("churn", version, experiments=[experiment] if experiment else [])
    with running(program, env={"GOGC": "40"}) as target:
        owned = [int(address, 16) for (address,) in target.facts["Owned"]]
        assert len(owned) == 6
        kept = set()
        for turn in range(captures):
            snapshot = snapshot_of(target.pid)
            _account_for_all(Heap(snapshot))
            kept.add(_retained(Heap(snapshot), "main.kept"))
            assert snapshot.meta.counts["pointers_to_free_slots"] == 0, turn
            reached = _reached_by_type(snapshot)
            assert reached["main.permanent"] == target.fact("Permanent"), turn
            for address in owned:
                assert _is_reached(snapshot, address), turn
            time.sleep(0.003 * (turn % 7))  # other moments of the collector's cycle
        assert target.process.poll() is None
    ((_, objects),) = kept  # nothing is added to it or taken from it, so all captures agree
    assert objects >= target.fact("Kept")


@pytest.mark.parametrize("build", [("1.22.10", ""), (VERSIONS[-1], "")], ids=" ".join)
def test_captures_under_churn_hold(build: tuple[str, str]) -> None:
    _hold_to_facts(build, 4)


@pytest.mark.long
@pytest.mark.parametrize("build", _BUILDS, ids=" ".join)
def test_thirty_captures_under_churn_hold(build: tuple[str, str]) -> None:
    _hold_to_facts(build, 30)


def _hold_at_rest(build: tuple[str, str]) -> None:
    version, experiment = build
    program = go_program("churn", version, experiments=[experiment] if experiment else [])
    with running(program, ["stop"], env={"GOGC": "40"}) as target:
        wait_until_blocked(target.pid)
        snapshot = snapshot_of(target.pid)
    heap = Heap(snapshot)
    _account_for_all(heap)
    assert (heap.coverage.survived.objects, heap.coverage.since.objects) == (0, 0)
    assert _reached_by_type(snapshot)["main.permanent"] == target.fact("Permanent")
    assert all(_is_reached(snapshot, int(address, 16)) for (address,) in target.facts["Owned"])
    assert _retained(heap, "main.kept")[1] >= target.fact("Kept")


@pytest.mark.parametrize("build", [("1.22.10", ""), (VERSIONS[-1], "")], ids=" ".join)
def test_nothing_is_unreached_once_churn_has_stopped(build: tuple[str, str]) -> None:
    _hold_at_rest(build)


@pytest.mark.long
@pytest.mark.parametrize("build", _BUILDS, ids=" ".join)
def test_nothing_is_unreached_once_churn_has_stopped_in_any_build(build: tuple[str, str]) -> None:
    _hold_at_rest(build)
