"""Folded stacks, a line each: ``main.cache;.entries;[key];.body;[]byte 4096``, for flame graphs.

Frames are separated by ";", the bytes follow the last blank (Brendan Gregg's flamegraph.pl, inferno,
speedscope). Imports ``heap`` and ``reports``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from goretain.heap.choose import choose
from goretain.heap.tree import goroutine_groups
from goretain.reports.units import UNNAMED, clean, with_loops

if TYPE_CHECKING:
    from goretain.heap.heap import Heap


def folded(target: str, heap: Heap, what: str = "") -> bytes:  # noqa: ARG001 (every format is called alike)
    """Bytes in use by shortest chain. Raises UsageError: there is nothing of that name."""
    chosen = choose(heap, what).objects if what else heap.graph.reached
    tree = heap.chains(chosen, goroutine_groups(heap.snapshot))
    lines = []
    for leaf in tree.leaves:
        names = [with_loops(tree.links[node], tree.loops.get(node, ())) for node in tree.path(leaf.node)]
        stack = [_frame(name) for name in (*names, leaf.type or UNNAMED)]
        lines.append(f"{';'.join(frame for frame in stack if frame)} {leaf.bytes}\n")
    return "".join(sorted(lines)).encode("utf-8", "backslashreplace")


def _frame(name: str) -> str:
    return clean(name).replace(";", ":").strip()
