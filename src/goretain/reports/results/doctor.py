"""What ``doctor`` answers. Imports msgspec."""

from __future__ import annotations

from typing import Literal

import msgspec

Status = Literal["ok", "warning", "problem"]
Area = Literal["goretain", "machine", "process", "program"]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at.

    Attributes:
        area: what it belongs to: this installation, this machine, the process, the program that it runs.
        name: what was looked at, one or two words; unique within its area.
        status: "problem": a capture or its analysis fails; "warning": it works less well, or not for all.
        found: what is so.
        advice: what to do about it; "" where nothing is to be done.
    """

    area: Area
    name: str
    status: Status
    found: str
    advice: str = ""


class DoctorReport(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of ``goretain doctor``.

    Attributes:
        schema: names this shape.
        pid: the process that was asked about, None without one.
        status: the worst of all checks.
        capture: whether the process can be captured and read; None without one.
        checks: in the order of the areas.
    """

    schema: Literal["goretain/doctor/1"] = "goretain/doctor/1"
    goretain: str
    pid: int | None
    status: Status
    capture: bool | None
    checks: tuple[Check, ...]
