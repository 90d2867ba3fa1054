"""What the machine code says of variables, closures and stack slots, as Go types: for programs without debug
information.

The evidence (``golang.code``) speaks of type records by address; here it becomes types and leaves. Reads the
bounds of variables in ``runtime.moduledata`` (runtime/symtab.go). Imports ``golang.code`` and the type rooms.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from goretain.debuginfo.pclntab.pclntab import FuncTable
from goretain.golang.code.evidence import Claim, CodeEvidence, Receiver, ValueKind
from goretain.golang.layout import Program
from goretain.golang.modules import Module
from goretain.golang.packages import STANDARD_ROOTS, display_name, package_of
from goretain.golang.types.composites import Pointed, struct_of
from goretain.golang.types.gotypes import GoField, GoType, Leaf, leaf_of_kind
from goretain.golang.types.instances import Instances
from goretain.golang.types.universe import TypeUniverse
from goretain.model.errors import CorruptFile, MissingMemory, UnknownLayout

I64 = NDArray[np.int64]
_MODULEDATA = "runtime.moduledata"
#: Where its sections of variables start and end.
_STARTS = ("noptrdata", "data", "bss", "noptrbss")
_ENDS = ("enoptrdata", "edata", "ebss", "enoptrbss")
#: What generic code is compiled for, in names.
_SHAPE = "go.shape."
#: Allocated for maps and channels of all types: what is known of them by other means says more.
_GENERIC = frozenset(("runtime.hmap", "runtime.hchan", "internal/runtime/maps.Map"))


@dataclass(frozen=True, slots=True)
class Value:
    """What begins at an address of data: a value of a type, and every so many bytes behind it another where
    it is in an array that code indexes (step, else 0)."""

    address: int
    type: GoType
    step: int = 0


@dataclass(frozen=True, slots=True)
class _Code:
    """One module's functions, what their code says, lowest and highest address of its variables."""

    functions: FuncTable
    evidence: CodeEvidence
    data: tuple[int, int]
    declared_names: dict[int, str] = field(default_factory=dict)

    def declared(self, row: int) -> str:
        """Name of the function at a row of the table, as it would be without the go:linkname by which the
        runtime gives many to other packages (reflect.addReflectOff is declared in runtime/runtime1.go)."""
        if row not in self.declared_names:
            name = self.evidence.names[row]
            package = package_of(name)
            plain = "." not in name[len(package) + 1 :]
            if plain and package.partition("/")[0] in STANDARD_ROOTS and self._in_runtime(row):
                name = f"runtime{name[len(package) :]}"
            self.declared_names[row] = name
        return self.declared_names[row]

    def _in_runtime(self, row: int) -> bool:
        """Whether the source of a function of the standard library is the runtime's."""
        try:
            function = self.functions.find(int(self.functions.entries[row]))
            file = self.functions.file_line(function, function.entry)[0] if function is not None else ""
        except CorruptFile:
            return False
        folder = file.rpartition("/")[0]
        return folder == "runtime" or folder.endswith("/src/runtime")


