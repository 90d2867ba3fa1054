"""All analyses of one snapshot, each computed once, when first asked for.

Imports this package, ``kernels`` and ``snapshot``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from goretain.heap.backing import Backing, measure_backing
from goretain.heap.chains import ChainPrinter
from goretain.heap.coverage import Coverage, measure_coverage
from goretain.heap.fill import Maps
from goretain.heap.goroutines import Goroutines, goroutine_groups, leaked_groups
from goretain.heap.graph import Graph, build_graph
from goretain.heap.histogram import TypeRow, type_name, type_rows
from goretain.heap.holders import Holder, Shared, find_holders, find_shared, holder_nodes
from goretain.heap.sites import Sites
from goretain.heap.tree import ChainTree, chain_tree, dominator_tree
from goretain.heap.waiting import Leaks, find_leaks, stack_rows
from goretain.heap.without import Without, let_go
from goretain.kernels.csr import Rows, group_rows, reverse
from goretain.kernels.reach import nearest_ancestors
from goretain.model.findings import Chain
from goretain.snapshot import Layer, Snapshot

#: How far :meth:`Heap.also_from` looks: objects visited backwards from the one asked about.
ANCESTOR_LIMIT = 200_000


class Heap:
    """One snapshot, measured.

    Objects are ids (index into the object columns), roots are nodes (index into ``Snapshot.roots``).
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._ends: dict[Chain, int] = {}  # which object each chain was asked for

    @cached_property
    def graph(self) -> Graph:
        """Dominators and retained sizes, the roots in their layers."""
        return build_graph(self.snapshot, np.array([r.layer for r in self.snapshot.roots], np.int64))

    @cached_property
    def strict(self) -> Graph:
        """The same with all roots equal: what would go if one root of any kind let go."""
        return build_graph(self.snapshot, np.zeros(len(self.snapshot.roots), np.int64))

    @cached_property
    def users(self) -> Graph:
        """The same with all roots equal but those of the runtime, which come last: who can still use what.

        What only timers, finalizers and the runtime's caches hold besides does not count as used.
        """
        layer = np.array([r.layer == Layer.RUNTIME for r in self.snapshot.roots], np.int64)
        return build_graph(self.snapshot, layer)

    @property
    def reachable_bytes(self) -> int:
        """Bytes of everything that some root reaches."""
        return int(self.graph.retained_bytes[0])

    @property
    def reachable_objects(self) -> int:
        """Objects that some root reaches."""
        return int(self.graph.retained_objects[0])

    @cached_property
    def holders(self) -> list[Holder]:
        """All roots that keep something alive, by retained bytes."""
        return find_holders(self.snapshot, self.graph)

    @cached_property
    def shared(self) -> list[Shared]:
        """Memory that several holders reach and none dominates, by bytes."""
        return find_shared(self.snapshot, self.graph)

    @cached_property
    def histogram(self) -> list[TypeRow]:
        """Reachable objects and bytes by type, by bytes."""
        return type_rows(self.snapshot, self.graph.reached)

    @cached_property
    def windows(self) -> Rows:
        """Rows of the window columns grouped by target: who sees an object, and which part."""
        return group_rows(self.snapshot.columns.window_target, self.snapshot.object_count)

    @cached_property
    def backing(self) -> Backing:
        """Lost, slack and padding bytes of every object."""
        return measure_backing(self.snapshot, self.windows, self.graph.reached)

    @cached_property
    def maps(self) -> Maps:
        """All maps with fill and saving."""
        return Maps(self.snapshot, self.graph)

    @cached_property
    def leaks(self) -> Leaks | None:
        """Goroutines that nothing can wake any more; None when it is unknown what goroutines wait for."""
        return find_leaks(self.snapshot, self._stacks)

    @cached_property
    def goroutines(self) -> Goroutines:
        """The program's goroutines grouped by stack, and what each group keeps alive."""
        return goroutine_groups(self.snapshot, self.graph, self._stacks, self.leaks)

    @cached_property
    def leaked(self) -> Goroutines | None:
        """Leaked goroutines grouped by stack, and what would go if they went; None when unknown."""
        return None if self.leaks is None else leaked_groups(self.snapshot, self._stacks, self.leaks)

    @cached_property
    def _stacks(self) -> Rows:
        return stack_rows(self.snapshot)

    @cached_property
    def sites(self) -> Sites:
        """Where sampled objects were allocated."""
        return Sites(self.snapshot, self.graph)

    @cached_property
    def coverage(self) -> Coverage:
        """How much of the heap was reached, typed and named."""
        return measure_coverage(self.snapshot, self.graph)

    def retained(self, object_id: int) -> int:
        """Bytes that would go if the object went; 0 when no root reaches it."""
        return int(self.graph.retained(object_id))

    def holder_of(self, object_id: int) -> int:
        """Root node that dominates the object; ``graph.SHARED`` or ``graph.UNREACHED`` otherwise."""
        return int(self.graph.holder[object_id])

    def type_of(self, object_id: int) -> str | None:
        """Go type of an object, ``[]T`` for an array of T, None when unknown."""
        return type_name(self.snapshot, object_id)

    def chain(self, object_id: int, holder_node: int | None = None) -> Chain:
        """The shortest chain to an object from its holder, or from any other root that reaches it.

        Raises:
            UsageError: that root, or no root at all, reaches the object.
        """
        chain = self._printer.chain(object_id, holder_node)
        self._ends.setdefault(chain, object_id)
        return chain

    def end_of(self, chain: Chain) -> int | None:
        """The object that a chain which this gave leads to; None for any other chain."""
        return self._ends.get(chain)

    def chain_from(self, chain: Chain, start: str) -> Chain | None:
        """The chain to the same object from another of its holders, one that starts with a text.

        Args:
            chain: as :meth:`chain` gave it.
            start: of a holder's name, or of a whole chain: ``main.cache``, ``main.cache[key]``.

        Returns:
            None when the object has no such holder.
        """
        object_id = self._ends.get(chain)
        if object_id is None:
            return None
        for node in holder_nodes(self.graph, object_id):
            name = self.snapshot.roots[node].name
            if name.startswith(start) or start.startswith(name):
                found = self.chain(object_id, node)
                if found.text.startswith(start):
                    return found
        return None

    def also_from(self, object_id: int) -> list[str]:
        """Names of other roots that reach the object, nearest first (over the 200 000 nearest objects)."""
        return [self.snapshot.roots[node].name for node in self.other_roots(object_id)]

    def other_roots(self, object_id: int) -> list[int]:
        """Root nodes besides its holder that reach the object, nearest first."""
        columns = self.snapshot.columns
        nearest = nearest_ancestors(self._back, np.array([object_id], np.uint32), ANCESTOR_LIMIT)
        rank = np.full(self.snapshot.object_count, len(nearest), np.uint32)
        rank[nearest] = np.arange(len(nearest), dtype=np.uint32)
        distance = rank[columns.root_target]
        rows = np.argsort(distance, kind="stable")
        rows = rows[distance[rows] < len(nearest)]
        nodes = dict.fromkeys(columns.root_node[rows].tolist())
        nodes.pop(self.holder_of(object_id), None)
        return list(nodes)

    def chains(self, wanted: NDArray[np.bool_], names: Sequence[str] | None = None) -> ChainTree:
        """The shortest chains to objects, merged; wanted: bool[n], unreached ones do not count.

        names: what each root is called; those of one name are one holder. None: every root is a holder.
        """
        reached = wanted & self.graph.reached
        return chain_tree(self.snapshot, self.graph, self._printer, reached, self.sites.objects, names)

    def without(self, holders: Sequence[str]) -> Without:
        """What would come back if these holders, or parts of them, let go together.

        Args:
            holders: names of holders, ``*`` for anything, or chains: ``main.server.sessions[key].body``.

        Raises:
            UsageError: there is no such holder, or no such part of it.
        """
        return let_go(self.snapshot, self.graph, self._printer, holders)

    @cached_property
    def dominators(self) -> ChainTree:
        """Every reachable object below what alone keeps it alive, merged by names."""
        return dominator_tree(self.snapshot, self.graph, self._printer, self.sites.objects)

    @cached_property
    def _back(self) -> Rows:
        return reverse(self.snapshot.columns.edge_start, self.snapshot.columns.edge_target)

    @cached_property
    def _printer(self) -> ChainPrinter:
        return ChainPrinter(self.snapshot, self.graph, self.windows, lambda k: int(self.backing.padding[k]))
