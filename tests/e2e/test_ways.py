"""Small parts of large arrays are found wherever Go can keep a slice; a busy healthy server gives nothing."""

from __future__ import annotations

import pytest

import goretain
from tests.support.golang import VERSIONS, go_program, running

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
        front = {holder for (holder,) in target.facts["Front"]}
    # Of a goroutine the function: goroutine 18 [syscall] main.reader.
    found = {finding.holder.split()[-1]: finding for finding in findings}
    assert {holder: (f.count, f.hidden_bytes) for holder, f in found.items()} == planted
    assert len(found) == len(findings)
    for holder, finding in found.items():
        assert finding.saving_bytes == planted[holder][1] + behind.get(holder, 0)
        level = "likely" if holder in front else "proved"
        assert (finding.severity, finding.confidence.level) == ("leak", level)


@pytest.mark.parametrize("version", _VERSIONS)
@pytest.mark.parametrize("mode", ["rest", "load"])
def test_a_busy_healthy_server_gives_nothing(version: str, mode: str) -> None:
    with running(go_program("busy", version), [mode] if mode == "load" else []) as target:
        for _ in range(3 if mode == "load" else 1):
            findings = goretain.open(target.pid).findings()
            assert [(f.code, f.chain.text, f.saving_bytes) for f in findings] == []
