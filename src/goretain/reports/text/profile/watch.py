"""``watch`` for people at a terminal. Imports ``model``, ``profile`` and ``reports``."""

from __future__ import annotations

from goretain.model.units import iec
from goretain.profile.frames import NOWHERE
from goretain.profile.watch.pacing import Pacing
from goretain.reports.results import MemoryTrend, StandingTrend, TargetReport, WatchReport
from goretain.reports.text.page import Page
from goretain.reports.text.profile.growth import curve, growth
from goretain.reports.text.profile.places import split_path, spot, stands
from goretain.reports.units import clean, number, plural


def render_watch(report: WatchReport, width: int) -> Page:
    """The report as lines of at most ``width`` columns."""
    page = Page(width)
    for at, target in enumerate(report.targets):
        if at:
            page.add()
        _target(page, target)
    page.add()
    page.words(
        f"all looks are in {report.file}: watch again with -o {report.file} to go on, or goretain watch -o"
        f" {report.file} alone to see this again",
        style="dim",
    )
    return page


def _target(page: Page, target: TargetReport) -> None:
    if target.growth is not None:
        growth(page, target.growth, target.name)
    else:
        looks = plural(target.looks, "look")
        page.words(f"{looks}, no two of one process", lead=[(clean(target.name), "bold"), ("  ", "")])
    if target.failed:
        page.fact("failed", f"{plural(target.failed, 'look')}, the last as {target.failure}", style="yellow")
    if target.memory is not None:
        _memory(page, target.memory)
    if target.goroutines is not None:
        _goroutines(page, target.goroutines, target.goroutine_count)


def _memory(page: Page, memory: MemoryTrend) -> None:
    first, last = memory.first, memory.last
    page.title("Memory of the process", "first look -> last look")
    if memory.resident is not None:
        page.fact("RSS", _from_to(*memory.resident), style="bold")
    elif last.max_rss is not None:
        page.fact("RSS", f"at most {iec(last.max_rss)} so far", style="bold")
    idle = (first.heap_idle - first.heap_released, last.heap_idle - last.heap_released)
    page.fact("heap", f"{_from_to(first.heap_in_use, last.heap_in_use)} in spans that hold objects")
    page.fact("idle", f"{_from_to(*idle)} kept for the next objects")
    page.fact("released", f"{_from_to(first.heap_released, last.heap_released)} given back to the system")
    page.fact("stacks", _from_to(first.stack_in_use, last.stack_in_use))
    if memory.resident is not None:
        ours = [stats.sys - stats.heap_released for stats in (first, last)]
        off = [rss - own for rss, own in zip(memory.resident, ours, strict=True)]
        if min(off) > 0:
            page.fact("off heap", f"{_from_to(*off)} of RSS is more than the runtime has: cgo, files, binary")
    forced = f" ({memory.forced_a_minute:.3g} of them forced)" if memory.forced_a_minute else ""
    often = f"{memory.collections_a_minute:.3g} a minute{forced}, {last.gc_cpu:.2%} of the processors; "
    page.fact("GC", f"{often}the next begins before {iec(last.next_gc)}{_pacing(memory.pacing)}")


def _pacing(pacing: Pacing | None) -> str:
    if pacing is None:
        return ""
    limit = "no GOMEMLIMIT" if pacing.memory_limit is None else f"GOMEMLIMIT={iec(pacing.memory_limit)}"
    percent = "off" if pacing.gogc < 0 else str(pacing.gogc)
    return f"; {'' if pacing.measured else 'started with '}GOGC={percent}, {limit}"


def _from_to(first: int, last: int) -> str:
    return f"{iec(first)} -> {iec(last)}"


def _goroutines(page: Page, rows: tuple[StandingTrend, ...], counts: tuple[int, ...]) -> None:
    page.title(f"Goroutines: {counts[0]:,} -> {counts[-1]:,}", "where their number grows, or may")
    if not rows:
        page.add("  nowhere")
        return
    body = [
        (number(row.counts[-1]), f"{row.an_hour:+,.0f}", row.trend, curve(row.counts), _stands(row))
        for row in rows
    ]
    heads = ("now", "an hour", "trend", "course", "stands at, began as, waits for")
    page.table(heads, body, left=3, styles={0: "bold"}, split=split_path)


def _stands(row: StandingTrend) -> str:
    state = f"  [{row.state}]" if row.state else ""
    if row.place is None and row.created_at is not None:
        return f"{row.start or 'goroutines'}, wherever <- go at {spot(row.created_at)}{state}"
    return stands(row.place or NOWHERE, row.own, row.start, row.created_at) + state
