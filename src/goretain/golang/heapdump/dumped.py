"""A heap dump as what the other rooms read of a capture: an image, its objects, its finalizers, its stacks.

Imports ``debuginfo``, ``kernels``, ``snapshot``, numpy, this room and those of ``golang`` for memory and
roots.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from goretain.capture.image import Image
from goretain.debuginfo.elf.elf import Elf
from goretain.golang.heapdump.dump import HeapDump
from goretain.golang.heapdump.memory import bias_of, image_of, read_memory
from goretain.golang.heapdump.objects import DumpedObjects, read_objects, spans_of
from goretain.golang.memory.objects import Objects, object_table
from goretain.golang.memory.spans import SpanTable
from goretain.golang.roots.specials import (
    Attached,
    Finalizer,
    Held,
    Pointer,
    Role,
    Specials,
    attached,
)
from goretain.kernels.arenas import GO_PAGE
from goretain.kernels.heapscan import Spans
from goretain.kernels.lookup import ObjectTable, build_page_table
from goretain.snapshot import HeapTotals, Memory, SpecialKind

# Numbers of runtime.MemStats as dumpmemstats writes them.
_HEAP_ALLOC, _HEAP_IDLE, _HEAP_IN_USE, _HEAP_RELEASED, _HEAP_OBJECTS, _STACK_IN_USE = 6, 8, 9, 10, 11, 12
_STACK_SYS, _MSPAN_SYS, _MCACHE_SYS, _BUCKETS_SYS, _GC_SYS, _OTHER_SYS, _NEXT_GC = 13, 15, 17, 18, 19, 20, 21
_CYCLES = -1
WARNING = (
    "writing a heap dump can end a program of Go 1.26 or later (docs/heapdump.md); goretain why PID and cores"
    " cannot, and tell more"
)
_LACKS = (
    "a heap dump does not say what cleanups and weak pointers hold, nor which objects survived the last"
    " collection"
)


@dataclass(slots=True)
class DumpedHeap:
    """What a heap dump says in place of a process's spans, specials and stack bounds.

    Attributes:
        image: its memory and that of the program's file.
        objects: its objects. specials: its finalizers.
        stack_ends: address of a runtime.g -> end of its outermost frame.
        notes: what is to be said of it; counts: for ``Meta.counts``; memory: what MemStats in it says.
    """

    image: Image
    objects: Objects
    specials: Specials
    stack_ends: dict[int, int]
    notes: list[str]
    memory: Memory
    counts: dict[str, int] = field(default_factory=dict)


def open_dumped(dump: HeapDump, binary: Elf) -> DumpedHeap:
    """The heap of a dump with its program. Raises CorruptFile, BinaryMismatch, NotGoProgram."""
    bias = bias_of(dump, binary)
    found = read_objects(dump)
    held = read_memory(dump, found, binary, bias)
    image = image_of(dump, held, binary, bias)
    spans = spans_of(found, held.content_at, dump.data, own_types=True)
    table = span_table(dump, found, spans)
    objects = Objects(
        image=image,
        spans=table,
        table=dumped_table(found, table),
        span=found.span,
        survived=np.zeros(len(found.address), np.uint8),
        totals=totals(dump, found),
        missing_spans=0,
    )
    ends = {g.address: g.frames[-1].memory.end for g in dump.goroutines if g.frames}
    said = notes(dump, found)
    return DumpedHeap(image, objects, _specials(dump), ends, said, memory_of(dump), counts(found))


def dumped_table(found: DumpedObjects, spans: SpanTable) -> ObjectTable:
    """Finds objects by address: every slot of a run holds one."""
    return object_table(spans, found.address, found.size, np.arange(len(found.address), dtype=np.uint32))


def span_table(dump: HeapDump, found: DumpedObjects, spans: Spans) -> SpanTable:
    """The runs of objects as a table of spans, with what MemStats says of the heap."""
    lengths = found.lengths
    return SpanTable(
        spans=spans,
        table=build_page_table(spans.start, lengths),
        pages=-(-lengths // GO_PAGE),
        specials=np.zeros(len(lengths), np.int64),
        chunks=np.empty(0, np.int64),
        stack_bytes=dump.stats[_STACK_IN_USE],
        stacks=np.empty((0, 2), np.int64),
        work=np.empty((0, 2), np.int64),
        green_tea=found.marks,
        inline_bitmaps=found.bitmaps,
        unreadable=0,
    )


def totals(dump: HeapDump, found: DumpedObjects) -> HeapTotals:
    """Sums: of the objects in the dump, and of MemStats for what a dump does not hold."""
    return HeapTotals(
        live_objects=len(found.address),
        live_bytes=int(found.size.sum()),
        dead_objects=0,
        dead_bytes=0,
        in_use_bytes=dump.stats[_HEAP_IN_USE],
        stack_bytes=dump.stats[_STACK_IN_USE],
        span_count=0,
    )


def memory_of(dump: HeapDump) -> Memory:
    """What MemStats in the dump says of the process's memory."""
    stats = dump.stats
    return Memory(
        heap_in_use=stats[_HEAP_IN_USE],
        heap_free=max(stats[_HEAP_IDLE] - stats[_HEAP_RELEASED], 0),
        heap_released=stats[_HEAP_RELEASED],
        stacks=stats[_STACK_IN_USE],
        system_stacks=max(stats[_STACK_SYS] - stats[_STACK_IN_USE], 0),
        span_metadata=stats[_MSPAN_SYS] + stats[_MCACHE_SYS],
        gc_metadata=stats[_GC_SYS],
        profile_metadata=stats[_BUCKETS_SYS],
        other_runtime=stats[_OTHER_SYS],
        next_gc=stats[_NEXT_GC],
        gc_cycles=stats[_CYCLES],
    )


def counts(found: DumpedObjects) -> dict[str, int]:
    """Counters for ``Meta.counts``."""
    return {"phantom_slots": found.phantoms, "phantom_bytes": found.phantom_bytes}


def notes(dump: HeapDump, found: DumpedObjects) -> list[str]:
    """What is to be said of a dump, one sentence each."""
    told = []
    if found.phantoms:
        told.append(
            f"{found.phantoms} slots at the ends of spans, {found.phantom_bytes} bytes, were left out: there"
            " the runtime keeps bits of its own, and writes them as if they were objects"
        )
    more = dump.stats[_HEAP_OBJECTS] - len(found.address)
    bytes_more = dump.stats[_HEAP_ALLOC] - int(found.size.sum())
    if more or bytes_more:
        told.append(
            f"MemStats in the dump differs by {more:+} objects and {bytes_more:+} bytes: it also counts what"
            " was dead and not yet swept"
        )
    if dump.cut_off >= 0:
        told.append(
            f"the heap dump is cut off at offset {dump.cut_off:#x}; all objects and roots are before it"
        )
    return [*told, _LACKS, WARNING]


def _specials(dump: HeapDump) -> Specials:
    """Finalizers as the specials of a capture; where their records stand is not in a dump."""
    queued = [
        Held(
            SpecialKind.QUEUED_FINALIZER,
            (Pointer(0, function, Role.FUNCTION), Pointer(0, target, Role.ARGUMENT)),
            of_type,
        )
        for target, function, of_type in dump.queued
    ]
    return Specials(
        finalizers=[Finalizer(target, function, 0, of_type) for target, function, of_type in dump.finalizers],
        kept=queued,
        attached=[
            *(
                Attached(SpecialKind.FINALIZER, target, function, function)
                for target, function, _ in dump.finalizers
            ),
            *(attached(held) for held in queued),
        ],
    )
