"""What a drawing of chains shows: boxes and arrows, few enough to be read.

Imports ``reports``.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field

from goretain.model.findings import Chain
from goretain.model.units import iec
from goretain.reports.results import ChainNode, ChainsReport, TypeSum
from goretain.reports.units import UNNAMED, clean, plural, with_loops

#: Boxes of a drawing.
MOST = 80
_ENDS = 3


@dataclass(slots=True)
class Box:
    """One link of chains, or the objects at their end.

    Attributes:
        lines: of text, the first one is its name.
        share: of the bytes of the whole drawing, 0 .. 1.
        children: boxes that arrows lead to.
    """

    lines: list[str]
    share: float
    children: list[Box] = field(default_factory=list)


@dataclass(slots=True)
class Drawing:
    """A title and the boxes that no arrow leads to."""

    title: str
    boxes: list[Box]


def draw(report: ChainsReport) -> Drawing:
    """Boxes for the chains that lead to most; for every chain to a single object."""
    title = f"{clean(report.name)}: {iec(report.bytes)} in {plural(report.objects, 'object')}"
    if report.kind == "object":
        return Drawing(title, _routes(report.routes))
    return Drawing(title, _largest(report))


def _largest(report: ChainsReport) -> list[Box]:
    """The MOST boxes with most bytes; a box is there only with the one above it."""
    whole = max(report.bytes, 1)
    tops: list[Box] = []
    waiting: list[tuple[int, int, ChainNode, list[Box]]] = []
    count = 0

    def await_(nodes: Iterable[ChainNode], beside: list[Box]) -> None:
        nonlocal count
        for node in nodes:
            count += 1
            heapq.heappush(waiting, (-node.bytes, count, node, beside))

    await_(report.chains, tops)
    for _ in range(MOST):
        if not waiting:
            break
        _, _, node, beside = heapq.heappop(waiting)
        box = Box(
            [clean(with_loops(node.link, node.loops)), _amount(node), *_ends(node.ends)], node.bytes / whole
        )
        beside.append(box)
        await_(node.children, box.children)
    return tops


def _amount(node: ChainNode) -> str:
    return f"{iec(node.bytes)}, {plural(node.objects, 'object')}"


def _ends(ends: tuple[TypeSum, ...]) -> list[str]:
    shown = [f"-> {clean(end.type or UNNAMED)}: {iec(end.bytes)}" for end in ends[:_ENDS]]
    return [*shown, *([f"-> {plural(len(ends) - _ENDS, 'more type')}"] if len(ends) > _ENDS else [])]


def _routes(routes: tuple[Chain, ...]) -> list[Box]:
    tops: list[Box] = []
    for chain in routes:
        beside = tops
        for text in (chain.root, *chain.links, f"-> {chain.end}"):
            found = next((box for box in beside if box.lines == [clean(text)]), None)
            if found is None:
                found = Box([clean(text)], 1.0)
                beside.append(found)
            beside = found.children
    return tops
