"""Which goroutines can still be woken, and what only some of them reach.

Imports numpy, ``kernels.csr`` and ``kernels.jit``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from goretain.kernels.csr import Rows
from goretain.kernels.jit import kernel

U8 = NDArray[np.uint8]
U32 = NDArray[np.uint32]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

_CLOSED, _WAITED, _SEEN = 1, 2, 4
#: Labels of ``exclusive``: reached by no group, by several.
NONE, SEVERAL = -1, -2


def wake(
    start: I64,
    target: U32,
    closed: NDArray[np.bool_],
    sources: U32,
    stacks: Rows,
    wait_object: U32,
    wait_goroutine: I32,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Reach from what is live, where a goroutine joins in when something that it waits for is reached.

    A fixed point in one pass: O(n + m + r + b log b). It is the marking of a collection that looks for leaked
    goroutines (findGoroutineLeaks, runtime/mgc.go, from Go 1.26), which goes in rounds.

    Args:
        start, target: int64[n + 1], uint32[m], edges of objects; validated.
        closed: bool[n], objects whose edges are not followed.
        sources: uint32[s], what globals and goroutines that do not wait hold.
        stacks: per goroutine the objects that its stack holds.
        wait_object, wait_goroutine: uint32[b], int32[b]: goroutine joins in when the object is reached.

    Returns:
        bool[n], what is live; bool[goroutines], which of those that wait were woken.
    """
    n = len(start) - 1
    state = np.where(closed, np.uint8(_CLOSED), np.uint8(0))
    state[wait_object] |= _WAITED
    order = np.argsort(wait_object, kind="stable")
    woken = np.zeros(len(stacks.start) - 1, np.uint8)
    queue = np.empty(n, np.uint32)
    _wake(start, target, state, sources, stacks, wait_object[order], wait_goroutine[order], woken, queue)
    return (state & _SEEN) != 0, woken != 0


def exclusive(start: I64, target: U32, barred: NDArray[np.bool_], groups: Rows) -> I32:
    """Which group alone reaches each object, through objects that are not barred. O(n + m).

    Args:
        start, target: edges of objects; validated.
        barred: bool[n], objects that belong to someone else.
        groups: per group the objects that it starts from.

    Returns:
        int32[n]: a group, NONE (barred, or reached by none) or SEVERAL.
    """
    label = np.full(len(start) - 1, NONE, np.int32)
    # An object is looked at when the first group reaches it, and once more when a second one does.
    queue = np.empty(2 * int((~barred).sum()), np.uint32)
    _spread(start, target, barred, groups, label, queue)
    return label


@kernel
def _wake(
    start: I64,
    target: U32,
    state: U8,
    sources: U32,
    stacks: Rows,
    wait_object: U32,
    wait_goroutine: I32,
    woken: U8,
    queue: U32,
) -> None:
    head = 0
    tail = 0
    for k in range(sources.shape[0]):
        v = sources[k]
        if not state[v] & _SEEN:
            state[v] |= _SEEN
            queue[tail] = v
            tail += 1
    while head < tail:
        v = queue[head]
        head += 1
        if state[v] & _WAITED:
            row = np.searchsorted(wait_object, v)
            while row < wait_object.shape[0] and wait_object[row] == v:
                g = wait_goroutine[row]
                row += 1
                if woken[g]:
                    continue
                woken[g] = 1
                for r in range(stacks.start[g], stacks.start[g + 1]):
                    u = stacks.items[r]
                    if not state[u] & _SEEN:
                        state[u] |= _SEEN
                        queue[tail] = u
                        tail += 1
        if state[v] & _CLOSED:
            continue
        for e in range(start[v], start[v + 1]):
            u = target[e]
            if not state[u] & _SEEN:
                state[u] |= _SEEN
                queue[tail] = u
                tail += 1


@kernel
def _spread(start: I64, target: U32, barred: NDArray[np.bool_], groups: Rows, label: I32, queue: U32) -> None:
    head = 0
    tail = 0
    for group in range(groups.start.shape[0] - 1):
        for r in range(groups.start[group], groups.start[group + 1]):
            u = groups.items[r]
            if barred[u] or label[u] == group or label[u] == SEVERAL:
                continue
            label[u] = group if label[u] == NONE else SEVERAL
            queue[tail] = u
            tail += 1
    while head < tail:
        v = queue[head]
        head += 1
        for e in range(start[v], start[v + 1]):
            u = target[e]
            if barred[u] or label[u] == label[v] or label[u] == SEVERAL:
                continue
            label[u] = label[v] if label[u] == NONE else SEVERAL
            queue[tail] = u
            tail += 1
