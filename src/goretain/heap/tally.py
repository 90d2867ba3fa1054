"""A heap counted by name, one row for each: what two looks at a program are compared by.

By holder (and by all that share something), by chain and by type every reachable object is counted once, so
that the rows add up to the live heap. Imports this package and ``snapshot``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from goretain.heap.heap import Heap
from goretain.model.names import across_builds, alike, joined, stateless

#: What a heap can be counted by. "alone" and "shared" are the two parts of "holder".
Kind = Literal["alone", "shared", "holder", "chain", "type", "goroutine"]

_NUMBER = re.compile(r"(?<= more) \(\d+\)$|(?<= listed) \(\d+\)$")  # of sets of holders that look alike


class Amount(NamedTuple):
    """What goes by one name: bytes, objects, how many roots it sums up (0: it is not made of roots)."""

    bytes: int = 0
    objects: int = 0
    roots: int = 0

    def plus(self, other: Amount) -> Amount:
        """Both together."""
        return Amount(self.bytes + other.bytes, self.objects + other.objects, self.roots + other.roots)


@dataclass(frozen=True, slots=True)
class Tally:
    """A heap counted.

    Attributes:
        rows: by name; None is the unknown type.
        cut: there were too many chains to tell all apart: some are counted where they were cut off.
    """

    rows: Mapping[str | None, Amount]
    cut: bool = False


def tally(heap: Heap, kind: Kind) -> Tally:
    """Count a heap.

    By "holder" bytes are what each root retains ("alone") and what sets of roots share ("shared"), goroutines
    of one state and function as one; by "chain" objects at the end of their shortest chain, goroutines of one
    function as one; by "goroutine" heap that goroutines of one state, function and go statement retain,
    and their stacks.
    """
    return _COUNTED[kind](heap)


def folded(counted: Tally) -> Tally:
    """The same with the names that another build of the program has, too."""
    rows = ((name and across_builds(name), amount) for name, amount in counted.rows.items())
    return _summed(rows, cut=counted.cut)


def set_name(holders: Iterable[str]) -> str:
    """All holders of something shared as one name that the next look has, too."""
    return joined(stateless(name) for name in holders)


def _summed(rows: Iterable[tuple[str | None, Amount]], *, cut: bool = False) -> Tally:
    sums: defaultdict[str | None, Amount] = defaultdict(Amount)
    for name, amount in rows:
        sums[name] = sums[name].plus(amount)
    return Tally(dict(sums), cut)


def _alone(heap: Heap) -> Tally:
    rows = ((alike(h.name), Amount(h.retained_bytes, h.retained_objects, 1)) for h in heap.holders)
    return _summed(rows)


def _shared(heap: Heap) -> Tally:
    return _summed((set_name(group.holders), Amount(group.bytes, group.objects)) for group in heap.shared)


def _holders(heap: Heap) -> Tally:
    return _summed([*_alone(heap).rows.items(), *_shared(heap).rows.items()])


def _types(heap: Heap) -> Tally:
    return _summed((row.type, Amount(row.bytes, row.objects)) for row in heap.histogram)


def _chains(heap: Heap) -> Tally:
    tree = heap.chains(heap.graph.reached, [stateless(root.name) for root in heap.snapshot.roots])
    rows = []
    for leaf in tree.leaves:
        top, *links = tree.chain(leaf.node)
        end = leaf.type or "object of unknown type"
        name = f"{_NUMBER.sub('', top)}{''.join(links)} -> {end}"
        rows.append((name, Amount(leaf.bytes, leaf.objects)))
    return _summed(rows, cut=tree.full)


def _goroutines(heap: Heap) -> Tally:
    found, rows = heap.goroutines, []
    for group in found.groups:
        function = group.where.function if group.where is not None else "of unknown stack"
        created = f", created by {group.created_at.function}" if group.created_at is not None else ""
        amount = Amount(group.bytes, group.retained_objects, len(group.members))
        rows.append((f"goroutines [{group.state}] {function}{created}", amount))
    if found.shared_objects:
        rows.append(("shared by several of these", Amount(found.shared_bytes, found.shared_objects)))
    return _summed(rows)


_COUNTED: dict[Kind, Callable[[Heap], Tally]] = {
    "alone": _alone,
    "shared": _shared,
    "holder": _holders,
    "chain": _chains,
    "type": _types,
    "goroutine": _goroutines,
}
