"""How a finding says who holds an object: the chain, the holder's name, and who else reaches it.

Imports ``heap``, ``model`` and ``patterns.names``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from goretain.heap.holders import holder_nodes
from goretain.model.findings import Chain
from goretain.patterns.names import stable_name

if TYPE_CHECKING:
    from goretain.heap.heap import Heap

#: Names listed before the rest is only counted.
_LISTED = 6


@dataclass(frozen=True, slots=True)
class Route:
    """Who holds an object.

    Attributes:
        chain: the shortest one.
        holders: name of the root that holds it, or of all that share it.
        also_from: other roots that reach it; goroutines of one function are one entry.
    """

    chain: Chain
    holders: tuple[str, ...]
    also_from: tuple[str, ...] = ()

    @property
    def holder(self) -> str:
        """The holders as one text: "main.left and main.right"."""
        return " and ".join(self.holders)


def route_to(heap: Heap, object_id: int) -> Route:
    """Chain, holder and other roots of an object that some root reaches."""
    chain, roots = heap.chain(object_id), heap.snapshot.roots
    sharing = [roots[node].name for node in holder_nodes(heap.graph, object_id)]
    holders = brief(sharing) if len(sharing) > 1 else [chain.root]
    others = [name for name in heap.also_from(object_id) if name not in sharing]
    return Route(chain, tuple(holders), tuple(brief(others)))


def brief(names: Sequence[str]) -> list[str]:
    """Names with those that differ in goroutine numbers only as one, and the end of a long list counted."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(stable_name(name), []).append(name)
    texts = [g[0] if len(g) == 1 else f"{g[0]} (and {len(g) - 1} more like it)" for g in groups.values()]
    return texts if len(texts) <= _LISTED else [*texts[: _LISTED - 1], f"{len(texts) - _LISTED + 1} more"]
