"""What the checks of columns and of groups have in common.

Imports numpy and this package's columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goretain.snapshot.columns import NO_OBJECT

#: User space ends below this on amd64; no address, size or count in a snapshot reaches it.
LIMIT = 1 << 47
_STEP = 1 << 17


def check_range(name: str, values: NDArray[Any], low: int, high: int) -> None:
    """All values in [low, high)."""
    if len(values) and (int(values.min()) < low or int(values.max()) >= high):
        raise ValueError(name, f"holds a value outside of {low} .. {high - 1}")


def check_ids(name: str, values: NDArray[np.uint32], count: int) -> None:
    """All values below count, or NO_OBJECT."""
    for part in parts(len(values)):
        chunk = values[part]
        if bool(((chunk >= count) & (chunk != NO_OBJECT)).any()):
            raise ValueError(name, f"names an object that is not there ({count} objects)")


def parts(length: int) -> Iterator[slice]:
    """Slices that cover length rows, for checks that need room per row."""
    return (slice(at, min(at + _STEP, length)) for at in range(0, length, _STEP))
