"""What must hold of every reading that was not refused: its sums agree with each other and with the heap."""

from __future__ import annotations

from goretain.heap.heap import Heap
from goretain.reports import json, text
from goretain.reports.results import WhyReport
from goretain.reports.why import why_report
from goretain.snapshot import Snapshot, validate


def report_of(snapshot: Snapshot) -> WhyReport:
    """The whole answer of ``why``, rendered in both formats. Raises AssertionError where a sum is wrong."""
    validate(snapshot)
    heap = Heap(snapshot)
    report = why_report("target", heap, top=5, min_bytes=0, focus="")
    text.render_why(report, 80, small=False)
    assert json.render(report)
    facts, coverage = report.heap, heap.coverage
    reached = facts.reachable_objects, facts.reachable_bytes
    whole = coverage.enumerated
    assert reached == (coverage.reached.objects, coverage.reached.bytes)
    assert reached[0] + facts.unreached_objects == whole.objects == snapshot.object_count
    assert reached[1] + facts.unreached_bytes == whole.bytes == int(snapshot.columns.object_size.sum())
    for part in (coverage.typed, coverage.named, coverage.scannable, coverage.scannable_typed):
        assert 0 <= part.objects <= reached[0]
        assert 0 <= part.bytes <= reached[1]
    assert sum(row.retained_bytes for row in heap.holders) <= reached[1]
    assert sum(row.retained_bytes for row in heap.holders) + sum(s.bytes for s in heap.shared) == reached[1]
    assert all(0 <= finding.saving_bytes <= whole.bytes for finding in report.findings)
    assert facts.map_bytes <= whole.bytes
    assert min(facts.map_bytes, facts.in_use_bytes, facts.stack_bytes, facts.unswept_bytes) >= 0
    return report
