"""All benchmarks of a package: build its tests once, find its benchmarks, measure each. Imports this room."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from goretain.gate.build import Package, build
from goretain.gate.measure import Budget, Measured, measure
from goretain.gate.process import Settings
from goretain.gate.run import find, find_tests
from goretain.model.errors import ToolchainError
from goretain.toolchain import Toolchain

#: Called with what is being done, how much of it is done, and how much there is (0 unknown).
OnProgress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class PackageMeasured:
    """A package with the verdicts on its benchmarks.

    Attributes:
        package: which; go: the version that built it, "" when nothing did.
        benchmarks: in the order of the program.
        failed: why it could not be measured.
    """

    package: Package
    go: str = ""
    benchmarks: tuple[Measured, ...] = ()
    failed: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured, and how.

    Attributes:
        bench: benchmarks as ``go test -bench`` takes them, "" none.
        test: tests to repeat as ``go test -run`` takes them, "" none.
        tags: build tags.
    """

    bench: str = "."
    test: str = ""
    tags: str = ""
    settings: Settings = field(default_factory=Settings)
    budget: Budget = field(default_factory=Budget)


def measure_package(
    toolchain: Toolchain, package: Package, plan: Plan, progress: OnProgress = lambda *_: None
) -> PackageMeasured:
    """Build the tests of a package and measure the benchmarks that the plan names."""
    with tempfile.TemporaryDirectory(prefix="goretain-gate-") as into:
        try:
            progress(f"building the tests of {package.path}", 0, 0)
            built = build(toolchain, package, Path(into), tags=plan.tags)
            progress(f"finding the benchmarks of {package.path}", 0, 0)
            found = find(built, plan.bench, plan.settings) if plan.bench else []
            found += find_tests(built, plan.test, plan.settings) if plan.test else []
        except ToolchainError as failed:
            return PackageMeasured(package, failed=f"{failed.message}\nhint: {failed.hint}")
        measured = []
        for at, one in enumerate(found):

            def on_run(iterations: int, name: str = one.name, at: int = at) -> None:
                progress(f"{name}, {iterations:,} iterations", at, len(found))

            measured.append(measure(built, one, plan.settings, plan.budget, on_run))
        return PackageMeasured(package, built.go, tuple(measured))
