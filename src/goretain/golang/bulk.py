"""Reading very many runtime structs at once from memory that is not copied yet: whole pages, then columns.

Stands apart from ``spans``, which reads an image: here every call goes to the frozen target.
Imports ``capture``, ``golang.layout`` and numpy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from goretain.capture.ranges import I64, PAGE, normalise
from goretain.capture.source import MemorySource
from goretain.golang.layout import Layout


@dataclass(frozen=True, slots=True)
class Structs:
    """Many structs of one kind.

    Attributes:
        layout, struct: what they are.
        data: the pages that hold them; at: int64[k], where each begins in data.
    """

    layout: Layout
    struct: str
    data: NDArray[np.uint8]
    at: I64

    @classmethod
    def read(cls, source: MemorySource, layout: Layout, struct: str, pointers: I64) -> Self:
        """The structs at pointers int64[k]. Raises MissingMemory, UnknownLayout."""
        pages = pages_of(pointers, np.int64(layout.size(struct)))
        data = source.gather(pages)
        starts = np.cumsum(pages[:, 1] - pages[:, 0]) - (pages[:, 1] - pages[:, 0])
        owner = np.searchsorted(pages[:, 0], pointers, side="right") - 1
        return cls(layout, struct, data, starts[owner] + pointers - pages[owner, 0])

    def column(self, *path: str) -> I64:
        """Values of an integer or pointer field, zero-extended."""
        offset, width = self.layout.offset(self.struct, *path), self.layout.width(self.struct, *path)
        at = self.at + offset
        if width == 8 and not offset % 8:
            words: I64 = self.data.view(np.int64)[at >> 3]
            return words
        value: I64 = self.data[at].astype(np.int64)
        for byte in range(1, width):
            value |= self.data[at + byte].astype(np.int64) << (8 * byte)
        return value

    def only(self, chosen: NDArray[np.bool_]) -> Self:
        """The chosen structs."""
        return replace(self, at=self.at[chosen])


def pages_of(starts: I64, sizes: I64 | np.int64) -> I64:
    """The pages that hold blocks of memory: normal int64[k, 2].

    What was allocated one after the other mostly shares its page: to drop repeats first spares the sort.
    """
    first, end = starts & -PAGE, (starts + sizes + (PAGE - 1)) & -PAGE
    new = np.ones(len(first), np.bool_)
    new[1:] = (first[1:] != first[:-1]) | (end[1:] != end[:-1])
    return normalise(np.column_stack((first[new], end[new])))
