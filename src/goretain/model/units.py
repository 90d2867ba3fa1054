"""Bytes as people read them, in errors and reports alike. Imports nothing of goretain."""

from __future__ import annotations

_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB")


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
