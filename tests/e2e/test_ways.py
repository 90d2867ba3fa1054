"""Small parts of large arrays are found wherever Go can keep a slice; a busy healthy server gives nothing."""

from __future__ import annotations

import pytest

import goretain
from tests.support.golang import VERSIONS, go_program, release, running

#: The newest and the oldest runtime; the others are the long matrix.
_VERSIONS = [
    pytest.param(version, marks=[] if version in (VERSIONS[0], VERSIONS[-1]) else pytest.mark.long)
    for version in VERSIONS
]


@pytest.mark.parametrize("version", _VERSIONS)
def test_every_place_that_holds_a_part_is_named_with_its_bytes(version: str) -> None:
    with running(go_program("ways", version)) as target:
        findings = goretain.open(target.pid).findings()
        planted = {holder: (int(count), int(size)) for holder, count, size in target.facts["Hidden"]}
        behind = target.table("Behind")
    if release(version) < (1, 23):
        # What closures capture is not described before 1.23: unknown, and so not judged.
        planted.pop("main.inClosures")
    assert {f.holder: (f.count, f.hidden_bytes) for f in findings} == planted
    for finding in findings:
        assert finding.saving_bytes == planted[finding.holder][1] + behind.get(finding.holder, 0)
        assert (finding.severity, finding.confidence.level) == ("leak", "proved")


@pytest.mark.parametrize("version", _VERSIONS)
@pytest.mark.parametrize("mode", ["rest", "load"])
def test_a_busy_healthy_server_gives_nothing(version: str, mode: str) -> None:
    with running(go_program("busy", version), [mode] if mode == "load" else []) as target:
        for _ in range(3 if mode == "load" else 1):
            findings = goretain.open(target.pid).findings()
            assert [(f.code, f.chain.text, f.saving_bytes) for f in findings] == []
