"""What the gate writes for a CI: JUnit XML and Markdown."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import msgspec

from goretain.model.findings import Trend
from goretain.reports import junit
from goretain.reports.gatepage import render_gate
from goretain.reports.results import (
    GateBase,
    GateBenchmark,
    GatePackage,
    GateReport,
    KnownSite,
    PerIteration,
    RetainedRow,
    StandingLeft,
)
from goretain.reports.results.gate import Course
from goretain.reports.text import render_gate as render_gate_text
from goretain.snapshot import Frame

NASTY = "main.f[struct { A|B int }]\x00\x1b[31m\ud800<b>&```\"']]>\ufffe"


def amount(trend: Trend, rate: float | None) -> PerIteration:
    return PerIteration(
        trend=trend, reason="it is made up", decide=None, rate=rate, low=rate, high=rate, left=(1, 2)
    )


def row(
    function: str, trend: Trend, rate: float | None, over: str | None = None, course: Course | None = None
) -> RetainedRow:
    stack = (Frame(function, "/src/a.go", 3), Frame("main.BenchmarkX")) if function else ()
    return RetainedRow(
        stack=stack,
        bytes=amount(trend, rate),
        objects=amount(trend, 1.0),
        over=over,
        allowed=None,
        course=course,
    )


def left(function: str, trend: Trend, rate: float) -> StandingLeft:
    stack = (Frame(function),) if function else ()
    return StandingLeft(stack=stack, count=amount(trend, rate), over="none may be left", allowed=None)


def benchmark(name: str, verdict: Trend, *sites: RetainedRow) -> GateBenchmark:
    nothing = StandingLeft(stack=(), count=amount("settles", 0.0), over=None, allowed=None)
    return GateBenchmark(
        name=name,
        trend=verdict,
        verdict=verdict,
        skipped=False,
        failed=None,
        iterations=(4, 8),
        seconds=1.25,
        total=row("", "settles", 64.0),
        goroutines=nothing,
        sites=sites,
        standing=(left("main.wait", "grows", 1.0),) if verdict == "grows" else (),
    )


def report(
    *benchmarks: GateBenchmark, failed: str | None = None, unseen: tuple[KnownSite, ...] = ()
) -> GateReport:
    verdicts = [one.verdict for one in benchmarks]
    return GateReport(
        goretain="0",
        cpu=1,
        iterations=8,
        seconds=1.0,
        memory=1,
        base=None,
        packages=(
            GatePackage(
                path=f"example.com/{NASTY}", go="go1.26", config=None, failed=failed, benchmarks=benchmarks
            ),
        ),
        unseen=unseen,
        grows=verdicts.count("grows"),
        undecided=verdicts.count("undecided"),
        allowed=0,
        settles=verdicts.count("settles"),
        skipped=sum(one.skipped for one in benchmarks),
        failed=sum(one.failed is not None for one in benchmarks) + (failed is not None),
    )


def everything() -> GateReport:
    return report(
        benchmark("BenchmarkGrows", "grows", row(NASTY, "grows", 64.0, over="nothing may grow")),
        benchmark(
            "BenchmarkUndecided", "undecided", row("main.g", "undecided", None, over="nothing may grow")
        ),
        benchmark("BenchmarkSettles", "settles"),
        GateBenchmark(name="BenchmarkSkips", trend=None, verdict=None, skipped=True, failed=None),
        GateBenchmark(
            name="BenchmarkFails", trend=None, verdict=None, skipped=False, failed=f"one\n\t{NASTY}\n\nfour"
        ),
        failed="it\ndoes not build",
        unseen=(KnownSite(config="goretain.toml", function=NASTY, reason="x_y_|"),),
    )


def parsed(report: GateReport, *failing: str) -> ET.Element:
    """The report, held to the rules that readers of JUnit files rely on."""
    root = ET.fromstring(junit.render_gate(report, failing).encode())
    assert root.tag == "testsuites"
    for suite in root:
        assert suite.tag == "testsuite"
        assert suite.get("name")
        for case in suite:
            assert case.tag == "testcase"
            assert case.get("name")
            assert case.get("classname")
            assert float(case.get("time", "")) >= 0
            outcomes = [part.tag for part in case if part.tag != "system-out"]
            assert len(outcomes) <= 1
            assert set(outcomes) <= {"failure", "error", "skipped"}
            assert all(part.get("message") for part in case if part.tag != "system-out")
    for level in (root, *root):
        for count, tag in (
            ("tests", "testcase"),
            ("failures", "failure"),
            ("errors", "error"),
            ("skipped", "skipped"),
        ):
            assert level.get(count) == str(sum(1 for _ in level.iter(tag)))
    return root


def outcomes(root: ET.Element) -> dict[str, str]:
    return {
        case.get("name", ""): next((part.tag for part in case if part.tag != "system-out"), "passed")
        for case in root.iter("testcase")
    }


def test_junit_has_a_case_for_each_benchmark() -> None:
    root = parsed(everything(), "grows")
    assert outcomes(root) == {
        "build": "error",
        "BenchmarkGrows": "failure",
        "BenchmarkUndecided": "passed",
        "BenchmarkSettles": "passed",
        "BenchmarkSkips": "skipped",
        "BenchmarkFails": "error",
    }
    assert outcomes(parsed(everything(), "grows", "undecided"))["BenchmarkUndecided"] == "failure"
    assert outcomes(parsed(everything()))["BenchmarkGrows"] == "passed"
    (failure,) = root.iter("failure")
    assert "64 B, grows: it is made up; nothing may grow: main.f" in (failure.text or "")
    assert "1 goroutine, grows" in (failure.text or "")
    (said,) = root.iter("system-out")
    assert "unknown, undecided" in (said.text or "")
    error = next(case for case in root.iter("testcase") if case.get("name") == "BenchmarkFails")[0]
    assert (error.text or "").count("\n") == 3
    assert "\\x1b" in (error.text or "")


def test_markdown_keeps_names_in_their_places() -> None:
    page = render_gate(everything())
    assert page.startswith("### goretain gate: 1 grows, 1 undecided, 1 settles, 1 skipped, 2 failed\n")
    assert all(line.isprintable() for line in page.split("\n"))
    tables = [line for line in page.split("\n") if line.startswith("|")]
    for line in tables:
        assert line.replace("\\|", "").count("|") == 6
    assert "| 64 B | 64 .. 64 | grows: nothing may grow | `BenchmarkGrows` |" in page
    assert "| unknown | unknown | undecided: nothing may grow | `BenchmarkUndecided` |" in page
    assert "    does not build" in page
    assert "(x\\_y\\_\\|) that does not grow any more" in page


def test_markdown_stays_short_and_says_what_is_left_out() -> None:
    many = [
        benchmark(
            f"Benchmark{'X' * 500}{at}", "grows", *(row("main." + "f" * 900, "grows", 1.0, over="x"),) * 5
        )
        for at in range(300)
    ]
    page = render_gate(report(*many, failed="\n".join(["x" * 5000] * 500)))
    assert len(page) < 60_000
    assert "270 more benchmarks" in page
    assert "1,780 more call stacks" in page


def test_a_comparison_says_what_is_compared_and_what_became_of_it() -> None:
    changed = benchmark("BenchmarkX", "grows", row("main.f", "grows", 64.0, over="x", course="new"))
    changed = msgspec.structs.replace(changed, removed=(row("main.g", "grows", 8.0, course="less"),))
    base = GateBase(revision="main|", commit="0123456789abcdef", head="fedcba9876543210", uncommitted=True)
    whole = msgspec.structs.replace(report(changed), base=base)
    page = render_gate(whole)
    assert "`main|` (0123456789ab)" in page
    assert "uncommitted changes" in page
    assert "| 64 B | 64 .. 64 | new: x | `BenchmarkX` | `main.f" in page
    assert "| 8 B | 8 .. 8 | less | `BenchmarkX` | `main.g" in page
    (failure,) = parsed(whole, "grows").iter("failure")
    assert "64 B, new, grows" in (failure.text or "")
    for width in (80, 200):
        text = render_gate_text(whole, width).text
        assert "new, grows: it is made up" in " ".join(text.split())
        assert "compared with main| (0123456789ab)" in text
        assert max(len(line) for line in text.split("\n") if NASTY[:6] not in line) <= width


def test_a_report_of_nothing() -> None:
    empty = msgspec.structs.replace(report(), packages=())
    assert outcomes(parsed(empty)) == {}
    assert "no benchmarks" in render_gate(empty)
