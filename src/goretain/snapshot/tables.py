"""The small tables of a snapshot: what it is of, its types, roots and goroutines.

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


class Goroutine(msgspec.Struct, frozen=True, kw_only=True):
    """One goroutine that is not dead.

    Attributes:
        id: goid.
        state: idle runnable running syscall waiting copystack preempted leaked ...
        wait_reason: text of ``runtime.waitReason`` when waiting, else "".
        frames: innermost first, runtime frames included.
        creator: function of the go statement, "" for the first.
        stack_bytes: size of its stack in bytes.
    """

    id: int
    state: str
    wait_reason: str
    frames: tuple[Frame, ...]
    creator: str = ""
    stack_bytes: int = 0


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


class Meta(msgspec.Struct, frozen=True, kw_only=True):
    """What the snapshot is of and how it was taken.

    Attributes:
        program: path of the executable; ``go_version``: ``go1.26.6``; ``build_id``: Go build ID.
        source: "live" or "core".
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
    """

    program: str
    go_version: str
    build_id: str
    source: Literal["live", "core"]
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
