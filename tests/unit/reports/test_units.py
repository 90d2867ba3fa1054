"""Numbers and names as people read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goretain.model.units import duration, iec
from goretain.reports.units import cells, clean, moment, number, percent, plural, signed


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (None, "unknown"),
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1 << 20, "1.0 MiB"),
        ((1 << 20) - 1, "1.0 MiB"),
        (1_000_000, "976.6 KiB"),
        (-5 << 30, "-5.0 GiB"),
        (3 << 50, "3.0 PiB"),
        (2000 << 50, "2,000.0 PiB"),
    ],
)
def test_bytes_have_binary_units(size: int | None, text: str) -> None:
    assert iec(size) == text


@given(st.integers(1024, 2**62))
def test_bytes_are_right_to_a_twentieth_of_their_unit(size: int) -> None:
    value, unit = iec(size).split(" ")
    factor = 1024 ** (1 + ("KiB", "MiB", "GiB", "TiB", "PiB").index(unit))
    assert abs(float(value.replace(",", "")) * factor - size) <= factor * 0.0501


def test_a_change_has_its_sign() -> None:
    assert [signed(n) for n in (1024, 0, -1, None)] == ["+1.0 KiB", "0 B", "-1 B", "unknown"]
    assert [number(n, sign=True) for n in (1000, 0, -5, None)] == ["+1,000", "0", "-5", "unknown"]
    assert [plural(n, "object") for n in (0, 1, 2000)] == ["0 objects", "1 object", "2,000 objects"]


@given(st.integers(0, 10**15), st.integers(1, 10**15))
def test_only_all_of_it_is_100_percent_and_only_nothing_is_0(part: int, whole: int) -> None:
    part = min(part, whole)
    assert (percent(part, whole) == "100%") == (part == whole)
    assert (percent(part, whole) == "0.0%") == (part == 0)


def test_a_share_of_nothing_or_of_the_unknown_is_no_number() -> None:
    assert percent(None, 5) == "unknown"
    assert percent(0, 0) == "none to count"
    assert percent(1, 10_000) == "<0.1%"


def test_durations_keep_three_digits() -> None:
    assert [duration(n) for n in (None, 850_000, 7_300_000, 30_000_000_000, 300 * 10**9, 7200 * 10**9)] == [
        "unknown",
        "850 us",
        "7.3 ms",
        "30 s",
        "5 min",
        "2.0 h",
    ]


@given(st.floats())
def test_every_float_is_a_moment_or_unknown(seconds: float) -> None:
    assert moment(seconds).endswith("UTC") or moment(seconds) == "unknown"


@given(st.text())
def test_a_name_carries_no_orders_to_a_terminal(name: str) -> None:
    shown = clean(name)
    assert shown.isprintable()
    assert clean(shown) == shown


def test_a_name_that_prints_is_left_alone() -> None:
    assert clean("main.(*größe[int]).f·1 世界") == "main.(*größe[int]).f·1 世界"
    assert clean("a\x1b[31mb\u202ec") == "a\\x1b[31mb\\u202ec"
    assert cells("世界a") == 5
