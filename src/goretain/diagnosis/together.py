"""What the fixes of several findings give back together: less than the sum where they are about one memory.

A buffer that a leaked goroutine alone holds comes back once, whether the goroutine ends or the buffer is cut.
Imports ``heap``, ``model`` and numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from goretain.heap.marks import Marks
from goretain.model.findings import Finding

if TYPE_CHECKING:
    from goretain.heap.heap import Heap

_LEAKED = "goroutine-blocked-forever"


def give_back(heap: Heap, findings: Sequence[Finding]) -> int:
    """Bytes that come back when everything is mended: never more heap than is live, and stacks.

    A finding whose example leaked goroutines hold, or lies in what one that saves no less frees whole, adds
    nothing: too little where it has other objects besides.
    """
    ranked = sorted(findings, key=lambda f: (f.pattern != _LEAKED, -f.saving_bytes, not _frees_all(f)))
    objects = [heap.end_of(f.chain) for f in ranked]
    known = np.array([k for k, o in enumerate(objects) if o is not None], np.int64)
    ends = np.array([o for o in objects if o is not None], np.uint32)
    covered = np.zeros(len(ranked), np.bool_)
    numbers = heap.graph.number[ends]
    marks = Marks(heap.graph.idom, numbers)
    total = stacks = 0
    for k, finding in enumerate(ranked):
        if covered[k]:
            continue
        own = _stacks(finding)
        total, stacks = total + finding.saving_bytes - own, stacks + own
        below, end = np.empty(0, np.int64), objects[k]
        if finding.pattern == _LEAKED and heap.leaked is not None:
            below = np.flatnonzero(np.isin(ends, heap.leaked.objects))
            below = below[[ranked[row].pattern != _LEAKED for row in known[below].tolist()]]
        elif _frees_all(finding) and end is not None:
            below = marks.below(heap.graph.number[[end]])
        later = known[below]
        covered[later[later > k]] = True
    return min(total, heap.reachable_bytes) + stacks


def _frees_all(finding: Finding) -> bool:
    """Whether the fix lets go of the objects themselves, with all that they alone keep alive."""
    return finding.retained_bytes is not None and 0 < finding.retained_bytes <= finding.saving_bytes


def _stacks(finding: Finding) -> int:
    """Bytes of stacks among what a fix gives back."""
    return finding.saving_bytes - (finding.retained_bytes or 0) if finding.pattern == _LEAKED else 0
