"""Every planted holder is named with chain, count and exact bytes; healthy memory is left in peace.

``planted`` measures by MemStats what each of its holders retains, so that nothing here is compared with a
figure of goretain's own.
"""

from __future__ import annotations

import re

import pytest

import goretain
from goretain.api import Snapshot
from goretain.model.findings import Finding
from tests.support.golang import VERSIONS, Target, go_program, running, wait_until_blocked

#: Chains of the findings that are known by construction.
_CHAINS = {
    "subslice-pins-array": r"main\.pages\.entries\[key len [67]\]\.body \(len 5, cap 64536\)"
    r" -> \[65536\](byte|uint8)",
    "substring-pins-string": r"main\.labels\.names\[\d+\] \(len 12\) -> .*",
    "map-never-shrinks": r"main\.clients.*",
}
_VARIANTS: tuple[list[str], ...] = (
    [],
    ["janitor"],
    ["handler"],
    ["second"],
    ["janitor", "handler", "second"],
)


def _look(version: str, variant: list[str], program: str = "planted") -> tuple[Target, Snapshot]:
    """One capture. On one P: with more, allocations of the runtime's own fall into what is measured."""
    with running(go_program(program, version), variant, env={"GOMAXPROCS": "1"}) as target:
        wait_until_blocked(target.pid)
        return target, goretain.open(target.pid)


def _by_pattern(snapshot: Snapshot) -> dict[str, Finding]:
    """Findings by pattern; each pattern is planted once."""
    findings = snapshot.findings()
    assert len({f.pattern for f in findings}) == len(findings)
    return {f.pattern: f for f in findings}


def _headline(snapshot: Snapshot) -> list[tuple[object, ...]]:
    """What a user reads of each finding, without which of many equal objects stands for the others."""
    return [
        (f.pattern, f.holder, f.count, f.hidden_bytes, f.saving_bytes, f.retained_bytes, f.confidence.level)
        for f in snapshot.findings()
    ]


def test_findings_have_chain_count_and_exact_bytes(go_version: str) -> None:
    target, snapshot = _look(go_version, [])
    found = _by_pattern(snapshot)
    for pattern, holder, count, hidden in target.facts["Hidden"]:
        finding = found[pattern]
        assert (finding.holder, finding.count, finding.hidden_bytes) == (holder, int(count), int(hidden))
    for pattern, chain in _CHAINS.items():
        assert re.fullmatch(chain, found[pattern].chain.text), found[pattern].chain.text


def test_holders_retain_what_memstats_says(go_version: str) -> None:
    target, snapshot = _look(go_version, [])
    holders = {h.name: h for h in snapshot.holders()}
    for name, size, count in target.facts["Retained"]:
        assert (holders[name].retained_bytes, holders[name].retained_objects) == (int(size), int(count)), name
    (waiter,) = [h for h in snapshot.holders() if "main.waiter" in h.name]
    assert waiter.retained_bytes >= target.fact("FrameBytes")
    assert waiter.retained_bytes < target.fact("FrameBytes") * 1.01


def test_memory_of_two_globals_belongs_to_neither(go_version: str) -> None:
    target, snapshot = _look(go_version, [])
    ((size, count),) = target.facts["Shared"]
    (shared,) = [s for s in snapshot.shared() if s.bytes >= int(size)]
    assert (shared.bytes, shared.objects, set(shared.holders)) == (
        int(size),
        int(count),
        {"main.left", "main.right"},
    )
    alone = {h.name: h.retained_bytes for h in snapshot.holders()}
    assert alone["main.left"] + alone["main.right"] < int(size) / 10


@pytest.mark.parametrize("version", [VERSIONS[1], VERSIONS[-1]])
def test_other_references_do_not_change_the_headline(version: str) -> None:
    check_variants(version)


@pytest.mark.long
@pytest.mark.parametrize("version", [v for v in VERSIONS if v not in (VERSIONS[1], VERSIONS[-1])])
def test_other_references_do_not_change_the_headline_of_any_version(version: str) -> None:
    check_variants(version)


def check_variants(version: str) -> None:
    headlines = {}
    for variant in _VARIANTS:
        target, snapshot = _look(version, variant)
        # a swiss map's tables depend on its random seed: what main.clients retains differs from run to run
        headlines[" ".join(variant)] = [h for h in _headline(snapshot) if h[1] != "main.clients"]
        holders = {h.name: h.retained_bytes for h in snapshot.holders()}
        for name, size, _ in target.facts["Retained"]:
            assert holders[name] == int(size), (variant, name)
    assert headlines[""]
    assert all(headline == headlines[""] for headline in headlines.values()), headlines


def test_healthy_program_has_no_findings(go_version: str) -> None:
    _, snapshot = _look(go_version, [], "healthy")
    assert [(f.pattern, f.chain.text, f.saving_bytes) for f in snapshot.findings()] == []


def test_what_one_look_cannot_tell_from_a_leak_is_not_proved(go_version: str) -> None:
    _, snapshot = _look(go_version, ["doubtful"], "healthy")
    found = {f.holder: (f.pattern, f.confidence.level) for f in snapshot.findings()}
    assert found == {
        "main.received": ("subslice-pins-array", "likely"),
        "main.filling": ("map-never-shrinks", "likely"),
        "main.batch": ("map-never-shrinks", "likely"),
    }
    assert all(f.confidence.decide for f in snapshot.findings())
