"""Marked things on a tree, in an order in which those below any node follow each other.

Answers for any nodes what is marked below them without a walk. Imports ``kernels`` and numpy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from goretain.kernels.dominators import accumulate, lay_out

I64 = NDArray[np.int64]


class Marks:
    """Marks on the nodes of a tree."""

    def __init__(self, parent: NDArray[np.uint32], at: NDArray[np.integer[Any]]) -> None:
        """parent: uint32[k], the node above each, lower than it; 0 is the root. at: m nodes, one for each
        mark."""
        count = np.bincount(at, minlength=len(parent)).astype(np.int64)
        accumulate(parent, count)
        begin, own = np.empty(len(parent), np.int64), np.empty(len(parent), np.int64)
        lay_out(parent, count, begin, own)
        rows = np.argsort(at, kind="stable")
        nodes = at[rows]
        rank = np.arange(len(rows)) - np.searchsorted(nodes, nodes)
        self._order = np.empty(len(rows), np.int64)
        self._order[own[nodes] + rank] = rows
        self._begin, self._end = begin, begin + count

    def below(self, nodes: NDArray[np.integer[Any]]) -> I64:
        """Which marks lie on some nodes or below them: indices, each once."""
        change = np.zeros(len(self._order) + 1, np.int64)
        np.add.at(change, self._begin[nodes], 1)
        np.add.at(change, self._end[nodes], -1)
        found: I64 = self._order[np.cumsum(change[:-1]) > 0]
        return found
