"""``profile`` for people at a terminal. Imports ``model``, ``profile`` and ``reports``."""

from __future__ import annotations

from collections.abc import Sequence

from goretain.model.units import iec
from goretain.profile.sites.sampling import MOST_ERROR
from goretain.reports.results import (
    HeapSection,
    ProfileFile,
    ProfileReport,
    SiteRow,
    StandingRow,
    StandingSection,
)
from goretain.reports.text.page import Page, breakable, chain_pieces
from goretain.reports.text.parts import left_out
from goretain.reports.text.profile.places import head_of, margin, path, split_path, spot, stands
from goretain.reports.text.profile.printed import benchmarks, collections
from goretain.reports.text.profile.values import values
from goretain.reports.units import clean, number, plural

_TOO_FEW = "too few"
_FILES = 10
_NONE = "-"


def render_profile(report: ProfileReport, width: int) -> Page:
    """The report as lines of at most ``width`` columns."""
    page = Page(width)
    for file in report.files[:_FILES]:
        head_of(page, file)
    if len(report.files) > _FILES:
        page.add((f"  {plural(len(report.files) - _FILES, 'more file')}: --json", "dim"))
    if report.heap is not None:
        _heap(page, report.heap, [file for file in report.files if file.kind == "heap"])
    if report.goroutines is not None:
        _standing(page, report.goroutines)
    for section in report.values:
        values(page, section)
    if report.collections is not None:
        collections(page, report.collections)
    if report.benchmarks:
        benchmarks(page, report.benchmarks)
    return page


def _heap(page: Page, heap: HeapSection, files: Sequence[ProfileFile]) -> None:
    total = heap.total
    difference = any(file.seconds for file in files)  # ?seconds=N
    page.fact(
        "change" if difference else "in use",
        f"{iec(total.in_use_bytes)} in {plural(total.in_use_objects, 'object')}"
        f"{_sure(total.in_use_samples, total.in_use_error)}",
        style="bold",
    )
    stays = f", {_share(total.survival)} of it in use" if total.survival is not None else ""
    since = "in that time" if difference else "since the start"
    page.fact(
        "allocated",
        f"{iec(total.allocated_bytes)} in {plural(total.allocated_objects, 'object')} {since}{stays}",
    )
    page.fact("sampling", _sampling({file.rate for file in files}))
    if difference:
        page.title("What changed in use, by allocation site", "in that time")
    else:
        page.title("What stays, by allocation site", "in use as of the last garbage collection")
    _sites(page, heap.in_use, "change" if difference else "in use", kept=True)
    left_out(page, heap.in_use_total, len(heap.in_use), "site")
    if heap.unclaimed_sites:
        few = f"{plural(heap.unclaimed_sites, 'site')} with {iec(heap.unclaimed_bytes)} in all"
        page.words(f"too few samples to claim anything: {few}", lead=[("  ", "")], hang="  ", style="dim")
    _held(page, heap)
    page.title(
        "What is allocated, by allocation site", "in that time" if difference else "since the process began"
    )
    _sites(page, heap.allocated, "allocated", kept=False)
    left_out(page, heap.sites_total, len(heap.allocated), "site")


def _held(page: Page, heap: HeapSection) -> None:
    """Who holds what stays, where a snapshot was given."""
    rows = [row for row in heap.in_use if row.held_by is not None]
    if not rows:
        return
    page.title("Who holds it", "of the sampled objects that the snapshot has")
    for row in rows:
        page.add(("  ", ""), (clean(spot(row.own or row.place)), "bold"))
        for held in row.held_by or ():
            pieces = breakable(
                chain_pieces(held.chain.root, held.chain.links, held.chain.end), page.width - 10
            )
            shared = f" (shared by {len(held.holders)})" if len(held.holders) > 1 else ""
            lead = [(f"    {plural(held.samples, 'sample')}{shared}  ", "")]
            page.pieces(pieces, lead=lead, hang=" " * 8)
        if not row.held_by:
            page.add(("    no sampled object of it: freed since, or of another process", "dim"))


def _sampling(rates: set[int | None]) -> str:
    if None in rates:
        return "at an unknown rate: how far off the figures are is unknown"
    if rates == {1}:
        return "every allocation is recorded: the figures are exact"
    every = " and ".join(iec(rate) for rate in sorted(rate for rate in rates if rate is not None))
    return f"one in {every}: k samples are off by 1/sqrt(k), large objects by less; under 4 claim nothing"


def _sure(samples: int | None, off: float | None) -> str:
    if samples is None or not off:
        return ""
    return f" ({plural(samples, 'sample')}, {margin(off)})"


def _share(part: float | None) -> str:
    if part is None:
        return _NONE
    return "<0.1%" if 0 < part < 0.001 else f"{part * 100:.3g}%"


def _sites(page: Page, rows: Sequence[SiteRow], what: str, *, kept: bool) -> None:
    if not rows:
        page.add("  nothing")
        return
    heads = (what, "survival", "samples", "error", "site and its callers")
    body = [_site(row, kept=kept) for row in rows]
    page.table(heads, body, left=1, styles={0: "bold"}, split=split_path)


def _site(row: SiteRow, *, kept: bool) -> tuple[str, ...]:
    size = row.in_use_bytes if kept else row.allocated_bytes
    samples = row.in_use_samples if kept else row.allocated_samples
    off = row.in_use_error if kept else row.allocated_error
    error = _TOO_FEW if off is not None and off > MOST_ERROR else margin(off)
    return (iec(size), _share(row.survival), number(samples), error, path(row.place, row.own, row.path))


def _standing(page: Page, section: StandingSection) -> None:
    what = "leaked: nothing can wake them" if section.leaked else ""
    page.title(f"Goroutines: {section.count:,}", what)
    if not section.rows:
        page.add("  none")
        return
    known = any(row.state is not None for row in section.rows)
    heads = ("count", *(("state",) if known else ()), "stands at, began as, labels")
    body = [(number(row.count), *((_state(row),) if known else ()), _stands(row)) for row in section.rows]
    page.table(heads, body, left=2 if known else 1, styles={0: "bold"}, split=split_path)
    left_out(page, section.rows_total, len(section.rows), "place")


def _state(row: StandingRow) -> str:
    wait = f", {plural(row.waiting_minutes, 'minute')}" if row.waiting_minutes else ""
    return f"{row.state or 'unknown'}{wait}"


def _stands(row: StandingRow) -> str:
    labels = f"  {{{', '.join(row.labels)}}}" if row.labels else ""
    return stands(row.place, row.own, row.start, row.created_at) + labels
