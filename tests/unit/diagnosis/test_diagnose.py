"""Diagnosis merges, subsumes, ranks and filters; what it leaves off is counted."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from goretain.diagnosis import diagnose
from goretain.heap.heap import Heap
from goretain.model.findings import (
    AllocationSite,
    Chain,
    Confidence,
    Finding,
    Level,
    Sampled,
    Severity,
)
from goretain.patterns.catalogue import Pattern


def finding(
    holder: str,
    saving: int,
    *,
    code: str = "GR101",
    severity: Severity = "leak",
    level: Level = "proved",
    fingerprint: str = "",
    **more: Any,
) -> Finding:
    return Finding(
        code=code,
        pattern="a-pattern",
        title="",
        severity=severity,
        confidence=Confidence(level=level, reason="seen"),
        holder=holder,
        holders=(holder,),
        chain=Chain(root=holder, links=(".b",), end="[8]byte"),
        count=1,
        saving_bytes=saving,
        fingerprint=fingerprint or f"{code}{holder}",
        **more,
    )


class FakePattern:
    """Stands for a Pattern: what diagnose asks of one."""

    code = "GR999"

    def __init__(self, *findings: Finding, requires: tuple[str, ...] = ()) -> None:
        self.findings, self.requires = findings, requires

    def applies_to(self, features: tuple[str, ...]) -> bool:
        return set(self.requires) <= set(features)

    def find(self, _heap: Heap) -> Iterator[Finding]:
        yield from self.findings


def run(*findings: Finding, requires: tuple[str, ...] = (), **options: Any) -> Any:
    meta = SimpleNamespace(features=("swiss-maps",))
    fake = SimpleNamespace(snapshot=SimpleNamespace(meta=meta), chain_from=lambda chain, start: None)
    heap = cast(Heap, fake)
    patterns = cast("list[Pattern]", [FakePattern(*findings, requires=requires)])
    return diagnose(heap, patterns=patterns, **options)


def holders(diagnosis: Any) -> list[str]:
    return [f.holder for f in diagnosis.findings]


def test_findings_are_ranked_by_the_bytes_that_the_fix_gives_back() -> None:
    assert holders(run(finding("main.a", 5), finding("main.b", 9), finding("main.c", 7))) == [
        "main.b",
        "main.c",
        "main.a",
    ]


def test_an_observation_is_ranked_by_what_is_held() -> None:
    seen = finding("main.o", 0, severity="observation", retained_bytes=8, code="GR104")
    assert holders(run(finding("main.a", 5), seen, finding("main.b", 9))) == ["main.b", "main.o", "main.a"]


def test_equal_bytes_come_in_a_fixed_order() -> None:
    assert holders(run(finding("main.b", 5), finding("main.a", 5))) == ["main.a", "main.b"]


def test_one_fingerprint_is_one_finding_with_the_sums() -> None:
    parts = [
        finding(f"goroutine {n}", n, fingerprint="same", hidden_bytes=n, retained_bytes=2 * n) for n in (3, 4)
    ]
    (merged,) = run(*parts).findings
    assert (merged.holder, merged.count, merged.saving_bytes) == ("goroutine 4", 2, 7)
    assert (merged.hidden_bytes, merged.retained_bytes) == (7, 14)
    assert merged.also_from == ("goroutine 3",)


def test_a_sum_with_an_unknown_part_is_unknown_and_the_weakest_confidence_counts() -> None:
    parts = [
        finding("main.a", 3, fingerprint="same", retained_bytes=9),
        finding("main.a", 2, fingerprint="same", level="undecided"),
    ]
    (merged,) = run(*parts).findings
    assert merged.retained_bytes is None
    assert merged.confidence.level == "undecided"


def test_what_is_true_of_some_is_said_of_them_only() -> None:
    cut = finding("main.a", 30, fingerprint="same", type="[64]byte")
    front = finding("main.a", 9, fingerprint="same", level="likely", type="[256]byte")
    front = msgspec.structs.replace(front, confidence=Confidence(level="likely", reason="at the front"))
    (merged,) = run(msgspec.structs.replace(cut, count=29), front).findings
    assert merged.confidence.reason == "1 of 30: at the front; the others: seen"
    assert merged.type == "[]byte"
    (merged,) = run(cut, msgspec.structs.replace(front, type="[2]int")).findings
    assert merged.type is None
    (merged,) = run(front, msgspec.structs.replace(front, saving_bytes=4)).findings
    assert (merged.confidence.reason, merged.type) == ("at the front", "[256]byte")


def test_merged_findings_add_up_where_they_were_allocated() -> None:
    def sampled(**objects: int) -> Sampled:
        sites = tuple(
            AllocationSite(function=f"main.{name}", place="a.go:1", through=None, objects=n, bytes=8 * n)
            for name, n in objects.items()
        )
        return Sampled(objects=sum(objects.values()) + 1, bytes=100, sites=sites)

    parts = [
        msgspec.structs.replace(finding("main.a", n, fingerprint="same"), sampled=part)
        for n, part in enumerate((sampled(load=5, read=4), sampled(read=9), None), 1)
    ]
    (merged,) = run(*parts).findings
    assert merged.sampled is not None
    assert (merged.sampled.objects, merged.sampled.bytes) == (20, 200)
    assert [(s.function, s.objects, s.bytes) for s in merged.sampled.sites] == [
        ("main.read", 13, 104),
        ("main.load", 5, 40),
    ]
    (merged,) = run(*(msgspec.structs.replace(part, sampled=None) for part in parts)).findings
    assert merged.sampled is None


@pytest.mark.parametrize(("explained", "listed"), [(60, 1), (40, 2)])
def test_an_observation_that_a_leak_explains_for_the_most_part_is_dropped(
    explained: int, listed: int
) -> None:
    seen = finding("main.cache", 0, severity="observation", retained_bytes=100, code="GR104")
    assert len(run(finding("main.cache", explained), seen).findings) == listed


def test_what_is_below_min_bytes_or_beyond_top_is_counted_and_not_lost() -> None:
    diagnosis = run(*(finding(f"main.{n}", n) for n in range(1, 6)), min_bytes=2, top=2)
    assert holders(diagnosis) == ["main.5", "main.4"]
    assert (diagnosis.left_off, diagnosis.left_off_bytes) == (3, 6)


def test_focus_keeps_what_starts_at_a_holder() -> None:
    findings = [finding("main.cache", 3), finding("net/http.pool", 4)]
    assert holders(run(*findings, focus="main.")) == ["main.cache"]
    assert holders(run(*findings, focus="main.cache.b")) == ["main.cache"]
    assert run(*findings, focus="main.").left_off == 0


def test_a_pattern_that_the_runtime_gives_no_evidence_for_is_said() -> None:
    diagnosis = run(finding("main.a", 5), requires=("cleanups", "swiss-maps"))
    assert diagnosis.findings == ()
    assert [(n.code, n.reason) for n in diagnosis.not_judged] == [
        ("GR999", "neither its runtime nor the snapshot has: cleanups")
    ]


def test_the_diagnosis_is_json() -> None:
    diagnosis = run(finding("main.a", 5))
    assert msgspec.json.decode(msgspec.json.encode(diagnosis))["findings"][0]["holder"] == "main.a"
