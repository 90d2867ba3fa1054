"""Dominators of a graph whose roots come in layers: depth-first numbering, semi-NCA, retained sizes.

Nodes are the n objects and, behind them, the root nodes (n + k for root node k). An object belongs to the
first layer that reaches it, so one depth-first pass over the layers in order claims every object once;
edges into objects of earlier layers are ignored, each layer keeps its own tree, and all root nodes hang
under the virtual root, number 0.

Semi-NCA: Georgiadis, "Linear-Time Algorithms for Dominators and Related Problems" (2005), with path
compression: O(m log n) at worst, linear in practice. Never the iterative algorithm of Cooper, Harvey and
Kennedy: on heaps (long lists, back pointers) it did not converge in 50 passes. Works in depth-first
numbers, where predecessors are near. Imports numpy, ``kernels.jit`` and ``kernels.csr``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from goretain.kernels.csr import Pointers, Rows, pointer_array
from goretain.kernels.jit import kernel

U32 = NDArray[np.uint32]
I64 = NDArray[np.int64]


class Numbering(NamedTuple):
    """A depth-first walk of c nodes; numbers start at 1, number 0 is the virtual root.

    Attributes:
        number: uint32[n + nodes], depth-first number of a node, 0 when unreached.
        vertex: uint32[c + 1], node of a number (entry 0 unused).
        parent: uint32[c + 1], number of the parent in the depth-first tree.
    """

    number: U32
    vertex: U32
    parent: U32


def number_nodes(start: I64, target: U32, roots: Rows, layer: NDArray[np.int64]) -> Numbering:
    """Walk depth first from all root nodes, layer by layer, each node once.

    Args:
        start, target: int64[n + 1], uint32[m], edges of objects; validated.
        roots: per root node the objects that it points to.
        layer: int64[nodes], layer of each root node.
    """
    n, nodes = len(start) - 1, len(layer)
    number = np.zeros(n + nodes, np.uint32)
    vertex = np.empty(n + nodes + 1, np.uint32)
    parent = np.empty(n + nodes + 1, np.uint32)
    order = np.argsort(layer, kind="stable").astype(np.uint32)
    stack = np.empty(3 * (n + 1), np.int64)
    count = _depth_first(start, target, roots, order, number, vertex, parent, stack)
    return Numbering(number, vertex[: count + 1], parent[: count + 1])


def predecessors(start: I64, target: U32, roots: Rows, layer: NDArray[np.int64], walk: Numbering) -> Rows:
    """Predecessors in depth-first numbers, without tree edges, self loops and edges that leave their layer.

    Row w lists the numbers that point to number w besides its parent. O(n + m).
    """
    n, count = len(start) - 1, len(walk.vertex) - 1
    _, one_of_each = np.unique(layer, return_index=True)
    begin = walk.number[n + one_of_each].astype(np.int64)
    back = pointer_array(count + 2, len(target) + len(roots.items))
    head = np.empty(len(target), np.uint32)
    root_head = np.empty(len(roots.items), np.uint32)
    _find_heads(start, target, 0, begin, walk, back, head)
    _find_heads(roots.start, roots.items, n, begin, walk, back, root_head)
    _sum_up(back)
    source = np.empty(int(back[-1]), np.uint32)
    _place_tails(start, 0, walk.number, back, head, source)
    _place_tails(roots.start, n, walk.number, back, root_head, source)
    return Rows(back[: count + 2], source)


def dominators(walk: Numbering, back: Rows) -> U32:
    """Immediate dominator (a number) of every number; 0 is the virtual root. uint32[c + 1], O(m log n)."""
    size = len(walk.vertex)
    label = np.arange(size, dtype=np.uint32)
    semi = np.empty(size, np.uint32)
    ancestor = walk.parent.copy()
    idom = np.empty(size, np.uint32)
    _semi_nca(walk.parent, back, semi, label, ancestor, idom)
    return idom


@kernel
def accumulate(idom: U32, total: NDArray[Any]) -> None:
    """Turn own figures into sums over dominator subtrees, in place; entry 0 sums everything. O(n)."""
    for w in range(idom.shape[0] - 1, 0, -1):
        total[idom[w]] += total[w]


@kernel
def lay_out(parent: U32, count: I64, begin: I64, own: I64) -> None:
    """Give every subtree a run of places, its children's runs one after the other and its own places last.

    Args:
        parent: uint32[k], above each node, lower than it; 0 is the root.
        count: int64[k], places in the subtree of each.
        begin, own: int64[k], filled: where the run of each subtree begins, and where its top's own places do.
    """
    begin[0] = own[0] = 0
    for w in range(1, parent.shape[0]):
        above = parent[w]
        begin[w] = own[w] = own[above]
        own[above] += count[w]


@kernel
def weigh(vertex: U32, size: I64, total_bytes: I64, total_objects: U32) -> None:
    """Own figures by number, to be summed up: an object's size and 1; 0 for root nodes. O(n)."""
    n = size.shape[0]
    total_bytes[0] = 0
    total_objects[0] = 0
    for w in range(1, vertex.shape[0]):
        of_object = vertex[w] < n
        total_bytes[w] = size[vertex[w]] if of_object else 0
        total_objects[w] = 1 if of_object else 0


