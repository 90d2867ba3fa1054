"""Captures at arbitrary moments of a program that allocates at full speed while the collector runs.

Nothing can be compared with MemStats here, since it never stands still. What must hold all the same: no
capture fails, no pointer leads to a free slot, and what the program never drops is found each time, also
where only the frame of a running goroutine holds it.
"""

from __future__ import annotations

import time
from collections import Counter

import numpy as np
import pytest

from goretain.heap.heap import Heap
from goretain.snapshot import Snapshot
from tests.support.golang import EXPERIMENTS, VERSIONS, go_program, running
from tests.support.heaps import snapshot_of

_BUILDS = [(version, "") for version in VERSIONS] + list(EXPERIMENTS)


def _reached_by_type(snapshot: Snapshot) -> Counter[str]:
    """Number of reached objects by the name of their type."""
    types = snapshot.columns.object_type[Heap(snapshot).graph.reached]
    numbers, counts = np.unique(types[types >= 0], return_counts=True)
    return Counter({snapshot.types[n].name: int(c) for n, c in zip(numbers, counts, strict=True)})


def _is_reached(snapshot: Snapshot, address: int) -> bool:
    """Whether the object at an address is reached (its type may be unknown: a register may hold it)."""
    row = int(np.searchsorted(snapshot.columns.object_address, address))
    return bool(snapshot.columns.object_address[row] == address and Heap(snapshot).graph.reached[row])


def _hold_to_facts(build: tuple[str, str], captures: int) -> None:
    version, experiment = build
    program = go_program("churn", version, experiments=[experiment] if experiment else [])
    with running(program, env={"GOGC": "40"}) as target:
        owned = [int(address, 16) for (address,) in target.facts["Owned"]]
        assert len(owned) == 2
        for turn in range(captures):
            snapshot = snapshot_of(target.pid)
            assert snapshot.meta.counts["pointers_to_free_slots"] == 0, turn
            reached = _reached_by_type(snapshot)
            assert reached["main.permanent"] == target.fact("Permanent"), turn
            for address in owned:
                assert _is_reached(snapshot, address), turn
            time.sleep(0.003 * (turn % 7))  # other moments of the collector's cycle
        assert target.process.poll() is None


@pytest.mark.parametrize("build", [("1.22.10", ""), (VERSIONS[-1], "")], ids=" ".join)
def test_captures_under_churn_hold(build: tuple[str, str]) -> None:
    _hold_to_facts(build, 4)


@pytest.mark.long
@pytest.mark.parametrize("build", _BUILDS, ids=" ".join)
def test_thirty_captures_under_churn_hold(build: tuple[str, str]) -> None:
    _hold_to_facts(build, 30)
