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


class Scratch(NamedTuple):
    """Five zeroed uint32[s] for Tarjan's walk: visiting order, lowest link, next predecessor, two stacks."""

    index: U32
    low: U32
    cursor: U32
    opened: U32
    path: U32


def holder_sets(objects: int, walk: Numbering, back: Rows, idom: U32, top: U32) -> HolderSets:
    """Find the holders of all shared tops. O(n + m) unless there are very many overlapping sets, then
    bounded.

    Args:
        objects: n; larger nodes are root nodes.
        walk, back, idom, top: as :mod:`goretain.kernels.dominators` made them.
    """
    is_top = (idom == 0) & (walk.vertex < objects)
    is_top[0] = False
    shared = np.flatnonzero(is_top).astype(np.uint32)
    s = len(shared)
    pool = np.empty(MEMBERS_PER_TOP * s + 2 * MEMBER_LIMIT, np.uint32)
    start = np.zeros(s + 3, np.uint32)
    found = np.empty(s, np.uint32)
    if s == 0:
        return HolderSets(shared, found, Rows(start[:2], pool[:0]))
    place = np.full(len(idom), NONE, np.uint32)
    place[shared] = np.arange(s, dtype=np.uint32)
    order, component = np.empty(s, np.uint32), np.full(s, NONE, np.uint32)
    scratch = Scratch(*(np.zeros(s, np.uint32) for _ in range(5)))
    _components(shared, place, walk.parent, back, top, order, component, scratch)
    nodes = len(walk.number) - objects
    buckets = np.zeros(1 << (2 * s + 2).bit_length(), np.uint32)
    stamps = np.zeros(nodes, np.uint32), np.zeros(s + 2, np.uint32), np.arange(nodes, dtype=np.uint32)
    sets = _join_sets(
        objects, shared, place, walk, back, top, order, component, found, start, pool, buckets, *stamps
    )
    return HolderSets(shared, found, Rows(start[: sets + 1], pool[: int(start[sets])].copy()))


@kernel
def _components(
    shared: U32,
    place: U32,
    parent: U32,
    back: Rows,
    top: U32,
    order: U32,
    component: U32,
    scratch: Scratch,
) -> None:
    """Components along predecessor edges: ``order`` lists tops component by component, predecessors first."""
    s = shared.shape[0]
    index, low, cursor, opened, path = scratch
    time = 0
    pending = 0
    done = 0
    components = 0
    for begin in range(s):
        if index[begin] != 0:
            continue
        depth = 0
        path[0] = begin
        while depth >= 0:
            i = path[depth]
            if index[i] == 0:
                time += 1
                index[i] = time
                low[i] = time
                opened[pending] = i
                pending += 1
            w = np.int64(shared[i])
            child = np.int64(-1)
            while child < 0 and cursor[i] <= np.int64(back.start[w + 1]) - np.int64(back.start[w]):
                j = _predecessor(w, cursor[i], place, parent, back, top)
                cursor[i] += 1
                if j < 0 or component[j] != NONE:
                    continue
                if index[j] == 0:
                    child = j
                elif index[j] < low[i]:
                    low[i] = index[j]
            if child >= 0:
                depth += 1
                path[depth] = child
                continue
            if low[i] == index[i]:
                while component[i] == NONE:
                    pending -= 1
                    order[done] = opened[pending]
                    component[opened[pending]] = components
                    done += 1
                components += 1
            depth -= 1
            if depth >= 0 and low[i] < low[path[depth]]:
                low[path[depth]] = low[i]


@kernel
def _predecessor(w: np.int64, k: int | np.int64, place: U32, parent: U32, back: Rows, top: U32) -> np.int64:
    """Place among the shared tops of the k-th predecessor's top (0th: tree parent), -1 for a root node."""
    p = parent[w] if k == 0 else back.items[np.int64(back.start[w]) + k - 1]
    j = place[top[p]]
    return np.int64(-1) if j == NONE else np.int64(j)


