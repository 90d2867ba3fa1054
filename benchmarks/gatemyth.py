"""The rule of articles, measured: ``python -m benchmarks.gatemyth``.

It says: run a benchmark three times; when alloc_objects of the third run is within 5 % of the first, nothing
leaks. The three runs are those of ``-count 3`` in one process, every allocation recorded, on benchmarks of
the gate's laboratory.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.gate import kinds, laboratory
from goretain.gate.build import END, Built
from goretain.gate.process import Settings, execute
from goretain.profile.columns import ALLOC_OBJECTS
from goretain.profile.readers.read import read_contents
from goretain.profile.sources.source import read_source

#: Benchmarks and iterations: leaks, and what only warms up.
_CASES = (
    ("BenchmarkHalfAByte", 100_000),
    ("BenchmarkKilobyte", 10_000),
    ("BenchmarkGoroutine", 10_000),
    ("BenchmarkContextNeverCancelled", 10_000),
    ("BenchmarkFinalizerKeepsItsObject", 10_000),
    ("BenchmarkGarbage", 10_000),
    ("BenchmarkLazy", 10_000),
    ("BenchmarkPool", 10_000),
    ("BenchmarkRandomKeys", 10_000),
    ("BenchmarkInterned", 10_000),
)
_WITHIN = 0.05


def allocated(built: Built, name: str, iterations: int, count: int) -> int:
    """Objects that the program allocated in so many runs of a benchmark in one process."""
    with tempfile.TemporaryDirectory() as into:
        arguments = [
            f"-test.bench=^{name}$|^{END}$",
            f"-test.benchtime={iterations}x",
            f"-test.count={count}",
        ]
        done = execute(built, [*arguments, "-test.memprofilerate=1"], Settings(), into)
        assert done.code == 0, done.output
        profile = read_contents(read_source(str(Path(into) / "heap"))).profile
    assert profile is not None
    objects = profile.column(ALLOC_OBJECTS)
    assert objects is not None
    own = [
        any(frame.function.startswith("gatelab/kinds.") for frame in profile.stacks.frames(at))
        for at in range(len(profile.stacks))
    ]
    return int(sum(objects[at] for at, stack in enumerate(profile.stack.tolist()) if own[stack]))


def main() -> None:
    """Print the first and the third run of each, what the rule says, and what is so."""
    known = kinds("kinds")
    print(f"{'benchmark':34} {'truth':8} {'first run':>10} {'third run':>10} {'change':>8}  the rule says")
    with tempfile.TemporaryDirectory() as into:
        built, _ = laboratory("kinds", None, Path(into))
        for name, iterations in _CASES:
            one, two, three = (allocated(built, name, iterations, count) for count in (1, 2, 3))
            change = (three - two - one) / one if one else 0.0
            says = "fine" if abs(change) <= _WITHIN else "leak"
            print(f"{name:34} {known[name].wanted:8} {one:10,} {three - two:10,} {change:8.1%}  {says}")


if __name__ == "__main__":
    main()
