"""Objects that only the hidden part of an array points to come back with it; shared and shown ones do not."""

from __future__ import annotations

import numpy as np

from goretain.heap.heap import Heap
from goretain.patterns.behind import held_behind
from goretain.snapshot import Layer, ObjectFlag
from tests.unit.snapshot.synthetic import ENTRY_POINTER, Build


def pointers(
    windows: list[tuple[int, int]], *, flags: int = ObjectFlag.ARRAY
) -> tuple[Build, int, list[int]]:
    """An array of eight pointers to objects of 64 bytes and the [start, end) windows into it."""
    build = Build()
    node = build.node("main.queue", Layer.PROGRAM)
    header = 1 if flags & ObjectFlag.HEADER else 0
    array = build.add(72 if header else 64, ENTRY_POINTER, flags)
    held = [build.add(64) for _ in range(8)]
    build.edges += [(array, header + k, target) for k, target in enumerate(held)]
    for start, end in windows:
        build.roots.append((node, array, ""))
        row = len(build.roots) - 1
        build.windows.append((array, 0xFFFFFFFF, row, 8 * start, 8 * (end - start), 64 - 8 * start))
    return build, array, held


def behind(build: Build, array: int) -> int:
    return int(held_behind(Heap(build.snapshot()), np.array([array], np.uint32)).total[0])


def test_what_hidden_elements_point_to_is_counted() -> None:
    build, array, _ = pointers([(6, 8)])
    assert behind(build, array) == 6 * 64


def test_with_what_it_retains() -> None:
    build, array, held = pointers([(6, 8)])
    build.edges.append((held[0], 0, build.add(1024)))
    assert behind(build, array) == 6 * 64 + 1024


def test_several_windows_show_their_union() -> None:
    build, array, _ = pointers([(0, 2), (1, 4), (7, 8)])
    assert behind(build, array) == 3 * 64


def test_a_malloc_header_is_not_data() -> None:
    build, array, _ = pointers([(0, 7)], flags=ObjectFlag.ARRAY | ObjectFlag.HEADER)
    assert behind(build, array) == 64


def test_what_a_shown_element_points_to_as_well_stays() -> None:
    build, array, held = pointers([(6, 8)])
    build.edges = [e for e in build.edges if e[1] != 7] + [(array, 7, held[0])]
    assert behind(build, array) == 5 * 64


def test_what_somebody_else_holds_stays() -> None:
    build, array, held = pointers([(6, 8)])
    build.roots.append((build.node("main.other", Layer.PROGRAM), held[0], ""))
    assert behind(build, array) == 5 * 64


def test_arrays_without_pointers_hold_nothing() -> None:
    build = Build()
    node = build.node("main.b", Layer.PROGRAM)
    array = build.add(64, 0, ObjectFlag.NOSCAN)
    build.roots.append((node, array, ""))
    assert behind(build, array) == 0


def test_what_append_could_reach_is_told_from_what_nothing_reaches() -> None:
    build, array, held = pointers([(2, 4)])
    build.edges = [e for e in build.edges if e[1] != 7] + [(array, 7, held[0])]
    found = held_behind(Heap(build.snapshot()), np.array([array], np.uint32))
    assert (found.lost.tolist(), found.slack.tolist()) == ([64], [4 * 64])
