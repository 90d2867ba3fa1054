"""How a figure goes from look to look: what became of it, how often it grew, how sure it is that it goes on.

Two looks show that something grew. Whether it goes on is a question of more: growth is called likely when
every interval grew, there were enough of them that chance does not explain it, and the pace did not fade as
it does while a cache fills up. Imports ``model`` and this package's results.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from goretain.model.findings import Confidence
from goretain.model.units import iec
from goretain.reports.results import Course, FindingRow, GrowthRow
from goretain.reports.units import plural

#: Intervals in a row that have to grow before growth is called likely: by chance 1 in 16.
INTERVALS = 4
#: The second half must grow at least at this share of the pace of the first half.
_PACE = 0.5


def course(before: tuple[int, ...] | None, after: tuple[int, ...] | None) -> Course:
    """What became of something: its figures then and now, the most important first; None: unknown."""
    if before is None or after is None:
        return "unknown"
    if before == after:
        return "same"
    if not any(before):
        return "new"
    if not any(after):
        return "gone"
    return "grown" if after > before else "shrunk"


def times_grown(sizes: Sequence[int | None]) -> int:
    """In how many intervals it grew; an unknown end of one counts as not."""
    return sum(a is not None and b is not None and b > a for a, b in pairwise(sizes))


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges every figure of some looks alike: how sure it is that it goes on growing.

    Attributes:
        times: seconds at every look.
        decide: what would tell more.
        same_process: what several processes show is no growth in time.
    """

    times: Sequence[float]
    decide: str
    same_process: bool

    def __call__(self, sizes: Sequence[int]) -> Confidence | None:
        """The verdict on bytes at every look; None when they did not grow."""
        found = judge(sizes, self.times, self.decide)
        if found is None or found.level == "undecided" or self.same_process:
            return found
        reason = "more at every look, but the looks are not of one process"
        return Confidence(level="undecided", reason=reason, decide=self.decide)


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
    if len(steps) < INTERVALS:
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


def verdict(rows: Sequence[GrowthRow | FindingRow], noun: str, intervals: int, least: int) -> str:
    """What three or more looks say together: what grew every time, what only once, and how sure that is.

    Args:
        rows: what changed.
        noun: what a row is.
        least: rows that grew by less are crumbs.
    """
    if intervals < 2:
        return ""
    grown = [row for row in rows if (row.delta_bytes or 0) >= max(least, 1)]
    if not grown:
        return f"no {noun} grew by a thousandth of the live heap or more"
    always = [row for row in grown if row.grew == intervals]
    parts = (
        _sum(always, noun, f" in each of {intervals} intervals"),
        _sum([row for row in grown if row.grew == 1], "" if always else noun, " only once"),
        _sum([row for row in grown if row.grew not in (1, intervals)], "", " in some intervals, not in all"),
    )
    said = "; ".join(part for part in parts if part)
    if not always:
        return f"no {noun} grew in all of {intervals} intervals: {said}"
    likely = [row for row in always if row.confidence is not None and row.confidence.level == "likely"]
    if likely:
        return f"{said}. Likely to go on: {plural(len(likely), noun)}, which did not slow down"
    unsure = next(
        (row.confidence.reason for row in always if row.confidence is not None), "of unknown course"
    )
    return f"{said}. Whether what grew every time goes on is undecided: {unsure}"


def _sum(rows: Sequence[GrowthRow | FindingRow], noun: str, how: str) -> str:
    """``2 holders grew in each of 2 intervals, by 3.0 MiB together``; "" for no rows."""
    if not rows:
        return ""
    what = plural(len(rows), noun) if noun else f"{len(rows):,}"
    grown = iec(sum(row.delta_bytes or 0 for row in rows))
    return f"{what} grew{how}, by {grown} {'together' if len(rows) > 1 else 'in all'}"
