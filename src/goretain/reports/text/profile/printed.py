"""What a program printed of itself: memory statistics, garbage collections, benchmarks.

Imports ``model``, ``profile`` for its structs, and ``reports``.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from goretain.model.units import iec
from goretain.profile.contents import Collection, MemStats
from goretain.reports.results import BenchmarkRow, CollectionSection
from goretain.reports.text.page import Page
from goretain.reports.units import number, plural

_LATEST = 10
_NONE = "-"


def memory(page: Page, memory: MemStats) -> None:
    """What runtime.MemStats says of the process."""
    idle = f"idle {iec(memory.heap_idle)}, of which the system has {iec(memory.heap_released)} back"
    page.fact("heap", f"{iec(memory.heap_alloc)} allocated in {iec(memory.heap_in_use)} of spans; {idle}")
    resident = f"; RSS at most {iec(memory.max_rss)} so far" if memory.max_rss is not None else ""
    page.fact("memory", f"{iec(memory.sys)} of the system, stacks {iec(memory.stack_in_use)}{resident}")
    forced = f" ({memory.gc_forced:,} forced)" if memory.gc_forced else ""
    took = f"{memory.gc_cpu * 100:.2g}% of the processors"
    page.fact("gc", f"{plural(memory.gc_count, 'cycle')}{forced}, {took}; next at {iec(memory.next_gc)}")


def collections(page: Page, section: CollectionSection) -> None:
    """The last collections, and what all were like."""
    rows, processes = section.rows, section.processes or 0
    page.title(
        "Garbage collections", f"of {plural(processes, 'process', 'processes')}" if processes > 1 else ""
    )
    if rows:
        forced = sum(row.forced for row in rows)
        many = f"{plural(len(rows), 'cycle')}, {forced:,} forced"
        took = f"longest pause {section.longest_pause_ms:.3g} ms; {rows[-1].cpu_percent}% of the processors"
        page.fact("cycles", f"{many}; {took}")
        page.fact("live heap", f"{iec(rows[0].live)} after the first, {iec(rows[-1].live)} after the last")
        heads = ("cycle", "at", "began", "ended", "live", "goal", "pauses", "mark", "")
        body = [_collection(row) for row in rows[-_LATEST:]]
        page.table(heads, body, left=1, styles={4: "bold"})
        if len(rows) > _LATEST:
            page.add((f"  {plural(len(rows) - _LATEST, 'earlier cycle')}: --json", "dim"))
    if section.scavenges:
        last = section.scavenges[-1]
        given = sum(row.background + row.eager for row in section.scavenges)
        now = f"{iec(last.released)} released now, {last.utilisation}% of the rest in use"
        page.fact("scavenger", f"gave {iec(given)} back to the system; {now}")


def _collection(row: Collection) -> tuple[str, ...]:
    return (
        f"{row.number:,}", f"{row.at:.3f} s", iec(row.start), iec(row.end), iec(row.live), iec(row.goal),
        f"{sum(row.pauses_ms):.3g} ms", f"{row.mark_ms:.3g} ms", "forced" if row.forced else "",
    )  # fmt: skip


def benchmarks(page: Page, rows: Sequence[BenchmarkRow]) -> None:
    """The median of the runs of each benchmark, and how far apart they are."""
    page.title("Benchmarks", "median of the runs, and the width of their range")
    units = list(dict.fromkeys(unit for row in rows for unit in row.values))
    body = [
        (*(_median(row.values.get(unit, ())) for unit in units), number(len(row.iterations)), row.name)
        for row in rows
    ]
    page.table((*units, "runs", "benchmark"), body, left=1, styles={len(units) + 1: "bold"})


def _median(values: Sequence[float]) -> str:
    if not values:
        return _NONE
    middle = statistics.median(values)
    apart = (
        f" ±{(max(values) - min(values)) / 2 / abs(middle) * 100:.0f}%" if len(values) > 1 and middle else ""
    )
    return f"{middle:,.6g}{apart}"
