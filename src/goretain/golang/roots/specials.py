"""Specials: what the runtime has attached to heap objects, and the queues of finalizers and cleanups.

Reads ``runtime.mspan.specials`` and its kinds (runtime/mheap.go), ``runtime.allfin`` (runtime/mfinal.go),
``runtime.gcCleanups`` (runtime/mcleanup.go, from Go 1.25; 1.24 queues cleanups with the finalizers). What of
these the collector treats as roots is in markroot and markrootSpans (runtime/mgcmark.go): a finalizer's
function and what its object points to, a cleanup's function and argument, a weak handle's handle; nothing of
the other kinds.
Kinds were renumbered twice: which numbering holds is asked of the binary.
Imports ``golang.layout``, ``golang.memory.spans`` and ``model``.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from goretain.golang.layout import Program
from goretain.golang.memory.spans import SpanTable
from goretain.golang.stacks.records import RecordReader
from goretain.model.errors import MissingMemory, UnknownLayout
from goretain.snapshot import SpecialKind

_LIMIT = 1 << 26  # specials of one span, blocks of a queue: a longer list is a cycle
#: runtime/mheap.go of each generation, told apart by the structs that came with it.
_NUMBERS: tuple[tuple[str, dict[int, str]], ...] = (
    (
        "runtime.specialCheckFinalizer",
        {2: "Finalizer", 3: "WeakHandle", 4: "Profile", 6: "PinCounter", 7: "Cleanup"},
    ),
    (
        "runtime.specialCleanup",
        {1: "Finalizer", 2: "WeakHandle", 3: "Profile", 5: "PinCounter", 6: "Cleanup"},
    ),
    ("runtime.specialWeakHandle", {1: "Finalizer", 2: "WeakHandle", 3: "Profile", 5: "PinCounter"}),
    ("runtime.specialfinalizer", {1: "Finalizer", 2: "Profile", 4: "PinCounter"}),
)


@dataclass(frozen=True, slots=True)
class Finalizer:
    """A finalizer: its object, its function value, where that pointer stands, the object's abi.PtrType."""

    object: int
    function: int
    function_at: int
    object_type: int


class Role(enum.Enum):
    """What a pointer of a special or of a queue is; the value is how paths say it."""

    FUNCTION = "function"
    ARGUMENT = "argument"
    CALL = "call"  #: of a cleanup from Go 1.26 on: code that knows the argument's type
    HANDLE = "handle"


@dataclass(frozen=True, slots=True)
class Pointer:
    """A pointer field that is a root: where it stands, its value, what it is."""

    at: int
    value: int
    role: Role


@dataclass(frozen=True, slots=True)
class Held:
    """What one special keeps, or one record of a queue: its kind, its pointers, and of a queued finalizer's
    object the abi.PtrType (0 for the others)."""

    kind: SpecialKind
    pointers: tuple[Pointer, ...]
    object_type: int = 0

    def value(self, role: Role) -> int:
        """The pointer of a role; 0 for none."""
        return next((pointer.value for pointer in self.pointers if pointer.role is role), 0)


@dataclass(frozen=True, slots=True)
class Attached:
    """One special, or one that is queued: SpecialKind; addresses of its object (0 for a queued cleanup), of
    the closure that runs (0 for none), of what it keeps: closure, argument or handle, and of what a cleanup
    keeps beside its argument (from Go 1.26 on)."""

    kind: SpecialKind
    object: int
    function: int
    target: int
    beside: tuple[int, ...] = ()


@dataclass(slots=True)
class Specials:
    """Everything attached to objects.

    Attributes:
        finalizers: attached, not yet queued.
        kept: what attached cleanups and weak handles keep, and queued finalizers and cleanups.
        profiled: address of each object that the heap profile sampled -> address of its runtime.bucket.
        pinned: addresses of objects whose pin count is above one; no roots, runtime.Pinner holds them.
        attached: all of these but profile records, as the snapshot lists them.
        notes: what could not be read, one sentence each.
    """

    finalizers: list[Finalizer] = field(default_factory=list)
    kept: list[Held] = field(default_factory=list)
    profiled: dict[int, int] = field(default_factory=dict)
    pinned: list[int] = field(default_factory=list)
    attached: list[Attached] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def typed(self) -> Iterator[tuple[int, int]]:
        """(address, abi.PtrType) of objects with a finalizer, queued or not, where the type is known."""
        for finalizer in self.finalizers:
            if finalizer.object_type:
                yield finalizer.object, finalizer.object_type
        for held in self.kept:
            if held.object_type:
                yield held.value(Role.ARGUMENT), held.object_type


