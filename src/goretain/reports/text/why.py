"""``why`` for people at a terminal.

Written to be read from the top: what the program holds, what can be had back and how, then who holds the
rest. Imports ``model`` and ``reports``.
"""

from __future__ import annotations

from goretain.model.findings import Finding
from goretain.model.units import duration, iec
from goretain.reports.results import HeapFacts, HolderRow, Part, WhatIf, WhyReport
from goretain.reports.text.goroutines import goroutines
from goretain.reports.text.memory import rss, spans
from goretain.reports.text.page import Page, breakable, chain_pieces, split_list
from goretain.reports.text.parts import allocation, head, left_out, sampling, types_table
from goretain.reports.units import UNNAMED, clean, number, percent, plural

_SEVERITY = {"leak": "bold red", "waste": "bold yellow", "observation": "bold blue"}
_LEVEL = {"proved": "green", "likely": "yellow", "undecided": "magenta"}
_FILES = {"core": "core", "dump": "heap dump"}
_MANY = "(too many to list)"
_FREED_TYPES, _KEEPERS = 5, 5
_SITES = 3  # places of allocation
_SHARED_GROUPS, _SHARED_HOLDERS = 5, 3  # that are worth a reader's time; JSON has them all


def render_why(report: WhyReport, width: int, *, small: bool = False) -> Page:
    """The report as lines of at most ``width`` columns.

    Args:
        small: also show holders and groups of less than 0.1% of the live heap.
    """
    page = Page(width)
    head(page, report.look)
    _heap_facts(page, report)
    if report.without is not None:
        _without(page, report.without, report.heap.reachable_bytes)
    _findings(page, report)
    least = 0 if small else report.heap.reachable_bytes // 1000
    _holders(page, report, least)
    if report.goroutines is not None:
        goroutines(page, report.goroutines, least)
    _shared(page, report, least)
    types_table(page, "Types", [t for t in report.types if t.bytes >= least], report.heap.reachable_bytes)
    if report.rss is not None:
        rss(page, report.rss)
    if report.spans is not None:
        spans(page, report.spans)
    return page


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
        page.fact("read", f"{iec(look.copied_bytes)} of the {_FILES[look.source]}")
    page.fact("coverage", _coverage(report))
    sampling(page, report.sampling, report.heap.reachable_objects)
    for note in look.notes:
        page.fact("note", note, style="yellow")


def _garbage(heap: HeapFacts) -> str:
    parts = [f"{iec(heap.unswept_bytes)} dead and not yet swept"] if heap.unswept_bytes else []
    if heap.unreached_bytes:
        parts.append(f"{iec(heap.unreached_bytes)} reached by nothing")
    if heap.unreached_survivors_bytes:
        parts[-1] += f" ({iec(heap.unreached_survivors_bytes)} of it survived the last mark)"
    total = f"{iec(heap.unswept_bytes + heap.unreached_bytes)}: " if len(parts) > 1 else ""
    return total + ", ".join(parts) if parts else "none"


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


def _without(page: Page, what_if: WhatIf, live: int) -> None:
    names = [clean(name) for name in what_if.holders]
    if what_if.holders_total > len(names):
        names.append(f"{what_if.holders_total - len(names):,} more")
    page.title(f"Without {' and '.join(names)}")
    freed = f"{iec(what_if.freed_bytes)} in {plural(what_if.freed_objects, 'object')}"
    share = percent(what_if.freed_bytes, live)
    page.fact("comes back", f"{freed}, {share} of the live heap: nothing else reaches it", style="bold")
    for row in what_if.types[:_FREED_TYPES]:
        page.add((f"{'':13}{iec(row.bytes):>10}  {number(row.objects)} x {clean(row.type or UNNAMED)}", ""))
    if not what_if.kept_objects:
        return
    kept = f"{iec(what_if.kept_bytes)} in {plural(what_if.kept_objects, 'object')}"
    page.fact("stays", f"{kept}: others reach it too")
    shown = what_if.keepers[:_KEEPERS]
    for keeper in shown:
        page.pieces(
            breakable([clean(keeper.name)], page.width - 25),
            lead=[(f"{'':13}{iec(keeper.bytes):>10}  ", "")],
            hang=" " * 25,
        )
    if what_if.keepers_total > len(shown):
        page.add((f"{'':25}{what_if.keepers_total - len(shown):,} more: --json", "dim"))


