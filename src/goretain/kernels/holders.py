"""Which root nodes share what: the set of holders of everything that no single root of a layer dominates.

Contracting every child of the virtual root with its dominator subtree leaves a small graph: edges enter a
    subtree only
at its top, so the roots that reach a shared top are those of its predecessors' tops. Strongly connected
components (Tarjan 1972, iterative) come out predecessors first; each joins the sets of its predecessors,
and equal sets are kept once. Sets that grow past a limit become the set "many" (id 0): what it holds is
still counted, its names are not. Imports numpy, ``kernels.csr``, ``kernels.jit`` and ``kernels.sorting``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from goretain.kernels.csr import Rows
from goretain.kernels.dominators import Numbering
from goretain.kernels.jit import kernel
from goretain.kernels.sorting import sort_by

U32 = NDArray[np.uint32]
NONE = np.uint32(0xFFFFFFFF)
#: Set id of "more holders than are worth listing".
MANY = 0
#: Largest set that is listed, and how many members all sets may have together for each shared top.
MEMBER_LIMIT = 4096
MEMBERS_PER_TOP = 4


class HolderSets(NamedTuple):
    """The shared tops and who holds them.

    Attributes:
        top: uint32[s], depth-first numbers of objects that only the virtual root dominates, ascending.
        set: uint32[s], set id of each.
        members: per set id its root nodes, ascending; empty for MANY.
    """

    top: U32
    set: U32
    members: Rows


class _Tops(NamedTuple):
    """The contracted graph: its s nodes, and what leads from one to its predecessors.

    Attributes:
        shared: uint32[s], depth-first numbers of the shared tops; place: uint32[c + 1], the other way, or
        NONE.
        parent, vertex, top, back: of :mod:`goretain.kernels.dominators`.
        component: uint32[s], component of each shared top; order: uint32[s], tops component by component.
    """

    shared: U32
    place: U32
    parent: U32
    vertex: U32
    top: U32
    back: Rows
    component: U32
    order: U32


class _Scratch(NamedTuple):
    """Five zeroed uint32[s] for Tarjan's walk: visiting order, lowest link, next predecessor, two stacks."""

    visited: U32
    low: U32
    cursor: U32
    opened: U32
    path: U32


class _Pool(NamedTuple):
    """Sets under construction: set k is items[start[k]:start[k + 1]]; hash table of set ids; stamps."""

    start: U32
    items: U32
    buckets: U32
    root_stamp: U32
    set_stamp: U32
    ascending: U32


def holder_sets(objects: int, walk: Numbering, back: Rows, idom: U32, top: U32) -> HolderSets:
    """Find the holders of all shared tops. O(n + m), and bounded where very many sets overlap.

    Args:
        objects: n; larger nodes are root nodes.
        walk, back, idom, top: as :mod:`goretain.kernels.dominators` made them.
    """
    is_top = (idom == 0) & (walk.vertex < objects)
    is_top[0] = False
    shared = np.flatnonzero(is_top).astype(np.uint32)
    s, nodes = len(shared), len(walk.number) - objects
    found = np.empty(s, np.uint32)
    if s == 0:
        return HolderSets(shared, found, Rows(np.zeros(2, np.uint32), np.empty(0, np.uint32)))
    place = np.full(len(idom), NONE, np.uint32)
    place[shared] = np.arange(s, dtype=np.uint32)
    component, order = np.full(s, NONE, np.uint32), np.empty(s, np.uint32)
    tops = _Tops(shared, place, walk.parent, walk.vertex, top, back, component, order)
    _components(tops, _Scratch(*(np.zeros(s, np.uint32) for _ in range(5))))
    pool = _Pool(
        start=np.zeros(s + 3, np.uint32),
        items=np.empty(MEMBERS_PER_TOP * s + 2 * MEMBER_LIMIT, np.uint32),
        buckets=np.zeros(1 << (2 * s + 2).bit_length(), np.uint32),
        root_stamp=np.zeros(nodes, np.uint32),
        set_stamp=np.zeros(s + 2, np.uint32),
        ascending=np.arange(nodes, dtype=np.uint32),
    )
    sets = _join_sets(objects, tops, pool, found)
    members = pool.items[: int(pool.start[sets])].copy()
    return HolderSets(shared, found, Rows(pool.start[: sets + 1], members))


@kernel
def _predecessor(tops: _Tops, w: np.int64, k: int | np.int64) -> np.int64:
    """Top (a number) above the k-th predecessor of number w; the 0th is its tree parent."""
    if k == 0:
        return np.int64(tops.top[tops.parent[w]])
    return np.int64(tops.top[tops.back.items[np.int64(tops.back.start[w]) + k - 1]])


@kernel
def _predecessors(tops: _Tops, w: np.int64) -> np.int64:
    """How many predecessors number w has, its tree parent included."""
    return np.int64(tops.back.start[w + 1]) - np.int64(tops.back.start[w]) + 1


