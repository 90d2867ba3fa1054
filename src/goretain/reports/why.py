"""Builds the answer of ``why`` from a measured heap and its diagnosis.

The one place that knows both the measures and the shape of the report. Imports ``diagnosis``, ``heap``,
``snapshot``, ``model`` and this package.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

import goretain
from goretain.diagnosis.diagnose import diagnose
from goretain.diagnosis.together import give_back
from goretain.model.findings import Chain, Severity
from goretain.reports.goroutines import goroutine_section
from goretain.reports.memory import rss_section, span_section
from goretain.reports.results import (
    Coverage,
    HeapFacts,
    HolderRow,
    KeeperRow,
    Look,
    NotJudged,
    Part,
    Sampling,
    SharedRow,
    TypeSum,
    WhatIf,
    WhyReport,
)
from goretain.snapshot import Goroutine, Layer, Snapshot

if TYPE_CHECKING:
    from goretain.heap.coverage import Amount
    from goretain.heap.heap import Heap
    from goretain.heap.histogram import TypeRow
    from goretain.heap.holders import Holder

#: What a root layer is called in reports.
LAYERS: dict[int, str] = {
    Layer.PROGRAM: "program",
    Layer.STDLIB: "stdlib",
    Layer.PARKED: "parked",
    Layer.RUNNING: "running",
    Layer.RUNTIME: "runtime",
}


def why_report(
    target: str,
    heap: Heap,
    *,
    top: int = 10,
    min_bytes: int = 0,
    focus: str = "",
    without: Sequence[str] = (),
    spans: bool = False,
) -> WhyReport:
    """What holds the memory of a heap.

    Args:
        target: what to call the thing that was looked at.
        heap: the measured heap.
        top: rows of each list.
        min_bytes: findings and holders below it are left out.
        focus: only findings and holders whose name starts with it.
        without: holders of which to say what would come back if they let go.
        spans: whether to say how full spans are.

    Raises:
        UsageError: there is no holder of a name in ``without``; ``spans`` of a heap dump.
    """
    what_if = _what_if(heap, without, top) if without else None
    found = diagnose(heap, min_bytes=min_bytes, focus=focus)
    holders = [h for h in heap.holders if h.retained_bytes >= min_bytes and h.name.startswith(focus)]
    shared = [g for g in heap.shared if g.bytes >= min_bytes and (not focus or _any(g.holders, focus))]
    severities: Counter[Severity] = Counter(finding.severity for finding in found.findings)
    return WhyReport(
        goretain=goretain.__version__,
        look=look_of(target, heap.snapshot),
        heap=_facts(heap),
        coverage=_coverage(heap),
        findings=found.findings[:top],
        findings_total=len(found.findings),
        findings_bytes=give_back(heap, found.findings),
        severities={level: severities[level] for level in ("leak", "waste", "observation")},
        small_findings=found.left_off,
        not_judged=tuple(NotJudged(code=n.code, reason=n.reason) for n in found.not_judged),
        holders=tuple(_holder_row(heap, holder) for holder in holders[:top]),
        holders_total=len(holders),
        shared=tuple(
            SharedRow(
                bytes=g.bytes, objects=g.objects, holders=g.holders, chain=_chain(heap, g.example, focus)
            )
            for g in shared[:top]
        ),
        shared_total=len(shared),
        types=_type_sums(heap.histogram[:top]),
        goroutines=goroutine_section(heap, top),
        min_bytes=min_bytes,
        focus=focus,
        without=what_if,
        sampling=sampling_of(heap),
        rss=rss_section(heap.snapshot),
        spans=span_section(heap.snapshot, top) if spans else None,
    )


def _holder_row(heap: Heap, holder: Holder) -> HolderRow:
    return HolderRow(
        name=holder.name,
        layer=LAYERS[holder.layer],
        retained_bytes=holder.retained_bytes,
        retained_objects=holder.retained_objects,
        shared_bytes=holder.shared_bytes,
        sampled=heap.sites.held_by_root(holder.node),
    )


def sampling_of(heap: Heap, samples: NDArray[np.int64] | None = None) -> Sampling | None:
    """Whether the program records where it allocates; None when the snapshot does not tell.

    samples: of ``heap.sites`` those to count; None is all.
    """
    if heap.snapshot.samples is None:
        return None
    stacks = heap.sites.stack if samples is None else heap.sites.stack[samples]
    return Sampling(
        rate=heap.snapshot.meta.profile_rate,
        objects=len(stacks),
        stacks=len(np.unique(stacks[stacks >= 0])),
    )


def _what_if(heap: Heap, holders: Sequence[str], top: int) -> WhatIf:
    found = heap.without(holders)
    return WhatIf(
        holders=found.names[:top],
        holders_total=len(found.names),
        freed_bytes=found.freed_bytes,
        freed_objects=found.freed_objects,
        types=_type_sums(found.types[:top]),
        kept_bytes=found.kept_bytes,
        kept_objects=found.kept_objects,
        keepers=tuple(
            KeeperRow(name=row.name, bytes=row.bytes, objects=row.objects) for row in found.keepers[:top]
        ),
        keepers_total=len(found.keepers),
    )


def _type_sums(rows: Sequence[TypeRow]) -> tuple[TypeSum, ...]:
    return tuple(TypeSum(type=row.type, objects=row.objects, bytes=row.bytes) for row in rows)


def _chain(heap: Heap, object_id: int, focus: str) -> Chain:
    """The chain to an object, from the holder in focus if it is one of several."""
    chain = heap.chain(object_id)
    return (heap.chain_from(chain, focus) if focus else None) or chain


def _any(names: tuple[str, ...], prefix: str) -> bool:
    return any(name.startswith(prefix) for name in names)


def look_of(target: str, snapshot: Snapshot) -> Look:
    """What was looked at and how, from the snapshot's own record."""
    meta = snapshot.meta
    return Look(
        target=target,
        program=meta.program,
        build_id=meta.build_id,
        go_version=meta.go_version,
        source=meta.source,
        pid=meta.pid,
        taken_at=meta.taken_at,
        pause_ns=meta.pause_ns,
        copied_bytes=meta.copied_bytes,
        rss_bytes=meta.rss_bytes,
        threads=meta.threads,
        features=meta.features,
        notes=meta.notes,
        with_data=meta.with_data,
    )


