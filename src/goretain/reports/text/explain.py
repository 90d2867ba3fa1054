"""``explain`` for people at a terminal. Imports ``model`` and ``reports``."""

from __future__ import annotations

from collections.abc import Sequence

from goretain.reports.results import ExplainReport
from goretain.reports.results.explain import EvidenceRow, FunctionRow, SizeRow, StructRow
from goretain.reports.text.page import Page
from goretain.reports.units import clean, number, plural

#: Left out of a whole file's page: it is about what allocates.
_DETAILS = ("stack", "inlined", "calls", "checks")


def render_explain(report: ExplainReport, width: int) -> Page:
    """Decisions and machine code by line, then functions, sizes and structs."""
    page = Page(width)
    place = report.file if report.line is None else f"{report.file}:{report.line}"
    page.words(
        f"package {report.package}, Go {', '.join(report.go)}",
        lead=[(clean(place), "bold"), ("  ", "")],
        hang="  ",
        style="dim",
    )
    if report.source is not None:
        page.add(f"  {clean(report.source.strip())}")
    rows = [row for row in report.evidence if report.line is not None or row.kind not in _DETAILS]
    _evidence(page, report, rows)
    _sizes(page, report.sizes)
    for struct in report.structs:
        _struct(page, struct, several=len(report.go) > 1)
    _functions(page, report.functions)
    return page


def _evidence(page: Page, report: ExplainReport, rows: Sequence[EvidenceRow]) -> None:
    """What the compiler decided and generated, a column for each version."""
    page.title("What the compiler decided", "how often, with each Go version" if len(report.go) > 1 else "")
    if not rows:
        nothing = "no escapes, calls or checks" if report.line is not None else "nothing that allocates"
        page.words(f"{nothing} here", lead=[("  ", "")], hang="  ", style="dim")
    versions = list(report.go) if len(report.go) > 1 else []
    lines = ["line"] if report.line is None else []
    table = [(*_line(row, bool(lines)), *_counts(row, bool(versions)), row.kind, _what(row)) for row in rows]
    before = len(lines) + len(versions)
    if table:
        notes = [_notes(row) for row in rows]
        page.table((*lines, *versions, "", ""), table, left=2, styles={before: "bold"}, below=notes)


def _line(row: EvidenceRow, shown: bool) -> list[str]:
    return [str(row.line)] if shown else []


def _counts(row: EvidenceRow, shown: bool) -> list[str]:
    """How often with each version; a dash is never."""
    return [str(count) if count else "-" for count in row.counts] if shown else []


def _what(row: EvidenceRow) -> str:
    """The row's words; how often where one version says so more than once."""
    times = f" ({row.counts[0]} times)" if len(row.counts) == 1 and row.counts[0] > 1 else ""
    return f"{row.what}{times}"


def _notes(row: EvidenceRow) -> list[str]:
    """Why, and where the code stands if that is not plain."""
    steps = [f"{step}, " for step in row.why[:-1]] + list(row.why[-1:])
    where = (
        [f"in {name}, " for name in row.inside[:-1]] + [f"in {row.inside[-1]}"] if len(row.inside) > 1 else []
    )
    return steps + where


def _functions(page: Page, rows: Sequence[FunctionRow]) -> None:
    """Size of code and frame, and whether calls are inlined."""
    if not rows:
        return
    page.title("Functions", "code and frame in bytes")
    table = [(_range(row.code), _range(row.frame), str(row.line), row.name) for row in rows]
    notes = [[f"{text}; " for text in dict.fromkeys(t for t in row.inlining if t)] for row in rows]
    below = [[*parts[:-1], parts[-1].removesuffix("; ")] if parts else [] for parts in notes]
    page.table(("code", "frame", "line", "function"), table, left=1, styles={3: "bold"}, below=below)


def _range(values: Sequence[int | None]) -> str:
    """A value for each version; one where they agree."""
    shown = dict.fromkeys(number(value) if value is not None else "none" for value in values)
    return ", ".join(shown)


def _sizes(page: Page, rows: Sequence[SizeRow]) -> None:
    """Values on the line."""
    if not rows:
        return
    page.title("Values", "bytes of the value, and of a slot on the heap")
    table = [
        (_known(row.sizes), _known(row.slots), _pointers(row.pointers), row.text, row.type) for row in rows
    ]
    page.table(("size", "slot", "pointers", "value", "type"), table, left=3, styles={3: "bold"})


def _known(values: Sequence[int | None]) -> str:
    """Sizes for each version; one where they agree."""
    return ", ".join(dict.fromkeys(number(value) for value in values))


def _pointers(value: bool | None) -> str:
    return "unknown" if value is None else "yes" if value else "no"


def _struct(page: Page, row: StructRow, *, several: bool) -> None:
    """A struct, field by field."""
    better = f"; {plural(row.best, 'byte')} with its fields in another order" if row.best < row.size else ""
    versions = f" (Go {', '.join(row.go)})" if several else ""
    page.title(f"{clean(row.name)}: {plural(row.size, 'byte')}{better}{versions}")
    table = [
        (str(f.offset), str(f.size), str(f.padding) if f.padding else "-", f.name, f.type) for f in row.fields
    ]
    page.table(("offset", "size", "padding", "field", "type"), table, left=2, styles={3: "bold"})
