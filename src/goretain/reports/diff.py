"""Builds the answer of ``diff`` from two or more measured heaps.

Every look is counted when it comes, so that only the first and the last heap are kept. Imports ``diagnosis``,
``heap``, ``model`` and this package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import goretain
from goretain.diagnosis.diagnose import Diagnosis, diagnose
from goretain.heap.survivors import same_process, survivors
from goretain.heap.tally import Kind, Tally, folded, tally
from goretain.model.errors import UsageError
from goretain.model.names import is_place
from goretain.reports import changes
from goretain.reports.results import (
    By,
    DiffReport,
    FindingRow,
    GrowthRow,
    Look,
    NotJudged,
    SurvivorRow,
    TypeSum,
)
from goretain.reports.trend import INTERVALS, Judge, verdict
from goretain.reports.why import look_of

if TYPE_CHECKING:
    from goretain.heap.heap import Heap
    from goretain.heap.histogram import TypeRow

_NAMELESS = (
    "variables have names in some of the looks only, so what they hold cannot be matched; give the others an"
    " unstripped build of the same source: goretain why TARGET --binary FILE --save SNAPSHOT"
)
#: A crumb is less than this share of the live heap.
CRUMB = 1000


class Series:
    """Looks at one program in order.

    Args:
        by: what to count every look by, beside holders and types.
        findings: whether to look for findings too; they are when asked for by pattern.
    """

    def __init__(self, by: By | None = None, *, findings: bool = False) -> None:
        if by is not None and by not in get_args(By):
            raise UsageError(f"a heap is not counted by {by!r}", hint=f"by {', '.join(get_args(By))}")
        self._by = by
        kind: Kind | None = None if by is None or by == "pattern" else by
        self._tallies: dict[Kind, list[Tally]] = {
            k: [] for k in ("alone", "shared", "type", kind) if k is not None
        }
        self._found: list[Diagnosis] | None = [] if findings or by == "pattern" else None
        self._looks: list[Look] = []
        self._modules: list[tuple[str, ...]] = []
        self._nameless: list[bool] = []
        self._same: list[bool] = []
        self._first: Heap | None = None
        self._last: Heap | None = None

    def add(self, target: str, heap: Heap) -> None:
        """The next look."""
        self._looks.append(look_of(target, heap.snapshot))
        self._modules.append(heap.snapshot.meta.modules[:1])
        variables = [root.name for root in heap.snapshot.roots if root.goroutine < 0]
        self._nameless.append(2 * sum(map(is_place, variables)) > len(variables))
        for kind, tallies in self._tallies.items():
            tallies.append(tally(heap, kind))
        if self._found is not None:
            self._found.append(diagnose(heap))
        if self._last is not None:
            self._same.append(same_process(self._last.snapshot, heap.snapshot))
        self._first = self._first or heap
        self._last = heap

    def report(self, top: int = 10) -> DiffReport:
        """What changed from the first look to the last; needs two.

        Args:
            top: rows of each list.
        """
        assert self._first is not None
        assert self._last is not None
        kinds = self._comparable()
        judge = self._judge()
        rows = {kind: changes.rows(tallies, judge) for kind, tallies in kinds.items()}
        found = changes.finding_rows(self._found, judge) if self._found is not None else None
        lines = rows[self._by] if self._by is not None and self._by != "pattern" else []
        new = survivors(self._first, self._last) if judge.same_process else None
        live = [_sum(tally) for tally in kinds["type"]]
        return DiffReport(
            goretain=goretain.__version__,
            looks=tuple(self._looks),
            live_bytes=tuple(size for size, _ in live),
            live_objects=tuple(count for _, count in live),
            shared_bytes=(_sum(kinds["shared"][0])[0], _sum(kinds["shared"][-1])[0]),
            confidence=judge([size for size, _ in live]),
            same_process=judge.same_process,
            same_build=self._same_build,
            same_program=self._same_program(),
            holders=_most_changed(rows["alone"], top),
            holders_total=len(rows["alone"]),
            shared=_most_changed(rows["shared"], top),
            shared_total=len(rows["shared"]),
            types=_most_changed(rows["type"], top),
            types_total=len(rows["type"]),
            survivors_objects=None if new is None else len(new.objects),
            survivors_bytes=None if new is None else sum(row.bytes for row in new.types),
            survivors_by_type=() if new is None else tuple(map(_type_sum, new.types[:top])),
            survivors_by_holder=() if new is None else tuple(map(_survivor, new.holders[:top])),
            matched=() if self._same_build else changes.matched(kinds, self._found),
            findings=None if found is None else _heaviest(found, top),
            findings_total=None if found is None else sum(row.course != "same" for row in found),
            findings_same=None if found is None else sum(row.course == "same" for row in found),
            not_judged=self._not_judged(),
            by=self._by,
            lines=_most_changed(lines, top),
            lines_total=len(lines),
            verdict=self._verdict(rows, found, live[-1][0] // CRUMB),
            notes=self._notes(),
        )

    @property
    def _same_build(self) -> bool:
        return len({look.build_id for look in self._looks}) == 1

    def _same_program(self) -> bool | None:
        """Whether all looks are of one main module; None where one does not say."""
        known = {name for modules in self._modules for name in modules or ("",)}
        return None if "" in known else len(known) == 1

    def _comparable(self) -> dict[Kind, list[Tally]]:
        """The counts of every look under names that all looks have."""
        if self._same_build:
            return self._tallies
        return {kind: [folded(tally) for tally in tallies] for kind, tallies in self._tallies.items()}

    def _judge(self) -> Judge:
        last, same = self._looks[-1], all(self._same)
        decide = "compare looks at one running process: goretain diff PID --every 30s"
        if same and last.source == "live":
            seconds = last.taken_at - self._looks[0].taken_at
            every = max(30, round(seconds / len(self._same) / 30) * 30)
            decide = f"watch it longer: goretain diff {last.pid} --every {every}s --count {INTERVALS + 2}"
        return Judge([look.taken_at for look in self._looks], decide, same)

    def _verdict(self, rows: dict[Kind, list[GrowthRow]], found: list[FindingRow] | None, least: int) -> str:
        intervals = len(self._looks) - 1
        if self._by == "pattern":
            return verdict(found or [], "finding", intervals, least)
        kind: Kind = self._by or "alone"
        noun = {"alone": "holder", "goroutine": "goroutine group"}.get(kind, kind)
        return verdict(rows[kind], noun, intervals, least)

    def _not_judged(self) -> tuple[NotJudged, ...]:
        """Each pattern once, with the reason of the first look that could not judge it."""
        missing = {n.code: n.reason for found in reversed(self._found or []) for n in found.not_judged}
        return tuple(NotJudged(code=code, reason=reason) for code, reason in sorted(missing.items()))

    def _notes(self) -> tuple[str, ...]:
        times = [look.taken_at for look in self._looks]
        cut = any(tally.cut for tallies in self._tallies.values() for tally in tallies)
        return (
            *([_NAMELESS] if any(self._nameless) and not all(self._nameless) else []),
            *(["the looks are not in the order in which they were taken"] if times != sorted(times) else []),
            *(["there are too many different chains: the ends of some are left out"] if cut else []),
        )


def _type_sum(row: TypeRow) -> TypeSum:
    return TypeSum(type=row.type, objects=row.objects, bytes=row.bytes)


def _survivor(row: tuple[str, int, int]) -> SurvivorRow:
    return SurvivorRow(holder=row[0], objects=row[1], bytes=row[2])


def _sum(counted: Tally) -> tuple[int, int]:
    """All bytes and objects of a tally."""
    amounts = counted.rows.values()
    return sum(amount.bytes for amount in amounts), sum(amount.objects for amount in amounts)


def _most_changed(rows: list[GrowthRow], top: int) -> tuple[GrowthRow, ...]:
    """The rows with the largest changes, most growth first."""
    largest = sorted(rows, key=lambda row: -abs(row.weight))[:top]
    return tuple(sorted(largest, key=lambda row: -row.weight))


def _heaviest(rows: list[FindingRow], top: int) -> tuple[FindingRow, ...]:
    """The findings with the largest changes, most growth first; what is unknown last."""
    changed = [row for row in rows if row.course != "same"]
    largest = sorted(changed, key=lambda row: -abs(row.delta_bytes or 0))[:top]
    return tuple(sorted(largest, key=lambda row: -(row.delta_bytes or 0)))