def _findings(page: Page, report: WhyReport) -> None:
    filters = [f"from {iec(report.min_bytes)}"] if report.min_bytes else []
    filters += [f"under {clean(report.focus)}"] if report.focus else []
    asked = f" {', '.join(filters)}" if filters else ""
    if report.findings_total:
        saving = f"{iec(report.findings_bytes)} to give back" if report.findings_bytes else ""
        page.title(f"{plural(report.findings_total, 'finding')}{asked}", saving)
        for at, finding in enumerate(report.findings, 1):
            _finding(page, at, finding)
        page.add()
    else:
        page.title(f"No findings{asked}")
        page.add("  no pattern of the catalogue matches; who holds this heap is below")
    for hint in _hints(report):
        page.words(hint, lead=[("  ", "")], hang="    ", style="dim")


def _hints(report: WhyReport) -> list[str]:
    left = report.findings_total - len(report.findings)
    hints = [f"{left:,} more: --top {report.findings_total}"] if left else []
    if report.small_findings:
        hints.append(f"{report.small_findings:,} smaller than {iec(report.min_bytes)}")
    hints += [f"{missing.code} was not looked for: {missing.reason}" for missing in report.not_judged]
    if report.findings:
        hints.append(f"what a pattern means: goretain rule {report.findings[0].code}")
    return hints


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
    if finding.holder != chain.root:
        room = page.prose - len(indent) - 11
        page.fact(
            "held by", finding.holder, indent=indent, split=lambda _: breakable(_sharing(finding), room)
        )
    page.fact("bytes", _amounts(finding), indent=indent)
    if allocated := allocation(finding.sampled, _SITES):
        page.fact("allocated", "", indent=indent, split=lambda _: breakable(allocated, page.prose - 16))
    if finding.also_from:
        page.fact("also from", ", ".join(finding.also_from), indent=indent, split=split_list)
    page.fact(level, finding.confidence.reason, indent=indent)
    if finding.confidence.decide:
        page.fact("to decide", finding.confidence.decide, indent=indent)
    if finding.fix:
        page.fact("fix", finding.fix, indent=indent, style="green")


def _sharing(finding: Finding) -> list[str]:
    """Holders that share something, each with the "and" after it."""
    *first, last = finding.holders
    return [*(f"{name} and " for name in first), last]


def _worth(finding: Finding) -> str:
    """What the finding is ranked by."""
    if finding.saving_bytes:
        return f", saves {iec(finding.saving_bytes)}"
    return f", holds {iec(finding.retained_bytes)}" if finding.retained_bytes else ""


def _amounts(finding: Finding) -> str:
    retained = f"{iec(finding.retained_bytes)} retained"
    hidden = f", {iec(finding.hidden_bytes)} hidden" if finding.hidden_bytes is not None else ""
    return f"{retained}{hidden}: {finding.count:,} x {finding.type or UNNAMED}"


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
        below=[allocation(row.sampled, _SITES) for row in rows],
    )
    left_out(page, report.holders_total, len(rows), "holder")


def _holder_cells(row: HolderRow, live: int) -> tuple[str, ...]:
    shared = "-" if row.shared_bytes == 0 else iec(row.shared_bytes)
    share = percent(row.retained_bytes, live)
    return (iec(row.retained_bytes), share, number(row.retained_objects), shared, row.layer, row.name)


def _shared(page: Page, report: WhyReport, least: int) -> None:
    groups = [group for group in report.shared if group.bytes >= least]
    if not groups:
        return
    page.title("Shared: reached from several holders, retained by none of them")
    for group in groups[:_SHARED_GROUPS]:
        chain = group.chain
        lead = [(f"  {iec(group.bytes):>10}", "bold"), (f"  {plural(group.objects, 'object')}, mostly ", "")]
        page.pieces(
            breakable(chain_pieces(chain.root, chain.links, chain.end), page.width - 14),
            lead=lead,
            hang=" " * 14,
        )
        page.pieces(
            breakable(split_list(_few(group.holders)), page.width - 16),
            lead=[(" " * 14 + "held by ", "dim")],
            hang=" " * 16,
        )
    groups = groups[:_SHARED_GROUPS]
    if report.shared_total > len(groups):
        page.add((f"  {plural(report.shared_total - len(groups), 'more group')}: --json", "dim"))


def _few(names: tuple[str, ...]) -> str:
    shown = ", ".join(clean(name) for name in names[:_SHARED_HOLDERS]) or _MANY
    return shown + (f", {len(names) - _SHARED_HOLDERS} more" if len(names) > _SHARED_HOLDERS else "")
