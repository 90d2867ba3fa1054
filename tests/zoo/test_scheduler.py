"""What only the scheduler holds belongs to nobody who merely points into it.

A channel leads to the goroutines parked on it, a timer to all timers of its P: neither is a holder of theirs.
"""

from __future__ import annotations

from functools import cache

import pytest

from goretain.diagnosis.diagnose import diagnose
from goretain.heap.heap import Heap
from goretain.snapshot import Layer
from tests.support.golang import VERSIONS, go_program, release, running, wait_until_blocked
from tests.support.heaps import snapshot_of

_VERSIONS = ["1.22.10", "1.24.11", VERSIONS[-1]]
_TIMERS = _GOROUTINES = 10
_PRIVATE = 1 << 20


@cache
def heap_of(version: str) -> Heap:
    """The heap of ``scheduler``."""
    with running(go_program("scheduler", version)) as target:
        wait_until_blocked(target.pid)
        return Heap(snapshot_of(target.pid))


def _retained(heap: Heap, name: str) -> int:
    return sum(h.retained_bytes + h.shared_bytes for h in heap.holders if h.name == name)


@pytest.mark.parametrize("version", _VERSIONS)
def test_a_timer_in_a_global_does_not_hold_the_other_timers(version: str) -> None:
    assert _retained(heap_of(version), "main.keep") < 1024


@pytest.mark.parametrize("version", _VERSIONS)
def test_a_channel_does_not_hold_the_goroutines_parked_on_it(version: str) -> None:
    heap = heap_of(version)
    assert _retained(heap, "main.wake") < 1024
    parked = [h for h in heap.holders if h.layer == Layer.PARKED and "main.park" in h.name]
    assert len(parked) == _GOROUTINES
    assert all(_PRIVATE <= h.retained_bytes < _PRIVATE + 4096 for h in parked)


@pytest.mark.parametrize("version", [v for v in _VERSIONS if release(v) >= (1, 23)])
def test_what_timers_hold_has_its_types(version: str) -> None:
    heap = heap_of(version)
    names = [row.type for row in heap.histogram if row.type is not None and row.objects >= _TIMERS]
    assert any(name.startswith("closure main.schedule.func1") for name in names)
    assert "runtime.timeTimer" in names


@pytest.mark.parametrize("version", _VERSIONS)
def test_every_element_of_a_long_array_inside_a_struct_is_followed(version: str) -> None:
    heap = heap_of(version)
    (finding,) = [f for f in diagnose(heap).findings if f.holder == "main.table"]
    assert finding.code == "GR101"
    assert finding.count == (1 << 17) // 32
    assert finding.hidden_bytes == finding.count * (4096 - 8)
