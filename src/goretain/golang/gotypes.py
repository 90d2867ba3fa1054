"""Go types as a reader of memory needs them: sizes, fields, pointer leaves.

Two sources describe types: DWARF (every type the program's debug information knows) and the runtime's own
``abi.Type`` records (internal/abi/type.go), which interfaces, malloc headers and large spans point to. One
universe
joins them: a runtime type that has a DWARF twin (DW_AT_go_runtime_type) is that twin, so each Go type exists
once.
Imports ``debuginfo``, ``model`` and ``golang.layout``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from goretain.debuginfo.dwarf import Dwarf, DwarfType, Member
from goretain.golang.layout import Program
from goretain.model.errors import GoretainError, MissingMemory
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
        return bool(pointer_leaves(self))

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


def pointer_leaves(t: GoType) -> list[Leaf]:
    """All pointer leaves of a value of t in offset order, at most LEAF_LIMIT."""
    if t.leaf_cache is None:
        t.leaf_cache = []
        t.leaf_cache = list(_leaves(t, 0, "", 0))[:LEAF_LIMIT]
    return t.leaf_cache


def _leaves(t: GoType, base: int, path: str, depth: int) -> Iterator[Leaf]:
    if depth > _DEPTH_LIMIT:
        return
    if t.kind in POINTER_KINDS:
        kind = ("eface" if t.empty_interface else "iface") if t.kind == "interface" else t.kind
        yield Leaf(base, kind, t, path)
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


def field_path(t: GoType, offset: int) -> str:
    """Access path of the byte at offset in a value of t: ``.m[3].f``, ``+12`` where no field holds it."""
    path = ""
    while True:
        if t.kind == "struct":
            inside = next((f for f in t.fields if f.offset <= offset < f.offset + max(f.type.size, 1)), None)
            if inside is None:
                break
            path, offset, t = f"{path}.{inside.name}", offset - inside.offset, inside.type
        elif t.kind == "array" and t.elem is not None and t.elem.size:
            path, offset, t = f"{path}[{offset // t.elem.size}]", offset % t.elem.size, t.elem
        else:
            break
    return path + (f"+{offset}" if offset else "")


class TypeUniverse:
    """All Go types of one program, each once; decoded when first asked for.

    Addresses are run-time addresses, DIE offsets are those of the Dwarf reader.
    """

    def __init__(self, program: Program, dwarf: Dwarf) -> None:
        self.program = program
        self.dwarf = dwarf
        self._types_base = program.moduledata("types")
        self._by_die: dict[int, GoType] = {}
        self._by_address: dict[int, GoType | None] = {}

    # -- DWARF
    # ------------------------------------------------------------------------------------------------

    def struct(self, name: str) -> GoType | None:
        """The named struct type, None when the binary does not describe it."""
        die = self.dwarf.struct(name)
        return self.from_dwarf(die) if die is not None else None

    def named(self, name: str) -> GoType | None:
        """Any named type, None when the binary does not describe it."""
        die = self.dwarf.type_by_name(name)
        return self.from_dwarf(die) if die is not None else None

    def from_dwarf(self, die: int) -> GoType:
        """The Go type of a type DIE."""
        known = self._by_die.get(die)
        if known is not None:
            return known
        record = self.dwarf.type(die)
        if record.tag == "typedef" and record.elem and record.go_kind not in _TYPEDEF_KINDS:
            t = self.from_dwarf(record.elem)
            self._by_die[die] = t
            return t
        t = GoType(record.name, _dwarf_kind(record), max(record.size, 0), count=max(record.count, 0))
        self._by_die[die] = t
        self._fill(t, record)
        if record.go_runtime_type:
            t.runtime_address = self._types_base + record.go_runtime_type
        return t

    def _later(self, die: int) -> Callable[[], GoType | None]:
        return lambda: self.from_dwarf(die) if die else None

    def _fill(self, t: GoType, record: DwarfType) -> None:
        if t.kind in ("map", "chan"):
            t.size = 8
            t.key_ref, t.elem_ref = self._later(record.go_key), self._later(record.go_elem)
            t.inner_ref = self._pointee(record.elem)
        elif t.kind in ("ptr", "func", "unsafeptr"):
            t.size = 8
            t.elem_ref = self._later(record.elem) if t.kind == "ptr" else None
        elif t.kind == "interface":
            t.size = 16
            t.empty_interface = self._is_eface(record)
        elif t.kind == "slice":
            t.elem_ref = self._later(record.go_elem) if record.go_elem else self._slice_element(record)
        elif t.kind == "array":
            elem = self.from_dwarf(record.elem) if record.elem else None
            t.elem_ref = elem
            if record.size < 0 and elem is not None:
                t.size = t.count * elem.size
        elif t.kind == "struct":
            t.fields = [self._member(t.name, m) for m in record.members if m.type]

    def _member(self, struct: str, member: Member) -> GoField:
        pointee = _UNSAFE_POINTEES.get((struct, member.name))
        if pointee is not None and self.dwarf.struct(pointee) is not None:
            t = GoType(f"*{pointee}", "ptr", 8, elem_ref=lambda: self.struct(pointee))
            return GoField(member.name, member.offset, t)
        return GoField(member.name, member.offset, self.from_dwarf(member.type))

    def _slice_element(self, record: DwarfType) -> Callable[[], GoType | None]:
        pointer = next((m.type for m in record.members if m.name == "array"), 0)
        return self._pointee(pointer)

    def _pointee(self, die: int) -> Callable[[], GoType | None]:
        def resolve() -> GoType | None:
            if not die:
                return None
            record = self.dwarf.type(die)
            while record.tag == "typedef" and record.elem:
                record = self.dwarf.type(record.elem)
            return self.from_dwarf(record.elem) if record.tag == "pointer" and record.elem else None

        return resolve

    def _is_eface(self, record: DwarfType) -> bool:
        while record.tag == "typedef" and record.elem:
            record = self.dwarf.type(record.elem)
        return record.name == "runtime.eface"

    # -- abi.Type
    # ---------------------------------------------------------------------------------------------

    def from_runtime(self, address: int) -> GoType | None:
        """The Go type whose abi.Type is at address; None when that memory is not an abi.Type we can read."""
        if address not in self._by_address:
            self._by_address[address] = None  # cuts cycles through a type's own elements
            with contextlib.suppress(MissingMemory, IndexError):
                self._by_address[address] = self._twin(address) or self._decode(address)
        return self._by_address[address]

    def _twin(self, address: int) -> GoType | None:
        die = self.dwarf.type_by_runtime_offset(address - self._types_base)
        if die is None:
            return None
        t = self.from_dwarf(die)
        return t if t.size == self.program.word(address) else None

    def is_direct(self, address: int) -> bool:
        """Whether interfaces hold values of this abi.Type directly in their data word.

        Source: internal/abi/type.go: KindDirectIface is bit 5 of Kind_ up to 1.25, TFlagDirectIface bit 5 of
        TFlag from 1.26, where the constant KindDirectIface is gone.
        """
        raw = self.program.memory.read(address, 24)
        # Up to 1.25 TFlag has no bit 5; from 1.26 Kind_ has none (kinds end at 26).
        return bool((raw[23] | raw[20]) & 32)

    def _decode(self, address: int) -> GoType | None:
        """Layout: internal/abi/type.go Type, ArrayType, ChanType, MapType, PtrType, SliceType, StructType."""
        p = self.program
        raw = p.memory.read(address, 48)
        size, kind_number = int.from_bytes(raw[:8], "little"), raw[23] & 31
        if not 0 < kind_number < len(KINDS) or size > 1 << 40:
            return None
        kind = KINDS[kind_number]
        t = GoType(self._name(raw), kind, size, runtime_address=address)
        self._by_address[address] = t
        later = self._runtime_later
        if kind in ("ptr", "slice", "array", "chan"):
            t.elem_ref = later(p.word(address + 48))
            t.count = p.word(address + 64) if kind == "array" else 0
            if kind == "array":
                _ = t.elem
        elif kind == "map":
            t.key_ref, t.elem_ref = later(p.word(address + 48)), later(p.word(address + 56))
            t.inner_ref = later(p.word(address + 64))
        elif kind == "interface":
            t.empty_interface = p.word(address + 64) == 0
        elif kind == "struct":
            t.fields = self._runtime_fields(address)
        t.name = t.name or composed_name(t)
        return t

    def _runtime_later(self, address: int) -> Callable[[], GoType | None]:
        return lambda: self.from_runtime(address)

    def _runtime_fields(self, address: int) -> list[GoField]:
        base, count, _ = self.program.slice(address + 56)
        if count > 1 << 16:
            raise IndexError(count)
        out = []
        for i in range(count):
            name, type_, offset = self.program.slice(base + 24 * i)
            t = self.from_runtime(type_)
            if t is not None:
                out.append(GoField(self._name_at(name), offset, t))
        return out

    def _name(self, raw: bytes) -> str:
        offset = int.from_bytes(raw[40:44], "little", signed=True)
        if (
            offset < 0
        ):  # made by package reflect: the name is in a table of the runtime (resolveNameOff, runtime/type.go)
            return ""
        name = self._name_at(self._types_base + offset)
        return name[1:] if raw[20] & 2 else name  # TFlagExtraStar

    def _name_at(self, address: int) -> str:
        """internal/abi/type.go Name: flag byte, varint length, bytes."""
        if not address:
            return ""
        length, shift, at = 0, 0, address + 1
        while True:
            byte = self.program.memory.read(at, 1)[0]
            length |= (byte & 127) << shift
            at, shift = at + 1, shift + 7
            if byte < 128 or shift > 28:
                break
        return self.program.memory.read(at, min(length, 1 << 14)).decode("utf-8", "replace")


#: What an unsafe.Pointer field leads to: sync/pool.go, runtime/runtime2.go.
_UNSAFE_POINTEES = {
    ("sync.Pool", "local"): "sync.poolLocal",
    ("sync.Pool", "victim"): "sync.poolLocal",
    # Embeds maybeTraceablePtr, whose first word is the pointer and whose second the collector does not see.
    ("runtime.maybeTraceableChan", "maybeTraceablePtr"): "runtime.hchan",
}
_TYPEDEF_KINDS = frozenset((KIND_OF["map"], KIND_OF["chan"], KIND_OF["interface"]))


def _dwarf_kind(record: DwarfType) -> str:
    """Kind by tag first: DW_AT_go_kind is absent on some runtime types."""
    go_kind = KINDS[record.go_kind] if 0 < record.go_kind < len(KINDS) else ""
    if record.tag == "pointer":
        return "unsafeptr" if record.name == "unsafe.Pointer" or go_kind == "unsafeptr" else "ptr"
    if record.tag == "array":
        return "array"
    if record.tag == "subroutine":
        return "func"
    if record.tag == "struct":
        if record.name in ("runtime.eface", "runtime.iface"):
            return "interface"
        return go_kind if go_kind in ("string", "slice") else "struct"
    return go_kind or "uintptr"


def composed_name(t: GoType) -> str:
    """The name of a type that package reflect made, from its parts: such types are never named ones."""
    elem = t.elem.name if t.elem is not None else "?"
    key = t.key.name if t.key is not None else "?"
    fields = "; ".join(f"{f.name} {f.type.name}" for f in t.fields)
    made = {
        "ptr": f"*{elem}",
        "slice": f"[]{elem}",
        "array": f"[{t.count}]{elem}",
        "chan": f"chan {elem}",
        "map": f"map[{key}]{elem}",
        "struct": f"struct {{ {fields} }}",
    }
    return made.get(t.kind, t.kind)


def require(t: GoType | None, what: str) -> GoType:
    """t, or an error saying what is not described."""
    if t is None:
        raise GoretainError(f"the debug information does not describe {what}")
    return t
