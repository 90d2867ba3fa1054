"""Shapes of what stays in use, and what is said of them."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from goretain.gate.series import AN_OCTAVE, ladder
from goretain.gate.verdict import LEAST_RUNS, Judged, judge

N = np.array(list(ladder(65_536)), np.int64)


def judged(amount: Callable[[int], float], *, in_arrays: bool = False) -> Judged:
    """The verdict on what so many iterations leave."""
    return judge(N, np.array([amount(int(n)) for n in N], np.int64), 0.02, in_arrays=in_arrays)


def doubling(n: int) -> int:
    """Slots of a table that doubles when it is full."""
    return int(2 ** math.ceil(math.log2(n + 1)))


def slice_of(n: int) -> int:
    """Capacity of a slice that grows like those of Go."""
    capacity = 1
    while capacity < n:
        capacity += capacity if capacity < 256 else (capacity + 768) // 4
    return capacity


LEAKS = {
    "half a byte": lambda n: n // 128 * 64,
    "a byte beside a megabyte": lambda n: (1 << 20) + n,
    "one in five thousand": lambda n: n // 5000 * 1024,
    "a table that doubles": lambda n: 16 * doubling(n),
    "such a table of one in a hundred": lambda n: 16 * doubling(n // 100),
    "a table that is kept for a while when it doubles": lambda n: (
        doubling(n) * (20 + 10 * (n < 0.6 * doubling(n)))
    ),
    "once much, then a leak": lambda n: (4 << 20) * (n > 1000) + 10 * n,
    "a leak with noise": lambda n: 64 * n + n % 7 * 32,
}
ENDS = {
    "nothing": lambda _: 0,
    "made at once": lambda _: 4 << 20,
    "made late": lambda n: (4 << 20) * (n > 5000),
    "a cache that filled": lambda n: 100 * min(n, 10_000),
    "emptied when full": lambda n: 100 * (n % 201),
    "emptied when full, rarely": lambda n: 100 * (n % 9973),
    "random keys of a thousand": lambda n: 64_000 * (1 - math.exp(-n / 1000)),
    "one or two": lambda n: 48 * (n % 5 % 2),
    "a table more at the end": lambda n: 16_000 * (10 + (n > 40_000)),
}


@pytest.mark.parametrize("amount", LEAKS.values(), ids=LEAKS.keys())
def test_a_leak_grows(amount: Callable[[int], float]) -> None:
    assert judged(amount).trend == "grows", judged(amount)


def test_a_slice_that_grows_by_a_quarter_is_one_object_whose_steps_are_uneven() -> None:
    assert judged(lambda n: 8 * slice_of(n), in_arrays=True).trend == "grows"


@pytest.mark.parametrize("amount", ENDS.values(), ids=ENDS.keys())
def test_what_has_an_end_settles(amount: Callable[[int], float]) -> None:
    assert judged(amount).trend == "settles", judged(amount)


def test_what_is_emptied_whenever_it_is_full_never_grows_whatever_its_size() -> None:
    def cache(size: int) -> str:
        return judged(lambda n: 64 * (n % size)).trend

    assert [size for size in range(2, 4000) if cache(size) == "grows"] == []


def test_a_cache_grows_only_while_nothing_shows_that_it_will_be_full() -> None:
    def cache(size: int) -> str:
        return judged(lambda n: 100 * min(n, size)).trend

    verdicts = {size: cache(size) for size in range(1000, 66_000, 500)}
    assert all(size > 50_000 for size, verdict in verdicts.items() if verdict == "grows")
    assert all(verdict == "settles" for size, verdict in verdicts.items() if size <= 16_000)


@pytest.mark.parametrize(
    "amount",
    [
        lambda n: (1 << 20) * (n > 50_000),
        lambda n: 100 * min(n, 40_000),
        lambda n: 1000 * math.log(n),
        lambda n: 1000 * n**0.5,
    ],
    ids=["made at the very end", "a cache that is just full", "a logarithm", "a square root"],
)
def test_what_more_iterations_would_decide_is_undecided(amount: Callable[[int], float]) -> None:
    found = judged(amount)
    assert found.trend == "undecided"
    assert found.decide == "more iterations"


def test_rates_are_exact_and_between_the_least_and_the_most() -> None:
    found = judged(lambda n: 64 * n)
    assert (found.rate, found.low, found.high) == (64.0, 64.0, 64.0)
    stepped = judged(lambda n: 16 * doubling(n))
    assert stepped.rate is not None
    assert stepped.low is not None
    assert stepped.high is not None
    assert stepped.low <= stepped.rate <= stepped.high


def test_few_runs_decide_nothing() -> None:
    few = N[: LEAST_RUNS - 1]
    found = judge(few, few * 1000, 0.02)
    assert (found.trend, found.rate) == ("undecided", None)
    assert found.reason == "too few runs to tell: 12 of 13, with up to 53 iterations"


def test_iterations_are_primes_three_to_a_doubling() -> None:
    assert all(n % divisor for n in N.tolist() for divisor in range(2, math.isqrt(n) + 1))
    assert N[-1] >= 65_536 > N[-2]
    later = N[12:]
    ratio = later[AN_OCTAVE:] / later[:-AN_OCTAVE]
    assert ((ratio > 1.9) & (ratio < 2.1)).all()
