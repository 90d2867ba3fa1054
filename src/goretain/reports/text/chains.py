"""``chains`` for people at a terminal. Imports ``reports``."""

from __future__ import annotations

from goretain.model.units import iec
from goretain.reports.results import ChainNode, ChainsReport
from goretain.reports.text.page import Page, breakable, chain_pieces
from goretain.reports.text.parts import allocation, head, sampling
from goretain.reports.units import UNNAMED, clean, number, plural, with_loops

_FIGURES = 23  # columns that bytes and objects take
_SITES = 3  # places of allocation
_SMALL = 100  # share of a node's bytes below which its own objects are not worth a line


def render_chains(report: ChainsReport, width: int) -> Page:
    """The report as lines of at most ``width`` columns."""
    page = Page(width)
    head(page, report.look)
    page.fact(
        report.kind, f"{report.name}: {iec(report.bytes)} in {plural(report.objects, 'object')}", style="bold"
    )
    if report.unreached_objects:
        amount = f"{iec(report.unreached_bytes)} in {plural(report.unreached_objects, 'object')}"
        page.fact("garbage", f"{amount} more that nothing reaches")
    sampling(page, report.sampling, report.objects)
    if report.full:
        page.fact(
            "note", "there are too many different chains: the ends of some are left out", style="yellow"
        )
    if report.kind == "object":
        _routes(page, report)
        return page
    if report.chains:
        page.title("Chains, merged", "own bytes of what they lead to")
        page.add((f"  {'bytes':>10}  {'objects':>9}  chain", "dim"))
        for node in report.chains:
            _node(page, node, 0)
        _left_off(page, report.left_off, report.left_off_bytes, 0)
    return page


def _routes(page: Page, report: ChainsReport) -> None:
    if report.allocated:
        page.title("Allocated by", "sampled: this very object was")
        for call in report.allocated:
            page.add(f"  {clean(call)}")
    page.title(f"Shortest chains, from {plural(report.routes_total, 'root')}")
    for chain in report.routes:
        pieces = breakable(chain_pieces(chain.root, chain.links, chain.end), page.width - 6)
        page.pieces(pieces, lead=[("  ", "")], hang=" " * 6)
    if report.routes_total > len(report.routes):
        more = plural(report.routes_total - len(report.routes), "more root")
        page.add((f"  {more}: --top {report.routes_total}", "dim"))


def _node(page: Page, node: ChainNode, depth: int) -> None:
    """One line for links that follow each other without a branch, then what branches off."""
    links = [clean(with_loops(node.link, node.loops))]
    while len(node.children) == 1 and not node.ends and not node.left_off:
        (node,) = node.children
        links.append(clean(with_loops(node.link, node.loops)))
    alone = node.ends if len(node.ends) == 1 and not node.children and not node.left_off else ()
    tail = [f" -> {clean(alone[0].type or UNNAMED)}"] if alone else []
    _line(page, node.bytes, node.objects, [*links, *tail], depth, style="bold" if depth == 0 else "")
    if depth == 0 and (allocated := allocation(node.sampled, _SITES)):
        hang = " " * (_FIGURES + 4)
        page.pieces(breakable(allocated, page.width - len(hang)), lead=[(hang, "")], hang=hang, style="dim")
    for end in () if alone else node.ends:
        if end.bytes * _SMALL >= node.bytes:
            _line(page, end.bytes, end.objects, [f"-> {clean(end.type or UNNAMED)}"], depth + 1)
    for child in node.children:
        _node(page, child, depth + 1)
    _left_off(page, node.left_off, node.left_off_bytes, depth + 1)


def _line(page: Page, size: int, objects: int, pieces: list[str], depth: int, *, style: str = "") -> None:
    indent = "  " * depth
    figures = [
        (f"  {iec(size):>10}", "bold" if depth == 0 else ""),
        (f"  {number(objects):>9}  {indent}", ""),
    ]
    hang = " " * (_FIGURES + 4) + indent
    page.pieces(breakable(pieces, page.width - len(hang)), lead=figures, hang=hang, style=style)


def _left_off(page: Page, count: int, size: int, depth: int) -> None:
    if count:
        text = f"  {iec(size):>10}  {'':>9}  {'  ' * depth}{plural(count, 'more chain')}"
        page.add((text, "dim"))
