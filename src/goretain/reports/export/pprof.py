"""A pprof profile of the heap (profile.proto of google/pprof, gzipped): ``go tool pprof`` opens it.

Four sample types. inuse_objects and inuse_space count every object once, at the end of the shortest chain
from its holder; retained_objects and retained_space count it at the end of its dominators, so that what a
frame has in total would come back with it. A frame is a chain as far as it goes, above it the type of the
objects; so a holder's total is what ``why`` says it retains and a type's own amount is that of its
table of types. Objects whose allocation was sampled have a label ``site``, the others none: ``-tagleaf=site``
shows who holds and who allocated, and no amount changes. Imports ``heap``, ``profile`` for the messages, and
``reports``.
"""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import goretain
from goretain.heap.choose import choose
from goretain.heap.tree import goroutine_groups
from goretain.profile.message import profile_class
from goretain.reports.units import UNNAMED, with_loops
from goretain.reports.why import look_of

if TYPE_CHECKING:
    from goretain.heap.heap import Heap
    from goretain.heap.tree import ChainTree

_TYPES = (
    ("inuse_objects", "count"),
    ("inuse_space", "bytes"),
    ("retained_objects", "count"),
    ("retained_space", "bytes"),
)


def pprof(target: str, heap: Heap, what: str = "") -> bytes:
    """The profile, gzipped. With ``what`` it has the chains to those objects alone, and no retained amounts.

    Raises:
        UsageError: there is nothing of that name.
    """
    profile = _Profile()
    profile.describe(target, heap)
    if what:
        profile.add(heap.chains(choose(heap, what).objects), heap, 0)
    else:
        profile.add(heap.chains(heap.graph.reached), heap, 0)
        profile.add(heap.dominators, heap, 2)
    encoded: bytes = profile.message.SerializeToString(deterministic=True)
    return gzip.compress(encoded, 6, mtime=0)


class _Profile:
    """A profile under construction; texts and frames are kept once."""

    def __init__(self) -> None:
        self.message: Any = profile_class()()
        self._strings: dict[str, int] = {}
        self._locations: dict[str, int] = {}
        self._groups: list[str] = []
        self._text("")

    def describe(self, target: str, heap: Heap) -> None:
        """What it is of, and what its amounts mean."""
        look, message = look_of(target, heap.snapshot), self.message
        self._groups = goroutine_groups(heap.snapshot)
        for kind, unit in _TYPES:
            message.sample_type.add(type=self._text(kind), unit=self._text(unit))
        message.period_type.type, message.period_type.unit = self._text("space"), self._text("bytes")
        message.period = 1
        message.default_sample_type = self._text("inuse_space")
        message.time_nanos = int(look.taken_at * 1e9)
        message.mapping.add(
            id=1, filename=self._text(look.program), build_id=self._text(look.build_id), has_functions=True
        )
        for comment in (
            f"goretain {goretain.__version__}: heap of {look.program} ({look.go_version}, pid {look.pid})",
            "inuse: every reachable object once, at the end of its shortest chain from its holder",
            "retained: the same by dominators; a frame's total would come back with it",
            "site: where an object was allocated, of those that the program's memory profile has sampled",
        ):
            message.comment.append(self._text(comment))

    def add(self, tree: ChainTree, heap: Heap, at: int) -> None:
        """Samples for each leaf, one for each site and one for the rest, with amounts at value ``at`` and the
        next."""
        names = _frames(tree)
        for leaf, sites in zip(tree.leaves, _by_site(tree, heap), strict=True):
            nodes = tree.path(leaf.node)
            path = [names[node] for node in nodes]
            if nodes[0] < len(self._groups):
                path.insert(0, self._groups[nodes[0]])
            stack = [leaf.type or UNNAMED, *dict.fromkeys(reversed(path))]
            locations = [self._location(name) for name in stack]
            for site, (objects, size) in sites.items():
                values = [0] * len(_TYPES)
                values[at : at + 2] = objects, size
                sample = self.message.sample.add(location_id=locations, value=values)
                sample.label.add(key=self._text("holder"), str=self._text(names[nodes[0]]))
                if site:
                    sample.label.add(key=self._text("site"), str=self._text(site))

    def _text(self, text: str) -> int:
        known = self._strings.setdefault(text, len(self._strings))
        if known == len(self.message.string_table):
            self.message.string_table.append(text.encode("utf-8", "backslashreplace"))
        return known

    def _location(self, name: str) -> int:
        known = self._locations.setdefault(name, len(self._locations) + 1)
        if known > len(self.message.location):
            self.message.function.add(id=known, name=self._text(name))
            self.message.location.add(id=known, mapping_id=1).line.add(function_id=known)
        return known


def _by_site(tree: ChainTree, heap: Heap) -> list[dict[str, tuple[int, int]]]:
    """Per leaf objects and bytes by where they were allocated, "" for those that were not sampled."""
    found = [{"": (leaf.objects, leaf.bytes)} for leaf in tree.leaves]
    sites, sizes = heap.sites, heap.snapshot.columns.object_size
    for sample, leaf in zip(tree.marked.tolist(), tree.marked_leaf.tolist(), strict=True):
        size = int(sizes[sites.objects[sample]])
        for site, sign in (("", -1), (sites.line_of(sample), 1)):
            objects, total = found[leaf].get(site, (0, 0))
            found[leaf][site] = objects + sign, total + sign * size
    return [{site: amount for site, amount in parts.items() if amount[0]} for parts in found]


def _frames(tree: ChainTree) -> list[str]:
    """Per node the whole chain to it: ``main.cache.entries[key].body``."""
    names: list[str] = []
    for node, parent in enumerate(tree.parent):
        before = names[parent] if parent >= 0 else ""
        names.append(before + with_loops(tree.links[node], tree.loops.get(node, ())))
    return names
