"""Sizes, times and PIDs as people write them."""

from __future__ import annotations

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goretain.cli.options import Size, Span
from goretain.model.pids import is_pid

SIZES = [
    ("0", 0),
    ("10B", 10),
    ("65536", 65536),
    ("64KB", 64000),
    ("64KiB", 65536),
    ("64k", 65536),
    ("1.5MiB", 3 << 19),
    ("2 GB", 2 * 10**9),
    ("1TiB", 1 << 40),
]


@pytest.mark.parametrize(("text", "size"), SIZES)
def test_a_size(text: str, size: int) -> None:
    assert Size().convert(text, None, None) == size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30", 30.0), ("30s", 30.0), ("500ms", 0.5), ("5m", 300.0), ("5min", 300.0), ("1.5h", 5400.0)],
)
def test_a_time(text: str, seconds: float) -> None:
    assert Span().convert(text, None, None) == seconds


@given(st.text(max_size=8))
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    for kind in (Size(), Span()):
        try:
            value = kind.convert(text, None, None)
        except click.BadParameter as wrong:
            value, text = 0, wrong.message
            assert "write" in text
        assert value >= 0


@pytest.mark.parametrize("text", ["", "64KBB", "-1", "1i", "1Ki", "MiB", "1e3"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(click.BadParameter):
        Size().convert(text, None, None)


@pytest.mark.parametrize("text", ["1", "4242", "007"])
def test_digits_are_a_pid(text: str) -> None:
    assert is_pid(text)


@pytest.mark.parametrize("text", ["", "-1", "+1", "1.5", "0x10", "app.core", "²", "٣", "1_0", " 1"])
def test_anything_else_is_none(text: str) -> None:
    assert not is_pid(text)
