"""The sections on RSS and on spans of ``why``'s page. Imports ``reports``."""

from __future__ import annotations

from goretain.model.units import iec
from goretain.reports.results import RssPart, RssSection, SpanRow, SpanSection
from goretain.reports.text.page import Page
from goretain.reports.units import number, percent, plural

_PARTS = {
    "heap-in-use": "Go heap in use: spans with objects",
    "heap-idle": "Go heap idle: kept for what is allocated next, returned by and by",
    "heap-released": "Go heap released, but not taken by the system yet (MADV_FREE)",
    "stacks": "stacks of goroutines",
    "gc-work": "the collector's work buffers",
    "runtime": "Go runtime beside the heap: spans, bitmaps, profiles",
    "variables": "the program's variables (data, bss)",
    "main-thread-stack": "the first thread's own stack",
    "program-file": "the program's file: code and constants",
    "other-files": "other files: libraries, mmapped files",
    "shared-memory": "shared memory",
    "outside-go": "outside the Go heap: C (malloc, stacks, libraries) and mmap",
}
_NEXT = (
    "memory of C has no Go holder, and no Go tool shows it: heaptrack -p PID or bcc's memleak -p PID say who"
    " allocates it, pmap -x PID lists its mappings"
)
_WORTH_A_HINT = 20  # times smaller than RSS
_SOME = "the program has no symbols: some memory of the Go runtime is counted as outside the Go heap"
_NORMAL = (
    "Partly filled spans are normal: their free slots serve the next allocations of that size, and only pages"
    " without any object go back to the system. It is fragmentation where few objects keep many pages, and"
    " go on doing so while the program does not grow."
)


def rss(page: Page, section: RssSection) -> None:
    """What RSS is made of, largest first, and what is not resident."""
    page.title("RSS explained", iec(section.rss_bytes) if section.parts else "")
    if section.unknown is not None:
        page.words(f"unknown: {section.unknown}", lead=[("  ", "")], hang="  ")
        return
    whole = section.rss_bytes or 0
    rows = sorted((part for part in section.parts if part.bytes), key=lambda part: -part.bytes)
    page.table(
        ("resident", "share", "memory"),
        [(iec(part.bytes), percent(part.bytes, whole), _said(part, section)) for part in rows],
        left=1,
        styles={0: "bold"},
    )
    unused = next(part for part in section.parts if part.part == "heap-in-use")
    away = [f"{iec(section.released_bytes)} of the heap released to the system"]
    if unused.of_bytes is not None:
        away.append(f"{iec(max(unused.of_bytes - unused.bytes, 0))} of spans in use untouched or in swap")
    away.append(f"{iec(section.swapped_bytes)} in swap")
    page.words(f"not resident: {', '.join(away)}", lead=[("  ", "")], hang="  ", style="dim")
    for hint in _hints(section):
        page.words(hint, lead=[("  ", "")], hang="    ", style="dim")


def _said(part: RssPart, section: RssSection) -> str:
    of = f", of {iec(part.of_bytes)}" if part.of_bytes is not None else ""
    brk = f", {iec(section.malloc_bytes)} of it [heap]" if section.malloc_bytes else ""
    return _PARTS[part.part] + of + (brk if part.part == "outside-go" else "")


def _hints(section: RssSection) -> list[str]:
    outside = next(part.bytes for part in section.parts if part.part == "outside-go")
    hints = [_NEXT] if outside * _WORTH_A_HINT >= (section.rss_bytes or 0) else []
    return hints if section.complete else [*hints, _SOME]


def spans(page: Page, section: SpanSection) -> None:
    """How full spans are, by size class."""
    total = section.total
    page.title("Spans", f"{iec(total.span_bytes)} in {plural(total.spans, 'span')}")
    page.words(_NORMAL, lead=[("  ", "")], hang="  ")
    page.table(
        ("pages", "spans", "full", "objects", "kept by few", "few objects", "spared", "slots of"),
        [*(_cells(row) for row in section.classes), _cells(total, "all")],
        left=1,
        styles={0: "bold"},
    )
    if section.classes_total > len(section.classes):
        more = section.classes_total - len(section.classes)
        page.add((f"  {number(more)} more of other sizes: --top {section.classes_total}", "dim"))
    kept = (
        f"{iec(total.sparse_bytes)} in {plural(total.sparse_spans, 'span')} that are at most a quarter full"
    )
    page.fact("few", f"{kept} are kept by {plural(total.sparse_objects, 'object')}")
    page.fact("spared", f"{iec(total.excess_bytes)} less would do if all objects lay side by side")
    if total.empty_bytes:
        page.fact("empty", f"{iec(total.empty_bytes)} without a live object come back when they are swept")
    if section.unknown_spans:
        page.fact("unknown", f"{plural(section.unknown_spans, 'span')}: what is live in them is not known")


def _cells(row: SpanRow, name: str = "") -> tuple[str, ...]:
    return (
        iec(row.span_bytes),
        number(row.spans),
        percent(row.object_bytes, row.span_bytes),
        number(row.objects),
        iec(row.sparse_bytes),
        number(row.sparse_objects),
        iec(row.excess_bytes),
        name or (f"{row.slot_bytes:,} B" if row.slot_bytes else "large"),
    )
