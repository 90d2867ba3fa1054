"""Which formats there are, and who makes each. Imports this package and ``reports``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath
from typing import TYPE_CHECKING

from goretain.model.errors import UsageError
from goretain.reports import json
from goretain.reports.chains import chains_report
from goretain.reports.export.drawing import draw
from goretain.reports.export.folded import folded
from goretain.reports.export.graphs import dot, svg
from goretain.reports.export.pprof import pprof

if TYPE_CHECKING:
    from goretain.heap.heap import Heap

_ALL = 1 << 62


def _json(target: str, heap: Heap, what: str) -> bytes:
    return json.render(chains_report(target, heap, what, top=_ALL)).encode()


def _dot(target: str, heap: Heap, what: str) -> bytes:
    return dot(draw(chains_report(target, heap, what, min_bytes=None))).encode()


def _svg(target: str, heap: Heap, what: str) -> bytes:
    return svg(draw(chains_report(target, heap, what, min_bytes=None))).encode()


#: Name -> what makes it of (target, heap, what is chosen).
FORMATS: dict[str, Callable[[str, Heap, str], bytes]] = {
    "pprof": pprof,
    "json": _json,
    "dot": _dot,
    "svg": _svg,
    "folded": folded,
}
_ENDINGS = {
    ".pb.gz": "pprof", ".pprof": "pprof", ".json": "json", ".dot": "dot", ".gv": "dot", ".svg": "svg",
    ".folded": "folded",
}  # fmt: skip


def format_of(name: str) -> str | None:
    """The format that a file's name asks for; None when its ending says nothing."""
    base = PurePath(name).name
    return next((form for ending, form in _ENDINGS.items() if base.endswith(ending)), None)


def export(target: str, heap: Heap, form: str, what: str = "") -> bytes:
    """The chains to some objects in one of FORMATS.

    Args:
        target: what to call the thing that was looked at.
        what: a type, a holder, an object; "" is everything reachable.

    Raises:
        UsageError: no such format, or nothing of that name.
    """
    if form not in FORMATS:
        raise UsageError(f"there is no format {form!r}", hint=f"formats: {', '.join(FORMATS)}")
    return FORMATS[form](target, heap, what)
