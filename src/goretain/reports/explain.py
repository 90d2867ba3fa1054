"""What several toolchains said of one place, side by side. Imports ``lab.explain`` and this package."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import goretain
from goretain.reports.results.explain import (
    EvidenceRow,
    ExplainReport,
    FunctionRow,
    Kind,
    SizeRow,
    StructField,
    StructRow,
)

if TYPE_CHECKING:
    from goretain.lab.explain.explain import Explained
    from goretain.lab.explain.layouts import Layout

#: What identifies a row of evidence in every version: its place in the order, kind and words.
_Key = tuple[int, int, Kind, str]
_ORDER: tuple[Kind, ...] = ("heap", "stack", "leaks", "captures", "inlined", "allocates", "calls", "checks")


def explain_report(
    found: Sequence[Explained], file: str, line: int | None, source: str | None
) -> ExplainReport:
    """The report.

    Args:
        found: what each toolchain said, in the order to show; not empty.
        source: text of the line, if one is asked for.
    """
    return ExplainReport(
        goretain=goretain.__version__,
        file=file,
        line=line,
        source=source,
        package=found[0].package,
        go=tuple(one.version for one in found),
        evidence=tuple(_evidence(found)),
        functions=tuple(_functions(found, line)),
        sizes=tuple(_sizes(found)),
        structs=tuple(_structs(found)),
    )


def _evidence(found: Sequence[Explained]) -> Iterator[EvidenceRow]:
    """One row for each thing that any version says."""
    counts: dict[_Key, list[int]] = {}
    texts: dict[_Key, tuple[tuple[str, ...], tuple[str, ...]]] = {}
    for at, one in enumerate(found):
        for line, kind, what, count, why, inside in _said(one):
            key = line, _ORDER.index(kind), kind, what
            counts.setdefault(key, [0] * len(found))[at] += count
            texts[key] = why, inside  # the newest version's words
    for key in sorted(counts):
        line, _, kind, what = key
        why, inside = texts[key]
        yield EvidenceRow(line=line, kind=kind, what=what, why=why, inside=inside, counts=tuple(counts[key]))


def _said(one: Explained) -> Iterator[tuple[int, Kind, str, int, tuple[str, ...], tuple[str, ...]]]:
    """Line, kind, words, count, reasons and places of everything that one version says."""
    for decision in one.decisions:
        yield decision.line, decision.outcome, decision.what, 1, decision.why, ()
    for call in one.calls:
        kind: Kind = "allocates" if call.allocates else "calls"
        inside = tuple(_short(name, one.package) for name in call.inside)
        yield call.line, kind, call.callee, call.count, (), inside
    for check in one.checks:
        yield check.line, "checks", check.what, 1, (), ()


def _functions(found: Sequence[Explained], line: int | None) -> Iterator[FunctionRow]:
    """Functions of the file, or those around a line: that begin last before it, and that have its code."""
    begins: dict[str, int] = {}
    verdicts: dict[str, list[str | None]] = {}
    for at, one in enumerate(found):
        for inlining in one.inlinings:
            begins[inlining.function] = inlining.line
            verdicts.setdefault(inlining.function, [None] * len(found))[at] = inlining.verdict
    codes = [{_short(f.name, one.package): f for f in one.functions} for one in found]
    if line is not None:
        last = max((at for at in begins.values() if at <= line), default=0)
        within = {_short(name, one.package) for one in found for call in one.calls for name in call.inside}
        begins = {name: at for name, at in begins.items() if at == last or name in within}
    for name, begin in sorted(begins.items(), key=lambda item: (item[1], item[0])):
        code = [table.get(name) for table in codes]
        yield FunctionRow(
            name=name,
            line=begin,
            code=tuple(f.size if f else None for f in code),
            frame=tuple(f.frame if f else None for f in code),
            inlining=tuple(verdicts[name]),
        )


def _short(symbol: str, package: str) -> str:
    """A function as its own package calls it; a test variant's symbols have the plain import path."""
    return symbol.removeprefix(package.partition(" ")[0] + ".").removeprefix("main.")


def _sizes(found: Sequence[Explained]) -> Iterator[SizeRow]:
    """Values on the line, a size for each version."""
    empty: list[int | None] = [None] * len(found)
    rows: dict[tuple[str, str], tuple[list[int | None], list[int | None], bool | None]] = {}
    for at, one in enumerate(found):
        for value in one.layouts.values:
            sizes, slots, _ = rows.get((value.text, value.type), (empty.copy(), empty.copy(), None))
            sizes[at], slots[at] = value.size, one.slots.of(value.size, value.pointers)
            rows[value.text, value.type] = sizes, slots, value.pointers
    for (text, type_), (sizes, slots, pointers) in rows.items():
        yield SizeRow(text=text, type=type_, sizes=tuple(sizes), slots=tuple(slots), pointers=pointers)


def _structs(found: Sequence[Explained]) -> Iterator[StructRow]:
    """Layouts; versions that agree share one."""
    versions: dict[Layout, list[str]] = {}
    for one in found:
        for layout in one.layouts.structs:
            versions.setdefault(layout, []).append(one.version)
    for layout, go in versions.items():
        fields = (
            StructField(name=f.name, type=f.type, offset=f.offset, size=f.size, padding=f.padding)
            for f in layout.fields
        )
        yield StructRow(
            name=layout.name,
            line=layout.line or None,
            size=layout.size,
            best=layout.best,
            pointers=layout.pointers,
            fields=tuple(fields),
            go=tuple(go),
        )
