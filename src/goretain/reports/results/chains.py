"""What ``chains`` answers. Imports ``model``, msgspec, ``reports.notebook``, ``reports.units`` and this
package.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from goretain.model.findings import Chain, Sampled
from goretain.model.units import iec
from goretain.reports import notebook
from goretain.reports.results.parts import Look, Sampling, TypeSum
from goretain.reports.units import UNNAMED, number, plural, with_loops


class ChainNode(msgspec.Struct, frozen=True, kw_only=True):
    """Chains that begin alike, up to here.

    Attributes:
        link: text of the link; at the top the name of a holder, or of all that share something.
        loops: on these ways chains come back here (``.next``): what lies on them is counted here.
        objects, bytes: chosen objects at and below, and their own sizes.
        ends: the chosen objects whose chain ends here, by type.
        children: most bytes first.
        left_off, left_off_bytes: children that are not listed, and their bytes.
        sampled: where the chosen objects at and below were allocated; None: too few were sampled.
    """

    link: str
    objects: int
    bytes: int
    loops: tuple[str, ...] = ()
    ends: tuple[TypeSum, ...] = ()
    children: tuple[ChainNode, ...] = ()
    left_off: int = 0
    left_off_bytes: int = 0
    sampled: Sampled | None = None


class ChainsReport(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of ``goretain chains``: why some objects are alive, all their chains merged.

    Attributes:
        schema: names this shape.
        what: as the user typed it; kind: what it was taken for; name: what it is called in full.
        objects, bytes: chosen and reachable; the sizes are their own, not what they retain.
        unreached_objects, unreached_bytes: chosen, and reached by no root (garbage).
        chains: by holder, or by the holders that share something, most bytes first.
        left_off, left_off_bytes: holders that are not listed.
        routes: of one object, the shortest chain from every root that reaches it, its holders first, the
            first ``top``.
        routes_total: from how many roots there is one.
        allocated: of one object that was sampled, the calls that allocated it, innermost first, each with its
            place: ``main.load load.go:31``.
        sampling: whether the program records where it allocates; None where the snapshot does not tell.
        full: the tree grew too large: the ends of some chains are left out, not their objects.
    """

    schema: Literal["goretain/chains/1"] = "goretain/chains/1"
    goretain: str
    look: Look
    what: str
    kind: Literal["type", "object", "holder", "everything"]
    name: str
    objects: int
    bytes: int
    unreached_objects: int
    unreached_bytes: int
    chains: tuple[ChainNode, ...]
    left_off: int
    left_off_bytes: int
    routes: tuple[Chain, ...] = ()
    routes_total: int = 0
    allocated: tuple[str, ...] = ()
    sampling: Sampling | None = None
    full: bool = False

    def _repr_html_(self) -> str:
        what = f"{self.kind} {self.name}: {iec(self.bytes)} in {plural(self.objects, 'object')}"
        if self.routes:
            shown = notebook.listing([chain.text for chain in self.routes])
        else:
            shown = notebook.table(("bytes", "objects", "chain"), list(_indented(self.chains)))
        return f"{self.look._repr_html_()}\n{notebook.paragraph(what)}\n{shown}"


def _indented(nodes: Iterable[ChainNode], depth: int = 0) -> Iterator[tuple[str, str, str]]:
    """Bytes, objects and text of all nodes, as a notebook shows them."""
    for node in nodes:
        ends = [end.type or UNNAMED for end in node.ends]
        arrow = f" -> {', '.join(ends)}" if ends else ""
        text = "\u00a0" * 4 * depth + with_loops(node.link, node.loops).strip() + arrow
        yield iec(node.bytes), number(node.objects), text
        yield from _indented(node.children, depth + 1)
