"""Who holds what a site allocated: a heap profile joined with a snapshot of the same program.

The runtime marks each object that the profile sampled, so a snapshot knows where these were allocated and by
what they are held: a sample of the site's objects, by holder. Imports ``heap``,
``profile`` and ``reports``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from goretain.heap.graph import SHARED
from goretain.heap.holders import holder_nodes
from goretain.profile.frames import NOWHERE, layer_of
from goretain.profile.sites.site import Site
from goretain.reports.results import HeldBy
from goretain.snapshot import Frame, Layer

if TYPE_CHECKING:
    from goretain.heap.heap import Heap

_HOLDERS = 3
_RUNTIME = ("runtime.", "internal/runtime/")


def holders_of_sites(heap: Heap, wanted: Sequence[Site]) -> dict[Site, tuple[HeldBy, ...]]:
    """Site -> who holds the sampled objects that were allocated there, most objects first.

    Sites of which the snapshot has no sampled object are left out.
    """
    sites = [_site_of(site.frames) for site in heap.snapshot.sites or ()]
    of_sample = heap.sites.stack
    found: dict[Site, tuple[HeldBy, ...]] = {}
    for site in wanted:
        stacks = [at for at, one in enumerate(sites) if one == site]
        objects = heap.sites.objects[np.isin(of_sample, stacks)]
        if len(objects):
            found[site] = _holders(heap, objects.astype(np.int64))
    return found


def _site_of(frames: Sequence[Frame]) -> Site:
    """The site that runtime/pprof makes of a stack: it leaves out the runtime's innermost frames."""
    shown = [at for at, frame in enumerate(frames) if not frame.function.startswith(_RUNTIME)]
    rest = frames[shown[0] :] if shown else frames
    own = (frame for frame in rest if layer_of(frame.function) == Layer.PROGRAM)
    return Site(rest[0] if rest else NOWHERE, next(own, None))


def _holders(heap: Heap, objects: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> tuple[HeldBy, ...]:
    sizes = heap.snapshot.columns.object_size[objects].astype(np.int64)
    nodes, row, counts = np.unique(heap.graph.holder[objects], return_inverse=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:_HOLDERS]
    return tuple(
        _held_by(heap, objects[row == at], sizes[row == at], int(nodes[at])) for at in order.tolist()
    )


def _held_by(
    heap: Heap,
    objects: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
    sizes: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
    node: int,
) -> HeldBy:
    largest = int(objects[int(np.argmax(sizes))])
    nodes = holder_nodes(heap.graph, largest) if node == SHARED else [node]
    return HeldBy(
        holders=tuple(heap.snapshot.roots[one].name for one in nodes),
        samples=len(objects),
        bytes=int(sizes.sum()),
        chain=heap.chain(largest),
    )
