"""``gate`` for people at a terminal. Imports ``model`` and ``reports``."""

from __future__ import annotations

from collections.abc import Sequence

from goretain.model.units import duration, iec
from goretain.profile.frames import own_frame
from goretain.reports.results import (
    GateBase,
    GateBenchmark,
    GatePackage,
    GateReport,
    PerIteration,
    RetainedRow,
    StandingLeft,
)
from goretain.reports.text.page import Page
from goretain.reports.text.profile.places import path, split_path
from goretain.reports.units import clean, plural, signed
from goretain.snapshot import Frame

_STYLES = {
    "grows": "bold red",
    "undecided": "yellow",
    "allowed": "green",
    "settles": "green",
    "failed": "bold red",
}
#: Why there were no more runs.
_STOPPED = {
    "iterations": "",
    "time": "; twice as many would take longer than --time",
    "memory": "; twice as many would need more than --memory",
}


def render_gate(report: GateReport, width: int) -> Page:
    """The report as lines of at most ``width`` columns."""
    page = Page(width)
    if report.base is not None:
        page.words(f"{_compared_with(report.base)}: amounts are what it adds", style="bold")
        page.add()
    for package in report.packages:
        _package(page, package, compared=report.base is not None)
    page.add()
    page.words(counted(report), lead=[("verdict  ", "dim")], style="bold")
    for known in report.unseen:
        text = f"{known.function} is a known site ({known.reason}) that does not grow in these benchmarks"
        page.words(f"{text}: {known.config}", lead=[("note  ", "dim")], hang="  ", style="yellow")
    return page


def _compared_with(base: GateBase) -> str:
    """``abc123 with uncommitted changes compared with main (def456)``."""
    head = f"{base.head[:12]} with" if base.head else "a work tree with"
    changes = f"{head} uncommitted changes" if base.uncommitted else base.head[:12]
    return f"{changes} compared with {clean(base.revision)} ({base.commit[:12]})"


def counted(report: GateReport) -> str:
    """How many benchmarks have which verdict."""
    counts = [
        f"{count:,} {what}"
        for count, what in (
            (report.grows, "grow" if report.grows != 1 else "grows"),
            (report.undecided, "undecided"),
            (report.allowed, "allowed"),
            (report.settles, "settle" if report.settles != 1 else "settles"),
            (report.skipped, "skipped"),
            (report.failed, "failed"),
        )
        if count
    ]
    return ", ".join(counts) or "no benchmarks"


def rate(amount: PerIteration, unit: str) -> str:
    """``64 B``, ``0.5 B``; unknown of too few runs."""
    if amount.rate is None:
        return "unknown"
    value = amount.rate
    if abs(value) >= 1024 and unit == "B":
        return iec(round(value))
    return f"{value:.3g} {unit}".rstrip()


def amount_of(row: RetainedRow | StandingLeft) -> PerIteration:
    """What counts of a row."""
    return row.bytes if isinstance(row, RetainedRow) else row.count


def between(amount: PerIteration) -> str:
    """``0.159 .. 0.164``: the least and the most of a doubling; unknown of too few runs."""
    if amount.low is None or amount.high is None:
        return "unknown"
    return f"{amount.low:.3g} .. {amount.high:.3g}"


def _package(page: Page, package: GatePackage, *, compared: bool) -> None:
    page.add((clean(package.path), "bold"), (f"  {package.go}" if package.go else "", "dim"))
    if package.failed is not None:
        for line in package.failed.split("\n"):
            page.add("  ", (clean(line.expandtabs(4)), "red"))
    for note in package.notes:
        page.fact("note", note, style="yellow")
    if package.failed is None and not package.benchmarks:
        page.add("  nothing of it matches")
    for benchmark in package.benchmarks:
        _benchmark(page, benchmark, limited=package.config is not None, compared=compared)


def _benchmark(page: Page, one: GateBenchmark, *, limited: bool, compared: bool) -> None:
    """A benchmark.

    Args:
        limited: whether a file says what may grow, so that it is to be told of each row.
        compared: whether amounts are what a change adds.
    """
    verdict = "skipped" if one.skipped else one.verdict or "failed"
    if verdict != "settles":
        page.add()
    page.add(
        (f"{verdict:<9} ", _STYLES.get(verdict, "dim")), (clean(one.name), "bold"), *_rest(one, compared)
    )
    if one.failed is not None:
        for line in one.failed.split("\n"):
            page.add("  ", (clean(line.expandtabs(4)), ""))
    if one.total is None or one.goroutines is None:
        return
    removed = one.removed or one.removed_standing
    if one.verdict == "settles" and not removed:
        return
    if one.total.bytes.rate is not None:
        each = f"{rate(one.total.bytes, 'B')}, {rate(one.total.objects, '')} objects"
        page.fact("each", f"{each}, {rate(one.goroutines.count, '')} goroutines")
    runs = (
        f"{len(one.iterations)} in {duration(int(one.seconds * 1e9))}, to {one.iterations[-1]:,} iterations"
    )
    page.fact("runs", f"{runs}{_STOPPED[one.stopped]}")
    shown = [row for row in one.sites if row.bytes.trend != "settles"]
    if shown:
        _sites(page, shown, limited=limited)
    if one.removed:
        page.words("What the change takes away", lead=[("  ", "")], style="dim")
        _sites(page, one.removed, limited=limited)
    for row in (*one.standing, *one.removed_standing):
        grows = f"{rate(row.count, '')} each, {trend_of(row)}{_why(row, limited=limited)}"
        page.fact("goroutines", f"{grows}: {where(row.stack)}")
    for amount, together in ((one.total.bytes, one.total), (one.goroutines.count, one.goroutines)):
        if together.over is not None or together.allowed is not None:
            page.fact("together", f"{amount.trend}: {_because(amount)}{_why(together, limited=limited)}")
    if one.settles_total:
        page.fact("settles", plural(one.settles_total, "call stack"))


def _rest(one: GateBenchmark, compared: bool) -> tuple[tuple[str, str], ...]:
    """All that there is to say of a benchmark that settles."""
    if one.verdict != "settles" or one.total is None:
        return ()
    left = one.total.bytes.left[-1]
    held = f"{signed(left) if compared else iec(left)} in use after {one.iterations[-1]:,} iterations"
    return (("  ", ""), (held, "dim"))


def _because(amount: PerIteration) -> str:
    return amount.reason + (f"; to decide: {amount.decide}" if amount.decide else "")


def _why(row: RetainedRow | StandingLeft, *, limited: bool) -> str:
    """What the limits say of it."""
    said = row.allowed or row.over
    return f"; {said}" if limited and said else ""


def trend_of(row: RetainedRow | StandingLeft) -> str:
    """``grows``; compared, ``new, grows``, and of what the change takes away ``gone``."""
    trend = amount_of(row).trend
    if row.course in ("less", "gone"):
        return row.course
    return f"{row.course}, {trend}" if row.course else trend


def _sites(page: Page, rows: Sequence[RetainedRow], *, limited: bool) -> None:
    page.table(
        ("each", "between", "objects", "call stack"),
        [
            (
                rate(row.bytes, "B"),
                between(row.bytes),
                rate(row.objects, ""),
                where(row.stack),
            )
            for row in rows
        ],
        left=1,
        styles={0: "bold"},
        split=split_path,
        below=[(f"{trend_of(row)}: {_because(row.bytes)}{_why(row, limited=limited)}",) for row in rows],
    )


def where(stack: tuple[Frame, ...]) -> str:
    """The frame that allocates or stands, the program's own line that led there, and its callers."""
    return path(stack[0], own_frame(stack), stack)
