"""Where objects were allocated, as far as the program's memory profile has sampled them.

A sample is one object in many, so a group is spoken of from four samples on (the error of a share is about
one by the root of their number), and a line is named from four of its own on. Imports ``heap.goroutines``,
``heap.graph``, ``heap.marks``, ``golang.packages``, ``model``, ``snapshot`` and msgspec.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from goretain.golang.packages import Packages, package_of
from goretain.heap.goroutines import speaking_frame
from goretain.heap.graph import Graph
from goretain.heap.marks import Marks
from goretain.model.findings import LEAST_SAMPLES, MOST_SITES, AllocatingLine, AllocationSite, Sampled
from goretain.snapshot import Frame, Layer, Snapshot

Objects = NDArray[np.integer[Any]]


class Sites:
    """Sampled objects that some root reaches, and where they were allocated.

    Attributes:
        objects: uint32[s], ids, ascending.
        stack: int64[s], index into ``Snapshot.sites``, -1 unknown.
        line: int64[s], index into lines, -1 unknown.
        lines: what an engineer calls a site.
    """

    def __init__(self, snapshot: Snapshot, graph: Graph) -> None:
        self._snapshot = snapshot
        self._graph = graph
        samples, sites = snapshot.samples, snapshot.sites or []
        if samples is None:
            self.objects, self.stack = np.empty(0, np.uint32), np.empty(0, np.int64)
        else:
            reached = graph.reached[samples.sample_object]
            self.objects = samples.sample_object[reached]
            self.stack = samples.sample_site[reached].astype(np.int64)
        packages = Packages(snapshot.meta.modules)
        rows: dict[AllocatingLine, int] = {}
        lines = [_line(site.frames, packages) for site in sites]
        numbers = [-1 if line is None else rows.setdefault(line, len(rows)) for line in lines]
        self.line = np.array([*numbers, -1], np.int64)[self.stack]
        self.lines = tuple(rows)

    def line_of(self, sample: int) -> str:
        """The line that allocated the object of a sample, "" unknown."""
        line = int(self.line[sample])
        return self.lines[line].text if line >= 0 else ""

    def stack_of(self, object_id: int) -> tuple[Frame, ...]:
        """The frames that allocated an object, innermost first; () when it was not sampled."""
        sites = self._snapshot.sites or []
        stacks = self.stack[self.objects == object_id].tolist()
        return sites[stacks[0]].frames if stacks and stacks[0] >= 0 else ()

    def held_by(self, objects: Objects) -> Sampled | None:
        """Of objects and all that they alone keep alive."""
        return self._below(self._graph.number[objects]) if len(self.objects) else None

    def held_by_root(self, node: int) -> Sampled | None:
        """Of all that a root alone keeps alive."""
        return self._below(self._graph.number[[self._graph.objects + node]]) if len(self.objects) else None

    def among(self, objects: Objects) -> Sampled | None:
        """Of some objects."""
        return self.of(np.flatnonzero(np.isin(self.objects, objects)))

    def of(self, rows: NDArray[np.int64]) -> Sampled | None:
        """Of some of the samples; None when they are too few to say anything."""
        if len(rows) < LEAST_SAMPLES:
            return None
        sizes = self._snapshot.columns.object_size[self.objects[rows]]
        line = self.line[rows]
        known = line >= 0
        count = np.bincount(line[known], minlength=len(self.lines))
        size = np.bincount(line[known], sizes[known], minlength=len(self.lines))
        chosen = [k for k in np.lexsort((-size, -count)).tolist() if count[k] >= LEAST_SAMPLES][:MOST_SITES]
        return Sampled(
            objects=len(rows),
            bytes=int(sizes.sum()),
            sites=tuple(self._site(k, int(count[k]), int(size[k])) for k in chosen),
        )

    def _site(self, row: int, objects: int, size: int) -> AllocationSite:
        return AllocationSite(**msgspec.structs.asdict(self.lines[row]), objects=objects, bytes=size)

    def _below(self, numbers: Objects) -> Sampled | None:
        return self.of(self._marks.below(numbers[numbers != 0]))

    @cached_property
    def _marks(self) -> Marks:
        return Marks(self._graph.idom, self._graph.number[self.objects])


def _line(frames: Sequence[Frame], packages: Packages) -> AllocatingLine | None:
    """The innermost line of the program's own code, and what it called there where that is not the runtime;
    None for an empty stack."""
    own = speaking_frame(frames, packages)
    if own is None:
        return None
    called = [frame.function for frame in frames[: frames.index(own)]][-1:]
    through = [name for name in called if packages.layer(package_of(name)) is not Layer.RUNTIME]
    return AllocatingLine(function=own.function, place=own.place, through=through[0] if through else None)
