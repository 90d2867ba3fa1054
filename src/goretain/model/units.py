"""Bytes and times as people read and write them, in errors and reports alike. Imports nothing of goretain."""

from __future__ import annotations

import re

_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?b?)", re.IGNORECASE)


def iec(size: int | None) -> str:
    """Bytes with a binary unit: ``512 B``, ``1.5 KiB``, ``812.4 MiB``."""
    if size is None:
        return "unknown"
    if abs(size) < 1024:
        return f"{size} B"
    value = float(size)
    for unit in _UNITS:
        value /= 1024
        # From 1000 on the next unit reads better: 1.0 MiB, not 1,012.5 KiB.
        if abs(value) < 999.95 or unit == _UNITS[-1]:
            return f"{value:,.1f} {unit}"
    raise AssertionError("unreachable")


def duration(nanoseconds: int | None) -> str:
    """``850 us``, ``7.3 ms``, ``1.20 s``, ``5 min``, ``2.0 h``."""
    if nanoseconds is None:
        return "unknown"
    if nanoseconds < 1_000_000:
        return f"{nanoseconds / 1e3:.0f} us"
    if nanoseconds < 1_000_000_000:
        return f"{nanoseconds / 1e6:.1f} ms"
    seconds = nanoseconds / 1e9
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def size_of(text: str) -> float | None:
    """Bytes that somebody wrote: ``64``, ``0.5 B``, ``64KB`` (1000s), ``64KiB``, ``64K`` (1024s); or None."""
    match = _SIZE.fullmatch(text.strip())
    if match is None or match[3].lower() == "i":
        return None
    base = 1000 if match[2] and match[3].lower() == "b" else 1024
    return float(match[1]) * float(base) ** " kmgt".index(match[2].lower() or " ")
