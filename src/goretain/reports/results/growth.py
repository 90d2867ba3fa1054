"""What ``growth`` answers. Imports msgspec, ``model``, and ``snapshot`` for a frame."""

from __future__ import annotations

from typing import Literal

import msgspec

from goretain.model.findings import Confidence, Trend
from goretain.snapshot import Frame


class TrendRow(msgspec.Struct, frozen=True, kw_only=True):
    """What an allocation site does over time.

    Attributes:
        place, own, path: as in a SiteRow.
        trend: the verdict; confidence: how sure it is, why, and what would decide it.
        in_use_bytes: at every profile.
        samples: what the change from the first profile to the last rests on.
        chance: p of a rise like this where nothing but chance orders the profiles (Mann-Kendall).
        survival: growth of the second half, as a share of what was allocated in it.
        bytes_an_hour: the slope (Theil-Sen), and the ends of its 95 % interval; None of a single profile.
        limit_seconds: until the limit is reached if nothing but this site grows on; None: never, or no limit.
    """

    place: Frame
    own: Frame | None
    path: tuple[Frame, ...]
    trend: Trend
    confidence: Confidence
    in_use_bytes: tuple[int, ...]
    samples: float
    chance: float
    survival: float
    bytes_an_hour: tuple[float, float, float] | None
    limit_seconds: float | None


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One process: how many profiles, and when the first and the last were taken (Unix seconds)."""

    profiles: int
    first_at: float
    last_at: float


class GrowthReport(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of ``goretain growth``: which allocation sites go on growing.

    Attributes:
        schema: names this shape.
        program, build_id: of the last profile, "" unknown.
        runs: the processes that the profiles are of, in the order of time; judged: which of them is judged.
        repeated: profiles left out, as they say what the one before does: no garbage collection came between.
        rate: bytes, one sample in so many.
        seconds: of every profile of the judged run since its first.
        in_use_bytes: of all sites, at every profile of that run.
        bytes_an_hour: of all sites, as in a TrendRow.
        limit_bytes: as given; limit_seconds: until it is reached if the sites that grow go on as they do;
            None: never, or no limit.
        limit_now_bytes: what counts against the limit at the last profile: what is in use or, of a watch,
            all memory of the process with the heap as it is before a collection ends; limit_by_byte: how many
            bytes that grows by for each byte more in use. None: no limit.
        grows: by slope; undecided: those that rose, by how much, and by a thousandth of all that is in use or
            more; settles: by bytes in use at last, those that have some; the first ``top``.
        grows_total, undecided_total, settles_total: how many sites.
        notes: what is to be known.
    """

    schema: Literal["goretain/growth/1"] = "goretain/growth/1"
    goretain: str
    program: str
    build_id: str
    runs: tuple[Run, ...]
    judged: int
    repeated: int
    rate: int
    seconds: tuple[float, ...]
    in_use_bytes: tuple[int, ...]
    bytes_an_hour: tuple[float, float, float] | None
    limit_bytes: int | None
    limit_seconds: float | None
    limit_now_bytes: int | None
    limit_by_byte: float | None
    grows: tuple[TrendRow, ...]
    undecided: tuple[TrendRow, ...]
    settles: tuple[TrendRow, ...]
    grows_total: int
    undecided_total: int
    settles_total: int
    notes: tuple[str, ...] = ()
