"""Columns that break an invariant are refused before kernels run on them."""

from __future__ import annotations

import numpy as np
import pytest

from goretain.kernels.csr import pointer_array, validate_graph
from goretain.model.errors import CorruptFile


def check(
    start: list[int],
    target: list[int],
    root_node: list[int] | None = None,
    root_target: list[int] | None = None,
) -> None:
    validate_graph(
        np.array(start, np.int64),
        np.array(target, np.uint32),
        np.array(root_node or [], np.int32),
        np.array(root_target or [], np.uint32),
        2,
    )


def test_sound_graphs_pass() -> None:
    check([0], [])
    check([0, 2, 2], [0, 1], [0, 1], [1, 1])


@pytest.mark.parametrize(
    ("start", "target", "node", "root", "reason"),
    [
        ([], [], [], [], "does not span"),
        ([0, 1], [], [], [], "does not span"),
        ([1, 1], [0], [], [], "does not span"),
        ([0, 2, 1, 2], [0, 1], [], [], "descends at object 1"),
        ([0, 2], [0, 1], [], [], "edge 1 points to an object that does not exist"),
        ([0, 0], [], [0], [1], "a root points to"),
        ([0, 0], [], [0, 1], [0], "a root points to"),
        ([0, 0], [], [2], [0], "belongs to a root that does not exist"),
        ([0, 0], [], [-1], [0], "belongs to a root that does not exist"),
    ],
)
def test_broken_graphs_are_corrupt_files(
    start: list[int], target: list[int], node: list[int], root: list[int], reason: str
) -> None:
    with pytest.raises(CorruptFile, match=reason):
        check(start, target, node, root)


def test_row_pointers_are_as_narrow_as_the_edges_allow() -> None:
    assert pointer_array(1, 10).dtype == np.uint32
    assert pointer_array(1, 1 << 32).dtype == np.int64
