"""What ``watch`` answers. Imports msgspec, this package, ``profile`` for statistics and ``snapshot``."""

from __future__ import annotations

from typing import Literal

import msgspec

from goretain.model.findings import Trend
from goretain.profile.contents import MemStats
from goretain.profile.watch.pacing import Pacing
from goretain.reports.results.growth import GrowthReport
from goretain.snapshot import Frame


class StandingTrend(msgspec.Struct, frozen=True, kw_only=True):
    """How many goroutines stand at one place over time, or, wherever they stand, are of one go statement.

    Attributes:
        place, own, start, created_at, state: as in a StandingRow; place None: wherever, and its states.
        trend: the verdict.
        counts: at every look of the judged run.
        an_hour: slope of the count (Theil-Sen).
    """

    place: Frame | None
    own: Frame | None
    start: str
    created_at: Frame | None
    state: str | None
    trend: Trend
    counts: tuple[int, ...]
    an_hour: float


class MemoryTrend(msgspec.Struct, frozen=True, kw_only=True):
    """The memory of the process, in the judged run.

    Attributes:
        first, last: what the runtime said at the first look and at the last.
        resident: RSS at both; None for a target that is not on this host.
        collections_a_minute: garbage collections between the two; forced_a_minute: those among them that
            runtime.GC began, as the watch does with ?gc=1.
        pacing: how the collector was set at the last look; None unknown.
    """

    first: MemStats
    last: MemStats
    resident: tuple[int, int] | None
    collections_a_minute: float
    forced_a_minute: float
    pacing: Pacing | None


class TargetReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of one target.

    Attributes:
        name: as the user gave it, without a password.
        looks, failed: how many looks gave a profile, and how many did not; failure: why the last of these.
        growth: None where no two looks are of one process.
        memory: None unknown.
        goroutines: places where their number grows, and those where it rose by 4 or more and is undecided; a
            go statement where it grows at none of its places, but over all of them. None unknown.
        goroutine_count: of all, at every look of the judged run.
    """

    name: str
    looks: int
    failed: int
    failure: str
    growth: GrowthReport | None
    memory: MemoryTrend | None
    goroutines: tuple[StandingTrend, ...] | None
    goroutine_count: tuple[int, ...]


class WatchReport(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of ``goretain watch``.

    Attributes:
        schema: names this shape.
        file: where all looks are kept.
        targets: in the order of their first look.
    """

    schema: Literal["goretain/watch/1"] = "goretain/watch/1"
    goretain: str
    file: str
    targets: tuple[TargetReport, ...]
