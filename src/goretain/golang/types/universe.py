"""All Go types of one program, each once.

Two sources describe types: DWARF (every type the program's debug information knows) and the runtime's own
``abi.Type`` records (internal/abi/type.go), which interfaces, malloc headers and large spans point to. A
runtime type that has a DWARF twin (DW_AT_go_runtime_type) is that twin, so each Go type exists once.
Imports ``debuginfo``, ``model`` and ``golang.types.gotypes``, ``golang.layout``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from goretain.debuginfo.dwarf.descriptions import Descriptions
from goretain.debuginfo.dwarf.types import DwarfType, Member
from goretain.golang.layout import Program
from goretain.golang.types.abinames import AbiNames
from goretain.golang.types.gotypes import KIND_OF, KINDS, POINTER_SHAPE, GoField, GoType
from goretain.golang.types.moduletypes import ModuleTypes
from goretain.model.errors import MissingMemory, UnknownLayout

_ITAB_TABLE = "runtime.itabTableType"
_ITAB_LIMIT = 1 << 26


class TypeUniverse:
    """All Go types of one program, each once; decoded when first asked for.

    Addresses are run-time addresses, DIE offsets are the numbers of types in the descriptions.
    """

    def __init__(self, program: Program, descriptions: Descriptions) -> None:
        self.program = program
        self.descriptions = descriptions
        self._types_base = program.moduledata("types")
        self.modules = ModuleTypes(program)
        self._names = AbiNames(program, self.modules)
        self._by_die: dict[int, GoType] = {}
        self._by_address: dict[int, GoType | None] = {}

    def close(self) -> None:
        """Let go of the program's memory: types refer to the universe and it to them, so it would stay until
        the garbage collector of Python runs. No type is decoded any more."""
        del self.program, self.modules, self._names

    # -- DWARF
    # ------------------------------------------------------------------------------------------------

    def struct(self, name: str) -> GoType | None:
        """The named struct type, None when the binary does not describe it."""
        die = self.descriptions.struct(name)
        if die is not None:
            return self.from_dwarf(die)
        t = self._from_records(name)
        return t if t is not None and t.kind == "struct" else None

    def named(self, name: str) -> GoType | None:
        """Any named type, None when the binary does not describe it."""
        die = self.descriptions.type_by_name(name)
        return self.from_dwarf(die) if die is not None else self._from_records(name)

    def _from_records(self, name: str) -> GoType | None:
        """The only type of that name in the runtime's own records, for programs without debug information."""
        if self.descriptions.complete or not name:
            return None
        found = self.records.get(name, ())
        return self.from_runtime(found[0]) if len(found) == 1 else None

    @cached_property
    def itabs(self) -> NDArray[np.int64]:
        """int64[k], ascending: addresses of all itabs that the program uses (``runtime.itabTable``,
        runtime/iface.go); empty when they cannot be read."""
        p = self.program
        try:
            table = p.word(p.symbol("runtime.itabTable"))
            size = p.uint(table, _ITAB_TABLE, "size")
            at = table + p.layout.offset(_ITAB_TABLE, "entries")
            raw = np.frombuffer(p.memory.read(at, 8 * min(size, _ITAB_LIMIT)), np.int64)
        except (MissingMemory, UnknownLayout):
            return np.empty(0, np.int64)
        return np.unique(raw[raw != 0])

    @cached_property
    def records(self) -> dict[str, tuple[int, ...]]:
        """Addresses of all type records by name; more than one where types of a function share its name."""
        found: dict[str, tuple[int, ...]] = {}
        for address in self.modules.addresses.tolist():
            with contextlib.suppress(MissingMemory):
                name = self._names.name(address)
                found[name] = (*found.get(name, ()), address)
        return found

    def from_dwarf(self, die: int) -> GoType:
        """The Go type of a type DIE."""
        known = self._by_die.get(die)
        if known is not None:
            return known
        record = self.descriptions.type(die)
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
        if pointee is not None and self.descriptions.struct(pointee) is not None:
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
            record = self.descriptions.type(die)
            while record.tag == "typedef" and record.elem:
                record = self.descriptions.type(record.elem)
            return self.from_dwarf(record.elem) if record.tag == "pointer" and record.elem else None

        return resolve

    def _is_eface(self, record: DwarfType) -> bool:
        while record.tag == "typedef" and record.elem:
            record = self.descriptions.type(record.elem)
        return record.name == "runtime.eface"

    # -- abi.Type
    # ---------------------------------------------------------------------------------------------

    def from_runtime(self, address: int) -> GoType | None:
        """The Go type whose abi.Type is at address; None when that memory is not an abi.Type we can read."""
        if address not in self._by_address:
            self._by_address[address] = None  # cuts cycles through a type's own elements
            with contextlib.suppress(MissingMemory, IndexError):
                self._by_address[address] = self._twin(address) or self.decode(address)
        return self._by_address[address]

    def described(self) -> dict[int, GoType]:
        """Run-time address of every abi.Type that has a DWARF twin -> the twin."""
        size = self.program.moduledata("etypes") - self._types_base
        twins = self.descriptions.runtime_types().items()
        return {self._types_base + o: self.from_dwarf(die) for o, die in twins if o < size}

    def _twin(self, address: int) -> GoType | None:
        if self.descriptions.complete:
            die = self.descriptions.type_by_runtime_offset(address - self._types_base)
        else:  # a layout table knows names, not addresses
            die = self.descriptions.struct(self._names.name(address))
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

    def decode(self, address: int) -> GoType | None:
        """The type as its abi.Type describes it, whatever DWARF says. Raises MissingMemory, IndexError.

        Layout: internal/abi/type.go Type, ArrayType, ChanType, MapType, PtrType, SliceType, StructType."""
        p = self.program
        raw = p.memory.read(address, 48)
        size, kind_number = int.from_bytes(raw[:8], "little"), raw[23] & 31
        if not 0 < kind_number < len(KINDS) or size > 1 << 40:
            return None
        name = self._names.name(address)
        kind = KINDS[kind_number] if name != POINTER_SHAPE else "unsafeptr"
        t = GoType(name, kind, size, runtime_address=address)
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
                out.append(GoField(self._names.of_field(name, i), offset, t))
        return out


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
        unsafe = record.name in ("unsafe.Pointer", POINTER_SHAPE) or go_kind == "unsafeptr"
        return "unsafeptr" if unsafe else "ptr"
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
