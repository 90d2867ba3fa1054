"""Which pointers a part of a chain stands for: ``.sessions`` of ``main.server.sessions``, ``[key].body``.

The links of a chain are followed from the objects that a holder points to, all slots of one kind at once:
texts are made for each distinct (type, offset, kind of target), as in :mod:`goretain.heap.links`. Imports
this package and ``snapshot``.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from goretain.heap.backing import HEADER_BYTES
from goretain.heap.chains import ChainPrinter
from goretain.heap.links import kinds_of
from goretain.snapshot import ObjectFlag, Snapshot

I64 = NDArray[np.int64]
U32 = NDArray[np.uint32]
Flags = NDArray[np.bool_]

#: What a chain says of its last slice or string, and of what stands at its end.
_TAIL = re.compile(r"(?: \((?:len|cap)[^)]*\))?(?: -> .*)?$")
#: What may follow a link: a field, an element, a channel's buffer, a captured or a local variable.
_BOUNDARY = (".", "[", "<", " (", ":")


def bare(text: str) -> str:
    """A chain as it was printed without its lengths and its end."""
    return _TAIL.sub("", text)


def starts_at(text: str, name: str) -> bool:
    """Whether a chain goes on from a name: ``main.cache.byID`` from ``main.cache``, not from ``main.ca``."""
    return text.startswith(name) and text[len(name) :].startswith(_BOUNDARY)


def covers(links: str, text: str) -> bool:
    """Whether links, with ``[*]`` for any element, are a text or begin it, as ``.a`` does ``.a.b``."""
    found = _form(links).match(text)
    return found is not None and (found.end() == len(text) or (bool(links) and starts_at(text, found[0])))


def beyond(text: str, links: str) -> str:
    """What of the links comes after those of a text; "" where they do not lead there."""
    found = _form(_alike(text)).match(links)
    if found is None or not _form(found[0]).fullmatch(text) or not starts_at(links, found[0]):
        return ""
    return links[found.end() :]


class Elements:
    """Follows the links of a chain through a heap."""

    def __init__(self, snapshot: Snapshot, printer: ChainPrinter) -> None:
        self._snapshot = snapshot
        self._columns = snapshot.columns
        self._printer = printer
        sizes = np.array([t.size for t in snapshot.types] + [0], np.int64)
        self._sizes = sizes[snapshot.columns.object_type]
        self._kind = kinds_of(snapshot)
        self._hits: list[I64] = []
        self._seen: dict[tuple[str, bool], Flags] = {}

    def edges(self, objects: U32, links: str) -> I64:
        """Edges (rows of ``edge_target``) that the last link stands for.

        Args:
            objects: where the links begin.
            links: as chains print them; ``[*]`` and ``[key]`` stand for all elements.
        """
        self._hits, self._seen = [], {}
        self._follow(objects, links)
        return np.unique(np.concatenate([np.empty(0, np.int64), *self._hits]))

    def _follow(self, objects: U32, links: str) -> None:
        in_slice = False  # as where a chain begins
        todo = [(objects, links, in_slice)]
        while todo:
            objects, links, in_slice = todo.pop()
            seen = self._seen.setdefault((links, in_slice), np.zeros(self._snapshot.object_count, np.bool_))
            fresh = np.unique(objects[~seen[objects]])
            seen[fresh] = True
            for edges, sources in self._alike(fresh):
                text, slices = self._text(sources[0], edges[0], in_slice, alike=True)
                if not text:
                    todo.append((self._columns.edge_target[edges], links, False))
                    continue
                whole = _form(text).match(links)
                if whole is not None:
                    chosen = self._exact(edges, sources, whole[0], text, in_slice)
                    rest = links[whole.end() :]
                    if not rest:
                        self._hits.append(chosen)
                    elif starts_at(links, whole[0]):
                        todo.append((self._columns.edge_target[chosen], rest, slices))
                elif covers(_alike(links), text):
                    self._hits.append(self._exact(edges, sources, links, text, in_slice))

    def _alike(self, objects: U32) -> list[tuple[I64, U32]]:
        """The edges out of objects with their sources, those that have one text together."""
        columns = self._columns
        count = columns.edge_start[objects + np.int64(1)] - columns.edge_start[objects]
        sources = np.repeat(objects, count)
        if not len(sources):
            return []
        before = np.repeat(np.cumsum(count) - count, count)
        edges = np.repeat(columns.edge_start[objects], count) + np.arange(len(sources)) - before
        flags = columns.object_flags[sources]
        offset = columns.edge_word[edges].astype(np.int64) * 8
        offset -= np.where(flags & ObjectFlag.HEADER, HEADER_BYTES, 0)
        size = self._sizes[sources]
        inside = np.where(size > 0, offset % np.maximum(size, 1), 0)
        kinds = np.column_stack((self._kind[sources], inside, self._kind[columns.edge_target[edges]]))
        _, place = np.unique(kinds, axis=0, return_inverse=True)
        order = np.argsort(place.ravel(), kind="stable")
        cuts = np.flatnonzero(np.diff(place.ravel()[order])) + 1
        return [(edges[rows], sources[rows]) for rows in np.split(order, cuts)]

    def _text(self, source: int, edge: int, in_slice: bool, *, alike: bool) -> tuple[str, bool]:
        word, target = int(self._columns.edge_word[edge]), int(self._columns.edge_target[edge])
        return self._printer.step(int(source), word, target, in_slice, alike=alike)

    def _exact(self, edges: I64, sources: U32, links: str, text: str, in_slice: bool) -> I64:
        """Those of some edges of one text whose own text is the link: all, unless it names an element."""
        if text.startswith(links):
            return edges
        form = _form(links)
        chosen = [
            form.match(self._text(source, edge, in_slice, alike=False)[0]) is not None
            for source, edge in zip(sources.tolist(), edges.tolist(), strict=True)
        ]
        return edges[np.array(chosen, np.bool_)]


def _alike(links: str) -> str:
    return re.sub(r"\[key [^\]]*\]", "[key]", re.sub(r"\[\d+\]", "[*]", links))


def _form(text: str) -> re.Pattern[str]:
    """Matches what a text of all elements stands for: ``[*]`` a number, ``[key]`` what is known of a key."""
    form = re.escape(text).replace(re.escape("[*]"), r"\[(?:\*|\d+)\]")
    return re.compile(form.replace(re.escape("[key]"), r"\[key(?: [^\]]*)?\]"))
