"""What the gate says, as Markdown for a pull request or the summary of a step. Imports this package.

However many packages there are, it is far shorter than what GitHub takes (64 KiB a comment).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from goretain.reports.markdown import code, escape, table
from goretain.reports.results import (
    GateBenchmark,
    GatePackage,
    GateReport,
    RetainedRow,
    StandingLeft,
)
from goretain.reports.text.gate import amount_of, between, counted, rate, where
from goretain.reports.units import clean

#: Rows of a table, lines of what a compiler or test said, columns of a call stack and of a line.
_BENCHMARKS, _ROWS, _SAID, _WIDE = 30, 20, 12, 160
_ORDER = ("grows", "undecided", "allowed", "settles")


def render_gate(report: GateReport) -> str:
    """Benchmarks by verdict, the call stacks that keep memory or goroutines, and what failed."""
    lines = [f"### goretain gate: {counted(report)}"]
    if report.base is not None:
        head = report.base.head[:12] or "the work tree"
        changes = " with uncommitted changes" if report.base.uncommitted else ""
        with_ = f"{code(report.base.revision)} ({report.base.commit[:12]})"
        lines += ["", f"What {head}{changes} adds to {with_}, for each iteration."]
    measured = [
        (package, one) for package in report.packages for one in package.benchmarks if one.verdict is not None
    ]
    measured.sort(key=lambda each: _ORDER.index(each[1].verdict))
    lines += _benchmarks(measured[:_BENCHMARKS])
    lines += _more(len(measured) - _BENCHMARKS, "benchmarks")
    rows = [(one, row) for _, one in measured for row in rows_of(one)]
    rows.sort(key=lambda each: each[1].over is None)
    rows += [(one, row) for _, one in measured for row in removed_of(one)]
    if rows:
        lines += ["", "What stays for each iteration:"]
        lines += table(
            ("stays", "between", "verdict", "benchmark", "call stack"),
            [_row(*each) for each in rows[:_ROWS]],
        )
        lines += _more(len(rows) - _ROWS, "call stacks")
    for package in report.packages:
        lines += _failures(package)
    for known in report.unseen:
        lines += [
            "",
            f"- {code(known.function)} is a known site ({escape(known.reason)}) that does not grow any more",
        ]
    return "\n".join([*lines, "", f"goretain {report.goretain}"]) + "\n"


def _benchmarks(measured: Sequence[tuple[GatePackage, GateBenchmark]]) -> list[str]:
    rows = []
    for package, one in measured:
        assert one.total is not None  # it was measured
        assert one.goroutines is not None
        verdict = f"**{one.verdict}**" if one.verdict == "grows" else str(one.verdict)
        amounts = (
            rate(one.total.bytes, "B"),
            rate(one.total.objects, ""),
            rate(one.goroutines.count, ""),
        )
        rows.append((*amounts, verdict, f"{_name(one.name)} {_name(package.path)}"))
    return table(("bytes", "objects", "goroutines", "verdict", "benchmark"), rows)


def rows_of(one: GateBenchmark) -> list[RetainedRow | StandingLeft]:
    """The call stacks that do not settle."""
    rows: list[RetainedRow | StandingLeft] = [*one.sites, *one.standing]
    return [row for row in rows if amount_of(row).trend != "settles"]


def removed_of(one: GateBenchmark) -> list[RetainedRow | StandingLeft]:
    """The call stacks of which a change leaves less."""
    return [*one.removed, *one.removed_standing]


def stays(row: RetainedRow | StandingLeft) -> str:
    """``64 B``, ``1 goroutine``."""
    if isinstance(row, RetainedRow):
        return rate(row.bytes, "B")
    return rate(row.count, "goroutine" if row.count.rate == 1 else "goroutines")


def _row(one: GateBenchmark, row: RetainedRow | StandingLeft) -> tuple[str, ...]:
    amount = amount_of(row)
    verdict: str = row.course or ("allowed" if row.allowed else amount.trend)
    why = row.allowed or row.over
    verdict += f": {escape(why)}" if why else ""
    return stays(row), between(amount), verdict, _name(one.name), _name(where(row.stack))


def _failures(package: GatePackage) -> Iterator[str]:
    """What did not build, or failed."""
    for note in package.notes:
        yield from ("", f"- {_name(package.path)}: {escape(note)}")
    said = [(package.path, package.failed), *((one.name, one.failed) for one in package.benchmarks)]
    for name, failed in said:
        if failed is not None:
            yield from ("", f"{_name(name)} failed:", "")
            lines = failed.split("\n")
            yield from (f"    {_short(clean(line.expandtabs(4)))}" for line in lines[:_SAID])


def _more(count: int, what: str) -> list[str]:
    return ["", f"{count:,} more {what}"] if count > 0 else []


def _name(text: str) -> str:
    return code(_short(text))


def _short(text: str) -> str:
    """Names of Go may be very long; the beginning and the end say most."""
    return text if len(text) <= _WIDE else f"{text[: _WIDE // 2]}…{text[-_WIDE // 2 :]}"
