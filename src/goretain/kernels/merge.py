"""Many chains become one tree: objects that the same names lead to are one node.

A forest of objects (shortest paths, or dominators) is walked from its roots; an object goes to the node
that (node of its parent, link, kind) names. A link without a text stays in its parent's node. A chain that
comes back to a kind that it has passed before goes back to that node, so that a list, a tree or a graph of
any depth is one node with its loops written beside it, and no chain is longer than there are kinds. Imports
numpy and ``kernels.jit``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from goretain.kernels.jit import inlined, kernel

U32 = NDArray[np.uint32]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

#: "Not on any of the chains" in ``Merged.node``.
NONE = np.uint32(0xFFFFFFFF)
#: The link that has no text.
SILENT = 0
#: Links up to this one say: as the node -2 - link, which lies under another group.
VIA = -2
#: How many nodes back a chain is looked through for the kind that it comes to.
LOOK_BACK = 1 << 10
#: Nodes and loops that a tree may have; what comes then stays in its parent's node.
NODE_LIMIT = 1 << 18


class Chained(NamedTuple):
    """A forest of n objects under g groups, as it goes in.

    Attributes:
        order: uint32[c], objects, every one behind its parent.
        parent: uint32[n], an object, or n + k where group k points to it.
        group: int32[n], the group that an object is counted under: that of its parent, or another one.
        link: int32[n], text number of the link from the parent, SILENT for none.
        kind: int32[n], what an object is, -1 unknown.
    """

    order: U32
    parent: U32
    group: I32
    link: I32
    kind: I32


class Merged(NamedTuple):
    """The tree: q nodes, the first g of them the groups; a node's parent has a smaller number.

    Attributes:
        node: uint32[n], the node of each object on a chain to one that was wanted, NONE for the others.
        parent: int32[q], -1 for groups; link: int32[q], text number, or VIA and below; kind: int32[q].
        loop_to, loop_from, loop_link: int32[f], a chain went back to a node from another by that link.
        full: whether the limit was reached.
    """

    node: U32
    parent: I32
    link: I32
    kind: I32
    loop_to: I32
    loop_from: I32
    loop_link: I32
    full: bool


class _Tree(NamedTuple):
    """The tree under construction.

    counts: int64[3], nodes, entries, loops so far; slots: hash table of entries + 1; the entries' keys, and
    the node that each leads to.
    """

    counts: I64
    parent: I32
    link: I32
    kind: I32
    loop_to: I32
    loop_from: I32
    loop_link: I32
    slots: I32
    key_node: I32
    key_link: I32
    key_kind: I32
    leads_to: I32


def merge_chains(chained: Chained, wanted: NDArray[np.bool_], groups: int, limit: int = NODE_LIMIT) -> Merged:
    """Merge the chains to the wanted objects. O(c) and bounded by ``limit`` nodes besides the groups.

    Args:
        wanted: bool[n]; must be reached (in ``order``).
        groups: g.
    """
    on_chain = wanted.copy()
    _mark(chained.order, chained.parent, on_chain)
    nodes = np.full((3, groups + limit), -1, np.int32)
    loops, entries = np.empty((3, limit), np.int32), np.empty((4, limit), np.int32)
    slots = np.zeros(1 << (2 * limit).bit_length(), np.int32)
    counts = np.array([groups, 0, 0], np.int64)
    tree = _Tree(counts, nodes[0], nodes[1], nodes[2], loops[0], loops[1], loops[2], slots, *entries)
    node = np.full(len(wanted), NONE, np.uint32)
    _merge(chained, on_chain, tree, node)
    q, used, f = counts.tolist()
    return Merged(
        node, nodes[0, :q], nodes[1, :q], nodes[2, :q],
        loops[0, :f], loops[1, :f], loops[2, :f], used >= limit,
    )  # fmt: skip


@kernel
def _mark(order: U32, parent: U32, on_chain: NDArray[np.bool_]) -> None:
    n = parent.shape[0]
    for k in range(order.shape[0] - 1, -1, -1):
        v = order[k]
        if on_chain[v] and parent[v] < n:
            on_chain[parent[v]] = True


@kernel
def _merge(chained: Chained, on_chain: NDArray[np.bool_], tree: _Tree, node: U32) -> None:
    n = chained.parent.shape[0]
    for k in range(chained.order.shape[0]):
        v = chained.order[k]
        if not on_chain[v]:
            continue
        above = np.int64(chained.parent[v])
        group = np.int64(chained.group[v])
        kind = np.int64(chained.kind[v])
        if above >= n:
            base = above - n
            same = base == group
        else:
            base = np.int64(node[above])
            same = np.int64(chained.group[above]) == group
        found = _find(tree, base, np.int64(chained.link[v]), kind)
        if not same:
            found = _find(tree, group, VIA - found, kind)
        node[v] = found


@inlined
def _find(tree: _Tree, base: np.int64, link: np.int64, kind: np.int64) -> np.int64:
    """The node that (base, link, kind) leads to, made if it is new."""
    if link == SILENT:
        return base
    mask = np.int64(tree.slots.shape[0] - 1)
    mixed = (base * np.int64(1099511628211) ^ link) * np.int64(1099511628211) ^ kind
    mixed *= np.int64(6364136223846793005)
    slot = (mixed ^ (mixed >> 29)) & mask
    while tree.slots[slot] != 0:
        entry = np.int64(tree.slots[slot]) - 1
        if tree.key_node[entry] == base and tree.key_link[entry] == link and tree.key_kind[entry] == kind:
            return np.int64(tree.leads_to[entry])
        slot = (slot + 1) & mask
    entry = tree.counts[1]
    if entry == tree.key_node.shape[0]:
        return base
    found = _passed(tree, base, link, kind)
    if found < 0:
        found = tree.counts[0]
        tree.counts[0] = found + 1
        tree.parent[found] = base
        tree.link[found] = link
        tree.kind[found] = kind
    tree.counts[1] = entry + 1
    tree.key_node[entry] = base
    tree.key_link[entry] = link
    tree.key_kind[entry] = kind
    tree.leads_to[entry] = found
    tree.slots[slot] = entry + 1
    return found


@kernel
def _passed(tree: _Tree, base: np.int64, link: np.int64, kind: np.int64) -> np.int64:
    """The nearest node of that kind on the way to ``base``, with the loop noted; -1 when there is none.

    Of unknown kinds only two in a row by the same link are taken for one.
    """
    if link < 0:
        return np.int64(-1)
    at = base
    for _ in range(LOOK_BACK if kind >= 0 else 1):
        if tree.parent[at] < 0:
            break
        if tree.kind[at] == kind and (kind >= 0 or tree.link[at] == link):
            f = tree.counts[2]
            tree.counts[2] = f + 1
            tree.loop_to[f] = at
            tree.loop_from[f] = base
            tree.loop_link[f] = link
            return at
        at = np.int64(tree.parent[at])
    return np.int64(-1)