@kernel
def _components(tops: _Tops, scratch: _Scratch) -> None:
    """Components along predecessor edges: ``order`` lists tops component by component, predecessors first."""
    visited, low, cursor, opened, path = scratch
    component = tops.component
    time = 0
    pending = 0
    done = 0
    components = 0
    for begin in range(tops.shared.shape[0]):
        if visited[begin] != 0:
            continue
        depth = 0
        path[0] = begin
        while depth >= 0:
            i = path[depth]
            if visited[i] == 0:
                time += 1
                visited[i] = time
                low[i] = time
                opened[pending] = i
                pending += 1
            w = np.int64(tops.shared[i])
            child = np.int64(-1)
            while child < 0 and cursor[i] < _predecessors(tops, w):
                j = tops.place[_predecessor(tops, w, np.int64(cursor[i]))]
                cursor[i] += 1
                if j == NONE or component[j] != NONE:
                    continue
                if visited[j] == 0:
                    child = np.int64(j)
                elif visited[j] < low[i]:
                    low[i] = visited[j]
            if child >= 0:
                depth += 1
                path[depth] = child
                continue
            if low[i] == visited[i]:
                while component[i] == NONE:
                    pending -= 1
                    tops.order[done] = opened[pending]
                    component[opened[pending]] = components
                    done += 1
                components += 1
            depth -= 1
            if depth >= 0 and low[i] < low[path[depth]]:
                low[path[depth]] = low[i]


@kernel
def _join_sets(objects: int, tops: _Tops, pool: _Pool, found: U32) -> int:
    """Give every component its set; returns the number of sets, MANY included."""
    order, component = tops.order, tops.component
    sets = 1
    work = 10 * order.shape[0] + 1_000_000
    first = 0
    while first < order.shape[0]:
        last = first + 1
        while last < order.shape[0] and component[order[last]] == component[order[first]]:
            last += 1
        begin = np.int64(pool.start[sets])
        end, only, cost = _gather(objects, tops, pool, found, first, last, begin)
        work -= cost
        if end - begin > MEMBER_LIMIT or work < 0:
            chosen = np.int64(MANY)
        elif only >= 0:
            chosen = only
        else:
            chosen = _intern(pool, sets, begin, end)
            if chosen == sets:
                sets += 1
        for q in range(first, last):
            found[order[q]] = chosen
        first = last
    return sets


@kernel
def _gather(
    objects: int, tops: _Tops, pool: _Pool, found: U32, first: int, last: int, begin: np.int64
) -> tuple[np.int64, np.int64, np.int64]:
    """Union of the predecessors' sets of one component into the pool from ``begin``.

    Returns (end of the union, more than MEMBER_LIMIT away for MANY; the set if there is only that one,
    else -1; members looked at).
    """
    stamp = np.int64(tops.component[tops.order[first]]) + 1
    end = begin
    only = np.int64(-1)
    distinct = 0
    cost = np.int64(0)
    for q in range(first, last):
        w = np.int64(tops.shared[tops.order[q]])
        for k in range(_predecessors(tops, w)):
            above = _predecessor(tops, w, k)
            j = tops.place[above]
            if j == NONE:
                root = np.int64(tops.vertex[above]) - objects
                if pool.root_stamp[root] != stamp:
                    distinct += 2
                    end = _add_member(pool, root, stamp, begin, end)
            elif tops.component[j] + 1 != stamp and pool.set_stamp[found[j]] != stamp:
                only = np.int64(found[j])
                pool.set_stamp[only] = stamp
                distinct += 1
                if only == MANY:
                    return begin + MEMBER_LIMIT + 1, only, cost
                cost += np.int64(pool.start[only + 1]) - np.int64(pool.start[only])
                for member in range(pool.start[only], pool.start[only + 1]):
                    end = _add_member(pool, np.int64(pool.items[member]), stamp, begin, end)
    if distinct != 1:
        only = np.int64(-1)
    return end, only, cost


@kernel
def _add_member(pool: _Pool, root: np.int64, stamp: np.int64, begin: np.int64, end: np.int64) -> np.int64:
    """Append a root once and return the new end, beyond the limit once the set or the pool is full."""
    if pool.root_stamp[root] == stamp:
        return end
    pool.root_stamp[root] = stamp
    if end - begin >= MEMBER_LIMIT or end >= pool.items.shape[0]:
        return begin + MEMBER_LIMIT + 1
    pool.items[end] = root
    return end + 1


@kernel
def _intern(pool: _Pool, sets: int, begin: np.int64, end: np.int64) -> np.int64:
    """Id of the set items[begin:end]: an equal earlier one, or ``sets`` when it is new (then it is kept)."""
    members = pool.items[begin:end]
    sort_by(members, pool.ascending)
    mixed = np.int64(1469598103)
    for k in range(members.shape[0]):
        mixed = (mixed ^ np.int64(members[k])) * np.int64(1099511628211)
        mixed ^= mixed >> 29
    mask = np.int64(pool.buckets.shape[0] - 1)
    slot = mixed & mask
    while pool.buckets[slot] != 0:
        known = np.int64(pool.buckets[slot])
        if _equal(pool.items[pool.start[known] : pool.start[known + 1]], members):
            return known
        slot = (slot + 1) & mask
    pool.buckets[slot] = sets
    pool.start[sets + 1] = end
    return np.int64(sets)


@kernel
def _equal(a: U32, b: U32) -> bool:
    if a.shape[0] != b.shape[0]:
        return False
    same = True
    for k in range(a.shape[0]):
        same = same and a[k] == b[k]
    return same
