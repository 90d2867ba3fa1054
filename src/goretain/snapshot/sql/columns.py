"""Columns of SQL tables: how they are written down, and how arrays for them are made.

Imports numpy and this package's engine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goretain.snapshot.columns import NO_OBJECT
from goretain.snapshot.sql.engine import Column

#: Columns of an array table, by name.
Arrays = Mapping[str, NDArray[Any]]
#: What a missing object id is in a raw column.
NONE = int(NO_OBJECT)


def columns_of(text: str) -> tuple[Column, ...]:
    """Columns from lines of ``name TYPE what it holds``."""
    rows = [line.split(maxsplit=2) for line in text.strip().splitlines()]
    return tuple(Column(*row) for row in rows)


def texts(values: Sequence[str | None]) -> NDArray[np.object_]:
    """A column of texts."""
    column = np.empty(len(values), np.object_)
    column[:] = values
    return column


def ids(count: int) -> NDArray[np.uint32]:
    """A column of row numbers."""
    return np.arange(count, dtype=np.uint32)
