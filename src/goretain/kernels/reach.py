"""Breadth-first reach with shortest chains, and who reaches an object.

Imports numpy, ``kernels.jit`` and ``kernels.csr``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from goretain.kernels.csr import Pointers, Rows
from goretain.kernels.jit import kernel

NONE = np.uint32(0xFFFFFFFF)
U32 = NDArray[np.uint32]
I64 = NDArray[np.int64]


class Forest(NamedTuple):
    """Shortest paths to all objects.

    Attributes:
        parent: uint32[n], the node before each object: an object id, n + k for root node k, NONE for an
            unreached object.
        order: uint32[c], the reached objects, every one behind its parent.
    """

    parent: U32
    order: U32


def shortest_forest(start: I64, target: U32, roots: Rows, layer: NDArray[np.int64]) -> Forest:
    """The node before each object on a shortest path from the root nodes of its layer. O(n + m).

    Args:
        start, target: int64[n + 1], uint32[m], edges of objects; validated.
        roots: per root node the objects that it points to.
        layer: int64[nodes], layer of each root node; an object belongs to the first layer that reaches it.
    """
    n = len(start) - 1
    parent = np.full(n, NONE, np.uint32)
    queue = np.empty(n, np.uint32)
    filled = 0
    order = np.argsort(layer, kind="stable")
    for nodes in np.split(order, np.flatnonzero(np.diff(layer[order])) + 1):
        filled = _breadth_first(start, target, roots, nodes, parent, queue, filled)
    return Forest(parent, queue[:filled])


def root_of(forest: Forest) -> NDArray[np.int32]:
    """The root node that each object's path begins at, -1 for unreached ones. int32[n], O(n)."""
    root = np.full(len(forest.parent), -1, np.int32)
    _find_roots(forest.parent, forest.order, root)
    return root


def tree_words(start: I64, target: U32, word: U32, parent: U32) -> U32:
    """The ``word`` entry of the first edge from each object's parent to it; NONE without one. O(n + m).

    Args:
        parent: uint32[n], an object or anything from n on.
    """
    words = np.full(len(parent), NONE, np.uint32)
    _tree_words(start, target, word, parent, words)
    return words


def reach(start: I64, target: U32, sources: U32) -> NDArray[np.bool_]:
    """Which objects the sources reach, themselves included. bool[n], O(n + m)."""
    reached = np.zeros(len(start) - 1, np.bool_)
    _reach(start, target, sources, reached, np.empty(len(start) - 1, np.uint32))
    return reached


def shortest_parents_from(start: I64, target: U32, sources: U32) -> U32:
    """Parents of the shortest forest of one root node that points to ``sources``; n for a source."""
    one = Rows(np.array([0, len(sources)], np.uint32), sources)
    return shortest_forest(start, target, one, np.zeros(1, np.int64)).parent


def path_back(parents: U32, object_id: int, objects: int) -> U32:
    """Objects from the first below a root node to ``object_id``, along the parents of a forest."""
    path = np.empty(_steps_back(parents, object_id, objects), np.uint32)
    _follow_back(parents, object_id, path)
    return path


def edge_words(start: I64, target: U32, word: U32, path: U32) -> U32:
    """For every step of a path the ``word`` entry of its first edge. uint32[len(path) - 1]."""
    words = np.empty(len(path) - 1, np.uint32)
    _words(start, target, word, path, words)
    return words


def nearest_ancestors(back: Rows, objects: U32, limit: int) -> U32:
    """Up to ``limit`` objects that reach one of ``objects``, nearest first, themselves included."""
    queue = np.empty(min(limit, len(back.start) - 1), np.uint32)
    seen = np.zeros(len(back.start) - 1, np.bool_)
    return queue[: _walk_back(back.start, back.items, objects, queue, seen)]


@kernel
def _breadth_first(
    start: I64, target: U32, roots: Rows, nodes: I64, parent: U32, queue: U32, filled: int
) -> int:
    """Claim what ``nodes`` reach among unclaimed objects; the queue goes on behind earlier layers."""
    n = start.shape[0] - 1
    head = filled
    tail = filled
    for k in range(nodes.shape[0]):
        for r in range(roots.start[nodes[k]], roots.start[nodes[k] + 1]):
            v = roots.items[r]
            if parent[v] == NONE:
                parent[v] = n + nodes[k]
                queue[tail] = v
                tail += 1
    while head < tail:
        v = queue[head]
        head += 1
        for e in range(start[v], start[v + 1]):
            u = target[e]
            if parent[u] == NONE:
                parent[u] = v
                queue[tail] = u
                tail += 1
    return tail


@kernel
def _reach(start: I64, target: U32, sources: U32, reached: NDArray[np.bool_], queue: U32) -> None:
    tail = 0
    for k in range(sources.shape[0]):
        if not reached[sources[k]]:
            reached[sources[k]] = True
            queue[tail] = sources[k]
            tail += 1
    head = 0
    while head < tail:
        v = queue[head]
        head += 1
        for e in range(start[v], start[v + 1]):
            u = target[e]
            if not reached[u]:
                reached[u] = True
                queue[tail] = u
                tail += 1


@kernel
def _find_roots(parent: U32, order: U32, root: NDArray[np.int32]) -> None:
    n = parent.shape[0]
    for k in range(order.shape[0]):
        above = np.int64(parent[order[k]])
        root[order[k]] = above - n if above >= n else root[above]


@kernel
def _tree_words(start: I64, target: U32, word: U32, parent: U32, words: U32) -> None:
    for v in range(start.shape[0] - 1):
        for e in range(start[v], start[v + 1]):
            u = target[e]
            if parent[u] == v and words[u] == NONE:
                words[u] = word[e]


@kernel
def _walk_back(start: Pointers, source: U32, objects: U32, queue: U32, seen: NDArray[np.bool_]) -> int:
    head = 0
    tail = 0
    for k in range(objects.shape[0]):
        if not seen[objects[k]] and tail < queue.shape[0]:
            seen[objects[k]] = True
            queue[tail] = objects[k]
            tail += 1
    while head < tail:
        v = queue[head]
        head += 1
        for e in range(start[v], start[v + 1]):
            u = source[e]
            if not seen[u]:
                if tail == queue.shape[0]:
                    return tail
                seen[u] = True
                queue[tail] = u
                tail += 1
    return tail


@kernel
def _steps_back(parents: U32, object_id: int, objects: int) -> int:
    """Objects on the path that ends at ``object_id``."""
    length = 0
    v = np.int64(object_id)
    while v < objects:
        length += 1
        v = np.int64(parents[v])
    return length


@kernel
def _follow_back(parents: U32, object_id: int, path: U32) -> None:
    v = np.int64(object_id)
    for k in range(path.shape[0] - 1, -1, -1):
        path[k] = v
        v = np.int64(parents[v])


@kernel
def _words(start: I64, target: U32, word: U32, path: U32, words: U32) -> None:
    for k in range(path.shape[0] - 1):
        for e in range(start[path[k]], start[path[k] + 1]):
            if target[e] == path[k + 1]:
                words[k] = word[e]
                break
