"""Runs the patterns' experiments on every build of the runtime, and writes what was found into the docs.

    python -m tests.support.experiments     writes docs/pattern-figures.md

The tests hold each figure of that page to what they find, and the end of their run prints the same table.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import goretain
from goretain.diagnosis.diagnose import weight
from goretain.model.findings import Finding
from goretain.patterns import Pattern, catalogue
from tests.support.golang import EXPERIMENTS, VERSIONS, go_program, running

#: Patterns that have an experiment.
IN_HEAPS = tuple(pattern for pattern in catalogue() if pattern.in_heaps)
PAGE = Path(__file__).resolve().parents[2] / "docs" / "pattern-figures.md"
_HEAD = """# What every pattern finds in its experiment

`experiment/main.go leak` of each pattern on every Go version, and on runtimes built with a GOEXPERIMENT:
bytes that `goretain why` finds under the pattern's own code, to the byte those of `expected.toml` (what the
fix gives back, stacks left out; for an observation what is held). A dash is a runtime that has nothing of
the kind. In mode `fixed` nothing is found in any of them. `tests/e2e/test_patterns.py` holds the page to
what it measures, `make test-all` prints it, and `python -m tests.support.experiments` writes it.

"""


@dataclass(frozen=True, slots=True)
class Build:
    """A runtime: version of Go, and a GOEXPERIMENT or none."""

    version: str
    experiment: str = ""

    @property
    def label(self) -> str:
        """``1.24.11``, ``1.24.11 noswissmap``."""
        return f"{self.version} {self.experiment}".strip()


BUILDS = tuple(
    Build(version, experiment) for version, experiment in [*((v, "") for v in VERSIONS), *EXPERIMENTS]
)


def diagnosed(pattern: Pattern, build: Build, mode: str) -> tuple[tuple[Finding, ...], set[str]]:
    """What is found in an experiment's program in one mode, and the features of its runtime."""
    experiments = [build.experiment] if build.experiment else []
    binary = go_program(Path(str(pattern.files / "experiment")), build.version, experiments=experiments)
    with running(binary, [mode]) as target:
        snapshot = goretain.open(target.pid)
    return snapshot.findings(), set(snapshot.meta.features)


def figure(findings: Sequence[Finding]) -> str:
    """A cell: bytes of all findings; a dash for none."""
    return f"{sum(map(_bytes, findings)):,}" if findings else "-"


def _bytes(finding: Finding) -> int:
    """What is ranked by, without stacks: their sizes depend on when the collector last shrank them."""
    held = finding.retained_bytes
    return weight(finding) if held is None else min(weight(finding), held)


def table(cells: Mapping[tuple[str, str], str]) -> list[str]:
    """Lines of Markdown: a pattern a row, a build that was run a column.

    Args:
        cells: by code and label.
    """
    labels = [build.label for build in BUILDS if any(label == build.label for _, label in cells)]
    rows = [
        f"| {p.code} {p.name} | {' | '.join(cells.get((p.code, label), '') for label in labels)} |"
        for p in IN_HEAPS
    ]
    return [f"| pattern | {' | '.join(labels)} |", f"|---|{'---:|' * len(labels)}", *rows]


@cache
def documented() -> dict[tuple[str, str], str]:
    """The cells of the page, by code and label."""
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("|")]
    labels, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    return {
        (row[0].partition(" ")[0], label): cell
        for row in rows[1:]
        for label, cell in zip(labels[1:], row[1:], strict=True)
    }


def main() -> None:
    """Run all experiments in mode leak and write the page."""
    cells = {}
    for pattern in IN_HEAPS:
        for build in BUILDS:
            cells[pattern.code, build.label] = figure(diagnosed(pattern, build, "leak")[0])
        sys.stderr.write(f"{pattern.code}\n")
    PAGE.write_text(_HEAD + "\n".join(table(cells)) + "\n", "utf-8")


if __name__ == "__main__":
    main()
