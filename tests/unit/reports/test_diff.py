"""How sure growth is, from its figures alone and over whole series of heaps."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from goretain.diagnosis.diagnose import Diagnosis, NotJudged
from goretain.heap.heap import Heap
from goretain.model.findings import Finding
from goretain.reports import markdown, text
from goretain.reports.changes import finding_rows
from goretain.reports.diff import Series
from goretain.reports.trend import Judge, judge
from goretain.snapshot import Layer, ObjectFlag, Snapshot
from tests.unit.reports import examples
from tests.unit.snapshot.synthetic import ENTRY, Build


def heap_of(entries: int, *, taken_at: float = 0.0, pid: int = 7) -> Snapshot:
    """``main.cache`` with that many entries of 48 bytes, all older than the last mark."""
    build = Build()
    cache = build.node("main.cache", Layer.PROGRAM)
    for _ in range(entries):
        build.roots.append((cache, build.add(48, ENTRY, ObjectFlag.SURVIVED), ""))
    return build.snapshot(taken_at=taken_at, pid=pid)


def level(*sizes: int) -> str | None:
    verdict = judge(sizes, range(len(sizes)), "look longer")
    return verdict.level if verdict else None


def test_two_looks_decide_nothing() -> None:
    verdict = judge((1, 2), (0, 1), "look longer")
    assert verdict is not None
    assert (verdict.level, verdict.decide) == ("undecided", "look longer")


def test_steady_growth_over_five_looks_is_likely_and_says_its_odds() -> None:
    verdict = judge((10, 20, 30, 40, 50), range(5), "look longer")
    assert verdict is not None
    assert verdict.level == "likely"
    assert "once in 16" in verdict.reason
    assert verdict.decide is None


def test_what_settles_falls_back_or_was_seen_too_seldom_is_undecided() -> None:
    assert level(0, 800, 1200, 1250, 1251) == "undecided"
    assert level(0, 10, 20, 15, 40) == "undecided"
    assert level(0, 10, 20, 30) == "undecided"


def test_growth_is_judged_by_the_second_not_by_the_look() -> None:
    late = judge((0, 900, 950, 1000, 1050), (0, 18, 19, 20, 21), "")
    assert late is not None
    assert late.level == "likely"
    fading = judge((0, 100, 200, 300, 400), (0, 1, 2, 8, 14), "")
    assert fading is not None
    assert fading.level == "undecided"


@given(st.lists(st.integers(0, 10**12), min_size=2, max_size=12))
def test_only_what_grew_in_every_interval_is_likely(sizes: list[int]) -> None:
    verdict = judge(sizes, range(len(sizes)), "")
    assert (verdict is None) == (sizes[-1] <= sizes[0])
    if verdict is not None and verdict.level == "likely":
        assert len(sizes) >= 5
        assert sizes == sorted(set(sizes))


def test_a_series_has_every_look_and_likely_growth() -> None:
    series = Series()
    for look in range(5):
        series.add("7", Heap(heap_of(10 + look, taken_at=float(look * 30))))
    report = series.report()
    assert report.same_process
    assert report.live_bytes == tuple(48 * (10 + look) for look in range(5))
    (holder,) = report.holders
    assert (holder.name, holder.bytes, holder.roots) == ("main.cache", report.live_bytes, (1,) * 5)
    assert holder.confidence is not None
    assert holder.confidence.level == "likely"
    assert (report.survivors_objects, report.survivors_bytes) == (4, 192)
    assert [(row.holder, row.bytes) for row in report.survivors_by_holder] == [("main.cache", 192)]


def test_a_look_without_change_keeps_the_value() -> None:
    series = Series()
    for look, entries in enumerate((3, 3, 5)):
        series.add("7", Heap(heap_of(entries, taken_at=float(look))))
    assert series.report().holders[0].bytes == (144, 144, 240)


def test_other_processes_are_compared_by_name_and_survivors_are_unknown() -> None:
    series = Series()
    series.add("a", Heap(heap_of(3, pid=7)))
    series.add("b", Heap(heap_of(5, pid=8)))
    report = series.report()
    assert not report.same_process
    assert report.survivors_bytes is None
    assert report.holders[0].delta_bytes == 96
    assert report.holders[0].confidence is not None
    assert "one running process" in str(report.holders[0].confidence.decide)


def test_the_largest_changes_are_listed_growth_first() -> None:
    before, after = Build(), Build()
    for at, (old, new) in enumerate([(0, 3), (9, 1), (1, 2)]):
        for build, count in ((before, old), (after, new)):
            node = build.node(f"main.v{at}", Layer.PROGRAM)
            for _ in range(count):
                build.roots.append((node, build.add(48), ""))
    series = Series()
    series.add("a", Heap(before.snapshot()))
    series.add("b", Heap(after.snapshot()))
    report = series.report(top=2)
    assert [(row.name, row.delta_objects) for row in report.holders] == [("main.v0", 3), ("main.v1", -8)]
    assert report.holders_total == 3


def test_growth_of_what_several_hold_has_a_row_at_every_look() -> None:
    series = Series()
    for look in range(5):
        build = Build()
        nodes = [build.node(name, Layer.PROGRAM) for name in ("main.byID", "main.byName")]
        for _ in range(10 + look):
            entry = build.add(48, ENTRY, ObjectFlag.SURVIVED)
            build.roots += [(node, entry, "") for node in nodes]
        series.add("7", Heap(build.snapshot(taken_at=float(look * 30), pid=7)))
    report = series.report()
    assert (report.holders, report.shared_bytes, report.shared_total) == ((), (480, 672), 1)
    (group,) = report.shared
    assert (group.name, group.bytes, group.roots) == (
        "main.byID and main.byName",
        (480, 528, 576, 624, 672),
        (),
    )
    assert group.confidence is not None
    assert group.confidence.level == "likely"
    page = text.render_diff(report, 100).text
    assert "Holders: no change in what one alone holds" in page
    assert "Shared memory that changed, by all its holders" in page
    assert "480 B -> 672 B of it held by several holders together" in page
    assert re.search(r"garbage collection, by holder\n.*\n +192 B +4  main.byID and main.byName\n", page)
    assert "| +192 B | 672 B | likely | `main.byID and main.byName` |" in markdown.render_diff(report)


def look_at(*findings: Finding, missing: str = "") -> Diagnosis:
    unjudged = (NotJudged(code=missing, reason="no such feature"),) if missing else ()
    return Diagnosis(findings=findings, not_judged=unjudged)


def found(name: str, size: int, count: int = 1) -> Finding:
    return examples.finding(fingerprint=name, saving_bytes=size, count=count)


def test_findings_are_new_gone_grown_shrunk_or_the_same() -> None:
    rows = finding_rows(
        [
            look_at(found("same", 5), found("gone", 9), found("less", 8, 2), found("more", 1)),
            look_at(found("same", 5), found("less", 7), found("more", 1, 2), found("fresh", 3)),
        ],
        Judge((0, 1), "look longer", True),
    )
    assert {row.fingerprint: (row.course, row.bytes, row.objects) for row in rows} == {
        "same": ("same", (5, 5), (1, 1)),
        "gone": ("gone", (9, 0), (1, 0)),
        "less": ("shrunk", (8, 7), (2, 1)),
        "more": ("grown", (1, 1), (1, 2)),
        "fresh": ("new", (0, 3), (0, 1)),
    }


def test_a_finding_whose_pattern_a_look_cannot_judge_is_neither_new_nor_gone() -> None:
    looks = [look_at(found("a", 4)), look_at(missing="GR101")]
    for order, sizes in ((looks, (4, None)), (looks[::-1], (None, 4))):
        (row,) = finding_rows(order, Judge((0, 1), "look longer", True))
        assert (row.course, row.bytes, row.delta_bytes, row.confidence) == ("unknown", sizes, None, None)


def test_closures_of_one_fingerprint_are_compared_together() -> None:
    looks = [look_at(found("f", 10), found("f", 20)), look_at(found("f", 20), found("f", 10), found("f", 1))]
    (row,) = finding_rows(looks, Judge((0, 1), "look longer", True))
    assert (row.bytes, row.objects, row.course) == ((30, 31), (2, 3), "grown")


def test_growth_over_several_processes_is_never_likely() -> None:
    verdict = Judge(range(5), "look at one", False)((10, 20, 30, 40, 50))
    assert verdict is not None
    assert (verdict.level, verdict.decide) == ("undecided", "look at one")


def test_a_look_without_names_of_variables_cannot_be_matched_with_one_that_has_them() -> None:
    def notes(*names: str) -> tuple[str, ...]:
        series = Series()
        for name in names:
            build = Build()
            build.roots.append((build.node(name, Layer.PROGRAM), build.add(48, ENTRY), ""))
            series.add(name, Heap(build.snapshot(build_id=name)))
        return series.report().notes

    assert "--binary FILE" in " ".join(notes("main.cache", "bss+0x40 (*main.cache)"))
    assert notes("bss+0x80 (*main.cache)", "bss+0x40 (*main.cache)") == notes("main.a", "main.b") == ()


def test_names_of_two_builds_fit_but_for_what_a_compiler_numbers() -> None:
    series = Series("chain")
    for build_id, closure in (("one", "main.run.func1"), ("two", "main.run.func2")):
        build = Build()
        for name in (f"goroutine 9 [select] {closure}", f"main.only_{build_id}"):
            build.roots.append((build.node(name, Layer.PROGRAM), build.add(48, ENTRY), ""))
        series.add(build_id, Heap(build.snapshot(build_id=build_id)))
    report = series.report()
    assert not report.same_build
    assert [(row.name, row.course) for row in report.lines] == [
        ("main.only_two -> main.Entry", "new"),
        ("main.only_one -> main.Entry", "gone"),
    ]
    (chains,) = (fit for fit in report.matched if fit.what == "chain")
    assert (chains.both, chains.only_first, chains.only_first_bytes, chains.only_last) == (1, 1, 48, 1)
    page = text.render_diff(report, 100).text
    assert "matched    1 chain in both; 1 only in the first (48 B): gone, or renamed;" in page
