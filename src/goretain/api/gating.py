"""The command ``gate`` as a function. Imports ``gate``, ``toolchain`` and ``reports`` when it runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from goretain.api.targets import Progress
from goretain.model.errors import UsageError

if TYPE_CHECKING:
    from goretain.reports.results import GateReport


def gate(
    patterns: Sequence[str] = (".",),
    *,
    bench: str | None = None,
    test: str = "",
    directory: str | Path = ".",
    go: str | None = None,
    tags: str = "",
    config: str | Path | None = None,
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
    from goretain.gate.package import Plan, measure_package
    from goretain.gate.process import Settings
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
    measured = [measure_package(toolchain, one, plan, say) for one in found]
    if not any(one.benchmarks or one.failed for one in measured):
        kind, pattern = ("test", test) if test else ("benchmark", plan.bench)
        raise UsageError(
            f"no {kind} of {' '.join(patterns)} matches {pattern!r}",
            hint=f"go test -list '{kind.title()}' {' '.join(patterns)} lists them; --tags as they need",
        )
    return gate_report(measured, configs, plan, top)
