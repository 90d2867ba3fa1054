"""The rows of ``diff``: what goes by one name at every look, findings by fingerprint, how two builds fit.

Imports ``diagnosis``, ``heap``, ``model`` and this package.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal

from goretain.diagnosis.diagnose import Diagnosis, weight
from goretain.heap.tally import Amount, Kind, Tally
from goretain.model.findings import Finding
from goretain.reports.results import FindingRow, GrowthRow, Matched
from goretain.reports.trend import Judge, course, times_grown

_WHAT: dict[Kind, Literal["holder", "chain", "type", "goroutine"]] = {
    "alone": "holder",
    "type": "type",
    "chain": "chain",
    "goroutine": "goroutine",
}


def rows(tallies: Sequence[Tally], judge: Judge) -> list[GrowthRow]:
    """A row for each name that two looks differ in, with its value at every look; most growth first."""
    found = []
    for name in dict.fromkeys(name for tally in tallies for name in tally.rows):
        amounts = [tally.rows.get(name, Amount()) for tally in tallies]
        if all(a == b for a, b in pairwise(amounts)):
            continue
        sizes = tuple(amount.bytes for amount in amounts)
        roots = tuple(amount.roots for amount in amounts)
        found.append(
            GrowthRow(
                name=name,
                bytes=sizes,
                objects=tuple(amount.objects for amount in amounts),
                roots=roots if any(roots) else (),
                confidence=judge(sizes),
                grew=times_grown(sizes),
                course=course(amounts[0], amounts[-1]),
            )
        )
    return sorted(found, key=lambda row: (-row.delta_bytes, -row.delta_objects, row.name or ""))


def finding_rows(looks: Sequence[Diagnosis], judge: Judge) -> list[FindingRow]:
    """A row for each fingerprint, with what it weighs at every look; most growth first."""
    by_print = [_by_fingerprint(look) for look in looks]
    missing = [{pattern.code for pattern in look.not_judged} for look in looks]
    found = []
    for print_ in dict.fromkeys(print_ for look in reversed(by_print) for print_ in look):
        example = next(look[print_][0] for look in reversed(by_print) if print_ in look)
        amounts: list[tuple[int, int] | None] = [
            None if example.code in unjudged else _amount(look.get(print_, ()))
            for look, unjudged in zip(by_print, missing, strict=True)
        ]
        sizes = tuple(None if amount is None else amount[0] for amount in amounts)
        known = [size for size in sizes if size is not None]
        found.append(
            FindingRow(
                fingerprint=print_,
                code=example.code,
                pattern=example.pattern,
                title=example.title,
                severity=example.severity,
                holder=example.holder,
                chain=example.chain,
                fix=example.fix,
                bytes=sizes,
                objects=tuple(None if amount is None else amount[1] for amount in amounts),
                confidence=judge(known) if len(known) == len(sizes) else None,
                grew=times_grown(sizes),
                course=course(amounts[0], amounts[-1]),
            )
        )
    return sorted(found, key=lambda row: (-(row.delta_bytes or 0), row.code, row.chain.text))


def matched(kinds: Mapping[Kind, Sequence[Tally]], looks: Sequence[Diagnosis] | None) -> tuple[Matched, ...]:
    """How the names of the first look fit those of the last, for everything that was counted."""
    fits = [
        _matched(
            what, *({name: amount.bytes for name, amount in kinds[kind][at].rows.items()} for at in (0, -1))
        )
        for kind, what in _WHAT.items()
        if kind in kinds
    ]
    if looks is not None:
        sizes = [{p: _amount(f)[0] for p, f in _by_fingerprint(looks[at]).items()} for at in (0, -1)]
        fits.append(_matched("finding", *sizes))
    return tuple(fits)


def _matched(
    what: Literal["holder", "chain", "finding", "type", "goroutine"],
    first: Mapping[str | None, int] | Mapping[str, int],
    last: Mapping[str | None, int] | Mapping[str, int],
) -> Matched:
    lost, new = first.keys() - last.keys(), last.keys() - first.keys()
    return Matched(
        what=what,
        both=len(first.keys() & last.keys()),
        only_first=len(lost),
        only_first_bytes=sum(size for name, size in first.items() if name in lost),
        only_last=len(new),
        only_last_bytes=sum(size for name, size in last.items() if name in new),
    )


def _by_fingerprint(look: Diagnosis) -> dict[str, list[Finding]]:
    """The findings of a look, most bytes first."""
    groups: dict[str, list[Finding]] = {}
    for finding in look.findings:
        groups.setdefault(finding.fingerprint, []).append(finding)
    return groups


def _amount(findings: Sequence[Finding]) -> tuple[int, int]:
    """Bytes that findings are ranked by, and objects."""
    return sum(weight(finding) for finding in findings), sum(finding.count for finding in findings)