class Claims:
    """The evidence of all modules; addresses are run-time ones.

    notes: what could not be read, one sentence each.
    pointers: address of a struct in data that is known by its fields only -> addresses of pointers to it;
        filled by :meth:`values`.
    """

    def __init__(self, program: Program, universe: TypeUniverse, modules: Sequence[Module]) -> None:
        self._program = program
        self._universe = universe
        self._made: dict[tuple[str, int], GoType] = {}
        self._instances = Instances(universe)
        self.notes: list[str] = []
        self.pointers: dict[int, tuple[int, ...]] = {}
        self._code = [code for module in modules if (code := self._read(program, module)) is not None]
        self._closures = {pc: t for code in self._code for pc, t in code.evidence.closures.items()}

    def _read(self, program: Program, module: Module) -> _Code | None:
        def at(name: str) -> int:
            return program.uint(module.address, _MODULEDATA, name)

        if module.path and module.file is None:
            self.notes.append(
                f"the machine code of {module.path} could not be read for types: the file was not at "
                "hand, or is not the one that was loaded"
            )
            return None
        try:
            # Code is not captured: it never changes, and the file of the program or plugin has it.
            elf, bias = program.layout.elf, program.bias
            if module.file is not None:
                elf, bias = module.file.elf, module.file.bias
            text = elf.read_vaddr(module.text - bias, module.etext - module.text)
            # By the system's linker, data stands below noptrdata.
            data = (min(at(name) for name in _STARTS), max(at(name) for name in _ENDS))
            evidence = CodeEvidence.read(
                np.frombuffer(text, np.uint8),
                module.text,
                module.functions,
                data=data,
                types=(at("types"), at("etypes")),
                read=program.memory.read,
                # Where debug information describes variables nothing but closures is asked for.
                shapes=() if self._universe.descriptions.complete else self._instances.shapes,
            )
        except (MissingMemory, UnknownLayout, CorruptFile) as error:
            self.notes.append(f"the machine code could not be read for types: {error.message}")
            return None
        return _Code(module.functions, evidence, data)

    # -- data -----------------------------------------------------------------------------------------------

    def values(self) -> list[Value]:
        """What the code says stands in data, by address, then size descending."""
        found = [v for code in self._code for v in self._values(code.evidence)]
        found += [v for code in self._code for v in self._composites(code, found)]
        return sorted(found, key=lambda v: (v.address, -v.type.size))

    @functools.cached_property
    def extents(self) -> dict[int, int]:
        """Data address -> bytes of the array that code indexes from there, where it says how many."""
        return {at: size for code in self._code for at, size in code.evidence.extents.items()}

    def _values(self, evidence: CodeEvidence) -> Iterator[Value]:
        said = [(address, 0, claim) for address, claim in evidence.globals.items()]
        said += [(e.address, e.step, e.claim) for e in evidence.elements]
        for address, step, claim in said:
            t = self._type(claim)
            if t is not None and t.size:
                yield Value(address, t, step)
        for receiver in evidence.receivers:
            t = self._called(receiver)
            if t is not None and not receiver.path:
                yield Value(receiver.address, t, receiver.step)

    def _called(self, receiver: Receiver) -> GoType | None:
        """What stands where a method is called."""
        told = self._universe.from_runtime(receiver.type) if receiver.type else None
        t = told or self._receiver(receiver.type_name)
        if t is None or not t.size:
            return None
        return self._pointer(t) if receiver.holds_pointer else t

    def _composites(self, code: _Code, values: Sequence[Value]) -> Iterator[Value]:
        """Structs in data that pointers to types without a record lead to."""
        said = [(b.address, b.path, self._type(b.claim)) for b in code.evidence.behind]
        said += [
            (r.address, r.path, self._called(r)) for r in code.evidence.receivers if r.path and not r.step
        ]
        single = [v for v in values if not v.step]
        typed = {v.address: v.type.elem for v in single if v.type.kind == "ptr"}
        pointed = Pointed(self._program, self._universe, set(typed), code.data, code.evidence.nothing)
        known = [(at, t) for at, t in typed.items() if t is not None and t.has_pointers]
        for at, start, t in pointed.described(known):
            low, high = np.searchsorted(self.references[0], (start, start + t.size))
            if low < high:  # what no code names is told under the pointer's name
                self.pointers[start] = (at,)
                yield Value(start, t)
        for found in pointed.composites([(at, path, t) for at, path, t in said if t is not None and t.size]):
            size = max(offset + t.size for offset, t in found.parts)
            reach = max(code.evidence.reach.get(pointer, 0) for pointer in found.pointers)
            self.pointers[found.address] = found.pointers
            yield self._composite(found.address, max(size, reach), found.parts, single)
        for address, size in code.evidence.wholes.items():
            if any(address <= v.address < address + size for v in single):
                yield self._composite(address, size, (), single)

    def _composite(
        self, start: int, size: int, parts: Sequence[tuple[int, GoType]], single: Sequence[Value]
    ) -> Value:
        """A struct of which parts are known, and values that begin in it."""
        inside = [(v.address - start, v.type) for v in single if start <= v.address < start + size]
        return Value(start, struct_of(size, sorted([*parts, *inside], key=lambda part: -part[1].size)))

    @functools.cached_property
    def references(self) -> tuple[I64, list[str]]:
        """(int64[k] data addresses, ascending; for each the name of one function that refers to it); an
        address stands there once for every function that names it."""
        addresses: list[I64] = []
        names: list[str] = []
        for code in self._code:
            refs = code.evidence.references
            rows = np.unique(np.column_stack((refs.address, refs.function)), axis=0)
            addresses.append(rows[:, 0])
            names += [code.declared(row) for row in rows[:, 1].tolist()]
        joined = np.concatenate([*addresses, np.empty(0, np.int64)])
        order = np.argsort(joined, kind="stable")
        return joined[order], [names[i] for i in order.tolist()]

    # -- closures and frames --------------------------------------------------------------------------------

    def captured(self, pc: int) -> list[GoField] | None:
        """What the closure whose code starts at pc captured, as fields of its object; None when not known."""
        address = self._closures.get(pc)
        t = self._universe.from_runtime(address) if address else None
        return t.fields[1:] if t is not None and t.kind == "struct" else None

    def slots(self, functions: FuncTable, entry: int) -> dict[int, Leaf]:
        """Offset from the CFA -> what the slot of the function that starts at entry holds."""
        code = next((c for c in self._code if c.functions is functions), None)
        if code is None:
            return {}
        row = int(np.searchsorted(functions.entries, entry))
        found: dict[int, Leaf] = {}
        for slot in code.evidence.slots.get(row, ()):
            t = self._type(slot.claim) if slot.claim is not None else None
            if slot.receiver:
                named = self._receiver(slot.receiver)
                t = self._pointer(named) if named is not None else None
            leaf = leaf_of_kind(t) if t is not None else None
            if leaf is not None and leaf.kind == "slice":
                leaf = Leaf(0, "slice-pointer", leaf.type, "")  # length and capacity are kept elsewhere
            if leaf is not None:
                found[slot.offset] = leaf
        return found

    def _receiver(self, name: str) -> GoType | None:
        """The type of a method's receiver, by name; for a shape without a record the only type that has it.

        A type argument that is not named by its structure has a shape of another name than its own.
        """
        t = self._universe.named(display_name(name)) or self._universe.named(name)
        if t is not None or _SHAPE not in name:
            return t
        generic = name.partition("[")[0] + "["
        made = [n for n in self._universe.records if n.startswith(generic) and _SHAPE not in n]
        return self._universe.named(made[0]) if made == [name.replace(_SHAPE, "")] else None

    # -- types ----------------------------------------------------------------------------------------------

    def _type(self, claim: Claim) -> GoType | None:
        """The type of the value that a claim speaks of."""
        t = self._universe.from_runtime(claim.type) if claim.type else None
        if t is not None and t.name in _GENERIC:
            return None
        if claim.kind is ValueKind.VALUE or claim.kind in (ValueKind.MAP, ValueKind.CHANNEL):
            return t
        if claim.kind is ValueKind.POINTER:
            if t is not None and claim.given:
                t = self._instances.of(t, [(at, self._type(part)) for at, part in claim.given])
            return self._pointer(t) if t is not None else None
        if claim.kind is ValueKind.SLICE:
            return self._make("slice", t, 24) if t is not None else None
        if claim.kind is ValueKind.FUNC:
            return self._make("func", None, 8)
        if claim.kind is ValueKind.IFACE and t is not None:
            return t
        return self._make("iface" if claim.kind is ValueKind.IFACE else "eface", None, 16)

    def _pointer(self, t: GoType) -> GoType:
        return self._make("ptr", t, 8)

    def _make(self, kind: str, elem: GoType | None, size: int) -> GoType:
        """A type that may have no record, each made once: leaves are told apart by their types."""
        key = (kind, id(elem))
        if key not in self._made:
            name = {"ptr": "*", "slice": "[]"}.get(kind, "") + (elem.name if elem is not None else "")
            boxed = kind in ("eface", "iface")
            self._made[key] = GoType(
                name or {"func": "func()", "eface": "any"}.get(kind, "interface"),
                "interface" if boxed else kind,
                size,
                elem_ref=elem,
                empty_interface=kind == "eface",
            )
        return self._made[key]


def captures(
    program: Program, universe: TypeUniverse, modules: Sequence[Module]
) -> Callable[[int], list[GoField] | None]:
    """Asks the code what the closure whose code starts at a run-time address captured.

    The code is read when that is asked first: debug information says it from Go 1.23 on, but for variables
    that a closure captures and does not use.
    """
    claims = functools.cache(lambda: Claims(program, universe, modules))
    return lambda pc: claims().captured(pc)
