"""The remedies beside the forms that they take the place of, measured side by side.

Every remedy's test file has benchmarks in pairs, ``CASE/remedy`` and ``CASE/naive``. Each round runs all
pairs in one process; the table has the best of all rounds, and their ratio. Run: ``python -m
benchmarks.remedies``; ``--write`` puts the table into docs/remedies.md.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from tests.support.golang import VERSIONS
from tests.support.remedies import go, write_module

PAGE = Path(__file__).resolve().parent.parent / "docs" / "remedies.md"
MARKS = ("<!-- benchmark: python -m benchmarks.remedies --write -->", "<!-- /benchmark -->")
ROUNDS = 5
#: One round: name of the benchmark -> unit -> value.
Round = dict[str, dict[str, float]]

_LINE = re.compile(r"^Benchmark(\w+)/(\w+)/(remedy|naive)(?:-\d+)?\s+\d+\s+(.*)$", re.MULTILINE)
_VALUE = re.compile(r"([\d.e+-]+) (\S+)")
#: Units in the order of the rows of a case, and what a reader calls them.
UNITS = {"ns/op": "time", "B/op": "allocated", "live-B": "held after", "goroutines": "goroutines"}


def main(arguments: list[str] | None = None) -> None:
    """Print the table, or write it."""
    version = VERSIONS[-1]
    table = render(measure(version), version)
    if "--write" in (sys.argv[1:] if arguments is None else arguments):
        before, begin, rest = PAGE.read_text("utf-8").partition(MARKS[0])
        _, end, after = rest.partition(MARKS[1])
        if not end:
            raise SystemExit(f"{PAGE} lacks the marks {MARKS[0]} {MARKS[1]}")
        PAGE.write_text(f"{before}{begin}\n{table}\n{end}{after}", "utf-8")
    else:
        print(table)


def measure(version: str) -> list[Round]:
    """All benchmarks, ``ROUNDS`` times."""
    rounds = []
    with tempfile.TemporaryDirectory() as scratch:
        module = write_module(Path(scratch) / "remedies")
        for _ in range(ROUNDS):
            options = ("-run=^$", "-bench=.", "-benchtime=200ms", "-benchmem", "-count=1")
            done = go(version, module, "test", *options, ".")
            if done.returncode != 0:
                raise SystemExit(done.stdout + done.stderr)
            rounds.append(parse(done.stdout))
    return rounds


def parse(output: str) -> Round:
    """What ``go test -bench`` printed, of the benchmarks that come in pairs."""
    return {
        "/".join(found.groups()[:3]): {unit: float(value) for value, unit in _VALUE.findall(found[4])}
        for found in _LINE.finditer(output)
    }


def render(rounds: list[Round], version: str) -> str:
    """The table in Markdown: one row a figure of a case."""
    lines = [
        f"Go {version}, the best of {len(rounds)} rounds. A ratio above 1 says that the remedy takes less.",
        "",
        "| remedy, case | figure | remedy | naive | ratio |",
        "|---|---|---:|---:|---:|",
    ]
    for name in sorted(name for name in rounds[0] if name.endswith("/remedy")):
        case = name.removesuffix("/remedy")
        for unit, figure in UNITS.items():
            remedy, naive = (_best(rounds, f"{case}/{form}", unit) for form in ("remedy", "naive"))
            if remedy is None or naive is None or (remedy, naive) == (0, 0):
                continue
            values = (_shown(unit, remedy), _shown(unit, naive), _ratio(naive, remedy))
            lines.append(f"| {case.replace('/', ', ')} | {figure} | {' | '.join(values)} |")
    return "\n".join(lines)


def _best(rounds: list[Round], name: str, unit: str) -> float | None:
    """The smallest value of all rounds: what the machine does beside it only adds. None: no such figure."""
    return min((measured[name][unit] for measured in rounds if unit in measured[name]), default=None)


def _ratio(naive: float, remedy: float) -> str:
    """Naive to remedy in three digits; against nothing there is none."""
    if remedy == 0:
        return "-"
    return f"{naive / remedy:.3g}" if naive < 1000 * remedy else f"{naive / remedy:,.0f}"


def _shown(unit: str, value: float) -> str:
    """A value with a unit that keeps it short."""
    if unit == "ns/op":
        scales = ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1, "ns"))
    elif unit == "goroutines":
        return f"{value:.0f}"
    else:
        scales = ((1e6, "MB"), (1e3, "kB"), (1, "B"))
    scale, word = next(((s, w) for s, w in scales if value >= s), scales[-1])
    return f"{value / scale:.3g} {word}"


if __name__ == "__main__":
    main()
