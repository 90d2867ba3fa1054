"""``why`` and ``diff`` for people at a terminal.

Written to be read from the top: what the program holds, what can be had back and how, then who holds the
rest. Imports ``model`` and this package.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from goretain.model.findings import Confidence, Finding
from goretain.reports.page import Page, chain_pieces, split_list
from goretain.reports.results import (
    DiffReport,
    GrowthRow,
    HeapFacts,
    HolderRow,
    Look,
    Part,
    TypeSum,
    WhyReport,
)
from goretain.reports.units import (
    clean,
    duration,
    iec,
    moment,
    number,
    percent,
    plural,
    signed,
)

_SEVERITY = {"leak": "bold red", "waste": "bold yellow", "observation": "bold blue"}
_LEVEL = {"proved": "green", "likely": "yellow", "undecided": "magenta"}
_UNNAMED = "(type unknown)"
_MANY = "(too many to list)"


def render_why(report: WhyReport, width: int, *, small: bool = False) -> Page:
    """The report as lines of at most ``width`` columns.

    Args:
        small: also show holders and groups of less than 0.1% of the live heap.
    """
    page = Page(width)
    _head(page, report.look)
    _heap_facts(page, report)
    _findings(page, report)
    least = 0 if small else report.heap.reachable_bytes // 1000
    _holders(page, report, least)
    _shared(page, report, least)
    _types(page, "Types", [t for t in report.types if t.bytes >= least], report.heap.reachable_bytes)
    return page


def _head(page: Page, look: Look) -> None:
    name = clean(PurePath(look.program).name or look.program or look.target)
    process = f"core of pid {look.pid}" if look.source == "core" else f"pid {look.pid}"
    if look.source == "core" and not look.pid:
        process = "core"
    page.words(
        f"{process}, {look.go_version}, {moment(look.taken_at)}",
        lead=[(name, "bold"), ("  ", "")],
        hang="  ",
        style="dim",
    )


def _heap_facts(page: Page, report: WhyReport) -> None:
    heap, look = report.heap, report.look
    page.fact(
        "live heap",
        f"{iec(heap.reachable_bytes)} in {plural(heap.reachable_objects, 'object')}",
        style="bold",
    )
    page.fact("garbage", _garbage(heap))
    pages = f"heap spans in use {iec(heap.in_use_bytes)}, stacks {iec(heap.stack_bytes)}"
    page.fact("RSS", f"{iec(look.rss_bytes)}; {pages}")
    page.fact("goroutines", _goroutines(heap.goroutines))
    if look.source == "live":
        threads = plural(look.threads, "thread")
        page.fact("pause", f"{duration(look.pause_ns)} for {threads}; {iec(look.copied_bytes)} copied")
    else:
        page.fact("read", f"{iec(look.copied_bytes)} of the core")
    page.fact("coverage", _coverage(report))
    for note in look.notes:
        page.fact("note", note, style="yellow")


def _garbage(heap: HeapFacts) -> str:
    garbage = heap.unswept_bytes + heap.unreached_bytes
    if not garbage:
        return "none"
    dead, unreached = iec(heap.unswept_bytes), iec(heap.unreached_bytes)
    text = f"{iec(garbage)}: {dead} dead and not yet swept, {unreached} reached by nothing"
    if heap.unreached_survivors_bytes:
        text += f" ({iec(heap.unreached_survivors_bytes)} of it survived the last mark)"
    return text


def _goroutines(states: dict[str, int], most: int = 4) -> str:
    shown = [f"{count:,} {state}" for state, count in list(states.items())[:most]]
    rest = sum(list(states.values())[most:])
    listed = ", ".join([*shown, *([f"{rest:,} other"] if rest else [])])
    total = sum(states.values())
    return f"{total:,}: {listed}" if listed else f"{total:,}"


def _coverage(report: WhyReport) -> str:
    def share(part: Part | None) -> str:
        return percent(part.bytes, part.of_bytes) if part else "unknown"

    cover = report.coverage
    typed = f"typed {share(cover.typed)} of bytes"
    if cover.typed:
        typed += f" ({percent(cover.typed.objects, cover.typed.of_objects)} of objects"
        with_pointers = cover.typed_pointers
        if with_pointers:
            typed += f", {percent(with_pointers.objects, with_pointers.of_objects)} of those with pointers"
        typed += ")"
    return f"enumerated {share(cover.enumerated)}, {typed}, held by a named root {share(cover.named)}"


def _findings(page: Page, report: WhyReport) -> None:
    filters = [f"from {iec(report.min_bytes)}"] if report.min_bytes else []
    filters += [f"under {clean(report.focus)}"] if report.focus else []
    asked = f" {', '.join(filters)}" if filters else ""
    if not report.findings_total:
        page.title(f"No findings{asked}")
        page.words(
            "No pattern of the catalogue matches this heap. Who holds it is below.",
            lead=[("  ", "")],
            hang="  ",
        )
        return
    page.title(
        f"{plural(report.findings_total, 'finding')}{asked}", f"{iec(report.findings_bytes)} to give back"
    )
    for at, finding in enumerate(report.findings, 1):
        _finding(page, at, finding)
    left = report.findings_total - len(report.findings)
    hints = [f"{left:,} more: --top {report.findings_total}"] if left else []
    hints += (
        [f"{report.small_findings:,} smaller than {iec(report.min_bytes)}"] if report.small_findings else []
    )
    hints += [f"{missing.code} was not looked for: {missing.reason}" for missing in report.not_judged]
    if report.findings:
        hints.append(f"what a pattern means: goretain rule {report.findings[0].code}")
    page.add()
    for hint in hints:
        page.words(hint, lead=[("  ", "")], hang="    ", style="dim")


def _finding(page: Page, at: int, finding: Finding) -> None:
    indent = "     "
    level = finding.confidence.level
    page.add()
    page.add(
        (f"{at:>3}. ", "dim"),
        (f"{finding.code} {clean(finding.pattern)}", _SEVERITY[finding.severity]),
        (f"  {finding.severity}, ", ""),
        (level, _LEVEL[level]),
        (_worth(finding), "bold"),
    )
    page.words(finding.title, lead=[(indent, "")], hang=indent)
    chain = finding.chain
    page.pieces(
        chain_pieces(chain.root, chain.links, chain.end),
        lead=[(indent, "")],
        hang=f"{indent}  ",
        style="bold",
    )
    page.fact("bytes", _amounts(finding), indent=indent)
    if finding.also_from:
        page.fact("also from", ", ".join(finding.also_from), indent=indent, split=split_list)
    page.fact(level, finding.confidence.reason, indent=indent)
    if finding.confidence.decide:
        page.fact("to decide", finding.confidence.decide, indent=indent)
    if finding.fix:
        page.fact("fix", finding.fix, indent=indent, style="green")


def _worth(finding: Finding) -> str:
    """What the finding is ranked by."""
    if finding.saving_bytes:
        return f", saves {iec(finding.saving_bytes)}"
    return f", holds {iec(finding.retained_bytes)}" if finding.retained_bytes else ""


def _amounts(finding: Finding) -> str:
    retained = f"{iec(finding.retained_bytes)} retained"
    hidden = f", {iec(finding.hidden_bytes)} hidden" if finding.hidden_bytes is not None else ""
    return f"{retained}{hidden}: {finding.count:,} x {finding.type or _UNNAMED}"


def _holders(page: Page, report: WhyReport, least: int) -> None:
    rows = [row for row in report.holders if row.retained_bytes >= least]
    if not rows:
        return
    page.title("Top holders", f"of {iec(report.heap.reachable_bytes)} live")
    page.table(
        ("retained", "share", "objects", "shared", "layer", "holder"),
        [_holder_cells(row, report.heap.reachable_bytes) for row in rows],
        left=2,
        styles={0: "bold", 3: "dim", 4: "dim"},
    )
    _left_out(page, report.holders_total, len(rows), "holder")


def _left_out(page: Page, total: int, shown: int, noun: str) -> None:
    if total > shown:
        page.add((f"  {plural(total - shown, f'more {noun}')}: --top {total}", "dim"))


def _holder_cells(row: HolderRow, live: int) -> tuple[str, ...]:
    shared = "-" if row.shared_bytes == 0 else iec(row.shared_bytes)
    share = percent(row.retained_bytes, live)
    return (iec(row.retained_bytes), share, number(row.retained_objects), shared, row.layer, row.name)


def _shared(page: Page, report: WhyReport, least: int) -> None:
    groups = [group for group in report.shared if group.bytes >= least]
    if not groups:
        return
    page.title("Shared: reached from several holders, retained by none of them")
    rows = [(iec(row.bytes), number(row.objects), ", ".join(row.holders) or _MANY) for row in groups]
    page.table(("bytes", "objects", "holders"), rows, left=1, styles={0: "bold"}, split=split_list)
    _left_out(page, report.shared_total, len(groups), "group")


def _types(page: Page, title: str, types: Sequence[TypeSum], whole: int) -> None:
    if not types:
        return
    page.title(title)
    rows = [(iec(t.bytes), percent(t.bytes, whole), number(t.objects), t.type or _UNNAMED) for t in types]
    page.table(("bytes", "share", "objects", "type"), rows, left=1, styles={0: "bold"})


def render_diff(report: DiffReport, width: int) -> Page:
    """The report as lines of at most ``width`` columns."""
    page = Page(width)
    first, last = report.looks[0], report.looks[-1]
    _head(page, last)
    seconds = last.taken_at - first.taken_at
    page.fact("looks", f"{len(report.looks)} in {duration(int(abs(seconds) * 1e9))}")
    grown = report.live_bytes[-1] - report.live_bytes[0]
    objects = number(report.live_objects[-1] - report.live_objects[0], sign=True)
    pace = (
        f", {signed(int(grown / seconds * 3600))} an hour"
        if report.same_process and seconds >= 1 and grown
        else ""
    )
    sizes = " -> ".join(iec(size) for size in report.live_bytes)
    page.fact("live heap", f"{sizes} ({signed(grown)}, {objects} objects{pace})", style="bold")
    _survivors(page, report)
    for note in dict.fromkeys(note for look in report.looks for note in look.notes):
        page.fact("note", note, style="yellow")
    _growth(page, "Holders", report.holders, report.holders_total)
    _growth(page, "Types", report.types, report.types_total)
    _survivor_tables(page, report)
    return page


def _survivors(page: Page, report: DiffReport) -> None:
    if not report.same_process:
        what = "two processes of one program" if report.same_build else "two builds"
        page.fact(
            "compared",
            f"by name: the looks are of {what}, so objects cannot be followed from one to the other",
        )
        return
    new = f"{iec(report.survivors_bytes)} in {number(report.survivors_objects)} objects"
    page.fact("new", f"{new} appeared after the first look and outlived a garbage collection")


def _survivor_tables(page: Page, report: DiffReport) -> None:
    if not report.survivors_bytes:
        return
    if report.survivors_by_holder:
        page.title("New and outlived a garbage collection", "by holder")
        rows = [(iec(row.bytes), number(row.objects), row.holder) for row in report.survivors_by_holder]
        page.table(("bytes", "objects", "holder"), rows, left=1, styles={0: "bold"})
    _types(page, "The same by type", report.survivors_by_type, report.survivors_bytes)


def _growth(page: Page, title: str, rows: tuple[GrowthRow, ...], total: int) -> None:
    if not rows:
        page.title(f"{title}: no change")
        return
    page.title(f"{title} that changed", f"{len(rows):,} of {total:,}" if total > len(rows) else "")
    page.table(
        ("change", "now", "objects", "growth", title[:-1].lower()),
        [_growth_cells(row) for row in rows],
        left=2,
        styles={0: "bold"},
    )
    for reason in dict.fromkeys(_reason(row.confidence) for row in rows if row.confidence):
        page.words(reason, lead=[("  ", "")], hang="  ", style="dim")


def _growth_cells(row: GrowthRow) -> tuple[str, ...]:
    name = row.name or _UNNAMED
    if row.roots and row.roots[0] != row.roots[-1]:
        name += f" ({row.roots[0]:,} -> {row.roots[-1]:,})"
    growth = row.confidence.level if row.confidence else "-"
    return (signed(row.delta_bytes), iec(row.bytes[-1]), number(row.delta_objects, sign=True), growth, name)


def _reason(confidence: Confidence) -> str:
    decide = f"; to decide: {confidence.decide}" if confidence.decide else ""
    return f"{confidence.level}: {confidence.reason}{decide}"
