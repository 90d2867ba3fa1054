"""Which spans wait for their sweep, also those that a thread was just sweeping when the program was frozen.

A span's ``sweepgen`` says in which cycle it was swept (runtime/mheap.go, comment on mspan.sweepgen), but it
is written last. Before, the sweep sets freeindex to 0, turns gcmarkBits into allocBits and takes new mark
bits (runtime/mgcsweep.go, sweepLocked.sweep): from there on a span that still says that it is being swept
has been swept, and its mark bits, which are empty, would make all of it dead.

Whether mark bits were replaced is told by the arenas that they are in. Imports ``capture``, ``model``,
``golang.layout`` and ``golang.markarenas``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from goretain.capture.image import Image
from goretain.golang.layout import Program
from goretain.golang.markarenas import new_mark_arenas
from goretain.model.errors import MissingMemory

I64 = NDArray[np.int64]
Bits = NDArray[np.bool_]


class Marks(NamedTuple):
    """Positions of spans' mark bits in the image's memory, int64[s]: at of gcmarkBits, inline_at of Green
    Tea's, -1 without; size: bytes of either."""

    at: I64
    inline_at: I64
    size: I64


def find_unswept(image: Image, program: Program, read: Callable[[str], I64], marks: Marks) -> Bits:
    """bool[s]: the spans of which those slots are live that are marked. read: a field of all mspans.

    Raises UnknownLayout.
    """
    generation = program.uint(program.symbol("runtime.mheap_"), "runtime.mheap", "sweepgen")
    behind = (generation - read("sweepgen")) % (1 << 32)  # uint32 arithmetic
    waits: Bits = np.isin(behind, (1, 2, (1 << 32) - 1))
    in_work = np.flatnonzero((behind == 1) & (read("freeindex") == 0))  # no more than there are threads
    unmarked = [span for span in in_work.tolist() if not _any_mark(image, marks, span)]
    if unmarked:
        waits[unmarked] = ~_have_new_marks(program, read("gcmarkBits")[unmarked])
    return waits


def _any_mark(image: Image, marks: Marks, span: int) -> bool:
    size = int(marks.size[span])
    found = (int(column[span]) for column in (marks.at, marks.inline_at))
    return any(bool(image.memory[at : at + size].any()) for at in found if at >= 0)


def _have_new_marks(program: Program, bits: I64) -> Bits:
    """Whether mark bits, at addresses, were taken since the last mark began. Not known: yes, for dead objects
    that are listed as live take nothing from any holder, and the contrary would.

    So may those of a span that was made since and is not swept yet; but its allocBits are empty then, so that
    with freeindex 0 nothing in it is live either way.
    """
    try:
        arenas = new_mark_arenas(program)
    except MissingMemory:  # an image from before they were copied
        arenas = None
    if arenas is None:
        return np.ones(len(bits), np.bool_)
    return np.array([any(at in arena for arena in arenas) for at in bits.tolist()], np.bool_)
