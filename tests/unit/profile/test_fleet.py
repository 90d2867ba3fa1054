"""The verdict over one profile of each host, on columns that a test makes."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from goretain.model.errors import UsageError
from goretain.profile.growth.fleet import LEAST_HOSTS, Fleet, judge_fleet
from tests.unit.profile.test_pprof import message

PAGE = Path(__file__).resolve().parents[3] / "docs" / "growth.md"
RATE = 512 * 1024.0
HOUR = 3600.0


def fleet(hosts: int, *, leak: float = 2.0, seed: int = 4) -> Fleet:
    """Sites: a leak in samples an hour, a cache that is full after 10 hours, requests that come and go.

    The leak is left out of the columns of hosts where it has nothing in use yet.
    """
    rng = np.random.default_rng(seed)
    uptime = rng.uniform(0, 200, hosts)
    load = rng.lognormal(0, 0.1, hosts)
    inuse = np.stack(
        [
            np.floor(leak * uptime * load),
            np.round(40 * load * (1 - np.exp(-uptime / 3))),
            rng.poisson(30 * load),
        ]
    )
    allocated = np.stack([inuse[0], inuse[1] + uptime, 500 * uptime])
    site, host = np.nonzero(inuse + (np.arange(3) > 0)[:, None])
    columns = (inuse[site, host] * RATE, allocated[site, host] * RATE, inuse[site, host])
    return Fleet(uptime * HOUR, 3, host, site, *columns)


def test_what_grows_with_uptime_is_told_from_what_has_settled() -> None:
    verdicts = judge_fleet(fleet(60))
    assert [verdicts.trend(site) for site in range(3)] == ["grows", "settles", "settles"]
    assert verdicts.slope[0] == pytest.approx(2 * RATE / HOUR, rel=0.1)
    assert verdicts.low[0] <= verdicts.slope[0] <= verdicts.high[0]
    assert verdicts.samples[0] == pytest.approx(400, rel=0.1)


def test_hosts_in_any_order_and_sites_in_any_number_give_the_same() -> None:
    one = fleet(30)
    turn = np.random.default_rng(1).permutation(30)
    shuffled = Fleet(
        one.uptime[turn], 3, np.argsort(turn)[one.host], one.site, one.inuse, one.allocated, one.samples
    )
    beyond = Fleet(one.uptime, 1500, one.host, one.site + 1300, one.inuse, one.allocated, one.samples)
    expected = judge_fleet(one)
    assert np.array_equal(judge_fleet(shuffled).slope, expected.slope)
    assert np.array_equal(judge_fleet(beyond).slope[1300:1303], expected.slope)
    assert judge_fleet(beyond).settles[:1300].all()


def test_too_few_hosts_or_a_slow_leak_are_undecided() -> None:
    few = judge_fleet(fleet(LEAST_HOSTS - 1))
    assert [few.trend(site) for site in range(3)] == ["undecided"] * 3
    slow = judge_fleet(fleet(60, leak=0.015))
    assert slow.samples[0] < 4
    assert slow.trend(0) == "undecided"
    nothing = np.zeros(0)
    empty = Fleet(np.zeros(3), 0, nothing.astype(int), nothing.astype(int), nothing, nothing, nothing)
    assert len(judge_fleet(empty).p) == 0
    with pytest.raises(UsageError, match="no hosts"):
        judge_fleet(Fleet(nothing, 2, nothing.astype(int), nothing.astype(int), nothing, nothing, nothing))


def test_the_example_of_the_documentation_judges_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    started: dict[str, float] = {}
    for hours in range(1, 25):
        made = message()
        made.sample[0].value[:] = [80 * hours, 80 * hours << 17, 80 * hours, 80 * hours << 17]
        made.sample[0].label[0].num = 1 << 17
        del made.sample[1:]
        made.duration_nanos = 0
        file = tmp_path / f"host{hours}"
        file.write_bytes(made.SerializeToString())
        started[str(file)] = made.time_nanos / 1e9 - hours * HOUR
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    exec(example, {"started": started})
    assert re.fullmatch(r"grows 10,485,760 bytes an hour main.inlined\n", capsys.readouterr().out)