@kernel
def _join_sets(
    objects: int,
    shared: U32,
    place: U32,
    walk: Numbering,
    back: Rows,
    top: U32,
    order: U32,
    component: U32,
    found: U32,
    start: U32,
    pool: U32,
    buckets: U32,
    root_stamp: U32,
    set_stamp: U32,
    ascending: U32,
) -> int:
    """Give every component its set; returns the number of sets. Set k is pool[start[k]:start[k + 1]]."""
    s = shared.shape[0]
    sets = 1
    work = 10 * s + 1_000_000
    first = 0
    while first < s:
        current = component[order[first]]
        last = first
        many = work < 0
        begin = np.int64(start[sets])
        end = begin
        only = np.int64(-1)
        distinct = 0
        while last < s and component[order[last]] == current:
            w = np.int64(shared[order[last]])
            last += 1
            for k in range(np.int64(back.start[w + 1]) - np.int64(back.start[w]) + 1):
                j = _predecessor(w, k, place, walk.parent, back, top)
                if j >= 0:
                    if component[j] == current or set_stamp[found[j]] == current + 1:
                        continue
                    only = np.int64(found[j])
                    distinct += 1
                    set_stamp[only] = current + 1
                    many = many or only == MANY
                    if many:
                        continue
                    for q in range(start[only], start[only + 1]):
                        end = _add_member(pool[q], current + 1, root_stamp, pool, begin, end)
                    work -= np.int64(start[only + 1]) - np.int64(start[only])
                else:
                    p = walk.parent[w] if k == 0 else back.items[np.int64(back.start[w]) + k - 1]
                    root = np.int64(walk.vertex[top[p]]) - objects
                    distinct += 1 if root_stamp[root] != current + 1 else 0
                    only = np.int64(-1)
                    end = _add_member(root, current + 1, root_stamp, pool, begin, end)
                many = many or end - begin > MEMBER_LIMIT
        if many:
            chosen = np.int64(MANY)
        elif distinct == 1 and only >= 0:
            chosen = only
        else:
            chosen = _intern(pool, start, sets, begin, end, buckets, ascending)
            if chosen == sets:
                sets += 1
        for q in range(first, last):
            found[order[q]] = chosen
        first = last
    return sets


@kernel
def _add_member(
    root: np.int64, stamp: np.int64, root_stamp: U32, pool: U32, begin: np.int64, end: np.int64
) -> np.int64:
    """Append a root once; past the limit, or where the pool ends, only the length goes on growing."""
    if root_stamp[root] != stamp:
        root_stamp[root] = stamp
        if end < pool.shape[0] and end - begin < MEMBER_LIMIT:
            pool[end] = root
        elif end - begin <= MEMBER_LIMIT:
            return begin + MEMBER_LIMIT + 1
        return end + 1
    return end


@kernel
def _intern(
    pool: U32, start: U32, sets: int, begin: np.int64, end: np.int64, buckets: U32, ascending: U32
) -> np.int64:
    """Id of the set pool[begin:end]: an equal earlier one, or ``sets`` when it is new (then it is kept)."""
    members = pool[begin:end]
    sort_by(members, ascending)
    mixed = np.int64(1469598103)
    for k in range(members.shape[0]):
        mixed = (mixed ^ np.int64(members[k])) * np.int64(1099511628211)
        mixed ^= mixed >> 29
    mask = np.int64(buckets.shape[0] - 1)
    slot = mixed & mask
    while buckets[slot] != 0:
        known = np.int64(buckets[slot])
        a = np.int64(start[known])
        if np.int64(start[known + 1]) - a == end - begin:
            same = True
            for k in range(end - begin):
                if pool[a + k] != members[k]:
                    same = False
                    break
            if same:
                return known
        slot = (slot + 1) & mask
    buckets[slot] = sets
    start[sets + 1] = end
    return np.int64(sets)
