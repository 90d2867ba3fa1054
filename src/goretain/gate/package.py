"""All benchmarks of a package: build its tests once, find its benchmarks, measure each. Imports this room."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from goretain.gate.build import Package, build
from goretain.gate.compare import Compared, compare
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
        failed: why it could not be measured; hint: what to do then.
        compared: with another revision, each of the benchmarks, which have what is more then; or empty.
        notes: on that.
    """

    package: Package
    go: str = ""
    benchmarks: tuple[Measured, ...] = ()
    failed: str | None = None
    hint: str = ""
    compared: tuple[Compared, ...] = ()
    notes: tuple[str, ...] = ()


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
    toolchain: Toolchain,
    package: Package,
    plan: Plan,
    progress: OnProgress = lambda *_: None,
    base: PackageMeasured | None = None,
) -> PackageMeasured:
    """Build the tests of a package and measure the benchmarks that the plan names.

    Args:
        base: what it is to be compared with: each benchmark runs for the same numbers of iterations.
    """
    before = {one.name: one.series for one in base.benchmarks} if base is not None else {}
    with tempfile.TemporaryDirectory(prefix="goretain-gate-") as into:
        try:
            progress(f"building the tests of {package.path}", 0, 0)
            built = build(toolchain, package, Path(into), tags=plan.tags)
            progress(f"finding the benchmarks of {package.path}", 0, 0)
            found = find(built, plan.bench, plan.settings) if plan.bench else []
            found += find_tests(built, plan.test, plan.settings) if plan.test else []
        except ToolchainError as failed:
            return PackageMeasured(package, failed=failed.message, hint=failed.hint)
        measured = []
        for at, one in enumerate(found):

            def on_run(iterations: int, name: str = one.name, at: int = at) -> None:
                progress(f"{name}, {iterations:,} iterations", at, len(found))

            was = before.get(one.name)
            like = was.iterations.tolist() if was is not None else ()
            measured.append(measure(built, one, plan.settings, plan.budget, on_run, like))
        return PackageMeasured(package, built.go, tuple(measured))


def against(head: PackageMeasured, base: PackageMeasured | None, revision: str) -> PackageMeasured:
    """A package compared with what it was in a revision.

    Args:
        base: None: it has none there, and everything is new.
    """
    if base is None:
        before, notes = {}, [f"it has no tests in {revision}: everything is new"]
    else:
        before = {one.name: one for one in base.benchmarks}
        notes = _notes(head, before, revision)
    compared = tuple(compare(one, before.get(one.name)) for one in head.benchmarks)
    return replace(
        head, benchmarks=tuple(one.added for one in compared), compared=compared, notes=tuple(notes)
    )


def _notes(head: PackageMeasured, before: Mapping[str, Measured], revision: str) -> list[str]:
    """What there is to compare in one of the two alone."""
    names = {one.name for one in head.benchmarks}
    notes = [f"{name} is in {revision} alone" for name in before if name not in names]
    for one in head.benchmarks:
        was = before.get(one.name)
        if one.series is not None and (was is None or was.series is None):
            why = "is not in" if was is None else "is skipped in" if was.skipped else "fails in"
            notes.append(f"{one.name} {why} {revision}: all of it is new")
    return notes
