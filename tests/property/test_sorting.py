"""Sorting by key against Python's."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from goretain.kernels.sorting import sort_by


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(-50, 50), max_size=400))
def test_rows_come_in_the_order_of_their_keys(keys: list[int]) -> None:
    rows = np.arange(len(keys), dtype=np.uint32)
    sort_by(rows, np.array(keys, np.int64))
    assert [keys[row] for row in rows] == sorted(keys)
    assert sorted(rows.tolist()) == list(range(len(keys)))
