"""Pools and timers: only items that outweigh the others, only timers that nobody else refers to."""

from __future__ import annotations

import numpy as np
import pytest

from goretain.heap.heap import Heap
from goretain.snapshot import Layer, TimerFlag, Timers
from tests.support.heapdsl import HeapBuilder
from tests.unit.patterns.heaps import find

KB, MB = 1 << 10, 1 << 20


def pool(*sizes: int) -> tuple[HeapBuilder, list[int]]:
    """A pool's slots with one buffer of each size; ids of the buffers."""
    heap = HeapBuilder()
    heap.type("sync.poolLocal", "struct", 128)
    heap.type("bytes.Buffer", "struct", 48)
    slots = heap.object(1024, "sync.poolLocal")
    heap.root("main.pages", slots)
    items = [heap.object(48, "bytes.Buffer") for _ in sizes]
    for word, (item, size) in enumerate(zip(items, sizes, strict=True)):
        heap.edge(slots, item, word)
        heap.edge(item, heap.object(size))
    return heap, items


def test_items_far_above_the_median_of_their_pool_are_too_large() -> None:
    heap, _ = pool(*[4 * KB] * 8, MB, MB)
    (finding,) = find("GR110", Heap(heap.build()))
    assert (finding.holder, finding.count, finding.type) == ("main.pages", 2, "bytes.Buffer")
    assert finding.saving_bytes == 2 * (MB - 4 * KB)
    assert finding.retained_bytes == 2 * (MB + 48)
    assert (finding.severity, finding.confidence.level) == ("waste", "likely")


@pytest.mark.parametrize(
    "sizes",
    [
        [MB] * 10,  # what the pool is for
        [*[300 * KB] * 8, MB, MB],  # less than four times the usual
        [*[4 * KB] * 8, 600 * KB],  # too little in all
        [*[512] * 80, *[60 * KB] * 40],  # no item of more than 64 KiB
    ],
)
def test_a_pool_of_alike_or_small_items_is_healthy(sizes: list[int]) -> None:
    assert find("GR110", Heap(pool(*sizes)[0].build())) == []


def test_an_item_that_the_program_keeps_as_well_is_not_the_pool_s() -> None:
    heap, items = pool(*[4 * KB] * 8, 3 * MB, 2 * MB)
    heap.root("main.spare", *items[-2:])
    assert find("GR110", Heap(heap.build())) == []


def timers(count: int, *, type: str = "runtime.timeTimer", closure: int = 0, channel: int = 0) -> HeapBuilder:
    """Timers that only the runtime leads to, each with a function that captured bytes, or a channel."""
    heap = HeapBuilder()
    heap.type("interface {}", "interface", 16)
    heap.struct("runtime.timer", arg="interface {}")
    heap.struct("time.Ticker", c="unsafe.Pointer", r="runtime.timer")
    heap.struct("runtime.timeTimer", c="unsafe.Pointer", timer="runtime.timer")
    heap.type("closure main.upload.func1", "struct", 16, role="closure")
    heap.type("chan time.Time", "chan", 8)
    allp = heap.object(8 * count)
    heap.root("runtime.allp", allp, layer=Layer.RUNTIME)
    for at in range(count):
        timer = heap.object(32, type)
        heap.edge(allp, timer, at)
        given = (
            heap.object(16, "closure main.upload.func1")
            if closure
            else heap.object(channel, "chan time.Time")
        )
        heap.edge(timer, given, 2)
        if closure:
            heap.edge(given, heap.object(closure), 1)
    return heap


@pytest.mark.parametrize(
    ("kind", "level"), [("time.Ticker", "proved"), ("runtime.timeTimer", "likely"), ("main.other", "")]
)
def test_channels_of_timers_that_nobody_refers_to(kind: str, level: str) -> None:
    heap = timers(500, type=kind if level else "chan time.Time", channel=112)
    findings = find("GR111", Heap(heap.build()))
    assert [(f.count, f.saving_bytes, f.severity, f.confidence.level) for f in findings] == (
        [(500, 500 * 144, "leak", level)] if level else []
    )


@pytest.mark.parametrize("period", [0, 3600 * 10**9])
@pytest.mark.parametrize("kind", ["runtime.timeTimer", ""])
def test_a_period_tells_tickers_whatever_the_type(kind: str, period: int) -> None:
    snapshot = timers(500, type=kind, channel=112).build()
    snapshot.timers = Timers(
        timer_object=np.arange(1, 1001, 2, dtype=np.uint32),
        timer_when=np.zeros(500, np.int64),
        timer_period=np.full(500, period),
        timer_flags=np.full(500, int(TimerFlag.CHANNEL), np.uint8),
        timer_function=np.zeros(500, np.uint32),
        timer_target=np.arange(2, 1002, 2, dtype=np.uint32),
    )
    (finding,) = find("GR111", Heap(snapshot))
    assert (finding.count, finding.saving_bytes, finding.severity) == (500, 500 * 144, "leak")
    assert (finding.confidence.level, "ticker" in finding.fix) == (
        ("proved", True) if period else ("likely", False)
    )


@pytest.mark.parametrize(("count", "bytes", "found"), [(300, 4 * KB, 1), (63, 64 * KB, 0), (200, 4 * KB, 0)])
def test_functions_of_timers_matter_when_they_keep_much(count: int, bytes: int, found: int) -> None:
    findings = find("GR111", Heap(timers(count, closure=bytes).build()))
    assert [(f.count, f.saving_bytes) for f in findings] == [(count, count * (bytes + 48))] * found
    assert all((f.severity, f.confidence.level) == ("waste", "likely") for f in findings)


def test_a_timer_that_somebody_can_stop_is_in_use() -> None:
    heap = timers(600, channel=112)
    heap.root("main.alarm", *range(1, 1 + 2 * 550))  # timers and channels by turns
    assert find("GR111", Heap(heap.build())) == []
