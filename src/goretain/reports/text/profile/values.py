"""Profiles of other kinds than heap and goroutines: their values by site, or what changed of them.

Imports ``model`` and ``reports``.
"""

from __future__ import annotations

from goretain.model.units import duration, iec
from goretain.reports.results import ValueSection
from goretain.reports.text.page import Page
from goretain.reports.text.parts import left_out
from goretain.reports.text.profile.places import path, split_path
from goretain.reports.units import number


def values(page: Page, section: ValueSection, *, title: str = "Samples by site", sign: str = "") -> None:
    """A table; sign: before values above 0, where they are changes."""

    def shown(amounts: tuple[int, ...]) -> list[str]:
        return [_value(amount, unit, sign) for amount, unit in zip(amounts, section.units, strict=True)]

    totals = zip(section.types, shown(section.totals), strict=True)
    page.title(title, ", ".join(f"{kind} {total}" for kind, total in totals))
    body = [(*shown(row.values), path(row.place, row.own, ())) for row in section.rows]
    if body:
        heads, styles = (*section.types, "site"), {len(section.types) - 1: "bold"}
        page.table(heads, body, left=1, styles=styles, split=split_path)
    left_out(page, section.rows_total, len(section.rows), "site")


def _value(value: int, unit: str, sign: str) -> str:
    size = abs(value)
    text = duration(size) if unit == "nanoseconds" else iec(size) if unit == "bytes" else number(size)
    return ("-" if value < 0 else sign if value else "") + text
