"""What the gate says, as JUnit XML: a suite for each package, a case for each benchmark.

The form is that of Ant's junit task as Jenkins, GitLab and GitHub's actions read it: ``testsuites`` >
``testsuite`` > ``testcase`` > ``failure`` | ``error`` | ``skipped``, ``system-out``. Imports this package.
"""

from __future__ import annotations

from collections.abc import Collection
from xml.etree import ElementTree as ET

from goretain.reports.gatepage import removed_of, rows_of, stays
from goretain.reports.results import GateBenchmark, GatePackage, GateReport, RetainedRow, StandingLeft
from goretain.reports.text.gate import amount_of, rate, trend_of, where
from goretain.reports.units import clean


def render_gate(report: GateReport, failing: Collection[str | None]) -> str:
    """The report. failing: verdicts that make a case fail."""
    root = ET.Element("testsuites", name="goretain gate")
    for package in report.packages:
        _suite(root, package, failing)
    _count(root)
    ET.indent(root)
    written: bytes = ET.tostring(root, "utf-8", xml_declaration=True)
    return written.decode() + "\n"


def _suite(root: ET.Element, package: GatePackage, failing: Collection[str | None]) -> None:
    suite = ET.SubElement(root, "testsuite", name=clean(package.path))
    if package.failed is not None:
        case = _case(suite, package, "build", 0.0)
        _said(ET.SubElement(case, "error", type="build"), package.failed)
    for one in package.benchmarks:
        case = _case(suite, package, one.name, one.seconds)
        if one.failed is not None:
            _said(ET.SubElement(case, "error", type="benchmark"), one.failed)
        elif one.skipped:
            ET.SubElement(case, "skipped", message="the benchmark skips itself")
        else:
            _verdict(case, one, one.verdict in failing)
    _count(suite)


def _case(suite: ET.Element, package: GatePackage, name: str, seconds: float) -> ET.Element:
    return ET.SubElement(
        suite, "testcase", classname=clean(package.path), name=clean(name), time=f"{seconds:.3f}"
    )


def _verdict(case: ET.Element, one: GateBenchmark, fails: bool) -> None:
    """A failure with what stays, or what there is to say of one that passes."""
    assert one.total is not None  # it was measured
    assert one.goroutines is not None
    rows = [*rows_of(one), *removed_of(one)]
    head = (
        f"{one.verdict}: {rate(one.total.bytes, 'B')}, {rate(one.total.objects, '')} objects and"
        f" {rate(one.goroutines.count, '')} goroutines stay for each iteration"
    )
    together = [row for row in (one.total, one.goroutines) if row.over is not None or row.allowed is not None]
    text = "\n".join([head, *(_line(row) for row in (*rows, *together))])
    if fails:
        _said(ET.SubElement(case, "failure", type=str(one.verdict)), text)
    elif rows or together:
        ET.SubElement(case, "system-out").text = _lines(text)


def _line(row: RetainedRow | StandingLeft) -> str:
    amount = amount_of(row)
    stack = where(row.stack) if row.stack else "all call stacks together"
    why = row.allowed or row.over
    return f"{stays(row)}, {trend_of(row)}: {amount.reason}{f'; {why}' if why else ''}: {stack}"


def _said(element: ET.Element, text: str) -> None:
    """A message of one line, and all of it."""
    element.set("message", clean(text.partition("\n")[0]))
    element.text = _lines(text)


def _lines(text: str) -> str:
    """Text without the characters that XML 1.0 has no way to write."""
    return "\n".join(clean(line.expandtabs(4)) for line in text.split("\n"))


def _count(suite: ET.Element) -> None:
    """The counts that readers want to find on suites."""
    for name, found in (
        ("tests", "testcase"),
        ("failures", "failure"),
        ("errors", "error"),
        ("skipped", "skipped"),
    ):
        suite.set(name, str(len(list(suite.iter(found)))))
    seconds = sum(float(case.get("time", "0")) for case in suite.iter("testcase"))
    suite.set("time", f"{seconds:.3f}")
