"""All chains to some objects, merged into one tree by the names of their links, with counts and bytes.

Two trees of one heap are built the same way: by shortest chains (what is in use where), and by dominators
(what would go with what). At the top stand the holders, and every set of holders that share something, so
that the sums of a tree are those of :mod:`goretain.heap.holders`. Imports ``kernels`` and ``snapshot``.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from goretain.heap.chains import ChainPrinter
from goretain.heap.graph import SHARED, Graph
from goretain.heap.histogram import type_name
from goretain.heap.holders import set_nodes, sets_of
from goretain.heap.links import Links
from goretain.heap.marks import Marks
from goretain.kernels.merge import NONE, VIA, Chained, Merged, merge_chains
from goretain.kernels.reach import Forest, tree_words
from goretain.model.names import alike, joined
from goretain.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Leaf:
    """Wanted objects of one type that one chain leads to.

    Attributes:
        node: where the chain ends.
        type: Go type, None when unknown.
        objects, bytes: how many, and their own sizes.
    """

    node: int
    type: str | None
    objects: int
    bytes: int


class ChainTree:
    """A tree of links; nodes are numbered, a parent before its children.

    Attributes:
        parent: per node the one above, -1 for holders and sets of holders.
        links: per node the text of the link that leads to it, for those at the top a name.
        objects, bytes: per node the wanted objects at and below it.
        leaves: the wanted objects, each in one leaf.
        marked, marked_leaf: int64[s], which of the objects to mark are wanted (rows of their array), and the
            leaf that each is in.
        loops: per node the ways on which chains come back to it, ``.next``.
        holders: how many of the first nodes are single holders (index into ``Snapshot.roots``, unless
            several go by one name); the other tops are sets of them.
        full: whether the tree was too large, so that the ends of some chains are left out.
    """

    def __init__(self, merged: Merged, tops: Sequence[str], holders: int, links: Links) -> None:
        self.parent: list[int] = merged.parent.tolist()
        self.holders = holders
        self.full = merged.full
        self._numbers: list[int] = merged.link.tolist()
        self._texts = links.texts
        self._tops = tops
        self.objects = np.zeros(len(self.parent), np.int64)
        self.bytes = np.zeros(len(self.parent), np.int64)
        self.leaves: list[Leaf] = []
        self.marked = self.marked_leaf = np.empty(0, np.int64)
        self.loops = self._loops(merged)

    @cached_property
    def links(self) -> list[str]:
        """Texts of all nodes."""
        return [self._link(node) for node in range(len(self.parent))]

    def chain(self, node: int) -> tuple[str, ...]:
        """The texts from the top to a node."""
        return tuple(self._link(at) for at in self.path(node))

    def path(self, node: int) -> list[int]:
        """The nodes from the top to a node, itself included."""
        path = [node]
        while self.parent[path[-1]] >= 0:
            path.append(self.parent[path[-1]])
        return path[::-1]

    @cached_property
    def children(self) -> dict[int, list[int]]:
        """Per node those below it that lead to anything, most bytes first; -1 has the tops."""
        below: defaultdict[int, list[int]] = defaultdict(list)
        for node in np.flatnonzero(self.objects).tolist():
            below[self.parent[node]].append(node)
        for nodes in below.values():
            nodes.sort(key=lambda node: (-self.bytes[node], -self.objects[node], self._link(node)))
        return dict(below)

    @cached_property
    def leaves_at(self) -> dict[int, list[Leaf]]:
        """The leaves of each node, most bytes first."""
        found: defaultdict[int, list[Leaf]] = defaultdict(list)
        for leaf in self.leaves:
            found[leaf.node].append(leaf)
        return dict(found)

    @cached_property
    def _marks(self) -> Marks:
        parent = np.concatenate([[0], np.array(self.parent, np.int64) + 1]).astype(np.uint32)
        node_of_leaf = np.array([leaf.node for leaf in self.leaves], np.int64)
        return Marks(parent, node_of_leaf[self.marked_leaf] + 1)

    def marked_below(self, node: int) -> NDArray[np.int64]:
        """Rows of the marked objects whose chains end at a node or below it."""
        rows: NDArray[np.int64] = self.marked[self._marks.below(np.array([node + 1]))]
        return rows

    def add(
        self,
        snapshot: Snapshot,
        node: NDArray[np.uint32],
        kind: NDArray[np.int32],
        ids: NDArray[np.uint32],
        mark: NDArray[np.uint32],
    ) -> None:
        """Count the wanted objects (ids) where their chains end, and in every node above; find out in which
        leaf each object to mark is (ids, ascending)."""
        key = (node[ids].astype(np.int64) << 32) | (kind[ids].astype(np.int64) + 1)
        keys, first, place = np.unique(key, return_index=True, return_inverse=True)
        counts, sizes = np.bincount(place, minlength=len(keys)), np.zeros(len(keys), np.int64)
        np.add.at(sizes, place, snapshot.columns.object_size[ids])
        leaf_names: list[tuple[int, str | None]] = []
        sums: dict[tuple[int, str | None], list[int]] = {}
        for k, at in enumerate(first.tolist()):
            leaf_names.append((int(keys[k]) >> 32, type_name(snapshot, int(ids[at]))))
            row = sums.setdefault(leaf_names[k], [0, 0])
            row[0] += int(counts[k])
            row[1] += int(sizes[k])
        self.leaves = [Leaf(at, name, *row) for (at, name), row in sums.items()]
        self.leaves.sort(key=lambda leaf: (-leaf.bytes, -leaf.objects, leaf.type or ""))
        self.marked = np.flatnonzero(np.isin(mark, ids))
        rank = {(leaf.node, leaf.type): row for row, leaf in enumerate(self.leaves)}
        leaf_of = np.array([rank[name] for name in leaf_names], np.int64)
        self.marked_leaf = leaf_of[place[np.searchsorted(ids, mark[self.marked])]]
        objects, bytes_ = [0] * len(self.parent), [0] * len(self.parent)
        for leaf in self.leaves:
            objects[leaf.node] += leaf.objects
            bytes_[leaf.node] += leaf.bytes
        for at in range(len(self.parent) - 1, -1, -1):
            if self.parent[at] >= 0:
                objects[self.parent[at]] += objects[at]
                bytes_[self.parent[at]] += bytes_[at]
        self.objects, self.bytes = np.array(objects, np.int64), np.array(bytes_, np.int64)

    def _link(self, node: int) -> str:
        if self.parent[node] < 0:
            return self._tops[node]
        number = self._numbers[node]
        if number > VIA:
            return self._texts[number]
        return " via " + "".join(self.chain(VIA - number))

    def _loops(self, merged: Merged) -> dict[int, tuple[str, ...]]:
        """The texts from each node that chains come back to, around, and to it again."""
        loops: defaultdict[int, dict[str, None]] = defaultdict(dict)
        rows = zip(merged.loop_to.tolist(), merged.loop_from.tolist(), merged.loop_link.tolist(), strict=True)
        for to, last, link in rows:
            around = []
            while last != to:
                around.append(self._link(last))
                last = self.parent[last]
            loops[to]["".join([*around[::-1], self._texts[link]])] = None
        return {node: tuple(texts) for node, texts in loops.items()}


def chain_tree(
    snapshot: Snapshot,
    graph: Graph,
    printer: ChainPrinter,
    wanted: NDArray[np.bool_],
    mark: NDArray[np.uint32],
    names: Sequence[str] | None,
) -> ChainTree:
    """The shortest chains to the wanted objects (bool[n], reached ones), merged.

    What several holders share stands under the set of them, ``via`` the chain from the nearest. mark: ids of
    objects to find again in the tree, ascending. names: what each root is called; those of one name are one
    holder. None: every root is a holder.
    """
    return _tree(snapshot, graph, printer, printer.forest, wanted, mark, names)


def dominator_tree(
    snapshot: Snapshot, graph: Graph, printer: ChainPrinter, mark: NDArray[np.uint32]
) -> ChainTree:
    """Every reachable object below what alone keeps it alive: the bytes of a node would go with it."""
    n, nodes = graph.objects, len(snapshot.roots)
    order = graph.vertex[1:][graph.vertex[1:] < n]
    above = graph.idom[graph.number[order]]
    parent = np.full(n, NONE, np.uint32)
    parent[order] = graph.vertex[above]
    alone = order[above == 0]
    parent[alone] = n + nodes + sets_of(graph, alone)
    return _tree(snapshot, graph, printer, Forest(parent, order), graph.reached, mark, None)


def _tree(
    snapshot: Snapshot,
    graph: Graph,
    printer: ChainPrinter,
    forest: Forest,
    wanted: NDArray[np.bool_],
    mark: NDArray[np.uint32],
    called: Sequence[str] | None,
) -> ChainTree:
    columns, nodes = snapshot.columns, len(snapshot.roots)
    words = tree_words(columns.edge_start, columns.edge_target, columns.edge_word, forest.parent)
    links = Links(snapshot, printer, forest, words)
    group = graph.holder.copy()
    shared = np.flatnonzero(group == SHARED)
    group[shared] = nodes + sets_of(graph, shared)
    names = list(called) if called is not None else [root.name for root in snapshot.roots]
    names += _set_names(graph, names)
    tops, top_of = names, np.arange(len(names))
    if called is not None:
        tops = list(dict.fromkeys(names))
        place = {name: k for k, name in enumerate(tops)}
        top_of = np.array([place[name] for name in names], np.int64)
    n = graph.objects
    parent = forest.parent.astype(np.int64)
    from_top = (parent >= n) & (parent < n + len(names))
    parent[from_top] = n + top_of[parent[from_top] - n]
    group[group >= 0] = top_of[group[group >= 0]]
    chained = Chained(forest.order, parent.astype(np.uint32), group, links.number, links.kind)
    merged = merge_chains(chained, wanted, len(tops))
    tree = ChainTree(merged, tops, nodes, links)
    tree.add(snapshot, merged.node, links.kind, np.flatnonzero(wanted).astype(np.uint32), mark)
    return tree


def goroutine_groups(snapshot: Snapshot) -> list[str]:
    """Per root its name; of goroutines of one state and function ``12 goroutines [select] main.worker``."""
    names = [alike(root.name) for root in snapshot.roots]
    counts = Counter(names)
    return [
        root.name if counts[name] == 1 or name == root.name else f"{counts[name]:,} {name}"
        for root, name in zip(snapshot.roots, names, strict=True)
    ]


def _set_names(graph: Graph, roots: Sequence[str]) -> list[str]:
    """``main.left and main.right`` for every set of holders; equal names of different sets are numbered.

    Args:
        roots: per root node what it is called.
    """
    found: list[str] = []
    seen: dict[str, list[tuple[str, ...]]] = {}
    for k in range(len(graph.sets.members.start) - 1):
        members = tuple(dict.fromkeys(roots[node] for node in set_nodes(graph, k)))
        name = joined(members)
        others = seen.setdefault(name, [])
        if members not in others:
            others.append(members)
        number = others.index(members) + 1
        found.append(name if number == 1 else f"{name} ({number})")
    return found
