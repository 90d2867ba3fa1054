"""Builds the answer of ``lab`` from experiments and what was measured. Imports ``lab`` and this package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import goretain
from goretain.lab import FEATURES, Claim, Depends, Experiment, Judged, Measured, judge, overall
from goretain.reports.results import LabClaim, LabFeature, LabReport, LabRun

#: The articles that the claims stand in, by the letter of their ids.
SOURCES = {
    "A": "an article on functions that return maps",
    "B": "an article on maps in interfaces",
    "C": "an article on slices, maps and their arrays",
    "D": "an article on map[string]interface{}",
}


def lab_report(experiments: Sequence[Experiment], results: Mapping[str, Sequence[Measured]]) -> LabReport:
    """The claims of experiments, judged by what was measured.

    Args:
        results: name of an experiment -> its measurements, oldest Go first; of what is not there the recorded
            outcomes are shown.
    """
    claims = tuple(
        _claim(experiment, claim, results.get(experiment.name, ()))
        for experiment in experiments
        for claim in experiment.claims
    )
    every = {run.go: run.present for runs in results.values() for run in runs}
    versions = tuple(sorted(every, key=_order))
    features = tuple(
        LabFeature(name=f.name, says=f.says, go=tuple(go for go in versions if f.name in every[go]))
        for f in FEATURES
    )
    return LabReport(
        goretain=goretain.__version__,
        go=versions,
        features=features,
        claims=claims,
        disagree=sum(not claim.agrees for claim in claims),
    )


def _order(version: str) -> list[tuple[bool, str | int]]:
    return [(part.isdigit(), int(part) if part.isdigit() else part) for part in version.split(".")]


def _claim(experiment: Experiment, claim: Claim, measured: Sequence[Measured]) -> LabClaim:
    judged = [
        (run, Judged(None, ()) if run.unavailable else judge(claim, run.values, run.present))
        for run in measured
    ]
    whole = overall(claim, [(run.present, verdict) for run, verdict in judged])
    runs = tuple(
        LabRun(
            go=run.go,
            outcome=verdict.outcome,
            figures={name: run.values[name] for name in claim.measurements if name in run.values},
            wrong=verdict.wrong,
            unavailable=run.unavailable,
        )
        for run, verdict in judged
    )
    recorded = "depends" if isinstance(claim.outcome, Depends) else claim.outcome
    return LabClaim(
        id=claim.id,
        claim=claim.claim,
        source=_source(claim),
        outcome=whole.outcome if runs else recorded,
        depends_on=claim.outcome.on if isinstance(claim.outcome, Depends) else whole.on,
        recorded=recorded,
        agrees=not any(verdict.wrong for _, verdict in judged),
        correct=claim.correct,
        reason=claim.reason,
        pattern=claim.pattern,
        note=claim.note,
        experiment=experiment.name,
        title=experiment.title,
        topic=experiment.topic,
        runs=runs,
    )


def _source(claim: Claim) -> str:
    article = SOURCES.get(claim.id[0], "")
    return f"{article}, section {claim.section}" if article and claim.section else article
