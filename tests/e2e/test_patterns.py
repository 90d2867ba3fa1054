"""Every pattern's experiment on every Go version: the leak to the byte, and nothing in the fixed program."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

import goretain
from goretain.model.findings import Finding
from goretain.patterns import Pattern, catalogue
from tests.support.golang import EXPERIMENTS, VERSIONS, go_program, running

#: The oldest runtime, the first with Swiss maps, the newest; the others are the long matrix.
_SHORT = (VERSIONS[0], "1.24.11", VERSIONS[-1])
_BUILDS = [
    pytest.param(version, experiment, marks=[] if version in _SHORT and not experiment else pytest.mark.long)
    for version, experiment in [*((version, "") for version in VERSIONS), *EXPERIMENTS]
]


def diagnosed(
    pattern: Pattern, version: str, experiment: str, mode: str
) -> tuple[tuple[Finding, ...], set[str]]:
    """What is found in an experiment's program in one mode, and the features of its runtime."""
    experiments = [experiment] if experiment else []
    binary = go_program(Path(str(pattern.files / "experiment")), version, experiments=experiments)
    with running(binary, [mode]) as target:
        snapshot = goretain.open(target.pid)
    return snapshot.findings(), set(snapshot.meta.features)


def expected(pattern: Pattern, features: set[str]) -> list[dict[str, Any]]:
    """The findings of expected.toml with the figures of this runtime's features laid over the common ones, in
    the order of their bytes; none where the pattern cannot be judged."""
    text = (pattern.files / "experiment" / "expected.toml").read_text("utf-8")
    findings = []
    for row in tomllib.loads(text)["finding"]:
        overlays, only = row.pop("when", []), row.pop("only", {})
        if not _applies(only, features):
            continue
        for overlay in overlays:
            if _applies(overlay, features):
                row |= overlay
        findings.append(row)
    return findings if pattern.applies_to(tuple(features)) else []


def _applies(part: dict[str, Any], features: set[str]) -> bool:
    """Whether the features are those that a part of expected.toml is for; its conditions are taken out."""
    return set(part.pop("has", [])) <= features and not set(part.pop("lacks", [])) & features


def figures(finding: Finding, wanted: dict[str, Any]) -> dict[str, Any]:
    """Of a finding what expected.toml speaks of."""
    special = {"confidence": finding.confidence.level, "chain": finding.chain.text}
    return {name: special[name] if name in special else getattr(finding, name) for name in wanted}


@pytest.mark.parametrize(("version", "experiment"), _BUILDS)
@pytest.mark.parametrize("pattern", catalogue(), ids=lambda p: p.name)
def test_the_leak_is_found_with_its_exact_bytes(pattern: Pattern, version: str, experiment: str) -> None:
    findings, features = diagnosed(pattern, version, experiment, "leak")
    wanted = expected(pattern, features)
    assert [f.code for f in findings] == [pattern.code] * len(wanted), [f.chain.text for f in findings]
    for finding, row in zip(findings, wanted, strict=True):
        assert figures(finding, row) == row


@pytest.mark.parametrize(("version", "experiment"), _BUILDS)
@pytest.mark.parametrize("pattern", catalogue(), ids=lambda p: p.name)
def test_the_fixed_program_gives_nothing(pattern: Pattern, version: str, experiment: str) -> None:
    findings, _ = diagnosed(pattern, version, experiment, "fixed")
    assert [(f.code, f.chain.text, f.saving_bytes) for f in findings] == []
