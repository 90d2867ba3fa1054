"""How much of the heap the answers cover. Imports ``kernels`` and ``snapshot``.

Allocated = reachable + unreached. Shares are over reachable objects and bytes; what is unreached is split
in what the last mark still reached (a root or edge of ours is missing, or it waits for a finalizer) and
what was allocated since.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goretain.heap.graph import Graph
from goretain.kernels.sums import tally
from goretain.snapshot import ObjectFlag, RootFlag, Snapshot

#: What an object is counted as, one bit each.
_REACHED, _TYPED, _NOSCAN, _SURVIVED, _GUESSED = 1, 2, 4, 8, 16


@dataclass(frozen=True, slots=True)
class Amount:
    """A number of objects and their bytes (slot sizes)."""

    objects: int
    bytes: int

    def share(self, whole: Amount) -> tuple[float, float] | None:
        """(of objects, of bytes) in 0 .. 1; None of an empty whole."""
        if not whole.objects or not whole.bytes:
            return None
        return self.objects / whole.objects, self.bytes / whole.bytes


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was found, typed and named.

    Attributes:
        allocated: live slots that the runtime's own span table counts, as far as it was captured.
        enumerated: those that we list; equal to ``allocated`` unless memory was missing.
        uncounted_spans: spans that nothing is known of; unless 0, ``allocated`` is too little and the share
            that was enumerated is unknown.
        reached: what some root reaches; shares below are of it.
        typed: reached objects whose type is known.
        untyped_pointer_free: reached objects of unknown type that hold no pointers: they hide no edge.
        scannable, scannable_typed: reached objects that may hold pointers, and those of known type.
        named: reached objects that a root found by its stack map or variable holds (not only by scanning
            words).
        survived: unreached objects that the last mark had reached.
        since: unreached objects that were allocated since: garbage.
    """

    allocated: Amount
    enumerated: Amount
    uncounted_spans: int
    reached: Amount
    typed: Amount
    untyped_pointer_free: Amount
    scannable: Amount
    scannable_typed: Amount
    named: Amount
    survived: Amount
    since: Amount


def measure_coverage(snapshot: Snapshot, graph: Graph) -> Coverage:
    """Count what the graph reached, typed and named."""
    columns, totals = snapshot.columns, snapshot.meta.totals
    flags, key = columns.object_flags, np.zeros(snapshot.object_count, np.uint8)
    for bit, which in (
        (_REACHED, graph.reached),
        (_TYPED, columns.object_type >= 0),
        (_NOSCAN, (flags & ObjectFlag.NOSCAN) != 0),
        (_SURVIVED, (flags & ObjectFlag.SURVIVED) != 0),
        (_GUESSED, _guessed(snapshot, graph)),
    ):
        key |= np.multiply(which, bit, dtype=np.uint8)
    counts, sizes = tally(key, columns.object_size, 2 * _GUESSED)
    kinds = np.arange(2 * _GUESSED)

    def amount(has: int, lacks: int = 0) -> Amount:
        """Of the objects that have all the bits of ``has`` and none of ``lacks``."""
        chosen = ((kinds & has) == has) & ((kinds & lacks) == 0)
        return Amount(int(counts[chosen].sum()), int(sizes[chosen].sum()))

    return Coverage(
        allocated=Amount(totals.live_objects, totals.live_bytes),
        enumerated=amount(0),
        uncounted_spans=snapshot.meta.counts.get("missing_spans", 0),
        reached=amount(_REACHED),
        typed=amount(_REACHED | _TYPED),
        untyped_pointer_free=amount(_REACHED | _NOSCAN, _TYPED),
        scannable=amount(_REACHED, _NOSCAN),
        scannable_typed=amount(_REACHED | _TYPED, _NOSCAN),
        named=amount(_REACHED, _GUESSED),
        survived=amount(_SURVIVED, _REACHED),
        since=amount(0, _REACHED | _SURVIVED),
    )


def _guessed(snapshot: Snapshot, graph: Graph) -> NDArray[np.bool_]:
    """Objects whose holder is known through conservatively scanned words only. bool[n]."""
    columns = snapshot.columns
    exact = np.zeros(len(snapshot.roots) + 1, np.bool_)
    exact[columns.root_node[(columns.root_flags & RootFlag.CONSERVATIVE) == 0]] = True
    exact[-1] = True  # several holders
    return ~exact[np.maximum(graph.holder, -1)] & graph.reached
