"""What RSS is made of, and how full spans are, in the answer of ``why``. Imports msgspec only."""

from __future__ import annotations

from typing import Literal

import msgspec

#: Parts of RSS, in the order of the report.
PartOfRss = Literal[
    "heap-in-use",
    "heap-idle",
    "heap-released",
    "stacks",
    "gc-work",
    "runtime",
    "variables",
    "main-thread-stack",
    "program-file",
    "other-files",
    "shared-memory",
    "outside-go",
]


class RssPart(msgspec.Struct, frozen=True, kw_only=True):
    """Resident memory of one kind.

    Attributes:
        part: heap-in-use: spans with objects; heap-idle: pages of the heap without a span; heap-released:
            those that were offered to the system, which has not taken them; stacks: of goroutines; gc-work:
            spans that the collector works in; runtime: what it keeps beside the heap; variables: of the
            program; main-thread-stack: that the system made; program-file: code and constants; other-files;
            shared-memory; outside-go: C's heap, stacks and libraries, and what was mapped without a file.
        bytes: resident.
        of_bytes: what the runtime has of it, resident or not; None where nobody counts that.
    """

    part: PartOfRss
    bytes: int
    of_bytes: int | None


class RssSection(msgspec.Struct, frozen=True, kw_only=True):
    """RSS explained.

    Attributes:
        rss_bytes: resident memory of the process; None when unknown.
        parts: they add up to rss_bytes; those of 0 bytes are there too. Empty when unknown.
        released_bytes: of the heap, given back to the system; not resident but for the part heap-released.
        swapped_bytes: in swap, and not resident.
        malloc_bytes: the part of outside-go that C's malloc has from brk ([heap] in /proc/PID/maps).
        complete: False where the program has no symbols that name all of the runtime's memory: outside-go
            holds some of it.
        unknown: why nothing is known, None when it is.
    """

    rss_bytes: int | None
    parts: tuple[RssPart, ...]
    released_bytes: int | None
    swapped_bytes: int | None
    malloc_bytes: int | None
    complete: bool | None
    unknown: str | None


class SpanRow(msgspec.Struct, frozen=True, kw_only=True):
    """The spans of one size class.

    Attributes:
        slot_bytes: bytes of a slot, 0 for large objects: a span each.
        spans, span_bytes: how many, and their pages.
        slots, objects, object_bytes: slots in them, live objects in these, and bytes of their slots.
        sparse_spans, sparse_bytes, sparse_objects: spans that are at most a quarter full, their pages, and
            the few objects that keep these from being returned.
        empty_bytes: pages of spans without a live object: they come back when they are swept.
        excess_bytes: pages that the objects would not need if they lay side by side.
    """

    slot_bytes: int
    spans: int
    span_bytes: int
    slots: int
    objects: int
    object_bytes: int
    sparse_spans: int
    sparse_bytes: int
    sparse_objects: int
    empty_bytes: int
    excess_bytes: int


class SpanSection(msgspec.Struct, frozen=True, kw_only=True):
    """How full the heap's spans are. Partly filled spans are normal: what is allocated next fills them.

    Attributes:
        total: of all size classes; its slot_bytes is 0.
        classes: the first ``top``, most sparse_bytes first; classes_total: how many.
        unknown_spans: spans of which the live objects are not known; in no other figure.
    """

    total: SpanRow
    classes: tuple[SpanRow, ...]
    classes_total: int
    unknown_spans: int
