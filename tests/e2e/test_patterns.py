"""Every pattern's experiment on every Go version: the leak to the byte, and nothing in the fixed program."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from typing import Any

import pytest

from goretain.model.findings import Finding
from goretain.patterns import Pattern
from tests.support.experiments import BUILDS, IN_HEAPS, Build, diagnosed, documented, figure

#: The oldest runtime, the first with Swiss maps, the newest; the others are the long matrix.
_SHORT = ("1.21.13", "1.24.11", "1.27.3")
_BUILDS = [
    pytest.param(build, id=build.label, marks=[] if build.label in _SHORT else pytest.mark.long)
    for build in BUILDS
]


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


@pytest.mark.parametrize("build", _BUILDS)
@pytest.mark.parametrize("pattern", IN_HEAPS, ids=lambda p: p.name)
def test_the_leak_is_found_with_its_exact_bytes(
    pattern: Pattern, build: Build, record_property: Callable[[str, object], None]
) -> None:
    findings, features = diagnosed(pattern, build, "leak")
    wanted = expected(pattern, features)
    assert [f.code for f in findings] == [pattern.code] * len(wanted), [f.chain.text for f in findings]
    for finding, row in zip(findings, wanted, strict=True):
        assert figures(finding, row) == row
    cell = figure(findings)
    record_property("leak", [pattern.code, build.label, cell])
    assert documented()[pattern.code, build.label] == cell, "run: python -m tests.support.experiments"


@pytest.mark.parametrize("build", _BUILDS)
@pytest.mark.parametrize("pattern", IN_HEAPS, ids=lambda p: p.name)
def test_the_fixed_program_gives_nothing(
    pattern: Pattern, build: Build, record_property: Callable[[str, object], None]
) -> None:
    findings, _ = diagnosed(pattern, build, "fixed")
    assert [(f.code, f.chain.text, f.saving_bytes) for f in findings] == []
    record_property("fixed", [pattern.code, build.label, figure(findings)])
