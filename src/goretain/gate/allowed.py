"""What of a benchmark's growth goretain.toml allows, and the verdict that is left. Imports this room."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from goretain.gate.config import Config, Known, Limits
from goretain.gate.measure import Measured, SiteVerdict, StandingVerdict
from goretain.gate.run import Stack
from goretain.gate.verdict import Judged

#: Of a benchmark: something grows or is undecided that may not, that may, or nothing does either.
Verdict = Literal["grows", "undecided", "allowed", "settles"]
#: What asks a limit about an amount per iteration.
_Asked = Callable[[Limits], str | None]


@dataclass(frozen=True, slots=True)
class Ruling:
    """What is said of one call stack.

    Attributes:
        over: which limit it is over; None: it settles, or may grow.
        allowed: why it may; None: it may not, or settles.
        known: the site of the file that it is, if any.
    """

    over: str | None = None
    allowed: str | None = None
    known: Known | None = None


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is said of a benchmark.

    Attributes:
        verdict: None: it was not measured.
        total, goroutines: of all together.
        sites, standing: of each call stack, in the order of the measured; none of too few runs.
    """

    verdict: Verdict | None
    total: Ruling = Ruling()
    goroutines: Ruling = Ruling()
    sites: tuple[Ruling, ...] = ()
    standing: tuple[Ruling, ...] = ()


def allowance(config: Config, package: str, measured: Measured) -> Allowance:
    """What a file says of a benchmark.

    Totals have a say only where no call stack goes on by itself: many small ones together. Of too few runs
    they alone are judged.
    """
    if measured.total is None or measured.goroutines is None:
        return Allowance(None)
    name, limits = measured.name, config.limits(package, measured.name)

    def ruled(stack: Stack, judged: Judged, asked: _Asked) -> Ruling:
        known = config.known(package, name, (frame.function for frame in stack))
        return _ruling(judged, asked, limits, known)

    whole, every = measured.total, measured.goroutines
    if whole.bytes.rate is None:
        total = _ruling(whole.bytes, _memory(whole), limits, None)
        return Allowance(_verdict([(whole.bytes, total)]), total)
    sites = tuple(ruled(site.stack, site.bytes, _memory(site)) for site in measured.sites)
    standing = tuple(ruled(one.stack, one.count, _goroutines(one)) for one in measured.standing)
    total = goroutines = Ruling()
    if all(site.bytes.trend == "settles" for site in measured.sites):
        total = _ruling(whole.bytes, _memory(whole), limits, None)
    if all(one.count.trend == "settles" for one in measured.standing):
        goroutines = _ruling(every.count, _goroutines(every), limits, None)
    judged = [
        *((site.bytes, ruling) for site, ruling in zip(measured.sites, sites, strict=True)),
        *((one.count, ruling) for one, ruling in zip(measured.standing, standing, strict=True)),
        (whole.bytes, total),
        (every.count, goroutines),
    ]
    return Allowance(_verdict(judged), total, goroutines, sites, standing)


def _memory(site: SiteVerdict) -> _Asked:
    def asked(limits: Limits) -> str | None:
        return limits.excess(_rate(site.bytes), _rate(site.objects))

    return asked


def _goroutines(one: StandingVerdict) -> _Asked:
    def asked(limits: Limits) -> str | None:
        return limits.excess_goroutines(_rate(one.count))

    return asked


def _rate(amount: Judged) -> float:
    """Per iteration; of too few runs nothing is known, which no limit allows."""
    return math.inf if amount.rate is None else amount.rate


def _ruling(judged: Judged, asked: _Asked, limits: Limits, known: Known | None) -> Ruling:
    if judged.trend == "settles":
        return Ruling()
    over = asked(limits if known is None else known)
    if over is not None:
        return Ruling(over=over, known=known)
    return Ruling(allowed="within its limit" if known is None else f"known: {known.reason}", known=known)


def _verdict(judged: Sequence[tuple[Judged, Ruling]]) -> Verdict:
    over = {amount.trend for amount, ruling in judged if ruling.over is not None}
    if over:
        return "grows" if "grows" in over else "undecided"
    return "allowed" if any(ruling.allowed is not None for _, ruling in judged) else "settles"


def unseen(config: Config, ran: Sequence[tuple[str, Measured, Allowance]]) -> tuple[Known, ...]:
    """Known sites that some benchmark should have shown, and none did.

    Args:
        ran: import path, benchmark, and what was said of it.
    """
    measured = [(path, one, said) for path, one, said in ran if said.verdict is not None]
    seen = {ruling.known for _, _, said in measured for ruling in (*said.sites, *said.standing)}
    return tuple(
        known
        for known in config.gate.known
        if known not in seen and any(known.covers(path, one.name) for path, one, _ in measured)
    )
