"""The small tables of a snapshot: what it is of, its types, roots, goroutines, memory and allocation sites.

Imports msgspec only; each struct is stored as MessagePack beside the columns.
"""

from __future__ import annotations

from typing import Literal

import msgspec

#: What part a type plays inside a runtime structure; the chain printer folds these links away.
Role = Literal[
    "",  # an ordinary Go type
    "data",  # bytes of strings and []byte
    "map-header",  # internal/runtime/maps.Map or runtime.hmap
    "map-directory",  # array of *table
    "map-table",  # internal/runtime/maps.table
    "map-groups",  # array of groups (swiss: .slots[i].key/.elem) or of buckets (classic: .keys[i]/.values[i])
    "chan",  # runtime.hchan with its buffer
    "chan-buffer",  # a separately allocated channel buffer
    "closure",  # func value: PC and captured variables
    "stack",  # reserved
]


class TypeField(msgspec.Struct, frozen=True):
    """One field of a struct type: name, byte offset, index of its type in ``Snapshot.types`` (-1 unknown)."""

    name: str
    offset: int
    type: int


class TypeInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One Go type as the snapshot needs it to name fields and count elements.

    Attributes:
        name: ``*main.User``, ``map[string]int``, ``closure main.handler.func1``.
        kind: Go kind in lower case: bool int ... array chan func interface map ptr slice string struct
            unsafeptr.
        size: bytes of one value.
        elem: index of the element (ptr, slice, array, chan, map value) type or -1.
        key: index of a map's key type or -1.
        count: length of an array type.
        fields: of a struct, in offset order.
        role: part it plays in a runtime structure.
    """

    name: str
    kind: str
    size: int
    elem: int = -1
    key: int = -1
    count: int = 0
    fields: tuple[TypeField, ...] = ()
    role: Role = ""


class RootNode(msgspec.Struct, frozen=True, kw_only=True):
    """A holder candidate: one global variable, one goroutine or one runtime special.

    Attributes:
        name: ``main.cache``, ``goroutine 18 [chan receive] main.worker``, ``finalizer of *os.file``.
        layer: value of ``Layer``.
        goroutine: index into ``Snapshot.goroutines`` or -1.
        package: import path of a global's package, "" otherwise.
    """

    name: str
    layer: int
    goroutine: int = -1
    package: str = ""


class Frame(msgspec.Struct, frozen=True):
    """One stack frame: function, file, line (0 unknown)."""

    function: str
    file: str = ""
    line: int = 0

    @property
    def place(self) -> str | None:
        """``main.go:51``; None when unknown."""
        return f"{self.file.rpartition('/')[2]}:{self.line}" if self.line else None

    @property
    def text(self) -> str:
        """``main.worker main.go:51``; the function alone where the place is unknown."""
        return f"{self.function} {self.place}" if self.place else self.function


class Goroutine(msgspec.Struct, frozen=True, kw_only=True):
    """One goroutine that is not dead.

    Attributes:
        id: goid.
        state: idle runnable running syscall waiting copystack preempted leaked ...
        wait_reason: text of ``runtime.waitReason`` when waiting, else "".
        frames: innermost first, runtime frames included.
        creator: function of the go statement, "" for the first.
        stack_bytes: size of its stack in bytes.
        created_at: place of the go statement, None for the first and in files of version 1.
        parent: id of the goroutine that made it, None when unknown (before Go 1.21, the first).
        start: function that it began with, "" unknown.
        system: whether it serves the runtime only; None unknown.
        waiting_since: nanoseconds of the monotonic clock (``Meta.monotonic_ns``) at which a collection first
            found it waiting, so it waits at least since then; None: no collection has, or it does not wait.
    """

    id: int
    state: str
    wait_reason: str
    frames: tuple[Frame, ...]
    creator: str = ""
    stack_bytes: int = 0
    created_at: Frame | None = None
    parent: int | None = None
    start: str = ""
    system: bool | None = None
    waiting_since: int | None = None


class HeapTotals(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over the spans at the capture, all in objects or bytes.

    Attributes:
        live_objects, live_bytes: allocated slots that are not known dead.
        dead_objects, dead_bytes: slots of unswept spans that the last mark did not reach; MemStats still
            counts them.
        in_use_bytes: pages of in-use spans (MemStats.HeapInuse).
        stack_bytes: pages of stack spans (MemStats.StackInuse).
        span_count: in-use spans.
    """

    live_objects: int
    live_bytes: int
    dead_objects: int
    dead_bytes: int
    in_use_bytes: int
    stack_bytes: int
    span_count: int


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """What the process uses, in bytes; None is unknown. The Go runtime's words as in runtime.MemStats.

    Attributes:
        heap_in_use: pages of spans with objects (HeapInuse).
        heap_free: pages without a span that the process still has (HeapIdle - HeapReleased).
        heap_released: address space that was given back to the system (HeapReleased).
        stacks: pages of goroutines' stacks (StackInuse).
        system_stacks: stacks of threads that the runtime made itself (StackSys - StackInuse).
        span_metadata: mspan and mcache structs (MSpanSys + MCacheSys).
        gc_metadata: bitmaps and work buffers (GCSys). profile_metadata: buckets of profiles (BuckHashSys).
        other_runtime: everything else that the runtime took from the system (OtherSys).
        rss, rss_anonymous, rss_file, rss_shared: resident memory and its parts, as the kernel counts them.
        swapped: in swap.
        heap_resident: resident part of the Go heap's arenas; it is the sum of these four:
        heap_in_use_resident, stacks_resident, work_resident: of spans with objects, with stacks, with work
            of the collector. heap_idle_resident: of pages without a span.
        heap_released_resident: the part of heap_idle_resident that was offered to the system, which has not
            taken it (MADV_FREE).
        runtime_resident: of the runtime's memory beside the arenas: its structs, bitmaps and profiles.
        runtime_complete: whether all of that is known; if not, some of it is in off_heap.
        variables_resident: the program's written variables. program_resident: pages of its file, in rss_file.
        main_stack_resident: the stack that the system gave the first thread.
        off_heap: resident anonymous memory outside of what the Go runtime has: C's heap, stacks and
            libraries, mmap.
        malloc_resident: the part of it that C's malloc has from brk.
        rss = rss_anonymous + rss_file + rss_shared; rss_anonymous = heap_resident + runtime_resident
            + variables_resident + main_stack_resident + off_heap.
        next_gc: heap size at which the next collection starts. limit: GOMEMLIMIT.
        gc_percent: GOGC, -1 off. gc_cycles: finished collections.
    """

    heap_in_use: int | None = None
    heap_free: int | None = None
    heap_released: int | None = None
    stacks: int | None = None
    system_stacks: int | None = None
    span_metadata: int | None = None
    gc_metadata: int | None = None
    profile_metadata: int | None = None
    other_runtime: int | None = None
    rss: int | None = None
    rss_anonymous: int | None = None
    rss_file: int | None = None
    rss_shared: int | None = None
    swapped: int | None = None
    heap_resident: int | None = None
    heap_in_use_resident: int | None = None
    stacks_resident: int | None = None
    work_resident: int | None = None
    heap_idle_resident: int | None = None
    heap_released_resident: int | None = None
    runtime_resident: int | None = None
    runtime_complete: bool | None = None
    variables_resident: int | None = None
    program_resident: int | None = None
    main_stack_resident: int | None = None
    off_heap: int | None = None
    malloc_resident: int | None = None
    next_gc: int | None = None
    limit: int | None = None
    gc_percent: int | None = None
    gc_cycles: int | None = None


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """One allocation stack of the memory profile (runtime.bucket, runtime.memRecord of runtime/mprof.go).

    Attributes:
        frames: innermost first.
        objects, bytes: sampled and in use as of the last finished collection, not scaled; None unknown.
    """

    frames: tuple[Frame, ...]
    objects: int | None = None
    bytes: int | None = None


