"""What several answers are made of. Imports msgspec, ``reports.notebook`` and ``reports.units``."""

from __future__ import annotations

from typing import Literal

import msgspec

from goretain.reports.notebook import heading
from goretain.reports.units import moment


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """So many of so many, in objects and in bytes."""

    objects: int
    of_objects: int
    bytes: int
    of_bytes: int


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """One look at one program: what, when, how.

    Attributes:
        target: as the user named it.
        program, build_id, go_version, source, pid: of the process.
        taken_at: Unix seconds.
        pause_ns, copied_bytes, rss_bytes: None when unknown (a core has no pause).
        threads: stopped while copying.
        features: runtime features that were detected.
        notes: what is missing or was dropped.
        with_data: whether map keys are shown.
    """

    target: str
    program: str
    build_id: str
    go_version: str
    source: Literal["live", "core", "dump"]
    pid: int
    taken_at: float
    pause_ns: int | None
    copied_bytes: int | None
    rss_bytes: int | None
    threads: int
    features: tuple[str, ...]
    notes: tuple[str, ...]
    with_data: bool

    def _repr_html_(self) -> str:
        return heading(self.program, f"pid {self.pid}, {self.go_version}, {moment(self.taken_at)}")


class Sampling(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the program records where it allocates.

    Attributes:
        rate: runtime.MemProfileRate: one object in so many allocated bytes, on average; 0 none; None unknown.
        objects: of the objects that the report is about, reachable ones whose allocation stack is known.
        stacks: how many different ones.
    """

    rate: int | None
    objects: int
    stacks: int


class TypeSum(msgspec.Struct, frozen=True, kw_only=True):
    """Reachable objects of one type; type None is unknown."""

    type: str | None
    objects: int
    bytes: int
