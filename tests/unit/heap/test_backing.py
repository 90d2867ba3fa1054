"""Lost, slack, padding, hidden and undecided bytes."""

from __future__ import annotations

import numpy as np
import pytest

from goretain.heap import Heap
from goretain.heap.backing import SIZE_CLASSES, Backing
from goretain.kernels.arenas import slots_below
from goretain.snapshot import ObjectFlag, WindowKind
from tests.support.heapdsl import HeapBuilder, whole


def backing(h: HeapBuilder) -> Backing:
    return Heap(h.build()).backing


def one(slot: int, *windows: tuple[int, int, int], flags: int = 0) -> tuple[int, int, int, int, bool]:
    """(lost, slack, padding, hidden, undecided) of one object."""
    h = HeapBuilder()
    array = h.object(slot, "byte", flags)
    h.root("main.x", array)
    for start, length, capacity in windows:
        h.slice(array, start, length, capacity)
    b = backing(h)
    return int(b.lost[0]), int(b.slack[0]), int(b.padding[0]), int(b.hidden[0]), bool(b.undecided[0])


def test_a_short_slice_of_a_large_array_hides_the_rest_as_slack() -> None:
    assert one(1 << 20, (0, 5, 1 << 20)) == (0, (1 << 20) - 5, 0, (1 << 20) - 5, False)


def test_a_slice_of_the_tail_loses_what_stands_before_it() -> None:
    assert one(1 << 20, ((1 << 20) - 16, 16, 16)) == ((1 << 20) - 16, 0, 0, (1 << 20) - 16, False)


def test_a_cut_capacity_loses_what_stands_behind_it() -> None:
    assert one(1 << 20, (0, 16, 16)) == ((1 << 20) - 16, 0, 0, (1 << 20) - 16, False)


def test_several_windows_show_their_union() -> None:
    assert one(1024, (0, 100, 100), (50, 100, 1024 - 50), (900, 10, 20)) == (0, 1024 - 160, 0, 864, False)


def test_padding_is_never_hidden() -> None:
    # make([]byte, 1000) lies in a slot of 1024; 896 is the next smaller one.
    assert one(1024, (0, 1000, 1000)) == (0, 0, 24, 0, False)
    assert one(1024, (0, 10, 1000)) == (0, 990, 24, 990, False)
    # An array of 897 to 1024 bytes of which only 800 can be reached: all that is beyond is lost.
    assert one(1024, (0, 800, 800)) == (224, 0, 0, 224, False)


def test_padding_of_large_objects_is_less_than_a_page() -> None:
    assert one(40960, (0, 40000, 40000)) == (0, 0, 960, 0, False)
    assert one(40960, (0, 100, 32768)) == (8192, 32668, 0, 40860, False)


def test_a_malloc_header_is_not_part_of_the_array() -> None:
    assert one(1024, (0, 1016, 1016), flags=int(ObjectFlag.HEADER)) == (0, 0, 0, 0, False)


def test_shown_objects_hide_nothing() -> None:
    assert one(1024, flags=whole()) == (0, 0, 0, 0, False)
    assert one(1024, flags=whole(ObjectFlag.OPAQUE)) == (0, 0, 0, 0, False)


def test_an_unknown_referrer_leaves_the_object_undecided() -> None:
    assert one(1024, (0, 5, 1024), flags=int(ObjectFlag.OPAQUE)) == (0, 0, 0, 0, True)
    assert one(1024) == (0, 0, 0, 0, True)


def test_tiny_blocks_are_left_out() -> None:
    assert one(16, flags=int(ObjectFlag.TINY)) == (0, 0, 0, 0, False)
    assert one(16, (0, 3, 3), flags=int(ObjectFlag.TINY)) == (0, 0, 0, 0, False)


def test_garbage_pins_nothing() -> None:
    h = HeapBuilder()
    array = h.object(1024, "byte")
    h.slice(array, 0, 5, 1024)
    b = backing(h)
    assert (int(b.hidden[0]), bool(b.undecided[0])) == (0, False)


def test_a_typed_pointer_covers_its_pointee() -> None:
    h = HeapBuilder()
    array = h.object(1024, "byte")
    h.root("main.x", array)
    h.slice(array, 512, 64, 64, kind=WindowKind.POINTER)
    assert int(backing(h).hidden[0]) == 1024 - 64


@pytest.mark.parametrize(
    ("slot", "smaller"),
    [(8, 0), (16, 8), (1024, 896), (32768, 28672), (40960, 32768), (49152, 40960), (100, 96)],
)
def test_the_next_smaller_slot(slot: int, smaller: int) -> None:
    assert slots_below(SIZE_CLASSES, np.array([slot], np.int64)).tolist() == [smaller]
