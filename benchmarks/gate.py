"""The gate's laboratory again and again: ``python -m benchmarks.gate --repeats 200``.

Every benchmark of tests/zoo/gate says in a comment what the gate is to say of it. Each is measured as often
as asked for; printed is how often the verdict was that one, and whether the figures were the same each time.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from goretain.gate.build import Built, build, packages
from goretain.gate.measure import Budget, Measured, measure
from goretain.gate.process import Settings
from goretain.gate.run import Found, find
from goretain.toolchain import find_toolchain

LABORATORY = Path(__file__).resolve().parent.parent / "tests" / "zoo" / "gate"
_BENCHMARK = re.compile(r"//gate:(\w+)(?: ([\d.]+))?\n\s*(?:func (Benchmark\w+)|b\.Run\(\"([^\"]+)\")")
_OUTER = re.compile(r"^func (Benchmark\w+)", re.MULTILINE)


@dataclass(slots=True)
class Kind:
    """A benchmark of the laboratory.

    Attributes:
        wanted: the verdict that it is to get; rate: bytes per iteration, None: no round figure.
        verdicts: how often it got which; rates: how often which bytes per iteration were found.
        figures: all figures of each measurement, as one text.
        seconds: of all measurements.
    """

    name: str
    wanted: str
    rate: float | None
    verdicts: Counter[str] = field(default_factory=Counter)
    rates: Counter[float | None] = field(default_factory=Counter)
    figures: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def add(self, measured: Measured) -> None:
        """One more measurement."""
        self.verdicts[verdict(measured)] += 1
        self.rates[None if measured.total is None else measured.total.bytes.rate] += 1
        self.figures[figures(measured)] += 1
        self.seconds += measured.seconds

    @property
    def flips(self) -> int:
        """Measurements that did not get the wanted verdict."""
        return self.verdicts.total() - self.verdicts[self.wanted]


def kinds(package: str) -> dict[str, Kind]:
    """The benchmarks of a package of the laboratory, by the names that they are run by."""
    found = {}
    for file in sorted((LABORATORY / package).glob("*_test.go")):
        text = file.read_text("utf-8")
        for match in _BENCHMARK.finditer(text):
            wanted, rate, name, part = match.groups()
            if part is not None:
                outer = [one[1] for one in _OUTER.finditer(text, 0, match.start())][-1]
                name = f"{outer}/{part.replace(' ', '_')}"
            found[name] = Kind(name, wanted, float(rate) if rate else None)
    return found


def verdict(measured: Measured) -> str:
    """The verdict, or why there is none."""
    return "skipped" if measured.skipped else measured.trend or "failed"


def figures(measured: Measured) -> str:
    """What is reported of memory and goroutines that grow, and of all together."""
    rows = [site for site in measured.sites if site.bytes.trend == "grows"]
    standing = [one for one in measured.standing if one.count.trend == "grows"]
    said = [measured.total and measured.total.bytes.rate, *((row.stack, row.bytes.rate) for row in rows)]
    return repr([*said, *((one.stack, one.count.rate) for one in standing)])


def laboratory(package: str, version: str | None, into: Path) -> tuple[Built, list[Found]]:
    """The test binary of a package of the laboratory, and its benchmarks."""
    toolchain = find_toolchain(version)
    (one,) = packages(toolchain, [f"./{package}"], LABORATORY)
    built = build(toolchain, one, into)
    return built, find(built, ".", Settings())


def measured_kinds(
    built: Built, found: Sequence[Found], known: dict[str, Kind], repeats: int, budget: Budget
) -> Iterator[Kind]:
    """Measure each benchmark so often."""
    for one in found:
        kind = known[one.name]
        for _ in range(repeats):
            kind.add(measure(built, one, Settings(), budget))
        yield kind


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print a row for each benchmark; fails where a verdict is not the wanted one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--go", help="version; the one on PATH")
    parser.add_argument("--bench", default=".", help="names, a regular expression")
    parser.add_argument("--iterations", type=int, default=65_536, help="of the largest run")
    asked = parser.parse_args(arguments)
    flips = different = count = 0
    print(f"{'benchmark':34} {'wanted':10} {'got':>22} {'B/iteration':>22} {'alike':>9} {'s each':>6}")
    with tempfile.TemporaryDirectory() as into:
        built, found = laboratory("kinds", asked.go, Path(into))
        chosen = [one for one in found if re.search(asked.bench, one.name)]
        budget = Budget(asked.iterations, seconds=600.0)
        for kind in measured_kinds(built, chosen, kinds("kinds"), asked.repeats, budget):
            print(_row(kind), flush=True)
            flips += kind.flips
            different += len(kind.figures) > 1
            count += kind.verdicts.total()
    print(f"{built.go}: {count:,} measurements, {flips} not the wanted verdict,", end=" ")
    print(f"{different} of {len(chosen)} benchmarks with figures that differ")
    assert flips == 0


def _row(kind: Kind) -> str:
    got = ", ".join(f"{name} {count}" for name, count in kind.verdicts.most_common())
    known = [rate for rate in kind.rates if rate is not None]
    span = f"{min(known):.4g}" if known else "-"
    if known and max(known) != min(known):
        span += f" .. {max(known):.4g}"
    alike = kind.figures.most_common(1)[0][1]
    repeats = kind.verdicts.total()
    mark = "  <-- " if kind.flips else ""
    return (
        f"{kind.name:34} {kind.wanted:10} {got:>22} {span:>22} {f'{alike}/{repeats}':>9}"
        f" {kind.seconds / repeats:6.1f}{mark}"
    )


if __name__ == "__main__":
    main()
