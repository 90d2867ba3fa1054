"""Runs every pattern of the catalogue over a heap and turns what they find into one ranked list.

Imports ``patterns``, ``heap`` (for typing), ``model`` and msgspec.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from goretain.model.findings import MOST_SITES, AllocationSite, Confidence, Finding, Sampled
from goretain.model.names import of_this_build
from goretain.patterns.catalogue import Pattern, catalogue

if TYPE_CHECKING:
    from goretain.heap.heap import Heap

_LEVELS = ("undecided", "likely", "proved")  # weakest first
_ARRAY = re.compile(r"^\[\d*\]")

#: An observation is dropped when other findings of its holder account for this share of its bytes.
_EXPLAINED = 0.5


class NotJudged(msgspec.Struct, frozen=True, kw_only=True):
    """A pattern that could not be looked for in this heap, and why."""

    code: str
    reason: str


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of ``goretain why``.

    Attributes:
        findings: ranked, most bytes first.
        left_off: findings that fit ``focus`` but not ``min_bytes`` or ``top``.
        left_off_bytes: their bytes, as ``weight`` counts them.
        not_judged: patterns that this runtime gives no evidence for.
    """

    findings: tuple[Finding, ...]
    left_off: int = 0
    left_off_bytes: int = 0
    not_judged: tuple[NotJudged, ...] = ()


def diagnose(
    heap: Heap,
    *,
    min_bytes: int = 0,
    focus: str = "",
    top: int | None = None,
    patterns: Sequence[Pattern] | None = None,
) -> Diagnosis:
    """Look for every pattern in a heap.

    Args:
        heap: the measured heap.
        min_bytes: findings below this many bytes are counted, not listed.
        focus: only findings whose chain from one of their holders starts with this text: ``main.cache``.
        top: list at most this many; None lists all.
        patterns: instead of the whole catalogue.
    """
    features = heap.snapshot.meta.features
    found: list[Finding] = []
    not_judged: list[NotJudged] = []
    for pattern in [p for p in catalogue() if p.in_heaps] if patterns is None else patterns:
        if pattern.applies_to(features):
            found.extend(pattern.find(heap))
        else:
            missing = ", ".join(sorted(set(pattern.requires) - set(features)))
            not_judged.append(
                NotJudged(code=pattern.code, reason=f"neither its runtime nor the snapshot has: {missing}")
            )
    ranked = rank(subsume(merge(found)))
    in_focus = [under for f in ranked if (under := _under(heap, f, focus)) is not None]
    listed = [f for f in in_focus if weight(f) >= min_bytes][:top]
    kept = {id(f) for f in listed}
    rest = [f for f in in_focus if id(f) not in kept]
    return Diagnosis(
        findings=tuple(listed),
        left_off=len(rest),
        left_off_bytes=sum(weight(f) for f in rest),
        not_judged=tuple(not_judged),
    )


def _under(heap: Heap, finding: Finding, focus: str) -> Finding | None:
    """The finding, its chain starting at the holder in focus; None when no holder of it is in focus."""
    if finding.chain.text.startswith(focus):
        return finding
    chain = heap.chain_from(finding.chain, focus)
    if chain is not None:
        return msgspec.structs.replace(finding, chain=chain)
    return finding if finding.holder.startswith(focus) else None


def weight(finding: Finding) -> int:
    """Bytes that a finding is ranked by: what the fix gives back; for an observation what is held."""
    if finding.severity == "observation":
        return finding.retained_bytes or 0
    return finding.saving_bytes


def rank(findings: Iterable[Finding]) -> list[Finding]:
    """Most bytes first; equal ones in the order of code, holder and fingerprint."""
    return sorted(findings, key=lambda f: (-weight(f), f.code, f.holder, f.fingerprint))


def merge(findings: Iterable[Finding]) -> list[Finding]:
    """Findings of one fingerprint become one: the heaviest speaks for all, counts and bytes are added.

    Twelve goroutines of one function that each hold the same thing are one finding, not twelve; two closures
    of one function, which another build may number otherwise, are two.
    """
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings:
        chain = finding.chain
        key = (finding.fingerprint or str(id(finding)), *of_this_build("".join((chain.root, *chain.links))))
        groups.setdefault(key, []).append(finding)
    return [group[0] if len(group) == 1 else _merged(rank(group)) for group in groups.values()]


def _merged(group: list[Finding]) -> Finding:
    """One finding for a ranked group."""
    first = group[0]
    others = dict.fromkeys(name for f in group for name in (f.holder, *f.also_from) if name != first.holder)
    return msgspec.structs.replace(
        first,
        count=sum(f.count for f in group),
        saving_bytes=sum(f.saving_bytes for f in group),
        hidden_bytes=_sum_known(f.hidden_bytes for f in group),
        retained_bytes=_sum_known(f.retained_bytes for f in group),
        type=_common_type({f.type for f in group}),
        confidence=_weakest(group),
        also_from=tuple(others),
        sampled=_sum_sampled(f.sampled for f in group),
    )


def _common_type(types: set[str | None]) -> str | None:
    """Of arrays that differ in length ``[]T``; None where they differ in more."""
    if len(types) > 1:
        types = {_ARRAY.sub("[]", name) if name else None for name in types}
    return types.pop() if len(types) == 1 else None


def _weakest(group: list[Finding]) -> Confidence:
    """The least sure confidence of a ranked group; where some are surer, of how many it is said."""
    least = min((f.confidence for f in group), key=lambda c: _LEVELS.index(c.level))
    surer = [f for f in group if f.confidence.level != least.level]
    if not surer:
        return least
    every, rest = sum(f.count for f in group), sum(f.count for f in surer)
    reason = f"{every - rest:,} of {every:,}: {least.reason}; the others: {surer[0].confidence.reason}"
    return msgspec.structs.replace(least, reason=reason)


def _sum_sampled(parts: Iterable[Sampled | None]) -> Sampled | None:
    """Where the objects of several findings were allocated, as far as enough of each were sampled."""
    known = [part for part in parts if part is not None]
    if not known:
        return None
    sites: dict[tuple[str, str | None, str | None], AllocationSite] = {}
    for site in (site for part in known for site in part.sites):
        key = (site.function, site.place, site.through)
        before = sites.get(key)
        if before is not None:
            site = msgspec.structs.replace(
                site, objects=site.objects + before.objects, bytes=site.bytes + before.bytes
            )
        sites[key] = site
    ranked = sorted(sites.values(), key=lambda site: (-site.objects, -site.bytes))
    objects, size = sum(part.objects for part in known), sum(part.bytes for part in known)
    return Sampled(objects=objects, bytes=size, sites=tuple(ranked[:MOST_SITES]))


def _sum_known(values: Iterable[int | None]) -> int | None:
    """The sum, or None when a part is unknown."""
    total = 0
    for value in values:
        if value is None:
            return None
        total += value
    return total


def subsume(findings: Sequence[Finding]) -> list[Finding]:
    """Drop observations whose bytes other findings of the same holder explain for the most part."""
    explained: dict[str, int] = {}
    for finding in findings:
        if finding.severity != "observation":
            explained[finding.holder] = explained.get(finding.holder, 0) + finding.saving_bytes
    return [
        f
        for f in findings
        if f.severity != "observation" or explained.get(f.holder, 0) < _EXPLAINED * max(weight(f), 1)
    ]
