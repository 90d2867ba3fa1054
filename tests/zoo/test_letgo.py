"""What --without says beforehand is what a program gives back when it lets go and collects, by MemStats.

Of a variable, of two together, of a field, of one element of a slice, of a field of all of them, of an
interface, of a goroutine.
"""

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


def _given_back(path: Path) -> tuple[int, int]:
    """Bytes and objects by MemStats, when the program has said them."""
    deadline = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    size, objects = path.read_text().split()
    return int(size), int(objects)


def _worker(snapshot: Snapshot, size: int) -> str:
    """The goroutine that holds an object of that size."""
    (large,) = np.flatnonzero(snapshot.columns.object_size == size)
    return snapshot.roots[snapshot.heap.holder_of(int(large))].name


def _own(snapshot: Snapshot, ids: NDArray[np.uint32]) -> set[int]:
    """Addresses of those objects that are of the program's own types, and of their contents."""
    names = [t.name for t in snapshot.types]
    own = [k for k, name in enumerate(names) if "main." in name]
    columns = snapshot.columns
    chosen = ids[np.isin(columns.object_type[ids], own) | (columns.object_size[ids] == 1024)]
    return set(columns.object_address[chosen].tolist())


#: What the program lets go of, step by step, as a user would say it.
STEPS = (
    ["main.cache"],
    ["main.state.index"],
    ["main.state.pages[3]"],
    ["main.state.pages[*].body (len 512, cap 512) -> [512]byte"],
    ["main.state.last"],
    ["main.recent", "main.older"],
    ["a goroutine"],
)


def test_what_comes_back_is_what_the_program_gives_back(go_version: str, tmp_path: Path) -> None:
    said, given, looks = [], [], []
    with running(go_program("letgo", go_version), [str(tmp_path)], env={"GOMAXPROCS": "1"}) as target:
        for number, holders in enumerate(STEPS):
            looks.append(_look(target.pid))
            if number == len(STEPS) - 1:  # of the two workers the one that its channel tells
                what_if = looks[-1].heap.without([_worker(looks[-1], 20480)])
            else:
                what_if = looks[-1].heap.without(holders)
            said.append((what_if.freed_bytes, what_if.freed_objects))
            os.kill(target.pid, signal.SIGUSR1)
            given.append(_given_back(tmp_path / str(number)))
        pages = target.fact("Pages")
    assert dict(zip(map(str, STEPS), said, strict=True)) == dict(zip(map(str, STEPS), given, strict=True))
    before, after = looks[:2]
    what_if = before.heap.without(["main.cache"])
    freed = {row.type: row.objects for row in what_if.types}
    assert freed["main.page"] == pages
    everything = np.flatnonzero(before.heap.graph.reached).astype(np.uint32)
    still = set(after.columns.object_address[after.heap.graph.reached].tolist())
    assert _own(before, what_if.freed) == _own(before, everything) - still
    assert {keeper.name for keeper in what_if.keepers} & {"main.recent", "main.older"}
    worker = [keeper for keeper in what_if.keepers if keeper.name.endswith("main.worker")]
    assert [keeper.objects for keeper in worker] == [2]
    retained = {holder.name: holder.retained_bytes for holder in before.holders()}
    assert what_if.freed_bytes < retained["main.cache"]  # the worker's page is counted as the cache's there
