"""The order of what happens to goroutines, beside numpy's sort."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from goretain.kernels.traceorder import Changes, sort_changes

#: Of a key: generation, sequence number, whether it is the goroutine's own doing.
KEYS = st.tuples(st.integers(0, 3), st.integers(0, 30), st.booleans())


def changes(keys: list[tuple[int, int, bool]]) -> Changes:
    key = np.array([generation << 33 | number << 1 | own for generation, number, own in keys], np.int64)
    return Changes(key, (np.arange(len(key)) % 5).astype(np.uint8), np.arange(len(key), dtype=np.int32))


def ordered(start: list[int], rows: Changes, slots: int) -> bool:
    most = max(np.diff(start), default=0)
    room = Changes(np.empty(most, np.int64), np.empty(most, np.uint8), np.empty(most, np.int32))
    return sort_changes(np.array(start), rows, room, np.empty(4, np.int64), np.empty(slots, np.int32))


@given(st.lists(KEYS, max_size=200), st.lists(KEYS, max_size=40))
@settings(deadline=None)
def test_rows_of_each_goroutine_are_sorted_as_numpy_sorts_them(
    first: list[tuple[int, int, bool]], second: list[tuple[int, int, bool]]
) -> None:
    rows = changes(first + second)
    by = np.lexsort((rows.key, np.repeat([0, 1], [len(first), len(second)])))
    expected = [column[by].tolist() for column in rows]
    assert ordered([0, len(first), len(first) + len(second)], rows, 4 * 62)
    assert [column.tolist() for column in rows] == expected


def test_many_rows_in_disorder_are_counted_where_numbers_have_no_gaps() -> None:
    rng = np.random.default_rng(1)
    numbers = rng.permutation(20_000)
    rows = changes([(0, int(number), False) for number in numbers])
    assert ordered([0, 20_000], rows, 40_000)
    assert rows.key.tolist() == [number << 1 for number in range(20_000)]
    assert rows.event.tolist() == np.argsort(numbers).tolist()


def test_numbers_with_gaps_are_left_to_the_caller_with_no_row_lost() -> None:
    rng = np.random.default_rng(1)
    rows = changes([(0, int(number), False) for number in rng.permutation(20_000) * 1000])
    assert not ordered([0, 20_000], rows, 80_000)
    assert sorted(rows.event.tolist()) == list(range(20_000))
    assert (rows.state == rows.event % 5).all()