def special_kinds(program: Program) -> dict[int, str]:
    """Number of each kind that matters -> "Finalizer", "WeakHandle", "Profile", "PinCounter", "Cleanup"."""
    layout = program.layout
    defaults = next((numbers for struct, numbers in _NUMBERS if layout.has_struct(struct)), None)
    if defaults is None:
        raise UnknownLayout("runtime.specialfinalizer", None, layout.go_version)
    kinds: dict[int, str] = {}
    for number, name in defaults.items():
        stated = layout.constant(f"runtime._KindSpecial{name}")
        kinds[number if stated is None else stated] = name
    return kinds


def read_specials(program: Program, spans: SpanTable) -> Specials:
    """Specials of all in-use spans, and the queues. Raises UnknownLayout."""
    result = Specials()
    reader = _Reader(program, result)
    with_specials = np.flatnonzero(spans.specials)
    rows = np.column_stack((spans.specials, spans.spans.start, spans.spans.elem_size))[with_specials]
    for first, start, size in rows.tolist():
        try:
            reader.read(first, start, size)
        except MissingMemory as error:
            result.notes.append(f"specials of a span could not be read: {error.message}")
    _queues(program, result)
    return result


def _chain(program: Program, first: int, struct: str, *link: str) -> Iterator[int]:
    address, seen = first, 0
    while address and seen < _LIMIT:
        yield address
        address, seen = program.uint(address, struct, *link), seen + 1


