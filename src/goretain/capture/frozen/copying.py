"""Where everything that a plan asks for goes: the ranges of an image, and which pieces of them to read.

Imports ``capture`` and numpy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from goretain.capture.binaries.program import writable
from goretain.capture.frozen.live import LiveProcess, placed
from goretain.capture.ranges import I64, PAGE, aligned, normalise, packed, subtract, total
from goretain.capture.source import Plan


@dataclass(slots=True)
class Copy:
    """Where the ranges of an image go.

    Attributes:
        ranges: normal int64[k, 2]; offsets: int64[k], where each goes; end: where the last one ends.
        pieces: normal int64[j, 2], what of the ranges must be read; the rest is zero.
        missing: normal int64[m, 2], asked for and not mapped.
    """

    ranges: I64
    offsets: I64
    pieces: I64
    end: int
    missing: I64

    @property
    def sizes(self) -> I64:
        """Bytes of each piece."""
        return self.pieces[:, 1] - self.pieces[:, 0]

    @property
    def places(self) -> I64:
        """Where each piece goes."""
        return placed(self.pieces, self.ranges, self.offsets)

    @property
    def pages(self) -> I64:
        """Whole pages that the pieces go to; normal int64[p, 2]."""
        places = self.places
        return normalise(aligned(np.column_stack((places, places + self.sizes)), PAGE))

    def first(self, size: int) -> Copy:
        """Only the first pieces, so many bytes of each at most, and in all little more."""
        few = self.pieces[: int(np.searchsorted(np.cumsum(self.sizes), size)) + 1]
        return replace(self, pieces=np.column_stack((few[:, 0], np.minimum(few[:, 1], few[:, 0] + size))))

    @property
    def notes(self) -> list[str]:
        """What the reader of the image should know."""
        if not len(self.missing):
            return []
        at = int(self.missing[0, 0])
        return [f"{total(self.missing)} bytes that the plan asked for are not mapped, the first at {at:#x}"]


def lay_out(source: LiveProcess, plan: Plan, fixed: I64, fixed_end: int) -> Copy:
    """Ask the plan and decide where everything goes: after the fixed ranges, which end at fixed_end.

    The program's own variables are always among it, what is fixed never, nor the up to 7 bytes of padding
    between the end of a fixed range and the next multiple of 8, where every range begins. Raises what the
    plan raises, TargetGone.
    """
    asked = aligned(plan(source), 8)
    variables = writable(source.binary, source.bias)
    ranges = subtract(normalise(np.concatenate((asked, variables))), normalise(aligned(fixed, 8)))
    pieces, missing = source.pieces(ranges, source.mappings())
    ranges = subtract(ranges, missing)
    offsets, end = packed(ranges, fixed_end)
    return Copy(ranges, offsets, pieces, end, missing)
