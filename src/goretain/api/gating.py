"""The command ``gate`` as a function. Imports ``gate``, ``toolchain`` and ``reports`` when it runs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from goretain.api.targets import Progress
from goretain.model.errors import ToolchainError, UsageError

if TYPE_CHECKING:
    from goretain.gate.build import Package
    from goretain.gate.package import PackageMeasured, Plan
    from goretain.gate.revisions import Revision
    from goretain.reports.results import GateBase, GateReport
    from goretain.toolchain import Toolchain


def gate(
    patterns: Sequence[str] = (".",),
    *,
    bench: str | None = None,
    test: str = "",
    directory: str | Path = ".",
    go: str | None = None,
    tags: str = "",
    config: str | Path | None = None,
    compare: str | None = None,
    iterations: int = 65_536,
    seconds: float = 30.0,
    memory: int = 1 << 30,
    cpu: int = 1,
    top: int = 10,
    progress: Progress | None = None,
) -> GateReport:
    """What each iteration of benchmarks leaves in use, and whether it goes on.

    Args:
        patterns: packages as ``go test`` takes them.
        bench: benchmarks as ``go test -bench`` takes them; None: all, or none where tests are named.
        test: tests as ``go test -run`` takes them: each is repeated in one process.
        directory: in which patterns are looked at.
        go: version of Go; None: the one on PATH.
        tags: build tags.
        compare: a revision: both are measured, and the answer is about what the work tree adds to it.
        config: a goretain.toml; None: the nearest from each package up to its module.
        iterations: of the largest run; seconds: for a benchmark; memory: bytes of a run.
        cpu: GOMAXPROCS of the runs.
        top: rows of each list.

    Raises:
        GoretainError: there is no such package, nothing in them matches, a goretain.toml is not right, or Go
            cannot be run.
    """
    from goretain.gate.build import packages
    from goretain.gate.config import find_config, read_config
    from goretain.gate.measure import Budget
    from goretain.gate.package import Plan
    from goretain.gate.process import Settings
    from goretain.gate.revisions import find_revision
    from goretain.reports.gate import gate_report
    from goretain.toolchain import module_toolchain

    say: Progress = progress or (lambda *_: None)
    toolchain = module_toolchain(go)
    given = None if config is None else read_config(Path(config))
    say("listing packages", 0, 0)
    bench = bench if bench is not None else "" if test else "."
    plan = Plan(bench, test, tags, Settings(cpu), Budget(iterations, seconds, memory))
    found = packages(toolchain, patterns, Path(directory), tags)
    configs = [given or find_config(one.directory) for one in found]
    revision = None if compare is None else find_revision(found[0].directory, compare)
    measured = _measure(toolchain, found, revision, plan, say)
    if not any(one.benchmarks or one.failed for one in measured):
        raise _nothing(patterns, plan)
    return gate_report(measured, configs, plan, top, None if revision is None else _base(revision))


def _nothing(patterns: Sequence[str], plan: Plan) -> UsageError:
    """A gate that measures nothing must not pass."""
    kind, pattern = ("test", plan.test) if plan.test else ("benchmark", plan.bench)
    return UsageError(
        f"no {kind} of {' '.join(patterns)} matches {pattern!r}",
        hint=f"go test -list '{kind.title()}' {' '.join(patterns)} lists them; --tags as they need",
    )


def _measure(
    toolchain: Toolchain, found: Sequence[Package], revision: Revision | None, plan: Plan, say: Progress
) -> list[PackageMeasured]:
    """The packages; with a revision, compared with what they were there."""
    from goretain.gate.package import against, measure_package

    if revision is None:
        return [measure_package(toolchain, one, plan, say) for one in found]
    before = _measure_base(toolchain, found, revision, plan, say)
    return [
        against(measure_package(toolchain, one, plan, say, was), was, revision.name)
        for one, was in zip(found, before, strict=True)
    ]


def _base(revision: Revision) -> GateBase:
    """What is compared with what."""
    from goretain.gate.revisions import head, uncommitted
    from goretain.reports.results import GateBase

    return GateBase(
        revision=revision.name,
        commit=revision.commit,
        head=head(revision.top),
        uncommitted=uncommitted(revision.top),
    )


def _measure_base(
    toolchain: Toolchain, found: Sequence[Package], revision: Revision, plan: Plan, say: Progress
) -> list[PackageMeasured | None]:
    """The packages as they were in a revision; None: it has none there, or no tests.

    Raises:
        ToolchainError: one does not build there.
    """
    from goretain.gate.build import packages
    from goretain.gate.package import measure_package
    from goretain.gate.revisions import checked_out

    say(f"checking out {revision.name}", 0, 0)
    measured: list[PackageMeasured | None] = []
    with checked_out(revision) as tree:
        for one in found:
            directory = tree / revision.place(one.directory)
            there: Sequence[Package] = ()
            if any(directory.glob("*_test.go")):
                with suppress(UsageError):  # none of them are for this system and these tags
                    there = packages(toolchain, ["."], directory, plan.tags)
            if not there:
                measured.append(None)
                continue
            base = measure_package(
                toolchain, there[0], plan, lambda what, *how: say(f"{revision.name}: {what}", *how)
            )
            if base.failed is not None:
                raise ToolchainError(  # its hint is about the work tree
                    f"in {revision.name} {base.failed}".replace(f"{tree}/", ""),
                    hint="compare with a revision that builds with this version of Go",
                )
            measured.append(base)
    return measured
