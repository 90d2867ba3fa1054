"""Builds the answer of ``diff`` from two or more measured heaps, and says how sure the growth is.

Two looks show that something grew. Whether it goes on is a question of more: growth is called likely when
every interval grew, there were enough of them that chance does not explain it, and the pace did not fade as
it does while a cache fills up. Imports ``heap``, ``model`` and this package.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import goretain
from goretain.heap.growth import Change, Growth, compare
from goretain.model.findings import Confidence
from goretain.reports.results import DiffReport, GrowthRow, Look, SurvivorRow, TypeSum
from goretain.reports.why import look_of

if TYPE_CHECKING:
    from goretain.heap.heap import Heap

#: Intervals in a row that have to grow before growth is called likely: by chance 1 in 16.
_INTERVALS = 4
#: The second half must grow at least at this share of the pace of the first half.
_PACE = 0.5


class Series:
    """Looks at one program in order; at most three heaps are kept."""

    def __init__(self) -> None:
        self._looks: list[Look] = []
        self._live: list[tuple[int, int]] = []
        self._steps: list[Growth] = []
        self._first: Heap | None = None
        self._last: Heap | None = None

    def add(self, target: str, heap: Heap) -> None:
        """The next look."""
        self._looks.append(look_of(target, heap.snapshot))
        self._live.append((heap.reachable_bytes, heap.reachable_objects))
        if self._last is not None:
            self._steps.append(compare(self._last, heap))
        self._first = self._first or heap
        self._last = heap

    def report(self, top: int = 10) -> DiffReport:
        """What changed from the first look to the last; needs two.

        Args:
            top: rows of each list.
        """
        assert self._first is not None
        assert self._last is not None
        whole = self._steps[0] if len(self._steps) == 1 else compare(self._first, self._last)
        decide = self._decide(whole)
        times = [look.taken_at for look in self._looks]
        holders = _rows(whole.holders, [step.holders for step in self._steps], times, decide, roots=True)
        groups = [step.shared_groups for step in self._steps]
        shared = _rows(whole.shared_groups, groups, times, decide, roots=False)
        types = _rows(whole.types, [step.types for step in self._steps], times, decide, roots=False)
        same = whole.same_process
        return DiffReport(
            goretain=goretain.__version__,
            looks=tuple(self._looks),
            live_bytes=tuple(size for size, _ in self._live),
            live_objects=tuple(count for _, count in self._live),
            shared_bytes=(whole.shared.before_bytes, whole.shared.after_bytes),
            confidence=judge([size for size, _ in self._live], times, decide),
            same_process=same,
            same_build=self._looks[0].build_id == self._looks[-1].build_id,
            holders=_most_changed(holders, top),
            holders_total=len(holders),
            shared=_most_changed(shared, top),
            shared_total=len(shared),
            types=_most_changed(types, top),
            types_total=len(types),
            survivors_objects=len(whole.survivors) if same else None,
            survivors_bytes=sum(row.bytes for row in whole.survivor_types) if same else None,
            survivors_by_type=tuple(
                TypeSum(type=row.type, objects=row.objects, bytes=row.bytes)
                for row in whole.survivor_types[:top]
            ),
            survivors_by_holder=tuple(
                SurvivorRow(holder=name, objects=objects, bytes=size)
                for name, objects, size in whole.survivor_holders[:top]
            ),
        )

    def _decide(self, whole: Growth) -> str:
        """What the user should do to know more."""
        last = self._looks[-1]
        if whole.same_process and last.source == "live":
            every = max(30, round(whole.seconds / len(self._steps) / 30) * 30)
            return f"watch it longer: goretain diff {last.pid} --every {every}s --count {_INTERVALS + 2}"
        return "compare looks at one running process: goretain diff PID --every 30s"


def _rows(
    whole: Sequence[Change],
    steps: Sequence[Sequence[Change]],
    times: Sequence[float],
    decide: str,
    *,
    roots: bool,
) -> list[GrowthRow]:
    """A row for each name that the last look and the first differ in, with its value at every look."""
    by_name = [{change.name: change for change in step} for step in steps]
    rows = []
    for change in whole:
        path = [step.get(change.name) for step in by_name]
        sizes = _values(path, change.before_bytes, lambda c: c.after_bytes)
        rows.append(
            GrowthRow(
                name=change.name,
                bytes=sizes,
                objects=_values(path, change.before_objects, lambda c: c.after_objects),
                roots=_values(path, change.before_count, lambda c: c.after_count) if roots else (),
                confidence=judge(sizes, times, decide),
            )
        )
    return rows


def _values(path: Sequence[Change | None], first: int, after: Callable[[Change], int]) -> tuple[int, ...]:
    """The value at every look; a step without a change keeps it."""
    values = [first]
    for change in path:
        values.append(values[-1] if change is None else after(change))
    return tuple(values)


def judge(sizes: Sequence[int], times: Sequence[float], decide: str) -> Confidence | None:
    """How sure it is that something goes on growing, from its bytes at every look; None when it did not grow.

    Args:
        sizes: bytes at every look, two or more.
        times: seconds at every look: the first look of a goretain takes longer than the others.
        decide: what would tell more.
    """
    if sizes[-1] <= sizes[0]:
        return None
    steps = [after - before for before, after in pairwise(sizes)]
    if len(steps) == 1:
        return Confidence(
            level="undecided",
            reason="two looks show that it grew, not that it goes on growing",
            decide=decide,
        )
    if min(steps) <= 0:
        reason = f"it grew in {sum(step > 0 for step in steps)} of {len(steps)} intervals, not in all"
        return Confidence(level="undecided", reason=reason, decide=decide)
    if len(steps) < _INTERVALS:
        reason = f"it grew in each of {len(steps)} intervals, too few to tell it from chance"
        return Confidence(level="undecided", reason=reason, decide=decide)
    half = len(steps) // 2
    if _pace(sizes[-half - 1 :], times[-half - 1 :]) < _PACE * _pace(sizes[: half + 1], times[: half + 1]):
        reason = f"it grew in each of {len(steps)} intervals, but ever more slowly: it may settle"
        return Confidence(level="undecided", reason=reason, decide=decide)
    reason = (
        f"it grew in each of {len(steps)} intervals and did not slow down; by chance that happens once in "
        f"{2 ** len(steps)}"
    )
    return Confidence(level="likely", reason=reason)


def _pace(sizes: Sequence[int], times: Sequence[float]) -> float:
    """Bytes a second from the first to the last."""
    return (sizes[-1] - sizes[0]) / max(times[-1] - times[0], 1e-3)


def _most_changed(rows: list[GrowthRow], top: int) -> tuple[GrowthRow, ...]:
    """The rows with the largest changes, most growth first."""
    largest = sorted(rows, key=lambda row: -abs(row.weight))[:top]
    return tuple(sorted(largest, key=lambda row: -row.weight))
