"""Leaked goroutines in Go's own leak programs: what the runtime's profile finds, and what goretain finds.

A table of all programs, for docs/goroutines.md. Programs that race leak in some runs only: they are run until
they do, at most ``--runs`` times, and both are asked about the same process each time. Run: ``python -m
benchmarks.goroutine_leaks [--runs 5] [--stripped]``; it fails where goretain misses what the runtime finds,
or names a goroutine that neither the runtime nor Go's test of it does.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.support.goroutineleaks import VERSION, Case, Outcome, cases, programs, run


def main(runs: int = 5, flags: tuple[str, ...] = ()) -> None:
    """Print the table and the sums."""
    built = programs(flags)
    print(f"| program of Go {VERSION} | its test names | the runtime's profile | goretain | runs |")
    print("|---|---:|---:|---:|---:|")
    found = {"runtime": 0, "goretain": 0}
    wrong: list[str] = []
    leaking = 0
    for case in cases():
        best, tried = _best(case, built[case.goker], runs, wrong)
        leaking += bool(case.leaks)
        found["runtime"] += bool(best.runtime)
        found["goretain"] += bool(best.ours)
        name = f"{case.name}{' (GoKer)' if case.goker else ''}"
        figures = (len(case.leaks), len(best.runtime), len(best.ours), tried)
        print(f"| {name} | {' | '.join(map(str, figures))} |", flush=True)
    print(
        f"\n{leaking} programs leak; the runtime's profile finds leaks in {found['runtime']}, "
        f"goretain in {found['goretain']}"
    )
    for line in wrong:
        print(f"WRONG: {line}")
    if wrong:
        raise SystemExit(1)


def _best(case: Case, binary: Path, runs: int, wrong: list[str]) -> tuple[Outcome, int]:
    """The run in which most was leaked, and how many there were: one, where the first says all."""
    best, tried = Outcome(), 0
    while tried < (runs if case.flaky else 1) or (case.leaks and not best.ours and tried < runs):
        tried += 1
        outcome = run(case, binary)
        wrong += [f"{case.name}: missed {text} of goroutine {id_}" for id_, text in outcome.missed.items()]
        wrong += [f"{case.name}: not leaked: {text}" for text in outcome.unexpected.values()]
        wrong += [] if outcome.proved else [f"{case.name}: not proved"]
        if len(outcome.ours) > len(best.ours) or tried == 1:
            best = outcome
        if best.ours and not wrong:
            break
    return best, tried


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="of a program that leaks in some runs only")
    parser.add_argument("--stripped", action="store_true", help="build with -s -w")
    asked = parser.parse_args()
    main(asked.runs, ("-ldflags=-s -w",) if asked.stripped else ())
