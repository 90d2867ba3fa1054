"""Statistics of series against brute force: all pairs, all permutations, all cuts."""

from __future__ import annotations

import math
from itertools import combinations, permutations
from statistics import median, pvariance

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goretain.kernels.trends import (
    benjamini_hochberg,
    drawdowns,
    jumps,
    mann_kendall,
    rise_between,
    theil_sen,
)

#: Few different values, so that there are ties.
SERIES = st.lists(st.integers(0, 5), min_size=2, max_size=7)


def score(x: tuple[float, ...], y: tuple[float, ...]) -> int:
    """Pairs that rise with x less those that fall."""
    signs = (math.prod(np.sign([x[j] - x[i], y[j] - y[i]])) for i, j in combinations(range(len(x)), 2))
    return int(sum(signs))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=6))
def test_score_and_variance_are_those_of_all_orders(points: list[tuple[int, int]]) -> None:
    x, y = (tuple(map(float, column)) for column in zip(*points, strict=True))
    found = mann_kendall(np.array(x), np.array([y, y[::-1]]))
    assert found.score.tolist() == [score(x, y), score(x, y[::-1])]
    every = pvariance([score(x, order) for order in permutations(y)])
    assert found.variance.tolist() == pytest.approx([every, every])


def test_chance_is_about_that_of_all_orders() -> None:
    x = tuple(map(float, range(8)))
    scores = np.array([score(x, order) for order in permutations(x)])
    for order in ((0.0, 1, 2, 3, 4, 5, 6, 7), (1.0, 0, 2, 4, 3, 5, 7, 6), (3.0, 0, 4, 1, 7, 2, 6, 5)):
        found = mann_kendall(np.array(x), np.array([order])).p[0]
        exact = (scores >= score(x, order)).mean()
        assert found == pytest.approx(exact, abs=0.005)
    assert mann_kendall(np.array(x), np.full((1, 8), 3.0)).p[0] == 1


@settings(max_examples=200, deadline=None)
@given(SERIES)
def test_slope_is_the_median_of_all_pairs(values: list[int]) -> None:
    x, y = np.cumsum(np.arange(1.0, len(values) + 1)), np.array([values], np.float64)
    found = theil_sen(x, y, mann_kendall(x, y).variance)
    slopes = [(y[0, j] - y[0, i]) / (x[j] - x[i]) for i, j in combinations(range(len(x)), 2)]
    assert found.slope[0] == pytest.approx(median(slopes))
    assert found.low[0] <= found.slope[0] <= found.high[0]
    assert {found.low[0], found.high[0]} <= set(slopes)


def test_interval_of_the_slope_holds_it_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    x = np.arange(20.0)
    y = 0.5 * x + rng.standard_t(3, (600, 20))
    found = theil_sen(x, y, mann_kendall(x, y).variance, 0.9)
    assert 0.86 < ((found.low <= 0.5) & (found.high >= 0.5)).mean() < 0.94
    alone = theil_sen(np.zeros(3), np.ones((1, 3)), np.zeros(1))
    assert np.isnan(alone.slope[0])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([0.0001, 0.001, 0.004, 0.01, 0.02, 0.04, 0.3, 1.0]), max_size=12))
def test_discovery_rates_reject_what_the_step_up_rule_rejects(p: list[float]) -> None:
    rates = benjamini_hochberg(np.array(p))
    for level in (0.0005, 0.01, 0.05, 0.2):
        ranked = sorted(p)
        last = max((k for k in range(1, len(p) + 1) if ranked[k - 1] <= level * k / len(p)), default=0)
        assert (rates <= level * (1 + 1e-12)).tolist() == [
            bool(last) and value <= ranked[last - 1] for value in p
        ]


@settings(max_examples=200, deadline=None)
@given(SERIES)
def test_drawdown_is_the_deepest_fall(values: list[int]) -> None:
    falls = [values[i] - values[j] for i, j in combinations(range(len(values)), 2)]
    assert drawdowns(np.array([values], np.float64))[0] == max(0, *falls)


@settings(max_examples=200, deadline=None)
@given(SERIES)
def test_jumps_leave_least_variance(values: list[int]) -> None:
    y = np.array(values, np.float64)
    cuts = jumps(y)
    if len(set(values)) == 1:
        assert cuts == []
        return

    def left(cuts: list[int]) -> float:
        return sum(float(((part - part.mean()) ** 2).sum()) for part in np.split(y, cuts))

    best = min(left([cut]) for cut in range(1, len(y)))
    assert best == pytest.approx(min(left([cut]) for cut in cuts))
    assert cuts == sorted(set(cuts))
    assert left(cuts) <= best + 1e-9


def test_a_rise_that_is_all_jumps_is_none_between_them() -> None:
    x, rng = np.arange(40.0), np.random.default_rng(3)
    steps = 10.0 * (x >= 12) + 10.0 * (x >= 25) + rng.normal(0, 0.5, 40)
    assert mann_kendall(x, steps[None]).p[0] < 1e-6
    assert jumps(steps) == [12, 25]
    assert rise_between(x, steps, [12, 25]) > 0.01
    line = x + rng.normal(0, 0.5, 40)
    assert rise_between(x, line, jumps(line)) < 1e-6
    assert rise_between(x, line, []) == pytest.approx(mann_kendall(x, line[None]).p[0])
    assert rise_between(x, -line, jumps(line)) == 1
