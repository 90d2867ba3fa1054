"""``lab``: claims about Go memory, measured. Imports ``lab``, ``reports``, ``toolchain`` and ``model``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from goretain.model.errors import UsageError

if TYPE_CHECKING:
    from goretain.api.targets import Progress
    from goretain.lab import Experiment
    from goretain.reports.results import LabReport
    from goretain.toolchain import Toolchain


def lab(
    wanted: Sequence[str] = (),
    *,
    go: Sequence[str] = (),
    home: Path | None = None,
    fresh: bool = False,
    progress: Progress | None = None,
) -> LabReport:
    """Measure claims about Go memory on this machine and judge them.

    Args:
        wanted: claims (``A06``), codes of patterns (``GR103``) or names of experiments; all for none.
        go: versions (``1.22``, ``1.27.3``), installed if they are not there; "all" is every supported one.
            Without any, the go on PATH, else the newest supported version.
        home: a directory of experiments instead of goretain's own.
        fresh: measure again what the cache has.
        progress: called with what is done, how much of it, and of how much.

    Raises:
        UsageError: a word names nothing, or is no Go version.
        ToolchainError: a toolchain cannot be had or started.
    """
    from goretain.lab import run
    from goretain.reports.lab import lab_report

    experiments = _experiments(wanted, home)
    results = run(experiments, _toolchains(go), fresh=fresh, progress=progress)
    return lab_report(experiments, results)


def lab_list(wanted: Sequence[str] = (), *, home: Path | None = None) -> LabReport:
    """Claims and their recorded outcomes, without figures.

    Raises:
        UsageError: a word names nothing.
    """
    from goretain.reports.lab import lab_report

    return lab_report(_experiments(wanted, home), {})


def lab_table(wanted: Sequence[str] = (), *, home: Path | None = None) -> LabReport:
    """The recorded results of claims, judged again: nothing is run.

    Raises:
        UsageError: a word names nothing, or an experiment has no recorded results.
    """
    from goretain.lab import recorded
    from goretain.reports.lab import lab_report

    experiments = _experiments(wanted, home)
    results = {}
    for experiment in experiments:
        kept = recorded(experiment)
        if kept is None:
            raise UsageError(
                f"experiment {experiment.name} has no recorded results",
                hint=f"measure it: goretain lab run {experiment.name}",
            )
        results[experiment.name] = kept.measured
    return lab_report(experiments, results)


def lab_record(
    wanted: Sequence[str] = (), *, home: Path | None = None, progress: Progress | None = None
) -> None:
    """Measure experiments on every supported Go version and write their ``recorded.json``.

    Raises:
        UsageError: a word names nothing.
        ToolchainError: a toolchain cannot be had or started, or modules cannot be fetched.
    """
    from goretain.lab import record, run

    experiments = _experiments((), home)
    names = {experiment.name for experiment in _experiments(wanted, home)}
    whole = [experiment for experiment in experiments if experiment.name in names]
    results = run(whole, _toolchains(["all"]), progress=progress)
    for experiment in whole:
        record(experiment, results[experiment.name])


def _experiments(wanted: Sequence[str], home: Path | None) -> list[Experiment]:
    from goretain.lab import catalogue, chosen

    return chosen(catalogue() if home is None else catalogue(home), wanted)


def _toolchains(go: Sequence[str]) -> list[Toolchain]:
    """Each wanted toolchain once, in the order of the supported versions where it is one of them."""
    from goretain.toolchain import SUPPORTED, find_toolchain

    wanted: Sequence[str | None] = go or [None]
    versions = [v for word in wanted for v in (SUPPORTED if word == "all" else [word])]
    found = {chain.version: chain for chain in (find_toolchain(version) for version in versions)}
    return sorted(found.values(), key=lambda chain: [int(p) for p in chain.version.split(".") if p.isdigit()])