class Meta(msgspec.Struct, frozen=True, kw_only=True):
    """What the snapshot is of and how it was taken.

    Attributes:
        program: path of the executable; ``go_version``: ``go1.26.6``; ``build_id``: Go build ID.
        source: "live", "core" or "dump" (of runtime/debug.WriteHeapDump).
        pid: of the process (0 when a core does not say).
        taken_at: Unix seconds.
        pause_ns: from the first stop to the last release; None for cores.
        copied_bytes, rss_bytes: None when unknown.
        threads: how many were stopped.
        features: detected runtime features: swiss-maps, green-tea, inline-bitmaps, heap-arena-bitmaps ...
        notes: what is missing or was dropped, one sentence each (truncated core, types that failed the
            self-test).
        modules: module paths of the program's own module and of its dependencies; packages outside them are
            the standard library's.
        with_data: whether map keys were kept.
        counts: measured counters of the reading (pointer slots, pointers to free slots, mask mismatches ...).
        monotonic_ns: the runtime's clock (nanotime) at the capture, None when unknown.
        profile_rate: runtime.MemProfileRate: mean bytes between two sampled objects, None when unknown.
    """

    program: str
    go_version: str
    build_id: str
    source: Literal["live", "core", "dump"]
    pid: int
    taken_at: float
    totals: HeapTotals
    pause_ns: int | None = None
    copied_bytes: int | None = None
    rss_bytes: int | None = None
    threads: int = 0
    features: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    with_data: bool = False
    counts: dict[str, int] = {}
    monotonic_ns: int | None = None
    profile_rate: int | None = None
