"""Numbers and foreign names as people read them; unknown is "unknown", and never 0.

Names come from the program under study, so whatever a terminal could take for an order is escaped here.
Imports ``model.units`` and the standard library.
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

from goretain.model.units import iec

#: In place of the name of an unknown type.
UNNAMED = "(type unknown)"
_LOOPS = 3


def signed(size: int | None) -> str:
    """A change in bytes: ``+1.5 KiB``, ``-3 B``, ``0 B``."""
    return f"+{iec(size)}" if size is not None and size > 0 else iec(size)


def number(value: int | None, *, sign: bool = False) -> str:
    """A count with thousands separators."""
    if value is None:
        return "unknown"
    return f"{value:+,}" if sign and value else f"{value:,}"


def plural(count: int, noun: str, many: str = "") -> str:
    """``1 object``, ``2 objects``."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def percent(part: int | None, whole: int | None) -> str:
    """A share, rounded down, so that ``100%`` means all of it; of nothing it is "none to count"."""
    if part is None or whole is None:
        return "unknown"
    if whole <= 0:
        return "none to count"
    if part == whole:
        return "100%"
    tenths = part * 1000 // whole
    return "<0.1%" if tenths == 0 and part > 0 else f"{tenths // 10}.{tenths % 10}%"


def moment(seconds: float) -> str:
    """Unix seconds as UTC; "unknown" where no calendar has a name for them."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return "unknown"


def clean(name: str) -> str:
    """A foreign name with control, direction and surrogate characters spelt out (``\\x1b``)."""
    if name.isprintable():
        return name
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


def with_loops(link: str, loops: tuple[str, ...]) -> str:
    """A link and, in the manner of regular expressions, the ways that lead back to it: ``.head(.next)*``."""
    shown = [*loops[:_LOOPS], *(["…"] if len(loops) > _LOOPS else [])]
    return link + (f"({'|'.join(shown)})*" if loops else "")


def cells(text: str) -> int:
    """Columns that the text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )
