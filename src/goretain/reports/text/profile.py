"""``profile`` for people at a terminal. Imports ``model``, ``snapshot`` and ``reports``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from goretain.model.units import duration, iec
from goretain.profile.sampling import MOST_ERROR
from goretain.reports.results import (
    HeapSection,
    ProfileDiffReport,
    ProfileFile,
    ProfileReport,
    SiteChange,
    SiteRow,
    StandingRow,
    StandingSection,
    ValueSection,
)
from goretain.reports.text.page import Page
from goretain.reports.text.parts import left_out
from goretain.reports.units import clean, moment, number, plural, signed
from goretain.snapshot import Frame

_NOWHERE = "(code without symbols)"
_CALLERS = 4
_TOO_FEW = "too few"
#: Outermost frames, that say nothing.
_BEGINNINGS = ("runtime.main", "runtime.goexit")
_NONE = "-"


def render_profile(report: ProfileReport, width: int) -> Page:
    """The report as lines of at most ``width`` columns."""
    page = Page(width)
    for file in report.files:
        _file(page, file)
    if report.heap is not None:
        _heap(page, report.heap, _rates(report.files))
    if report.goroutines is not None:
        _standing(page, report.goroutines)
    for section in report.values:
        _values(page, section)
    return page


def render_profile_diff(report: ProfileDiffReport, width: int) -> Page:
    """The report as lines of at most ``width`` columns."""
    page = Page(width)
    for file in report.files:
        _file(page, file)
    if report.total is not None and report.in_use_bytes is not None:
        _changes(page, report, report.total)
    if report.goroutines is not None and report.count is not None:
        _standing_changes(page, report)
    return page


def _file(page: Page, file: ProfileFile) -> None:
    said: list[str] = [file.kind if file.kind != "values" else "profile"]
    if file.program:
        said.append(PurePath(file.program).name)
    if file.taken_at is not None:
        said.append(moment(file.taken_at))
    if file.seconds is not None:
        said.append(f"over {duration(int(file.seconds * 1e9))}")
    page.words(", ".join(said), lead=[(clean(file.name), "bold"), ("  ", "")], hang="  ", style="dim")
    for note in file.notes:
        page.fact("note", note, style="yellow")


def _rates(files: Sequence[ProfileFile]) -> set[int | None]:
    return {file.rate for file in files if file.kind == "heap"}


def _heap(page: Page, heap: HeapSection, rates: set[int | None]) -> None:
    total = heap.total
    page.fact(
        "in use",
        f"{iec(total.in_use_bytes)} in {plural(total.in_use_objects, 'object')}"
        f"{_sure(total.in_use_samples, total.in_use_error)}",
        style="bold",
    )
    stays = f", {_share(total.survival)} of it in use" if total.survival is not None else ""
    page.fact(
        "allocated",
        f"{iec(total.allocated_bytes)} in {plural(total.allocated_objects, 'object')} since the start{stays}",
    )
    page.fact("sampling", _sampling(rates))
    page.title("What stays, by allocation site", "in use as of the last garbage collection")
    _sites(page, heap.in_use, kept=True)
    left_out(page, heap.in_use_total, len(heap.in_use), "site")
    if heap.unclaimed_sites:
        few = f"{plural(heap.unclaimed_sites, 'site')} with {iec(heap.unclaimed_bytes)} in all"
        page.words(f"too few samples to claim anything: {few}", lead=[("  ", "")], hang="  ", style="dim")
    page.title("What is allocated, by allocation site", "since the process began")
    _sites(page, heap.allocated, kept=False)
    left_out(page, heap.sites_total, len(heap.allocated), "site")


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
    return f" ({plural(samples, 'sample')}, {_off(off)})"


def _off(error: float | None) -> str:
    if error is None:
        return "unknown"
    return "exact" if error == 0 else "±<1%" if error < 0.01 else f"±{error * 100:.0f}%"


def _share(part: float | None) -> str:
    if part is None:
        return _NONE
    return "<0.1%" if 0 < part < 0.001 else f"{part * 100:.3g}%"


def _sites(page: Page, rows: Sequence[SiteRow], *, kept: bool) -> None:
    if not rows:
        page.add("  nothing")
        return
    heads = ("in use" if kept else "allocated", "survival", "samples", "error", "site and its callers")
    body = [_site(row, kept=kept) for row in rows]
    page.table(heads, body, left=1, styles={0: "bold"}, split=_split_path)


def _site(row: SiteRow, *, kept: bool) -> tuple[str, ...]:
    size = row.in_use_bytes if kept else row.allocated_bytes
    samples = row.in_use_samples if kept else row.allocated_samples
    off = row.in_use_error if kept else row.allocated_error
    error = _TOO_FEW if off is not None and off > MOST_ERROR else _off(off)
    return (iec(size), _share(row.survival), number(samples), error, _path(row.place, row.own, row.path))


def _path(place: Frame, own: Frame | None, path: Sequence[Frame]) -> str:
    """The frame that allocates, and from the program's own on who called it."""
    after = path[path.index(own) + 1 :] if own in path else path[1:]
    after = [frame for frame in after if frame.function not in _BEGINNINGS]
    shown = [place, *([own] if own is not None and own != place else []), *after[:_CALLERS]]
    more = " <- …" if len(after) > _CALLERS else ""
    return " <- ".join(spot(frame) for frame in shown) + more


def _split_path(text: str) -> list[str]:
    first, *callers = text.split(" <- ")
    return [first, *(f" <- {caller}" for caller in callers)]


def spot(frame: Frame) -> str:
    """``main.keep main.go:45``."""
    name = frame.function or (PurePath(frame.file).name or _NOWHERE)
    line = f":{frame.line}" if frame.line else ""
    return f"{name} {PurePath(frame.file).name}{line}" if frame.function and frame.file else name


def _standing(page: Page, section: StandingSection) -> None:
    what = "leaked: nothing can wake them" if section.leaked else ""
    page.title(f"Goroutines: {section.count:,}", what)
    if not section.rows:
        page.add("  none")
        return
    known = any(row.state is not None for row in section.rows)
    heads = ("count", *(("state",) if known else ()), "stands at, began as, labels")
    body = [(number(row.count), *((_state(row),) if known else ()), _stands(row)) for row in section.rows]
    page.table(heads, body, left=2 if known else 1, styles={0: "bold"}, split=_split_path)
    left_out(page, section.rows_total, len(section.rows), "place")


def _state(row: StandingRow) -> str:
    wait = f", {plural(row.waiting_minutes, 'minute')}" if row.waiting_minutes else ""
    return f"{row.state or 'unknown'}{wait}"


def _stands(row: StandingRow) -> str:
    own = f" <- {spot(row.own)}" if row.own is not None and row.own != row.place else ""
    start = f" <- {row.start}" if row.start and row.start != (row.own or row.place).function else ""
    made = f" <- go at {spot(row.created_at)}" if row.created_at is not None else ""
    labels = f"  {{{', '.join(row.labels)}}}" if row.labels else ""
    return f"{spot(row.place)}{own}{start}{made}{labels}"


def _values(page: Page, section: ValueSection) -> None:
    totals = zip(section.totals, section.units, section.types, strict=True)
    page.title("Samples by site", ", ".join(f"{kind} {_value(v, unit)}" for v, unit, kind in totals))
    body = [
        (
            *(_value(v, unit) for v, unit in zip(row.values, section.units, strict=True)),
            _path(row.place, row.own, ()),
        )
        for row in section.rows
    ]
    if body:
        page.table(
            (*section.types, "site"), body, left=1, styles={len(section.types) - 1: "bold"}, split=_split_path
        )
    left_out(page, section.rows_total, len(section.rows), "site")


def _value(value: int, unit: str) -> str:
    return duration(value) if unit == "nanoseconds" else iec(value) if unit == "bytes" else number(value)


def _changes(page: Page, report: ProfileDiffReport, total: SiteChange) -> None:
    before, after = (iec(size) for size in total.in_use_bytes)
    page.fact(
        "in use", f"{before} -> {after} ({signed(total.in_use_change)}{_give(total.error)})", style="bold"
    )
    if report.same_process:
        page.fact("allocated", f"{iec(total.allocated_change)} between the two")
    else:
        page.fact(
            "compared", "two processes: their samples have nothing in common, and the errors of both count"
        )
    rows = [row for row in report.sites if not row.noise]
    page.title("What changed in use, by allocation site")
    if rows:
        heads = ("change", "error", "now", "samples", "site and its callers")
        body = [_change(row) for row in rows]
        page.table(heads, body, left=1, styles={0: "bold"}, split=_split_path)
    else:
        page.add("  nothing that the sampling could not have made up")
    left_out(page, report.sites_total - report.noise_total, len(rows), "site")
    if report.noise_total:
        noise = f"{plural(report.noise_total, 'site')} with {signed(report.noise_bytes)} in all"
        page.words(
            f"noise: {noise}, within twice the error of sampling", lead=[("  ", "")], hang="  ", style="dim"
        )


def _give(error: float | None) -> str:
    return ", error unknown" if error is None else f", ±{iec(round(error))}" if error else ""


def _change(row: SiteChange) -> tuple[str, ...]:
    off = "unknown" if row.error is None else f"±{iec(round(row.error))}" if row.error else "exact"
    return (
        signed(row.in_use_change), off, iec(row.in_use_bytes[1]), number(row.samples),
        _path(row.place, row.own, row.path),
    )  # fmt: skip


def _standing_changes(page: Page, report: ProfileDiffReport) -> None:
    assert report.goroutines is not None  # the caller asked
    assert report.count is not None
    before, after = report.count
    page.title(f"Goroutines: {before:,} -> {after:,} ({number(after - before, sign=True)})")
    if not report.goroutines:
        page.add("  as many at every place")
        return
    body = []
    for row in report.goroutines:
        own = f" <- {spot(row.own)}" if row.own is not None and row.own != row.place else ""
        state = f"  [{row.state}]" if row.state else ""
        change = number(row.count[1] - row.count[0], sign=True)
        body.append((change, number(row.count[1]), f"{spot(row.place)}{own} <- {row.start}{state}"))
    page.table(("change", "now", "stands at, began as"), body, left=1, styles={0: "bold"}, split=_split_path)
    left_out(page, report.goroutines_total, len(body), "place")
