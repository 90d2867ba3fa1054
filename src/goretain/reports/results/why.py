"""What ``why`` answers.

Imports ``model``, msgspec, ``reports.notebook``, ``reports.units`` and this package.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from goretain.model.findings import Chain, Finding, Sampled, Severity
from goretain.model.units import iec
from goretain.reports import notebook
from goretain.reports.results.goroutines import GoroutineSection
from goretain.reports.results.memory import RssSection, SpanSection
from goretain.reports.results.parts import Look, Part, Sampling, TypeSum
from goretain.reports.units import number, plural


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """How much of the heap the answer covers; None where it could not be measured.

    Attributes:
        enumerated: allocated slots that the snapshot lists, of those that the runtime counts.
        typed: reachable objects of known type.
        typed_pointers: the same among reachable objects that hold pointers: an unknown type there may hide
            a name.
        named: reachable objects held by a named root: a global, a goroutine's variable, a special.
    """

    enumerated: Part | None = None
    typed: Part | None = None
    typed_pointers: Part | None = None
    named: Part | None = None


class HeapFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The heap in numbers.

    Attributes:
        reachable_objects, reachable_bytes: the live heap.
        unswept_objects, unswept_bytes: dead since the last mark, not yet swept; MemStats still counts them.
        unreached_objects, unreached_bytes: allocated, and reached by no root: garbage of the running cycle.
        unreached_survivors_bytes: those of them that survived the last mark (a root of ours may be missing).
        in_use_bytes, stack_bytes: pages of spans in use and of stacks.
        map_count, map_bytes: maps of known type, all of their memory; objects of no known type may be more
            (coverage.typed).
        goroutines: state (and wait reason) -> how many, most first.
    """

    reachable_objects: int
    reachable_bytes: int
    unswept_objects: int
    unswept_bytes: int
    unreached_objects: int
    unreached_bytes: int
    unreached_survivors_bytes: int
    in_use_bytes: int
    stack_bytes: int
    map_count: int
    map_bytes: int
    goroutines: dict[str, int]


class HolderRow(msgspec.Struct, frozen=True, kw_only=True):
    """One root and what it alone keeps alive in its layer.

    Attributes:
        layer: "program", "stdlib", "parked", "running" (goroutines) or "runtime".
        shared_bytes: reached from it and from other holders of its layer, dominated by none; not in
            retained_bytes.
        sampled: where what it retains was allocated; None: too few objects were sampled.
    """

    name: str
    layer: str
    retained_bytes: int
    retained_objects: int
    shared_bytes: int | None
    sampled: Sampled | None = None


class SharedRow(msgspec.Struct, frozen=True, kw_only=True):
    """Memory that several holders reach and none dominates.

    Attributes:
        bytes, objects: counted once.
        holders: names of all its holders; empty when there are too many to list.
        chain: to its largest part, from one of the holders.
    """

    bytes: int
    objects: int
    holders: tuple[str, ...]
    chain: Chain


class KeeperRow(msgspec.Struct, frozen=True, kw_only=True):
    """A root that keeps what a holder would let go; what several keep is counted for one of them."""

    name: str
    bytes: int
    objects: int


class WhatIf(msgspec.Struct, frozen=True, kw_only=True):
    """What would come back if some holders let go together, whatever layers their roots are in.

    Attributes:
        holders: their names; holders_total: how many there are.
        freed_bytes, freed_objects: reached by nothing else: the next collections give them back.
        types: they, by type; the first ``top``.
        kept_bytes, kept_objects: reached from them and from others too: they stay.
        keepers, keepers_total: who keeps those, by bytes, the first ``top``; how many there are.
    """

    holders: tuple[str, ...]
    holders_total: int
    freed_bytes: int
    freed_objects: int
    types: tuple[TypeSum, ...]
    kept_bytes: int
    kept_objects: int
    keepers: tuple[KeeperRow, ...]
    keepers_total: int


class NotJudged(msgspec.Struct, frozen=True, kw_only=True):
    """A pattern that could not be looked for in this heap, and why."""

    code: str
    reason: str


class WhyReport(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of ``goretain why``: what holds the memory of one program at one instant.

    Attributes:
        schema: names this shape; a number that grows means that something was removed or changed its meaning.
        goretain: version of the tool.
        findings: ranked by saving_bytes; the first ``top``.
        findings_total, findings_bytes: how many pass the filter and what they would give back together: what
            two of them would free counts once; heap, of the live heap at most, and stacks.
        severities: how many of them are a leak, waste, an observation.
        small_findings: below min_bytes, not counted above.
        not_judged: patterns that this runtime gives no evidence for.
        holders, holders_total: by retained bytes, the first ``top``; how many hold anything.
        shared, shared_total: groups by bytes, the first ``top``; how many groups.
        types: reachable objects by type, most bytes first; the first ``top``.
        without: what would come back without the holders that were asked about; None when none were.
        sampling: whether the program records where it allocates; None where the snapshot does not tell.
        goroutines: what goroutines hold, by stack, and which of them are leaked; None where it was not asked.
        rss: what RSS is made of. spans: how full spans are; None when that was not asked.
        min_bytes, focus: the filter that findings and holders passed ("" none).
    """

    schema: Literal["goretain/why/1"] = "goretain/why/1"
    goretain: str
    look: Look
    heap: HeapFacts
    coverage: Coverage
    findings: tuple[Finding, ...]
    findings_total: int
    findings_bytes: int
    severities: dict[Severity, int]
    small_findings: int
    not_judged: tuple[NotJudged, ...]
    holders: tuple[HolderRow, ...]
    holders_total: int
    shared: tuple[SharedRow, ...]
    shared_total: int
    types: tuple[TypeSum, ...]
    goroutines: GoroutineSection | None = None
    min_bytes: int = 0
    focus: str = ""
    without: WhatIf | None = None
    sampling: Sampling | None = None
    rss: RssSection | None = None
    spans: SpanSection | None = None

    def _repr_html_(self) -> str:
        heap, what_if = self.heap, self.without
        live = f"{iec(heap.reachable_bytes)} in {plural(heap.reachable_objects, 'object')}"
        parts = [self.look._repr_html_(), notebook.paragraph(f"live heap {live}")]
        if what_if is not None:
            freed = f"{iec(what_if.freed_bytes)} in {plural(what_if.freed_objects, 'object')}"
            names = " and ".join(what_if.holders)
            parts.append(notebook.paragraph(f"without {names}: {freed} come back"))
        rows = [
            (iec(r.retained_bytes), number(r.retained_objects), iec(r.shared_bytes), r.layer, r.name)
            for r in self.holders
        ]
        heads = ("retained", "objects", "shared", "layer", "holder")
        return "\n".join([*parts, notebook.findings(self.findings), notebook.table(heads, rows)])
