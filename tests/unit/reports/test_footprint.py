"""What counts against a memory limit."""

from __future__ import annotations

import pytest

from goretain.profile.contents import MemStats
from goretain.profile.watch.pacing import Pacing
from goretain.reports.profile.footprint import Footprint, footprint
from goretain.reports.results import MemoryTrend

MIB = 1 << 20
#: 100 MiB in use of 110 in spans, a goal of 200, 20 beside the heap, 10 of C.
STATS = MemStats(
    heap_alloc=100 * MIB,
    heap_objects=1,
    heap_in_use=110 * MIB,
    heap_idle=90 * MIB,
    heap_released=50 * MIB,
    heap_sys=200 * MIB,
    stack_in_use=MIB,
    sys=220 * MIB,
    total_alloc=1,
    next_gc=200 * MIB,
    gc_count=1,
    gc_forced=1,
    gc_cpu=0.0,
)
RESIDENT = 180 * MIB


@pytest.mark.parametrize(
    ("gogc", "own", "expected"),
    [
        (100, None, Footprint(240 * MIB, 2.0)),
        (100, 2000 * MIB, Footprint(240 * MIB, 2.0)),  # beyond the limit that is asked about
        (100, 500 * MIB, Footprint(140 * MIB, 1.0)),
        (-1, None, Footprint(140 * MIB, 1.0)),
        (50, None, Footprint(240 * MIB, 1.5)),
    ],
)
def test_garbage_counts_unless_the_runtime_heeds_a_limit(
    gogc: int, own: int | None, expected: Footprint
) -> None:
    pacing = Pacing(gogc=gogc, memory_limit=own, measured=True)
    assert footprint(trend(pacing, (RESIDENT, RESIDENT)), 512 * MIB) == expected


def test_of_a_program_elsewhere_the_goal_tells() -> None:
    """Neither RSS nor GOGC are known."""
    assert footprint(trend(None, None), 512 * MIB) == Footprint(230 * MIB, 2.0)


def trend(pacing: Pacing | None, resident: tuple[int, int] | None) -> MemoryTrend:
    return MemoryTrend(
        first=STATS,
        last=STATS,
        resident=resident,
        collections_a_minute=2,
        forced_a_minute=2,
        pacing=pacing,
    )
