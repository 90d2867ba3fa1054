"""How often the verdict over a fleet is wrong: hosts of one program, one profile of each.

Hosts share what the code decides (sizes, periods, churn) and differ in load, by 15 %, and in uptime, from a
twentieth of the window of ``families`` to all of it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from benchmarks.growth.families import Family
from benchmarks.growth.heaps import SITES, run
from goretain.profile.growth.fleet import Fleet, judge_fleet
from goretain.profile.growth.verdict import CHANCE, Series

WINDOW = 60
HOSTS = (12, 20, 30)


def measured(families: Sequence[Family], programs: int, seed: int) -> dict[int, dict[bool, Counter[str]]]:
    """By number of hosts, and by whether the sites leak: sites, and how many are said to grow or settle, by
    the verdict and by the rank test (of the rise with uptime) alone.
    """
    counts: dict[int, dict[bool, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for program in range(programs):
        turn = [families[(program * SITES + k) % len(families)] for k in range(SITES)]
        uptimes = np.random.default_rng(seed + program).integers(WINDOW // 20, WINDOW + 1, max(HOSTS))
        hosts = [
            run(turn, WINDOW, seed + program, host=host + 1, until=until)
            for host, until in enumerate(uptimes.tolist())
        ]
        for number in HOSTS:
            verdicts = judge_fleet(_fleet(hosts[:number]))
            for site, family in enumerate(turn):
                count = counts[number][family.leaks]
                count["sites"] += 1
                count["goretain"] += bool(verdicts.grows[site])
                count["rank test"] += bool(verdicts.p[site] < CHANCE)
                count["settles"] += bool(verdicts.settles[site])
    return counts


def _fleet(hosts: Sequence[Series]) -> Fleet:
    """The last profile of each host, as columns."""
    last = (np.stack([getattr(host, name)[:, -1] for host in hosts]) for name in _AMOUNTS)
    inuse, allocated, samples = (column.ravel() for column in last)
    uptime = np.array([host.seconds[-1] + 1 for host in hosts])
    host, site = np.divmod(np.arange(len(inuse)), SITES)
    return Fleet(uptime, SITES, host, site, inuse, allocated, samples)


_AMOUNTS = ("inuse", "allocated", "inuse_samples")


def show(families: Sequence[Family], programs: int, seed: int) -> None:
    """Print the table."""
    print(f"{programs} programs of {SITES} sites; shares of wrong verdicts\n")
    print("| wrong about | hosts | sites | goretain | rank test | said to settle |")
    print("|---|---:|---:|---:|---:|---:|")
    counts = measured(families, programs, seed)
    for leaks, title in ((False, "healthy sites"), (True, "leaks")):
        for number in HOSTS:
            count = counts[number][leaks]
            said = [count[name] / count["sites"] for name in ("goretain", "rank test")]
            wrong = [1 - share if leaks else share for share in said]
            shares = " | ".join(f"{share:.1%}" for share in (*wrong, count["settles"] / count["sites"]))
            print(f"| {title} | {number} | {count['sites']} | {shares} |")