class _Reader:
    """Reads the specials of spans."""

    def __init__(self, program: Program, out: Specials) -> None:
        layout = program.layout
        self._program = program
        self._out = out
        self._kinds = special_kinds(program)
        self._special = RecordReader(layout, "runtime.special", ("next",), ("offset",), ("kind",))
        self._finalizer = RecordReader(layout, "runtime.specialfinalizer", ("fn",), ("ot",))
        self._function_at = layout.offset("runtime.specialfinalizer", "fn")
        self._profile = RecordReader(layout, "runtime.specialprofile", ("b",))

    def read(self, special: int, start: int, size: int) -> None:
        """The list that begins at special, of a span at start with slots of a size. Raises MissingMemory."""
        for _ in range(_LIMIT):
            if not special:
                break
            following, offset, number = self._special.read(self._program.memory, special)
            kind = self._kinds.get(number)
            if kind is not None:
                # The offset may be that of an inner byte.
                self._add(special, kind, start + offset // size * size)
            special = following

    def _add(self, special: int, kind: str, address: int) -> None:
        """Keep one special of the object at address."""
        program, out = self._program, self._out
        if kind == "Finalizer":
            function, object_type = self._finalizer.read(program.memory, special)
            out.finalizers.append(Finalizer(address, function, special + self._function_at, object_type))
            out.attached.append(Attached(SpecialKind.FINALIZER, address, function, function))
        elif kind == "Cleanup":
            held = Held(SpecialKind.CLEANUP, _cleanup(program, special))
            out.kept.append(held)
            out.attached.append(attached(held, address))
        elif kind == "WeakHandle":
            at = special + program.layout.offset("runtime.specialWeakHandle", "handle")
            held = Held(SpecialKind.WEAK_HANDLE, (Pointer(at, program.word(at), Role.HANDLE),))
            out.kept.append(held)
            out.attached.append(attached(held, address))
        elif kind == "Profile":
            (out.profiled[address],) = self._profile.read(program.memory, special)
        else:
            out.pinned.append(address)
            out.attached.append(Attached(SpecialKind.PINNED, address, 0, 0))


def attached(held: Held, address: int = 0) -> Attached:
    """What is kept as the snapshot lists it.

    address: of the object that it is attached to; the object of a queued finalizer is its argument.
    """
    function, argument = held.value(Role.FUNCTION), held.value(Role.ARGUMENT)
    if held.kind is SpecialKind.QUEUED_FINALIZER:
        return Attached(held.kind, argument, function, function)
    target = held.value(Role.HANDLE) or argument or function
    beside = (p.value for p in held.pointers if p.value != target and held.kind is SpecialKind.CLEANUP)
    return Attached(held.kind, address, function, target, tuple(beside))


def _cleanup(program: Program, special: int) -> tuple[Pointer, ...]:
    struct = "runtime.specialCleanup"
    if program.layout.has(struct, "cleanup"):
        return _call(program, special + program.layout.offset(struct, "cleanup"))
    at = special + program.layout.offset(struct, "fn")
    return (Pointer(at, program.word(at), Role.FUNCTION),)


def _call(program: Program, record: int) -> tuple[Pointer, ...]:
    """The three pointers of a runtime.cleanupFn (from Go 1.26)."""
    fields = (("call", Role.CALL), ("fn", Role.FUNCTION), ("arg", Role.ARGUMENT))
    places = [(record + program.layout.offset("runtime.cleanupFn", name), role) for name, role in fields]
    return tuple(Pointer(at, program.word(at), role) for at, role in places)


def _queues(program: Program, out: Specials) -> None:
    for read in (_queued_finalizers, _queued_cleanups):
        try:
            # What has run was cleared before its block leaves the list.
            queued = [held for held in read(program) if any(pointer.value for pointer in held.pointers)]
        except MissingMemory as error:
            out.notes.append(f"a queue of finalizers or cleanups could not be read: {error.message}")
            continue
        out.kept += queued
        out.attached += [attached(held) for held in queued]


def _queued_finalizers(program: Program) -> list[Held]:
    """Finalizers that are to run, and in Go 1.24 cleanups: those have no argument of their own."""
    layout = program.layout
    block_type = "runtime.finBlock" if layout.has_struct("runtime.finBlock") else "runtime.finblock"
    if not program.has_variable("runtime.allfin") or not layout.has_struct(block_type):
        return []
    out: list[Held] = []
    size, first = layout.size("runtime.finalizer"), layout.offset(block_type, "fin")
    for block in _chain(program, program.word(program.symbol("runtime.allfin")), block_type, "alllink"):
        count = min(program.uint(block, block_type, "cnt"), layout.array_length(block_type, "fin"))
        for record in range(block + first, block + first + size * count, size):
            places = [
                (record + layout.offset("runtime.finalizer", name), role)
                for name, role in (("fn", Role.FUNCTION), ("arg", Role.ARGUMENT))
            ]
            function, argument = (Pointer(at, program.word(at), role) for at, role in places)
            kind = SpecialKind.QUEUED_FINALIZER if argument.value else SpecialKind.QUEUED_CLEANUP
            of_type = program.uint(record, "runtime.finalizer", "ot")
            out.append(Held(kind, (function, argument), of_type))
    return out


def _queued_cleanups(program: Program) -> list[Held]:
    layout = program.layout
    block_type, header = "runtime.cleanupBlock", "cleanupBlockHeader"
    if not program.has_variable("runtime.gcCleanups") or not layout.has_struct(block_type):
        return []
    out: list[Held] = []
    records = layout.has_struct("runtime.cleanupFn")
    size, first = (layout.size("runtime.cleanupFn") if records else 8), layout.offset(block_type, "cleanups")
    head = program.uint(program.symbol("runtime.gcCleanups"), "runtime.cleanupQueue", "all", "value")
    for block in _chain(program, head, block_type, header, "alllink"):
        count = min(program.uint(block, block_type, header, "n"), layout.array_length(block_type, "cleanups"))
        for record in range(block + first, block + first + size * count, size):
            alone = (Pointer(record, program.word(record), Role.FUNCTION),)
            out.append(Held(SpecialKind.QUEUED_CLEANUP, _call(program, record) if records else alone))
    return out
