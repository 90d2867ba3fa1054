"""Objects that only pointers into them keep are reported by what nothing shows."""

from __future__ import annotations

import pytest

from goretain.heap.heap import Heap
from goretain.snapshot import Layer, TypeInfo, WindowKind
from tests.unit.patterns.heaps import Maker, Row, find

KB = 1 << 10


def pointers(*rows: Row) -> Maker:
    maker = Maker()
    maker.windows(maker.holder("main.latest"), list(rows), kind=WindowKind.POINTER)
    return maker


def test_a_pointer_behind_the_first_byte_loses_the_rest_for_certain() -> None:
    (finding,) = find("GR109", pointers(*[Row(64 * KB, 128, 64, 64)] * 3).heap())
    assert (finding.holder, finding.count, finding.confidence.level) == ("main.latest", 3, "proved")
    assert finding.hidden_bytes == finding.saving_bytes == 3 * (64 * KB - 64)


def test_a_pointer_to_the_first_byte_may_mean_a_header() -> None:
    (finding,) = find("GR109", pointers(Row(128 * KB, 0, 64, 64)).heap())
    assert finding.confidence.level == "likely"
    assert finding.confidence.decide
    assert find("GR109", pointers(*[Row(512, 0, 64, 64)] * 4000).heap()) == []


@pytest.mark.parametrize(("goid", "found"), [(7, 0), (0, 1)])
def test_on_a_stack_the_first_byte_of_an_unknown_object_may_be_a_slice_s(goid: int, found: int) -> None:
    maker = Maker()
    layer = Layer.PARKED if goid else Layer.PROGRAM
    maker.variable(maker.holder("main.work", layer, goid), ":main.work.rows", Row(128 * KB, 0, 64, 64))
    maker.kinds[:] = [WindowKind.POINTER]
    heap = maker.heap()
    heap.snapshot.columns.object_type[:] = -1
    assert len(find("GR109", Heap(heap.snapshot))) == found


@pytest.mark.parametrize(("length", "count"), [(65 * KB, 0), (63 * KB, 1)])
def test_what_is_shown_for_the_most_part_is_healthy(length: int, count: int) -> None:
    findings = find("GR109", pointers(*[Row(128 * KB, 64, length, length)] * 2).heap())
    assert [f.count for f in findings] == [2] * count


def test_structs_of_the_standard_library_are_its_own_affair() -> None:
    heap = pointers(Row(128 * KB, 64, 64, 64)).heap()
    assert len(find("GR109", heap)) == 1
    (array,) = heap.snapshot.columns.window_target
    heap.snapshot.types.append(TypeInfo(name="runtime.timeTimer", kind="struct", size=104))
    heap.snapshot.columns.object_type[array] = len(heap.snapshot.types) - 1
    assert find("GR109", Heap(heap.snapshot)) == []


def test_an_array_that_a_slice_sees_too_is_the_slice_s() -> None:
    maker = pointers(Row(128 * KB, 64, 64, 64))
    array = maker.build.windows[0][0]
    maker.build.windows.append((array, 0, 0, 0, 8, 8))
    maker.kinds.append(WindowKind.SLICE)
    assert find("GR109", maker.heap()) == []
