"""What --without says beforehand is what a program gives back when it lets go and collects."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import goretain
from goretain.api import Snapshot
from tests.support.golang import go_program, running, wait_until_blocked


def _look(pid: int) -> Snapshot:
    wait_until_blocked(pid)
    return goretain.open(pid)


def _own(snapshot: Snapshot, ids: NDArray[np.uint32]) -> set[int]:
    """Addresses of those objects that are of the program's own types, and of their contents."""
    names = [t.name for t in snapshot.types]
    own = [k for k, name in enumerate(names) if "main." in name]
    columns = snapshot.columns
    chosen = ids[np.isin(columns.object_type[ids], own) | (columns.object_size[ids] == 1024)]
    return set(columns.object_address[chosen].tolist())


def test_what_comes_back_is_what_the_program_gives_back(go_version: str, tmp_path: Path) -> None:
    done = tmp_path / "done"
    with running(go_program("letgo", go_version), [str(done)], env={"GOMAXPROCS": "1"}) as target:
        before = _look(target.pid)
        os.kill(target.pid, signal.SIGUSR1)
        deadline = time.monotonic() + 20
        while not done.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        after = _look(target.pid)
        pages = target.fact("Pages")
    what_if = before.heap.without(["main.cache"])
    freed = {row.type: row.objects for row in what_if.types}
    assert freed["main.page"] == pages
    everything = np.flatnonzero(before.heap.graph.reached).astype(np.uint32)
    still = set(after.columns.object_address[after.heap.graph.reached].tolist())
    assert _own(before, what_if.freed) == _own(before, everything) - still
    assert {keeper.name.partition(" [")[0] for keeper in what_if.keepers} >= {"main.recent"}
    worker = [keeper for keeper in what_if.keepers if keeper.name.endswith("main.worker")]
    assert [keeper.objects for keeper in worker] == [2]
    retained = {holder.name: holder.retained_bytes for holder in before.holders()}
    assert what_if.freed_bytes < retained["main.cache"]  # the worker's page is counted as the cache's there
