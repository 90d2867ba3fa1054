"""Builds the answer of ``chains`` from a measured heap.

Imports ``heap``, ``model`` and this package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import goretain
from goretain.heap.choose import Choice, choose
from goretain.heap.holders import holder_nodes
from goretain.heap.tree import goroutine_groups
from goretain.model.findings import Chain
from goretain.reports.results import ChainNode, ChainsReport, TypeSum
from goretain.reports.why import look_of, sampling_of

if TYPE_CHECKING:
    from goretain.heap.heap import Heap
    from goretain.heap.tree import ChainTree

#: Links of a chain that are shown; what is below counts at the last.
_DEPTH = 100


def chains_report(
    target: str, heap: Heap, what: str, *, top: int = 10, min_bytes: int | None = 0
) -> ChainsReport:
    """All shortest chains to some objects, merged.

    Args:
        target: what to call the thing that was looked at.
        heap: the measured heap.
        what: an address, an object id, a holder's or a type's name; "" is everything reachable.
        top: children of each node, and holders.
        min_bytes: chains that lead to less are left out; None is 1 % of everything chosen.

    Raises:
        UsageError: there is nothing of that name.
    """
    choice = choose(heap, what) if what else None
    chosen = heap.graph.reached if choice is None else choice.objects & heap.graph.reached
    total = int(heap.snapshot.columns.object_size[chosen].sum())
    min_bytes = total // 100 if min_bytes is None else min_bytes
    tree = heap.chains(chosen, goroutine_groups(heap.snapshot))
    kept, left_off = _kept(tree, -1, top, min_bytes)
    dead = heap.snapshot.columns.object_size[choice.objects & ~heap.graph.reached] if choice else np.empty(0)
    routes, routes_total = _routes(heap, choice, top)
    return ChainsReport(
        goretain=goretain.__version__,
        look=look_of(target, heap.snapshot),
        what=what,
        kind=choice.kind if choice else "everything",
        name=choice.name if choice else "everything",
        objects=int(chosen.sum()),
        bytes=total,
        unreached_objects=len(dead),
        unreached_bytes=int(dead.sum()),
        chains=tuple(_node(heap, tree, node, top, min_bytes, 1) for node in kept),
        left_off=len(left_off),
        left_off_bytes=sum(int(tree.bytes[node]) for node in left_off),
        routes=routes,
        routes_total=routes_total,
        allocated=_allocated(heap, choice),
        sampling=sampling_of(heap, tree.marked),
        full=tree.full,
    )


def _kept(tree: ChainTree, node: int, top: int, min_bytes: int) -> tuple[list[int], list[int]]:
    """Children that are listed, and the others."""
    children = tree.children.get(node, [])
    kept = [child for child in children[:top] if tree.bytes[child] >= min_bytes]
    return kept, children[len(kept) :]


def _node(heap: Heap, tree: ChainTree, node: int, top: int, min_bytes: int, depth: int) -> ChainNode:
    kept, left_off = _kept(tree, node, top if depth < _DEPTH else 0, min_bytes)
    ends = tree.leaves_at.get(node, [])
    return ChainNode(
        link=tree.links[node],
        objects=int(tree.objects[node]),
        bytes=int(tree.bytes[node]),
        loops=tree.loops.get(node, ()),
        ends=tuple(TypeSum(type=leaf.type, objects=leaf.objects, bytes=leaf.bytes) for leaf in ends),
        children=tuple(_node(heap, tree, child, top, min_bytes, depth + 1) for child in kept),
        left_off=len(left_off),
        left_off_bytes=sum(int(tree.bytes[child]) for child in left_off),
        sampled=heap.sites.of(tree.marked_below(node)),
    )


def _allocated(heap: Heap, choice: Choice | None) -> tuple[str, ...]:
    """The stack that allocated a single object."""
    if choice is None or choice.object_id is None:
        return ()
    return tuple(frame.text for frame in heap.sites.stack_of(choice.object_id))


def _routes(heap: Heap, choice: Choice | None, top: int) -> tuple[tuple[Chain, ...], int]:
    """The chain to a single object from each root that reaches it."""
    if choice is None or choice.object_id is None or not heap.graph.reached[choice.object_id]:
        return (), 0
    holders = holder_nodes(heap.graph, choice.object_id)
    nodes = [*holders, *(node for node in heap.other_roots(choice.object_id) if node not in holders)]
    return tuple(heap.chain(choice.object_id, node) for node in nodes[:top]), len(nodes)
