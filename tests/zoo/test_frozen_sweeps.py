"""Captures that find a thread in the middle of a sweep: between any two stores that turn marks into
allocation bits, no object is lost and no pointer leads to a free slot.

The sweep of a span ends with its number of the cycle (mspan.sweepgen), a few instructions after its mark bits
were replaced: a capture that falls there by chance is one in some hundreds, so the thread is held there.
"""

from __future__ import annotations

import numpy as np
import pytest

from goretain.debuginfo.elf.elf import Elf
from goretain.golang.layout import Layout, open_layout
from goretain.golang.read import read_heap
from goretain.heap.heap import Heap
from goretain.snapshot import Snapshot
from tests.support.golang import EXPERIMENTS, VERSIONS, go_program, running
from tests.support.holding import after_store, image_held_at, instructions

_SWEEP = "runtime.(*sweepLocked).sweep"
#: Fields of mspan in the order in which the sweep writes them.
_WRITTEN = ("freeindex", "freeIndexForScan", "allocBits", "gcmarkBits", "sweepgen")
_BUILDS = [(version, "") for version in VERSIONS] + list(EXPERIMENTS)
_SHORT = (_BUILDS[0], ("1.26.6", "nogreenteagc"))


def _cases() -> list[object]:
    return [
        pytest.param(build, marks=() if build in _SHORT else (pytest.mark.long,), id=" ".join(build))
        for build in _BUILDS
    ]


def _moments(layout: Layout) -> dict[str, int]:
    """Where to hold: the entry, and behind each store; link addresses."""
    code = instructions(layout, _SWEEP)
    offsets = {name: layout.offset("runtime.mspan", name) for name in _WRITTEN}
    moments = {name: after_store(code, offset) for name, offset in offsets.items()}
    before_last = next(i.address for i in code if i.stores_at == offsets["sweepgen"])
    return {"entry": code[0].address, **moments, "before sweepgen": before_last}


def _permanents(snapshot: Snapshot) -> int:
    """Reached objects of the type that the program never drops."""
    types = [row for row, described in enumerate(snapshot.types) if described.name == "main.permanent"]
    return int(np.isin(snapshot.columns.object_type[Heap(snapshot).graph.reached], types).sum())


def _hold_at_moments(build: tuple[str, str], rounds: int, flags: tuple[str, ...] = ()) -> None:
    version, experiment = build
    experiments = [experiment] if experiment else []
    described = Elf.open(str(go_program("churn", version, experiments=experiments)))  # code is where it was
    with running(
        go_program("churn", version, experiments=experiments, flags=flags), env={"GOGC": "40"}
    ) as target:
        moments = _moments(open_layout(described))
        if flags:  # without symbols a span all dead that nothing was done to yet may be taken for a swept one
            del moments["entry"]
        for moment, address in moments.items():
            for _ in range(rounds):
                image = image_held_at(target.pid, address)
                assert image is not None, moment
                snapshot = read_heap(image)
                assert snapshot.meta.counts["pointers_to_free_slots"] == 0, moment
                assert snapshot.meta.counts["impossible_maps"] == 0, moment
                assert _permanents(snapshot) == target.fact("Permanent"), moment
        assert target.process.poll() is None


@pytest.mark.parametrize("build", _cases())
def test_a_thread_in_any_moment_of_its_sweep_loses_nothing(build: tuple[str, str]) -> None:
    _hold_at_moments(build, 1 if build in _SHORT else 3)


def test_a_stripped_program_in_any_moment_of_its_sweep_loses_nothing() -> None:
    _hold_at_moments(_SHORT[-1], 1, ("-ldflags=-s -w",))
