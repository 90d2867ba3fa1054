"""How often the growth verdict is wrong, on series from real Go heaps, beside the usual methods.

    python -m benchmarks.growth              the table of docs/growth.md: families never used for tuning
    python -m benchmarks.growth --tuning     the families that the verdict was tuned on
    python -m benchmarks.growth --fleet      the verdict over one profile of each host

Fails when the verdict is wrong more often than docs/growth.md promises, and two standard errors more. The
scripts of the heaps have fixed seeds; which objects the runtime samples is its own chance, so figures differ
a little from run to run.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence

from benchmarks.growth import fleets
from benchmarks.growth.detectors import DETECTORS
from benchmarks.growth.families import TUNING, Family
from benchmarks.growth.heaps import SITES, run
from benchmarks.growth.heldout import HELD_OUT
from goretain.profile.growth.verdict import judge

WINDOWS = (30, 60, 110)
#: Programs, of 30 hosts each.
FLEETS = 14
#: Most wrong verdicts by window: on healthy sites, and on leaks.
PROMISED = {30: (0.02, 1.0), 60: (0.01, 0.10), 110: (0.01, 0.03)}


def main(families: Sequence[Family] = HELD_OUT, processes: int = 140, seed: int = 20_000) -> bool:
    """Print the tables; whether the verdict is as good as is promised."""
    counts = {window: _measured(families, window, processes, seed) for window in WINDOWS}
    healthy = [f.name for f in families if not f.leaks]
    leaking = [f.name for f in families if f.leaks]
    others = [name for name in DETECTORS if name != "goretain"]
    print(f"{processes} processes of {SITES} sites at each length; shares of wrong verdicts\n")
    print(f"| wrong about | snapshots | sites | goretain | {' | '.join(others)} |")
    print(f"|---|---:|---:|---:|{'---:|' * len(others)}")
    good = True
    for title, names, leaks in (("healthy sites", healthy, False), ("leaks", leaking, True)):
        for window in WINDOWS:
            sums = sum((counts[window][name] for name in names), Counter[str]())
            shares = [_wrong(sums, name, leaks=leaks) for name in ("goretain", *others)]
            print(f"| {title} | {window} | {sums['sites']} | {' | '.join(map(_percent, shares))} |")
            promised = PROMISED[window][leaks]
            good &= shares[0] <= promised + 2 * (promised / sums["sites"]) ** 0.5
    print(f"\n| one kind | sites | {' | '.join(f'at {window}' for window in WINDOWS)} | ", end="")
    print(f"{' | '.join(f'{name}, at 60' for name in others)} |")
    print(f"|---|---:|{'---:|' * (len(WINDOWS) + len(others))}")
    for family in families:
        own = [_wrong(counts[window][family.name], "goretain", leaks=family.leaks) for window in WINDOWS]
        beside = [_wrong(counts[60][family.name], name, leaks=family.leaks) for name in others]
        print(f"| {family.name} | {counts[60][family.name]['sites']} | ", end="")
        print(f"{' | '.join(map(_percent, own + beside))} |")
    settled = {window: sum(counts[window][name]["settles"] for name in leaking) for window in WINDOWS}
    print(f"\nleaks said to settle: {', '.join(f'{n} at {window}' for window, n in settled.items())}")
    rest = {window: sum(counts[window][name]["settles"] for name in healthy) for window in WINDOWS}
    print(f"healthy sites said to settle: {', '.join(f'{n} at {window}' for window, n in rest.items())}")
    return good


def _measured(families: Sequence[Family], window: int, processes: int, seed: int) -> dict[str, Counter[str]]:
    """By family: sites, how many each detector says grow, and how many the verdict says settle."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for process in range(processes):
        turn = [families[(process * SITES + k) % len(families)] for k in range(SITES)]
        series = run(turn, window, seed + process)
        settles = judge(series).settles
        found = {name: detect(series) for name, detect in DETECTORS.items()}
        for site, family in enumerate(turn):
            count = counts[family.name]
            count["sites"] += 1
            count["settles"] += bool(settles[site])
            count.update(name for name, flags in found.items() if flags[site])
        if sys.stderr.isatty():
            print(f"\r{window} snapshots: {process + 1} of {processes}", end="", file=sys.stderr)
    return counts


def _wrong(count: Counter[str], name: str, *, leaks: bool) -> float:
    """Share of healthy sites that a detector says grow, or of leaks that it does not."""
    said = count[name] / count["sites"]
    return 1 - said if leaks else said


def _percent(share: float) -> str:
    return f"{share:.1%}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tuning", action="store_true", help="the families of tuning instead")
    parser.add_argument("--fleet", action="store_true", help="one profile of each host of a fleet")
    parser.add_argument("--processes", type=int, default=140, help="of each window")
    parser.add_argument("--seed", type=int, help="of the first process")
    asked = parser.parse_args()
    chosen = (TUNING, asked.processes, 1_000) if asked.tuning else (HELD_OUT, asked.processes, 20_000)
    if asked.seed is not None:
        chosen = (*chosen[:2], asked.seed)
    if asked.fleet:
        fleets.show(chosen[0], FLEETS, chosen[2])
        sys.exit()
    sys.exit(not main(*chosen))
