"""RSS and spans: from the snapshot to the sections of the report.

Imports ``heap``, ``snapshot``, msgspec and this package.
"""

from __future__ import annotations

from dataclasses import asdict, fields

from goretain.heap.occupancy import Occupancy, occupancies
from goretain.model.errors import UsageError
from goretain.reports.results.memory import PartOfRss, RssPart, RssSection, SpanRow, SpanSection
from goretain.snapshot import Memory, Snapshot

_UNKNOWN = {
    "core": "a core does not say which pages were in memory",
    "dump": "a heap dump does not say which pages were in memory",
    "live": "which pages were in memory was not recorded: /proc/PID/pagemap may be read by the owner of the"
    " process and by root, and older images and snapshots do not have it",
}


def rss_section(snapshot: Snapshot) -> RssSection:
    """What RSS is made of, as far as the snapshot knows."""
    memory = snapshot.memory or Memory()
    parts = _parts(memory)
    return RssSection(
        rss_bytes=memory.rss if parts else snapshot.meta.rss_bytes,
        parts=parts,
        released_bytes=memory.heap_released,
        swapped_bytes=memory.swapped,
        malloc_bytes=memory.malloc_resident,
        complete=memory.runtime_complete,
        unknown=None if parts else _UNKNOWN[snapshot.meta.source],
    )


def _parts(memory: Memory) -> tuple[RssPart, ...]:
    idle, released = memory.heap_idle_resident, memory.heap_released_resident
    files, program = memory.rss_file, memory.program_resident
    kept = idle if idle is None or released is None else idle - released
    found: list[tuple[PartOfRss, int | None, int | None]] = [
        ("heap-in-use", memory.heap_in_use_resident, memory.heap_in_use),
        ("heap-idle", kept, memory.heap_free),
        ("heap-released", released or 0, memory.heap_released),
        ("stacks", memory.stacks_resident, memory.stacks),
        ("gc-work", memory.work_resident, None),
        ("runtime", memory.runtime_resident, None),
        ("variables", memory.variables_resident, None),
        ("main-thread-stack", memory.main_stack_resident, None),
        ("program-file", program, None),
        ("other-files", None if files is None or program is None else files - program, None),
        ("shared-memory", memory.rss_shared, None),
        ("outside-go", memory.off_heap, None),
    ]
    parts = [RssPart(part=part, bytes=size, of_bytes=of) for part, size, of in found if size is not None]
    return tuple(parts) if len(parts) == len(found) else ()


def span_section(snapshot: Snapshot, top: int) -> SpanSection:
    """How full spans are. Raises UsageError where the snapshot has none."""
    spans = snapshot.spans
    if spans is None:
        raise UsageError("nothing is known of spans here", hint="a heap dump does not say; take a snapshot")
    rows = occupancies(spans)
    total = {field.name: sum(getattr(row, field.name) for row in rows) for field in fields(Occupancy)}
    total["slot_bytes"] = 0
    return SpanSection(
        total=SpanRow(**total),
        classes=tuple(SpanRow(**asdict(row)) for row in rows[:top]),
        classes_total=len(rows),
        unknown_spans=int((spans.span_live < 0).sum()),
    )
