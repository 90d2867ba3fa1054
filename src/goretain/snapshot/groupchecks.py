"""The invariants of the groups of columns and tables that a snapshot may lack.

Imports msgspec, numpy and this package.
"""

from __future__ import annotations

import msgspec
import numpy as np

from goretain.snapshot.checks import LIMIT, check_ids, check_range
from goretain.snapshot.columns import Snapshot
from goretain.snapshot.groups import GROUP_DTYPES, SpecialKind, WaitKind

_TIME_LIMIT = 1 << 63


def check_groups(snapshot: Snapshot) -> None:
    """Check every group and table that is there. Raises ValueError: (section, what does not hold)."""
    for group, dtypes in GROUP_DTYPES.items():
        columns = getattr(snapshot, group)
        if columns is None:
            continue
        lengths = {name: len(getattr(columns, name)) for name in dtypes}
        first = next(iter(dtypes))
        for name, length in lengths.items():
            if length != lengths[first]:
                raise ValueError(name, f"has another number of rows than {first}")
            if name.endswith(("_object", "_target")):
                check_ids(name, getattr(columns, name), snapshot.object_count)
            elif name.endswith(("_name", "_function")):
                check_range(name, getattr(columns, name), 0, len(snapshot.strings))
    _check_waits(snapshot)
    _check_spans(snapshot)
    _check_specials(snapshot)
    _check_sites(snapshot)
    _check_memory(snapshot)


def _check_waits(snapshot: Snapshot) -> None:
    waits = snapshot.waits
    if waits is None:
        return
    check_range("wait_goroutine", waits.wait_goroutine, 0, len(snapshot.goroutines))
    if bool((waits.wait_goroutine[1:] < waits.wait_goroutine[:-1]).any()):
        raise ValueError("wait_goroutine", "is not ascending")
    check_range("wait_kind", waits.wait_kind, 0, len(WaitKind))
    check_range("wait_address", waits.wait_address, -1, LIMIT)


def _check_spans(snapshot: Snapshot) -> None:
    spans = snapshot.spans
    if spans is None:
        return
    check_range("span_start", spans.span_start, 0, LIMIT)
    check_range("span_bytes", spans.span_bytes, 1, LIMIT)
    check_range("span_slot_bytes", spans.span_slot_bytes, 1, LIMIT)
    check_range("span_slots", spans.span_slots, 1, LIMIT)
    check_range("span_live", spans.span_live, -1, LIMIT)
    if bool((spans.span_start[1:] < spans.span_start[:-1] + spans.span_bytes[:-1]).any()):
        raise ValueError("span_start", "spans overlap or are not in ascending order")
    if bool((spans.span_slots > spans.span_bytes // spans.span_slot_bytes).any()):
        raise ValueError("span_slots", "do not fit into their span")
    if bool((spans.span_live > spans.span_slots).any()):
        raise ValueError("span_live", "exceeds the slots")


def _check_specials(snapshot: Snapshot) -> None:
    if snapshot.specials is not None:
        check_range("special_kind", snapshot.specials.special_kind, 0, len(SpecialKind))


def _check_sites(snapshot: Snapshot) -> None:
    samples, sites = snapshot.samples, snapshot.sites
    if samples is not None:
        check_range("sample_site", samples.sample_site, -1, len(sites or ()))
        if bool((samples.sample_object[1:] <= samples.sample_object[:-1]).any()):
            raise ValueError("sample_object", "is not ascending")
        if bool((samples.sample_object >= np.uint32(snapshot.object_count)).any()):
            raise ValueError("sample_object", "names no object")
    for site in sites or ():
        if not all(fact is None or 0 <= fact < _TIME_LIMIT for fact in (site.objects, site.bytes)):
            raise ValueError("sites", "holds a count that cannot be")


def _check_memory(snapshot: Snapshot) -> None:
    if snapshot.memory is None:
        return
    for name, fact in msgspec.structs.asdict(snapshot.memory).items():
        least = -1 if name == "gc_percent" else 0
        if fact is not None and not least <= fact < _TIME_LIMIT:
            raise ValueError("memory", f"{name} cannot be {fact}")
