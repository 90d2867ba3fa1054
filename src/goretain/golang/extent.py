"""How much there is to analyse: known from the span table, before a heap is copied and before it is read.

What an analysis takes grows with objects and with the words that may be pointers: an object is a row of some
columns and has a place in the dominator tree, a pointer is an edge, and a slice or string (of two or three
words) one row more. The factors are above what ``python -m benchmarks.bench_room`` measures on heaps of one
kind of object each. Standard library only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_BY_SLOT, _BY_WORD = 84, 30


@dataclass(frozen=True, slots=True)
class Extent:
    """The size of a heap.

    Attributes:
        slots: for objects, free ones too. words: of 8 bytes, in spans whose objects have pointers.
    """

    slots: int
    words: int

    @property
    def analysis_bytes(self) -> int:
        """What an analysis takes at most beyond the image and the interpreter."""
        return self.slots * _BY_SLOT + self.words * _BY_WORD


#: Told of the extent of a heap when its spans have been read.
OnExtent = Callable[[Extent], None]