def _facts(heap: Heap) -> HeapFacts:
    totals, cover, columns = heap.snapshot.meta.totals, heap.coverage, heap.snapshot.columns
    return HeapFacts(
        reachable_objects=cover.reached.objects,
        reachable_bytes=cover.reached.bytes,
        unswept_objects=totals.dead_objects,
        unswept_bytes=totals.dead_bytes,
        unreached_objects=cover.survived.objects + cover.since.objects,
        unreached_bytes=cover.survived.bytes + cover.since.bytes,
        unreached_survivors_bytes=cover.survived.bytes,
        in_use_bytes=totals.in_use_bytes,
        stack_bytes=totals.stack_bytes,
        map_count=len(columns.map_bytes),
        map_bytes=int(columns.map_bytes.sum()),
        goroutines=dict(Counter(_state(g) for g in heap.snapshot.goroutines).most_common()),
    )


def _state(goroutine: Goroutine) -> str:
    return (
        goroutine.wait_reason if goroutine.state == "waiting" and goroutine.wait_reason else goroutine.state
    )


def _coverage(heap: Heap) -> Coverage:
    cover = heap.coverage

    def part(some: Amount, whole: Amount) -> Part:
        return Part(objects=some.objects, of_objects=whole.objects, bytes=some.bytes, of_bytes=whole.bytes)

    return Coverage(
        enumerated=None if cover.uncounted_spans else part(cover.enumerated, cover.allocated),
        typed=part(cover.typed, cover.reached),
        typed_pointers=part(cover.scannable_typed, cover.scannable),
        named=part(cover.named, cover.reached),
    )
