"""Runs experiments on toolchains, over all cores, each result taken from the cache where it is there.

Imports ``model``, ``toolchain`` and this package.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import msgspec

from goretain.lab.bench import measure
from goretain.lab.catalogue import Claim, Experiment
from goretain.lab.judge import judge
from goretain.lab.results import Measured, keep, measured, recall
from goretain.model.errors import ModulesUnavailable, UsageError
from goretain.toolchain import Toolchain, end_running

#: Called with what is done, how much of it is done, and of how much.
Progress = Callable[[str, int, int], None]


def run(
    experiments: Sequence[Experiment],
    toolchains: Sequence[Toolchain],
    *,
    fresh: bool = False,
    progress: Progress | None = None,
) -> dict[str, list[Measured]]:
    """Measure every experiment on every toolchain.

    Args:
        fresh: measure again what the cache has.
        progress: called after each experiment.

    Returns:
        Name of the experiment -> its measurements, in the order of the toolchains.

    Raises:
        ToolchainError: go itself cannot be started.
    """
    pairs = [(experiment, toolchain) for experiment in experiments for toolchain in toolchains]
    results: dict[tuple[str, str], Measured] = {}
    stopped = threading.Event()
    with ThreadPoolExecutor(max(1, len(os.sched_getaffinity(0)))) as pool:
        jobs = {pool.submit(_one, *pair, fresh, stopped): pair for pair in pairs}
        try:
            for done, job in enumerate(as_completed(jobs), 1):
                experiment, toolchain = jobs[job]
                results[experiment.name, toolchain.version] = job.result()
                if progress is not None:
                    progress(f"{experiment.name} on Go {toolchain.version}", done, len(pairs))
        except BaseException:
            stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
            while not all(job.done() for job in jobs):
                end_running()
                time.sleep(0.05)
            raise
    return {
        experiment.name: [results[experiment.name, toolchain.version] for toolchain in toolchains]
        for experiment in experiments
    }


def _one(experiment: Experiment, toolchain: Toolchain, fresh: bool, stopped: threading.Event) -> Measured:
    """One experiment on one toolchain, measured or recalled.

    Where a claim is not as recorded it is measured once more: live bytes carry noise, what is wrong stays so.
    """
    if not fresh and (kept := recall(experiment, toolchain)) is not None:
        return kept
    with tempfile.TemporaryDirectory(prefix="goretain-lab-") as scratch:
        try:
            values = measure(experiment, toolchain, Path(scratch), stopped)
            if _is_wrong(experiment, measured(toolchain, values)) and not stopped.is_set():
                with tempfile.TemporaryDirectory(prefix="goretain-lab-") as another:
                    values = measure(experiment, toolchain, Path(another), stopped)
        except ModulesUnavailable as error:
            return measured(toolchain, {}, unavailable=error.message)
    keep(experiment, toolchain, values)
    return measured(toolchain, values)


def _is_wrong(experiment: Experiment, found: Measured) -> bool:
    """Whether a claim does not come out as it is recorded."""
    return any(judge(claim, found.values, found.present).wrong for claim in experiment.claims)


def chosen(experiments: Iterable[Experiment], wanted: Sequence[str]) -> list[Experiment]:
    """The experiments of the wanted claims (``A06``), patterns (``GR103``) and names; all for nothing.

    Of an experiment only the wanted claims are kept; named itself, it keeps all.

    Raises:
        UsageError: a word names nothing.
    """
    every = list(experiments)
    if not wanted:
        return every
    found: list[Experiment] = []
    left = set(wanted)
    for experiment in every:
        named = {word for word in wanted if word == experiment.name}
        claims = []
        for claim in experiment.claims:
            matched = {word for word in wanted if word.upper() in (claim.id, claim.pattern)}
            left -= matched
            if matched or named:
                claims.append(claim)
        left -= named
        if claims:
            found.append(_only(experiment, claims))
    if left:
        raise UsageError(
            f"{min(left)!r} is no claim, pattern with a claim, or experiment",
            hint="goretain lab list shows all of them",
        )
    return found


def _only(experiment: Experiment, claims: Sequence[Claim]) -> Experiment:
    return msgspec.structs.replace(experiment, claims=tuple(claims))
