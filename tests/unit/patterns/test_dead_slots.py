"""Elements that a slice has left behind: what they alone hold is reported, and only that."""

from __future__ import annotations

import pytest

from goretain.heap.heap import Heap
from goretain.snapshot import NO_OBJECT, Layer, ObjectFlag
from tests.unit.patterns.heaps import find
from tests.unit.snapshot.synthetic import ENTRY_POINTER, Build

KB = 1 << 10
SLOTS = 64


def queue(first: int, length: int, each: int, layer: Layer = Layer.PROGRAM) -> Build:
    """``main.queue`` shows ``length`` of 64 pointers to objects of a size, from the first on."""
    build = Build()
    node = build.node("main.queue", layer)
    array = build.add(8 * SLOTS, ENTRY_POINTER, ObjectFlag.ARRAY)
    build.edges += [(array, k, build.add(each)) for k in range(SLOTS)]
    build.roots.append((node, array, ""))
    build.windows.append((array, int(NO_OBJECT), 0, 8 * first, 8 * length, 8 * (SLOTS - first)))
    return build


def test_what_lies_before_the_slice_is_lost_for_certain() -> None:
    (finding,) = find("GR106", Heap(queue(8, SLOTS - 8, 16 * KB).snapshot()))
    assert (finding.holder, finding.severity, finding.confidence.level) == ("main.queue", "leak", "proved")
    assert finding.saving_bytes == 8 * 16 * KB
    assert finding.retained_bytes == SLOTS * 16 * KB + 8 * SLOTS


@pytest.mark.parametrize(("each", "found"), [(15 * KB, 0), (17 * KB, 1)])
def test_what_lies_beyond_the_length_may_be_taken_back(each: int, found: int) -> None:
    findings = find("GR106", Heap(queue(0, 0, each).snapshot()))
    assert [(f.severity, f.confidence.level) for f in findings] == [("waste", "likely")] * found


def test_below_64_kb_nothing_is_reported() -> None:
    assert find("GR106", Heap(queue(8, SLOTS - 8, 7 * KB).snapshot())) == []


def test_what_a_goroutine_at_work_holds_is_left_alone() -> None:
    assert find("GR106", Heap(queue(8, SLOTS - 8, 16 * KB, Layer.RUNNING).snapshot())) == []


def test_an_array_that_weighs_more_than_what_it_holds_is_the_other_pattern_s() -> None:
    build = Build()
    node = build.node("main.queue", Layer.PROGRAM)
    array = build.add(128 * KB, ENTRY_POINTER, ObjectFlag.ARRAY)
    build.edges.append((array, 0, build.add(1 * KB)))
    build.roots.append((node, array, ""))
    build.windows.append((array, int(NO_OBJECT), 0, 127 * KB, KB, KB))
    heap = Heap(build.snapshot())
    assert find("GR106", heap) == []
    (finding,) = find("GR101", heap)
    assert finding.saving_bytes == 127 * KB + KB


def test_the_same_bytes_are_not_reported_twice() -> None:
    heap = Heap(queue(60, 4, 16 * KB).snapshot())
    assert find("GR101", heap) == []
    (finding,) = find("GR106", heap)
    assert finding.saving_bytes == 60 * 16 * KB


def test_a_part_from_the_middle_was_cut_and_is_the_other_pattern_s() -> None:
    heap = Heap(queue(5, 1, 16 * KB).snapshot())
    assert find("GR106", heap) == []
    (finding,) = find("GR101", heap)
    assert (finding.saving_bytes, finding.confidence.level) == (63 * 16 * KB + 63 * 8, "proved")
