"""Strongly connected components, and the longest way down to each.

Imports numpy, ``kernels.csr`` and ``kernels.jit``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from goretain.kernels.csr import Pointers
from goretain.kernels.jit import kernel

U32 = NDArray[np.uint32]
I64 = NDArray[np.int64]
Bits = NDArray[np.bool_]

_NONE = 0xFFFFFFFF


def components(start: Pointers, target: U32) -> U32:
    """Number of the component of each node; where an edge leaves one, it leads to a smaller number.

    O(n + m). Source: R. Tarjan, Depth-first search and linear graph algorithms, 1972.

    Args:
        start, target: n + 1 row pointers, uint32[m]; validated.

    Returns:
        uint32[n].
    """
    n = len(start) - 1
    label = np.full(n, _NONE, np.uint32)
    seen, low = np.full(n, _NONE, np.uint32), np.empty(n, np.uint32)
    open_, path, edge = np.empty(n, np.uint32), np.empty(n, np.uint32), np.empty(n, np.int64)
    _components(start, target, label, seen, low, open_, path, edge)
    return label


def longest(start: Pointers, target: U32, label: U32, weight: I64, endless: Bits) -> tuple[I64, Bits]:
    """What the ways that lead to each node weigh at most, and which of them come from something endless.

    O(n + m).

    Args:
        label: uint32[n], as ``components`` gives it.
        weight: int64[n], of each node; every node of a component counts once on a way through it.
        endless: bool[n].

    Returns:
        int64[n], the sum over all components on the heaviest way, the node's own included; bool[n], whether
        the node or one on some way to it is endless.
    """
    count = int(label.max()) + 1 if len(label) else 0
    own = np.zeros(count, np.int64)
    np.add.at(own, label, weight)
    above = np.zeros(count, np.int64)
    marked = np.zeros(count, np.bool_)
    marked[label[endless]] = True
    order = np.argsort(label, kind="stable")[::-1].astype(np.uint32)
    _spread_down(start, target, label, order, own, above, marked)
    return (own + above)[label], marked[label]


@kernel
def _components(
    start: Pointers, target: U32, label: U32, seen: U32, low: U32, open_: U32, path: U32, edge: I64
) -> None:
    """``seen``: order of discovery; ``open_``: nodes without a component; ``path``: from the first node to
    the one looked at; ``edge``: of each node the next one to follow."""
    found = 0
    opened = 0
    count = 0
    for first in range(label.shape[0]):
        if seen[first] != _NONE:
            continue
        depth = 0
        path[0] = first
        edge[first] = -1
        while depth >= 0:
            v = path[depth]
            if edge[v] < 0:
                edge[v] = start[v]
                seen[v] = found
                low[v] = found
                found += 1
                open_[opened] = v
                opened += 1
            if edge[v] < start[v + 1]:
                u = target[edge[v]]
                edge[v] += 1
                if seen[u] == _NONE:
                    depth += 1
                    path[depth] = u
                    edge[u] = -1
                elif label[u] == _NONE:
                    low[v] = min(low[v], seen[u])
                continue
            if low[v] == seen[v]:
                while True:
                    opened -= 1
                    u = open_[opened]
                    label[u] = count
                    if u == v:
                        break
                count += 1
            depth -= 1
            if depth >= 0:
                low[path[depth]] = min(low[path[depth]], low[v])


@kernel
def _spread_down(
    start: Pointers, target: U32, label: U32, order: U32, own: I64, above: I64, marked: Bits
) -> None:
    """``order``: nodes, those of a component before all of those that it leads to."""
    for k in range(order.shape[0]):
        c = label[order[k]]
        for e in range(start[order[k]], start[order[k] + 1]):
            d = label[target[e]]
            if d != c:
                above[d] = max(above[d], above[c] + own[c])
                marked[d] |= marked[c]