@kernel
def holders(number: U32, top: U32, vertex: U32, out: NDArray[np.int32]) -> None:
    """out[v], int32[n]: the root node at the top of object v's tree, -1 where an object is, -2 for an
    unreached v. O(n)."""
    n = out.shape[0]
    for v in range(n):
        if number[v] == 0:
            out[v] = -2
            continue
        above = np.int64(vertex[top[number[v]]])
        out[v] = above - n if above >= n else -1


@kernel
def tops(idom: U32, top: U32) -> None:
    """The child of the virtual root above each number, itself for those. top: uint32[c + 1], O(n)."""
    top[0] = 0
    for w in range(1, idom.shape[0]):
        top[w] = w if idom[w] == 0 else top[idom[w]]


@kernel
def _depth_first(
    start: I64, target: U32, roots: Rows, order: U32, number: U32, vertex: U32, parent: U32, stack: I64
) -> int:
    """The stack keeps (next edge, last edge, number) of every node on the path: three entries a level."""
    n = start.shape[0] - 1
    count = 0
    vertex[0] = 0
    parent[0] = 0
    for k in range(order.shape[0]):
        root = np.int64(order[k])
        count += 1
        number[n + root] = count
        vertex[count] = n + root
        parent[count] = 0
        root_number = count
        for r in range(roots.start[root], roots.start[root + 1]):
            v = np.int64(roots.items[r])
            if number[v] != 0:
                continue
            count += 1
            number[v] = count
            vertex[count] = v
            parent[count] = root_number
            depth = 0
            at = count
            edge = start[v]
            end = start[v + 1]
            while True:
                if edge == end:
                    if depth == 0:
                        break
                    depth -= 3
                    edge = stack[depth]
                    end = stack[depth + 1]
                    at = stack[depth + 2]
                    continue
                u = np.int64(target[edge])
                edge += 1
                if number[u] != 0:
                    continue
                count += 1
                number[u] = count
                vertex[count] = u
                parent[count] = at
                first = start[u]
                last = start[u + 1]
                if first < last:
                    if edge < end:
                        stack[depth] = edge
                        stack[depth + 1] = end
                        stack[depth + 2] = at
                        depth += 3
                    edge = first
                    end = last
                    at = count
    return count


@kernel
def _find_heads(
    start: I64, target: U32, offset: int, begin: I64, walk: Numbering, back: Pointers, head: U32
) -> None:
    """head[e]: the number that edge e of row node ``offset`` + v points to, 0 for edges left out; counted
    in ``back``.

    begin: int64[layers], first number of each layer, ascending.
    """
    number, _, parent = walk
    for v in range(start.shape[0] - 1):
        w = np.int64(number[offset + v])
        first = np.int64(0)
        for k in range(begin.shape[0]):
            if begin[k] <= w:
                first = begin[k]
        for e in range(start[v], start[v + 1]):
            t = np.int64(number[target[e]])
            if w == 0 or t < first or t == w or parent[t] == w:
                head[e] = 0
            else:
                head[e] = t
                back[t + 2] += 1


@kernel
def _place_tails(start: I64, offset: int, number: U32, back: Pointers, head: U32, source: U32) -> None:
    for v in range(start.shape[0] - 1):
        w = number[offset + v]
        for e in range(start[v], start[v + 1]):
            t = np.int64(head[e])
            if t != 0:
                place = back[t + 1]
                source[place] = w
                back[t + 1] = place + 1


@kernel
def _sum_up(back: Pointers) -> None:
    for i in range(1, back.shape[0]):
        back[i] += back[i - 1]


@kernel
def _semi_nca(parent: U32, back: Rows, semi: U32, label: U32, ancestor: U32, idom: U32) -> None:
    """Semidominators from the highest number down, then dominators from 1 up; ``idom`` is the stack
    meanwhile.

    ``ancestor`` starts as ``parent``: following it while it stays above w is the linked forest. ``label``
    is the smallest semidominator on the compressed path.
    """
    count = parent.shape[0] - 1
    for w in range(count, 0, -1):
        best = np.int64(parent[w])
        for e in range(back.start[w], back.start[w + 1]):
            u = np.int64(back.items[e])
            if u > w:
                x = u
                depth = 0
                above = np.int64(ancestor[x])
                while above > w:
                    idom[depth] = x
                    depth += 1
                    x = above
                    above = np.int64(ancestor[x])
                low = label[x]
                while depth > 0:
                    depth -= 1
                    x = np.int64(idom[depth])
                    if low < label[x]:
                        label[x] = low
                    else:
                        low = label[x]
                    ancestor[x] = above
                if np.int64(low) < best:
                    best = np.int64(low)
            elif u < best:
                best = u
        semi[w] = best
        label[w] = best
    idom[0] = 0
    for w in range(1, count + 1):
        d = np.int64(parent[w])
        while d > np.int64(semi[w]):
            d = np.int64(idom[d])
        idom[w] = d
