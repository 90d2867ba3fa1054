"""What the pages of several commands have in common. Imports ``reports``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from goretain.model.findings import LEAST_SAMPLES, Sampled
from goretain.model.units import iec
from goretain.reports.results import Look, Sampling, TypeSum
from goretain.reports.text.page import Page
from goretain.reports.units import UNNAMED, clean, moment, number, percent, plural


def head(page: Page, look: Look) -> None:
    """What was looked at: program, process, Go version, when."""
    name = clean(PurePath(look.program).name or look.program or look.target)
    process = f"core of pid {look.pid}" if look.source == "core" else f"pid {look.pid}"
    if not look.pid and look.source != "live":
        process = "core" if look.source == "core" else "heap dump"
    page.words(
        f"{process}, {look.go_version}, {moment(look.taken_at)}",
        lead=[(name, "bold"), ("  ", "")],
        hang="  ",
        style="dim",
    )


def sampling(page: Page, facts: Sampling | None, live: int) -> None:
    """Whether the program records where it allocates: of how many of the live objects it did."""
    if facts is None:
        return
    text = f"{facts.objects:,} of {plural(live, 'object')}, with the stacks that allocated them"
    if facts.rate is not None:
        text += f" (one per {iec(facts.rate)} allocated)" if facts.rate else "; no more are recorded"
    # The runtime samples an object or two before it knows that nobody will ask.
    if facts.rate == 0 and facts.objects < LEAST_SAMPLES:
        text = "nothing: the program records no allocation sites (runtime.MemProfileRate is 0)"
    elif facts.rate is None and not facts.objects:
        text = "nothing: whether the program records allocation sites is unknown"
    page.fact("sampled", text)


def allocation(found: Sampled | None, most: int) -> list[str]:
    """``sampled (71 objects): 93% in main.load load.go:31 (strings.Repeat)`` in pieces; [] when too few were
    sampled to name a place."""
    if found is None or not found.sites:
        return []
    shares = [f"{percent(site.objects, found.objects)} in {clean(site.text)}" for site in found.sites[:most]]
    return [f"sampled ({found.objects:,} objects): ", *(f"{share}; " for share in shares[:-1]), shares[-1]]


def types_table(page: Page, title: str, types: Sequence[TypeSum], whole: int) -> None:
    """Objects by type; shares are of ``whole`` bytes."""
    if not types:
        return
    page.title(title)
    rows = [(iec(t.bytes), percent(t.bytes, whole), number(t.objects), t.type or UNNAMED) for t in types]
    page.table(("bytes", "share", "objects", "type"), rows, left=1, styles={0: "bold"})


def left_out(page: Page, total: int, shown: int, noun: str) -> None:
    """How many rows there are besides those shown, and how to see them."""
    if total > shown:
        page.add((f"  {plural(total - shown, f'more {noun}')}: --top {total}", "dim"))
