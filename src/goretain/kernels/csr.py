"""Compressed sparse rows: building them from keys, turning them around, checking them once.

A graph is ``start`` (n + 1 row pointers) and ``target`` (m ids); row v is ``target[start[v]:start[v +
1]]``. The other graph kernels run without bounds checks on arrays that :func:`validate_graph` has passed.
Imports numpy, ``kernels.jit`` and the errors of ``model``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from goretain.kernels.jit import Int, kernel
from goretain.model.errors import CorruptFile

#: Row pointers are uint32 where the edge count allows it, int64 otherwise.
Pointers = NDArray[Any]
U32 = NDArray[np.uint32]
I64 = NDArray[np.int64]


class Rows(NamedTuple):
    """Compressed sparse rows: ``start`` of n + 1 row pointers (uint32 or int64) and the concatenated
    ``items``."""

    start: Pointers
    items: U32


def pointer_array(rows: int, entries: int) -> Pointers:
    """Zeroed row pointers for ``rows`` rows, uint32 when that many entries can be counted in it."""
    return np.zeros(rows + 1, np.uint32 if entries < 1 << 32 else np.int64)


def group_rows(key: NDArray[Any], count: int) -> Rows:
    """Row numbers grouped by key, int[r] in [0, count); uint32[r], ascending in a group. O(r + count)."""
    start = pointer_array(count + 1, len(key))
    items = np.empty(len(key), np.uint32)
    _group(key, start, items)
    return Rows(start[: count + 1], items)


def reverse(start: I64, target: U32) -> Rows:
    """The same edges turned around, sources ascending within a row. O(n + m), 4 (n + m) bytes."""
    rows = len(start) - 1
    back = pointer_array(rows + 1, len(target))
    source = np.empty(len(target), np.uint32)
    _reverse(start, target, back, source)
    return Rows(back[: rows + 1], source)


def validate_graph(
    start: I64, target: U32, root_node: NDArray[np.int32], root_target: U32, nodes: int
) -> None:
    """Check once what the graph kernels rely on. O(n + m + r).

    Args:
        start, target: int64[n + 1], uint32[m], the edges of objects.
        root_node, root_target: int32[r] in [0, nodes), uint32[r] object ids.
        nodes: number of root nodes.

    Raises:
        CorruptFile: a row pointer descends or runs past the edges, or an index is out of range.
    """
    n = len(start) - 1
    fault = ""
    if n < 0 or start[0] != 0 or start[-1] != len(target):
        fault = "edge_start does not span edge_target"
    elif n + nodes >= 0xFFFFFFFF:
        fault = "more than 2**32 objects"
    elif (row := int(_first_descent(start))) >= 0:
        fault = f"edge_start descends at object {row}"
    elif len(target) and int(target.max()) >= n:
        fault = f"edge {int(np.argmax(target >= n))} points to an object that does not exist"
    elif len(root_target) != len(root_node) or (len(root_target) and int(root_target.max()) >= n):
        fault = "a root points to an object that does not exist"
    elif len(root_node) and not 0 <= int(root_node.min()) <= int(root_node.max()) < nodes:
        fault = "a root slot belongs to a root that does not exist"
    if fault:
        raise CorruptFile("snapshot", None, fault)


@kernel
def drop_edges(rows: I64, start: I64, target: U32, word: U32) -> Int:
    """Close the gaps that edges ``rows`` (ascending, each once) leave, in place; returns how many remain."""
    if rows.shape[0] == 0:
        return target.shape[0]
    dropped = 0
    for v in range(start.shape[0]):
        while dropped < rows.shape[0] and rows[dropped] < start[v]:
            dropped += 1
        start[v] -= dropped
    dropped = 1
    kept = rows[0]
    for e in range(rows[0] + 1, target.shape[0]):
        if dropped < rows.shape[0] and rows[dropped] == e:
            dropped += 1
            continue
        target[kept] = target[e]
        word[kept] = word[e]
        kept += 1
    return kept


@kernel
def _group(key: NDArray[Any], start: Pointers, items: U32) -> None:
    """Counting sort; ``start`` has one entry more than needed and is zero."""
    for k in range(key.shape[0]):
        start[key[k] + 2] += 1
    for i in range(2, start.shape[0]):
        start[i] += start[i - 1]
    for k in range(key.shape[0]):
        place = start[key[k] + 1]
        items[place] = k
        start[key[k] + 1] = place + 1


@kernel
def _reverse(start: I64, target: U32, back: Pointers, source: U32) -> None:
    for e in range(target.shape[0]):
        back[target[e] + 2] += 1
    for i in range(2, back.shape[0]):
        back[i] += back[i - 1]
    for v in range(start.shape[0] - 1):
        for e in range(start[v], start[v + 1]):
            t = target[e]
            place = back[t + 1]
            source[place] = v
            back[t + 1] = place + 1


@kernel
def _first_descent(start: I64) -> int:
    for v in range(start.shape[0] - 1):
        if start[v + 1] < start[v]:
            return v
    return -1
