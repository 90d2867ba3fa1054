"""The section on goroutines of ``why``'s page. Imports ``reports``."""

from __future__ import annotations

from goretain.model.units import iec
from goretain.reports.results import GoroutineRow, GoroutineSection
from goretain.reports.text.page import Page
from goretain.reports.units import plural

_STACKS = 5  # that are worth a reader's time; JSON has more


def goroutines(page: Page, section: GoroutineSection, least: int) -> None:
    """Stacks that hold ``least`` bytes, and leaked ones; no section where there are none."""
    rows = [row for row in section.stacks if row.leaked or row.retained_bytes + row.stack_bytes >= least]
    rows = [row for row in rows if row.leaked or row.retained_bytes][:_STACKS]
    if not rows:
        return
    page.title("Goroutines", _leaked(section))
    page.table(
        ("retained", "stacks", "count", "state", "function"),
        [_cells(row) for row in rows],
        left=2,
        styles={0: "bold"},
    )
    if section.stacks_total > len(rows):
        page.add((f"  {plural(section.stacks_total - len(rows), 'more stack')}: --json", "dim"))


def _leaked(section: GoroutineSection) -> str:
    if section.leaked is None:
        return "which are leaked is unknown"
    sure = "" if section.proved else "probably "
    held = f"{iec(section.leaked_bytes)} and stacks of {iec(section.leaked_stack_bytes)}"
    return f"{section.leaked:,} of {section.count:,} {sure}leaked" + (f": {held}" if section.leaked else "")


def _cells(row: GoroutineRow) -> tuple[str, ...]:
    state = f"{row.state}, leaked" if row.leaked else row.state
    where = " ".join(part for part in (row.function or "unknown", row.place) if part)
    return (iec(row.retained_bytes), iec(row.stack_bytes), f"{row.count:,}", state, where)
