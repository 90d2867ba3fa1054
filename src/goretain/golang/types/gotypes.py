"""Go types as a reader of memory needs them: sizes, fields, pointer leaves.

Where they come from is ``golang.types.universe``. Imports ``snapshot.tables``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from goretain.snapshot.tables import Role

KINDS = (
    *("invalid", "bool", "int", "int8", "int16", "int32", "int64", "uint", "uint8", "uint16", "uint32"),
    *("uint64", "uintptr", "float32", "float64", "complex64", "complex128", "array", "chan", "func"),
    *("interface", "map", "ptr", "slice", "string", "struct", "unsafeptr"),
)
KIND_OF = {name: number for number, name in enumerate(KINDS)}
POINTER_KINDS = frozenset(("ptr", "unsafeptr", "slice", "string", "interface", "map", "chan", "func"))
#: More leaves than this in one value and the rest stays untyped (runtime/type.go has no such limit; memory
#: has).
LEAF_LIMIT = 1 << 16
_DEPTH_LIMIT = 64
#: What generic code is compiled for in place of any pointer: it says as little as unsafe.Pointer of what is
#: pointed to (shapify in cmd/compile/internal/noder/reader.go).
POINTER_SHAPE = "go.shape.*uint8"
#: Type of the chunks of user arenas (package arena): one object each, many values of any types in it.
ARENA_CHUNK = "user arena chunk"


@dataclass(slots=True)
class GoField:
    """One struct field: name, byte offset, type."""

    name: str
    offset: int
    type: GoType


@dataclass(slots=True, eq=False)
class GoType:
    """One Go type.

    Attributes:
        name, kind, size, count: as in ``snapshot.TypeInfo``.
        fields: of a struct.
        runtime_address: of its abi.Type in the process, 0 when not known.
        empty_interface: of an interface type: whether values are efaces.
        role: part in a runtime structure.
        index: row in the snapshot's type table, -1 until interned.
    """

    name: str
    kind: str
    size: int
    count: int = 0
    fields: list[GoField] = field(default_factory=list)
    runtime_address: int = 0
    empty_interface: bool = True
    role: Role = ""
    index: int = -1
    elem_ref: GoType | Callable[[], GoType | None] | None = None
    key_ref: GoType | Callable[[], GoType | None] | None = None
    #: The pointer behind a DWARF map or chan type: *hash<K,V>, *map<K,V>, *hchan<T>; None without DWARF.
    inner_ref: Callable[[], GoType | None] | None = None
    leaf_cache: list[Leaf] | None = None
    run_cache: list[LeafRun] | None = None

    @property
    def elem(self) -> GoType | None:
        """Element type of ptr, slice, array, chan; value type of a map; None when not described."""
        if callable(self.elem_ref):
            self.elem_ref = self.elem_ref()
        return self.elem_ref

    @property
    def key(self) -> GoType | None:
        """Key type of a map."""
        if callable(self.key_ref):
            self.key_ref = self.key_ref()
        return self.key_ref

    @property
    def inner(self) -> GoType | None:
        """What a map or channel value points to, as DWARF describes it; for a runtime map type its group
        type."""
        return self.inner_ref() if self.inner_ref is not None else None

    def field_named(self, *names: str) -> GoField | None:
        """First field that has one of the names."""
        return next((f for f in self.fields if f.name in names), None)

    @property
    def has_pointers(self) -> bool:
        """Whether a value holds at least one pointer."""
        return bool(leaf_runs(self))

    def __repr__(self) -> str:
        return f"<{self.name} {self.kind} {self.size} B>"


@dataclass(frozen=True, slots=True)
class Leaf:
    """One pointer-bearing word group of a value.

    Attributes:
        offset: of its first word in the value (an interface's type word, a slice's pointer).
        kind: ptr unsafeptr slice string eface iface map chan func; slice-pointer and string-pointer where
            only the pointer word of a slice or string is known to hold.
        type: the leaf's own type.
        path: access path, ``.m[3].f``.
    """

    offset: int
    kind: str
    type: GoType
    path: str

    @property
    def pointer_offset(self) -> int:
        """Offset of the word that the garbage collector follows: an interface's second word, else the
        first."""
        return self.offset + 8 if self.kind in ("eface", "iface") else self.offset


@dataclass(frozen=True, slots=True)
class LeafRun:
    """A leaf that an array repeats: count times, every stride bytes; outside arrays a run of one."""

    leaf: Leaf
    count: int = 1
    stride: int = 0


def leaf_runs(t: GoType) -> list[LeafRun]:
    """All pointer leaves of a value of t, arrays as runs: without limit for arrays of plain elements.

    Of arrays inside arrays the shorter one is written out, at most LEAF_LIMIT runs in all. Paths are left
    out.
    """
    if t.run_cache is None:
        t.run_cache = []
        t.run_cache = _runs(t, 0)[:LEAF_LIMIT]
    return t.run_cache


def _runs(t: GoType, depth: int) -> list[LeafRun]:
    if depth > _DEPTH_LIMIT:
        return []
    if t.kind == "array":
        elem = t.elem
        if elem is None or not elem.size or not t.count:
            return []
        return [run for inside in leaf_runs(elem) for run in _repeated(inside, t.count, elem.size)]
    if t.kind == "struct" and atomic_pointer(t) is None and leaf_of_kind(t) is None:
        return [_moved(run, f.offset) for f in t.fields for run in leaf_runs(f.type)]
    return [LeafRun(leaf) for leaf in _leaves(t, 0, "", depth)]


def _moved(run: LeafRun, offset: int) -> LeafRun:
    leaf = run.leaf
    return LeafRun(Leaf(leaf.offset + offset, leaf.kind, leaf.type, ""), run.count, run.stride)


def _repeated(run: LeafRun, count: int, stride: int) -> Iterator[LeafRun]:
    """A run inside an array of count elements: the longer of the two loops stays a run."""
    if count == 1:
        yield run
    elif run.count <= count:
        for i in range(min(run.count, LEAF_LIMIT)):
            moved = _moved(run, i * run.stride)
            yield LeafRun(moved.leaf, count, stride)
    else:
        for i in range(min(count, LEAF_LIMIT)):
            yield _moved(run, i * stride)


def pointer_leaves(t: GoType) -> list[Leaf]:
    """All pointer leaves of a value of t in offset order, at most LEAF_LIMIT."""
    if t.leaf_cache is None:
        t.leaf_cache = []
        t.leaf_cache = list(_leaves(t, 0, "", 0))[:LEAF_LIMIT]
    return t.leaf_cache


def leaf_of_kind(t: GoType) -> Leaf | None:
    """The leaf that a value of t itself is; None for structs, arrays and pointer-free kinds.

    A ``sync.eface`` (sync/poolqueue.go) is an interface that sync.Pool takes apart, word for word.
    """
    if t.kind == "struct" and t.name == "sync.eface":
        return Leaf(0, "eface", GoType("interface", "interface", 16, empty_interface=True), "")
    if t.kind not in POINTER_KINDS or points_outside_heap(t):
        return None
    kind = ("eface" if t.empty_interface else "iface") if t.kind == "interface" else t.kind
    return Leaf(0, kind, t, "")


def _leaves(t: GoType, base: int, path: str, depth: int) -> Iterator[Leaf]:
    if depth > _DEPTH_LIMIT:
        return
    leaf = leaf_of_kind(t)
    if leaf is not None:
        yield Leaf(base, leaf.kind, leaf.type, path)
    elif t.kind == "struct":
        pointer = atomic_pointer(t)
        if pointer is not None:
            yield Leaf(base + pointer.offset, "ptr", pointer.type, path)
            return
        for f in t.fields:
            yield from _leaves(f.type, base + f.offset, f"{path}.{f.name}", depth + 1)
    elif t.kind == "array" and t.elem is not None and t.count and t.elem.size:
        inside = list(_leaves(t.elem, 0, "", depth + 1))
        if inside:
            for i in range(min(t.count, LEAF_LIMIT // len(inside) + 1)):
                at = base + i * t.elem.size
                for leaf in inside:
                    yield Leaf(at + leaf.offset, leaf.kind, leaf.type, f"{path}[{i}]{leaf.path}")


def points_outside_heap(t: GoType) -> bool:
    """Whether t is a pointer to a type that holds a sys.NotInHeap: no pointer for the collector.

    Source: internal/runtime/sys/nih.go (runtime/internal/sys up to 1.22); cmd/compile/internal/types.
    """
    return t.kind == "ptr" and t.elem is not None and _not_in_heap(t.elem)


def _not_in_heap(t: GoType) -> bool:
    if t.kind == "array":
        return t.elem is not None and _not_in_heap(t.elem)
    return t.kind == "struct" and any(
        f.type.name.endswith(("/sys.NotInHeap", "/sys.nih")) or _not_in_heap(f.type) for f in t.fields
    )


def atomic_pointer(t: GoType) -> GoField | None:
    """The pointer field of a sync/atomic.Pointer[T] with its type *T, None for other types.

    Source: sync/atomic/type.go; its word is an unsafe.Pointer, T stands only in the field ``_ [0]*T``.
    """
    if not t.name.startswith("sync/atomic.Pointer["):
        return None
    marker = next((f.type for f in t.fields if f.type.kind == "array"), None)
    value = t.field_named("v")
    if marker is None or value is None or marker.elem is None or marker.elem.kind != "ptr":
        return None
    return GoField("v", value.offset, marker.elem)
