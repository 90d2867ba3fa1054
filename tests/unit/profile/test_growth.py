"""The verdict on made series; benchmarks.growth measures its errors on series of real Go heaps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from goretain.profile.growth.reasons import confidence
from goretain.profile.growth.verdict import CHANCE, LEAST_PROFILES, RULES, Series, Verdicts, judge, seconds_to

Floats = NDArray[np.floating[Any]]

RATE = 512 * 1024
TIME = np.arange(61.0)


def series(*samples: Floats, died: float = 0.0, seconds: Floats | None = None) -> Series:
    """Sites by their samples in use; died: samples a profile that each allocates beside what it keeps."""
    inuse = np.stack(samples).astype(np.float64)
    born = np.maximum(np.diff(inuse, axis=1, prepend=0), 0) + died
    allocated = np.cumsum(born, axis=1)
    when = np.arange(inuse.shape[1]) * 60.0 if seconds is None else seconds
    return Series(when.astype(np.float64), inuse * RATE, allocated * RATE, inuse, allocated, RATE)


def broken(verdicts: Verdicts, site: int = 0) -> set[str]:
    return {rule for rule, breaks in zip(RULES, verdicts.broken[site], strict=True) if breaks}


def test_a_steady_leak_grows() -> None:
    verdicts = judge(series(np.floor(TIME / 2)))
    assert verdicts.trend(0) == "grows"
    assert broken(verdicts) == set()
    slope, low, high = verdicts.slope(0)
    assert slope == pytest.approx(RATE / 120, rel=0.05)
    assert low <= slope <= high
    said = confidence(verdicts, 0)
    assert said.level == "likely"
    assert "30 samples" in said.reason
    assert said.decide is None
    assert seconds_to(1000.0, 400.0, slope=2.0) == 300
    assert seconds_to(1000.0, 2000.0, slope=2.0) == 0
    assert seconds_to(1000.0, 400.0, slope=0.0) is None


#: One rule each that a rising site breaks: (rule, samples, garbage of a profile, what would decide it).
ONE_WRONG: list[tuple[str, Floats, float, str]] = [
    ("samples", np.floor(TIME / 20), 0, "GODEBUG=memprofilerate="),
    ("noise", np.floor(TIME / 7), 0.1, "GODEBUG=memprofilerate="),
    ("survival", np.floor(2 * TIME), 3, "2.0 h"),
    ("pace", np.where(TIME < 30, TIME, 30 + (TIME - 30) * 0.3), 0, "2.0 h"),
    ("drawdown", np.where(TIME < 40, TIME, TIME - 18), 0, "2.0 h"),
    ("step", np.where(TIME < 45, TIME * 0.1, TIME * 0.1 + 40), 0, "2.0 h"),
    ("jumps", 10.0 * (TIME >= 35) + 10.0 * (TIME >= 50) + (TIME % 7 == 0), 0, "2.0 h"),
]


@pytest.mark.parametrize(
    ("rule", "samples", "died", "decide"), ONE_WRONG, ids=[case[0] for case in ONE_WRONG]
)
def test_one_broken_rule_is_enough_and_is_named(rule: str, samples: Floats, died: float, decide: str) -> None:
    verdicts = judge(series(samples, died=died))
    assert rule in broken(verdicts)
    assert verdicts.trend(0) == "undecided"
    said = confidence(verdicts, 0)
    assert said.level == "undecided"
    assert said.decide is not None
    assert decide in said.decide


def test_what_settles_says_why() -> None:
    full = np.minimum(TIME * 2, 40)
    flat = 20 + (TIME % 3)
    saw = 4 * (TIME % 12)
    verdicts = judge(series(full, flat, saw))
    assert [verdicts.trend(site) for site in range(3)] == ["settles"] * 3
    reasons = [confidence(verdicts, site).reason for site in range(3)]
    assert "second half" in reasons[0]
    assert "no rise" in reasons[1]
    assert "falls back" in reasons[2]


def test_few_profiles_and_none_at_all() -> None:
    short = judge(series(np.arange(LEAST_PROFILES - 1) * 5.0))
    assert short.trend(0) == "undecided"
    assert confidence(short, 0).decide == "collect 1 more profiles"
    enough = judge(series(np.arange(LEAST_PROFILES) * 5.0))
    assert enough.trend(0) == "grows"
    assert judge(series(np.zeros(61))).trend(0) == "settles"


def test_advice_leads_to_a_verdict() -> None:
    """A leak too slow for the window is found at the rate, or after the time, that undecided asks for."""
    slow = np.floor(TIME / 20)
    verdicts = judge(series(slow))
    said = confidence(verdicts, 0)
    assert said.decide is not None
    minutes, rate = said.decide.removeprefix("watch for ").split(
        ", or restart it with GODEBUG=memprofilerate="
    )
    hours = float(minutes.removesuffix(" h")) if minutes.endswith("h") else float(minutes.split()[0]) / 60
    assert hours > 1
    assert judge(series(np.floor(np.arange(round(hours * 60)) / 20))).trend(0) == "grows"
    assert judge(series(np.floor(TIME / 20 * RATE / int(rate)))).trend(0) == "grows"


def test_many_sites_raise_the_bar_for_each() -> None:
    """Of 2,000 steady sites few rise by chance at 1 %; over all of them none counts."""
    rng = np.random.default_rng(8)
    rows = [rng.normal(30, 3, 61) for _ in range(2000)]
    verdicts = judge(series(*rows))
    assert 5 < (verdicts.measures.p < CHANCE).sum() < 40
    assert not (verdicts.measures.q < CHANCE).any()


def test_halves_are_of_time_not_of_profiles() -> None:
    """A watch that lost its middle: 40 profiles of the first fifth, 20 of the last."""
    seconds = np.concatenate([np.linspace(0, 600, 40), np.linspace(2700, 3000, 20)])
    leak = series(np.floor(seconds / 30), seconds=seconds)
    assert leak.middle == 40
    assert judge(leak).trend(0) == "grows"
