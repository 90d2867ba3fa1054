"""Reports as Markdown to paste into an incident: at most 60 lines, whatever the heap looks like.

Imports ``model`` and this package.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from goretain.model.findings import Finding
from goretain.model.units import duration, iec
from goretain.reports.results import (
    DiffReport,
    DoctorReport,
    FindingRow,
    GoroutineSection,
    GrowthRow,
    Look,
    RssSection,
    WhatIf,
    WhyReport,
)
from goretain.reports.text.parts import allocation
from goretain.reports.units import clean, moment, number, percent, plural, signed

#: No report is longer than this.
MAX_LINES = 60
_FINDINGS = 5
_HOLDERS = 10
_SHARED_GROUPS, _SHARED_HOLDERS = 3, 3
_TABLE_HEAD = 3
_GROWN = 10
_NOTES = 3
_WITHOUT = 3
_SITES = 2
_RSS = 4


def render_why(report: WhyReport) -> str:
    """The report in at most MAX_LINES lines."""
    heap, look = report.heap, report.look
    garbage = heap.unswept_bytes + heap.unreached_bytes
    typed = report.coverage.typed
    live = f"live heap **{iec(heap.reachable_bytes)}** in {plural(heap.reachable_objects, 'object')}"
    share = percent(typed.bytes, typed.of_bytes) if typed else "unknown"
    lines = [
        f"### Who holds the memory of {code(PurePath(look.program).name)}",
        "",
        f"- {_origin(look)}",
        f"- {live}, garbage {iec(garbage)}, RSS {iec(look.rss_bytes)}",
        f"- pause {duration(look.pause_ns)}, copied {iec(look.copied_bytes)}, typed {share} of live bytes",
        *_rss(report.rss),
        *_goroutines(report.goroutines),
        *_notes(look.notes),
        *_without(report.without),
        "",
        f"**{plural(report.findings_total, 'finding')}**, {iec(report.findings_bytes)} to give back",
    ]
    for at, finding in enumerate(report.findings[:_FINDINGS], 1):
        lines += ["", *_finding(at, finding)]
    if report.findings_total > _FINDINGS:
        lines += [
            "",
            f"... and {report.findings_total - min(_FINDINGS, len(report.findings)):,} more findings",
        ]
    shared, end = _shared(report), ["", f"goretain {report.goretain}"]
    room = MAX_LINES - len(lines) - len(shared) - len(end) - _TABLE_HEAD
    lines += _holders(report, min(_HOLDERS, room))
    return "\n".join([*lines, *shared, *end]) + "\n"


def _rss(section: RssSection | None) -> list[str]:
    """The parts that matter, in one line."""
    if section is None or not section.parts or not section.rss_bytes:
        return []
    parts = sorted(section.parts, key=lambda part: -part.bytes)
    shown = [f"{part.part} {iec(part.bytes)}" for part in parts[:_RSS] if part.bytes]
    return [f"- RSS is {', '.join(shown)}"]


def _goroutines(section: GoroutineSection | None) -> list[str]:
    if section is None or not section.leaked:
        return []
    sure = "" if section.proved else "probably "
    held = f"{iec(section.leaked_bytes)} and stacks of {iec(section.leaked_stack_bytes)}"
    return [f"- goroutines: {section.count:,}, **{section.leaked:,} {sure}leaked**; only they hold {held}"]


def _without(what_if: WhatIf | None) -> list[str]:
    if what_if is None:
        return []
    names = [code(name) for name in what_if.holders[:_WITHOUT]]
    if what_if.holders_total > len(names):
        names.append(f"{what_if.holders_total - len(names):,} more")
    freed = f"**{iec(what_if.freed_bytes)}** in {plural(what_if.freed_objects, 'object')} come back"
    kept = f", {iec(what_if.kept_bytes)} stay: others reach them" if what_if.kept_objects else ""
    return [f"- without {' and '.join(names)}: {freed}{kept}"]


def _holders(report: WhyReport, most: int) -> list[str]:
    live = report.heap.reachable_bytes
    rows = [
        (
            iec(row.retained_bytes),
            percent(row.retained_bytes, live),
            number(row.retained_objects),
            code(row.name),
        )
        for row in report.holders[:most]
    ]
    return table(("retained", "share", "objects", "holder"), rows)


def _shared(report: WhyReport) -> list[str]:
    """The largest groups of shared memory, a line each; those of crumbs are left out."""
    least = report.heap.reachable_bytes // 1000
    rows = [row for row in report.shared if row.bytes >= least][:_SHARED_GROUPS]
    lines = [
        f"- {iec(row.bytes)} in {plural(row.objects, 'object')}, held by {_few(row.holders)},"
        f" mostly {code(row.chain.text)}"
        for row in rows
    ]
    return (
        ["", "**Shared**: reached from several holders, retained by none of them", "", *lines] if rows else []
    )


def _few(names: Sequence[str]) -> str:
    more = [f"{len(names) - _SHARED_HOLDERS} more"] if len(names) > _SHARED_HOLDERS else []
    return ", ".join([*(code(name) for name in names[:_SHARED_HOLDERS]), *more]) or "too many to list"


def _origin(look: Look) -> str:
    core = "core of " if look.source == "core" else ""
    process = f"{core}pid {look.pid}" if look.pid else "heap dump" if look.source == "dump" else "core"
    return f"{process}, {look.go_version}, {moment(look.taken_at)}"


def _notes(notes: Sequence[str]) -> list[str]:
    shown = [f"- note: {escape(note)}" for note in notes[:_NOTES]]
    return shown + ([f"- {len(notes) - _NOTES} more notes"] if len(notes) > _NOTES else [])


def _finding(at: int, finding: Finding) -> list[str]:
    """Six lines at most."""
    hidden = f", {iec(finding.hidden_bytes)} hidden" if finding.hidden_bytes is not None else ""
    kind = f"{finding.severity}, {finding.confidence.level}"
    what = f"{finding.count:,} x {code(finding.type or 'unknown type')}"
    head = (
        f"{at}. **{finding.code} {escape(finding.pattern)}** ({kind}): {iec(finding.retained_bytes)} retained"
    )
    lines = [f"{head}{hidden}, {what}", f"   - {code(finding.chain.text)}"]
    sharing = " and ".join(code(name) for name in finding.holders)
    held = [f"held by {sharing}"] if finding.holder != finding.chain.root else []
    if finding.also_from:
        held.append(f"also from {', '.join(code(name) for name in finding.also_from[:4])}")
    if allocated := allocation(finding.sampled, _SITES):
        held.append(escape("".join(allocated)))
    if held:
        lines.append(f"   - {'; '.join(held)}")
    decide = f"; to decide: {escape(finding.confidence.decide)}" if finding.confidence.decide else ""
    lines.append(f"   - {finding.confidence.level}: {escape(finding.confidence.reason)}{decide}")
    if finding.fix:
        lines.append(f"   - fix: {escape(finding.fix)}")
    return lines


def render_diff(report: DiffReport) -> str:
    """The report in at most MAX_LINES lines."""
    first, last = report.looks[0], report.looks[-1]
    grown = report.live_bytes[-1] - report.live_bytes[0]
    lines = [
        f"### What changed in the memory of {code(PurePath(last.program).name)}",
        "",
        f"- {_origin(first)} to {moment(last.taken_at)}, {len(report.looks)} looks",
        f"- live heap {iec(report.live_bytes[0])} -> {iec(report.live_bytes[-1])} (**{signed(grown)}**)",
    ]
    if any(report.shared_bytes):
        before, after = (iec(size) for size in report.shared_bytes)
        lines.append(f"- held by several holders together: {before} -> {after}")
    if report.confidence:
        decide = f"; to decide: {escape(report.confidence.decide)}" if report.confidence.decide else ""
        lines.append(f"- growth is {report.confidence.level}: {escape(report.confidence.reason)}{decide}")
    if report.same_process:
        lines.append(
            f"- new, and outlived a garbage collection: {iec(report.survivors_bytes)}"
            f" in {number(report.survivors_objects)} objects"
        )
    else:
        what = "not of one process" if report.same_build else "of different builds"
        lines.append(f"- compared by name: the looks are {what}")
    if report.verdict:
        lines.append(f"- {escape(report.verdict)}")
    lines += _notes((*report.notes, *last.notes))
    lines += _changed_findings(report.findings or ())
    if report.by is None:
        lines += _growth("holder", report.holders)
        lines += _growth("shared by", report.shared)
        lines += _growth("type", report.types)
    else:
        lines += _growth(report.by, report.lines)
    return "\n".join([*lines, "", f"goretain {report.goretain}"][:MAX_LINES]) + "\n"


def _changed_findings(rows: Sequence[FindingRow]) -> list[str]:
    return table(
        ("before", "now", "what", "finding"),
        [
            (iec(row.bytes[0]), iec(row.bytes[-1]), row.course, f"{row.code} {code(row.chain.text)}")
            for row in rows[:_GROWN]
        ],
    )


def _growth(what: str, rows: Sequence[GrowthRow]) -> list[str]:
    return table(
        ("change", "now", "growth", what),
        [
            (
                signed(row.delta_bytes),
                iec(row.bytes[-1]),
                row.confidence.level if row.confidence else "-",
                code(row.name or "unknown type"),
            )
            for row in rows[:_GROWN]
        ],
    )


def render_doctor(report: DoctorReport) -> str:
    """A table of all checks, what to do in the last column."""
    about = "this machine" if report.pid is None else f"process {report.pid}"
    rows = [
        (
            check.status,
            check.name,
            escape(check.found) + (f" -> {escape(check.advice)}" if check.advice else ""),
        )
        for check in report.checks
    ]
    lines = [f"### goretain {report.goretain} on {about}: {report.status}"]
    lines += table(("status", "what", "found"), rows)
    return "\n".join(lines) + "\n"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Its lines, none without rows; the last column is flush left, the others are numbers."""
    if not rows:
        return []
    right = "|".join(["---:"] * (len(heads) - 1) + [":---"])
    return [
        "",
        f"| {' | '.join(heads)} |",
        f"|{right}|",
        *(f"| {' | '.join(_cell(c) for c in row)} |" for row in rows),
    ]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def code(text: str) -> str:
    """A name as a code span that no name can end early."""
    text = clean(text)
    longest = max((len(run) for run in "".join(c if c == "`" else " " for c in text).split()), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def escape(text: str) -> str:
    """Plain text in which Markdown and HTML find no orders."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>|#" else c for c in clean(text))
