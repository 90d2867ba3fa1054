"""GOGC and GOMEMLIMIT of a program that is watched. Imports msgspec and ``model``."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

_BYTES = re.compile(r"(\d{1,18})(?:([KMGT])i)?B?")
_PERCENT = re.compile(r"[+-]?\d{1,9}")
_DEFAULT = 100


class Pacing(msgspec.Struct, frozen=True, kw_only=True):
    """When the garbage collector runs.

    Attributes:
        gogc: percent, negative: off.
        memory_limit: GOMEMLIMIT in bytes, None: none.
        measured: read from the memory of the program; else it is what the program was started with, and it
            may have set something else itself.
    """

    gogc: int
    memory_limit: int | None
    measured: bool


def started_with(pid: int) -> Pacing | None:
    """What the environment of a process says, as the runtime reads it (readGOGC and readGOMEMLIMIT of
    runtime/mgcpacer.go, parseByteCount of runtime/string.go); None: it is gone, or not ours.
    """
    try:
        found = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return None
    given = dict(entry.decode("utf-8", "replace").partition("=")[::2] for entry in found)
    percent, limit = given.get("GOGC", ""), _BYTES.fullmatch(given.get("GOMEMLIMIT", ""))
    return Pacing(
        gogc=-1 if percent == "off" else int(percent) if _PERCENT.fullmatch(percent) else _DEFAULT,
        memory_limit=None if limit is None else int(limit[1]) << 10 * " KMGT".index(limit[2] or " "),
        measured=False,
    )
