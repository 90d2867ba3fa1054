"""Evidence of types and data in the machine code of one module, for programs whose debug information says
less.

The compiler hands the runtime an ``abi.Type`` (internal/abi/type.go) wherever memory is made or moved:
newobject, makemap, mapassign, growslice, typedmemmove. Together with where the result goes, or where the
argument came from, that gives types of global variables, of closures and of stack slots. Static types in Go
are never in doubt, so one piece of evidence is enough, and two that disagree are none: the place is dropped.
Imports ``debuginfo``, ``kernels``, ``golang.code.roles`` and ``golang.code.facts``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Self

import numpy as np
from numpy.typing import NDArray

from goretain.debuginfo.pclntab.pclntab import FuncTable
from goretain.golang.code.facts import read_facts
from goretain.golang.code.records import TypeRecords
from goretain.golang.code.resolve import Resolution
from goretain.golang.code.roles import receiver_of, roles_of
from goretain.kernels import codevalues

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
Read = Callable[[int, int], bytes]
Range = tuple[int, int]


class ValueKind(IntEnum):
    """What stands in a word, and what the abi.Type beside it is the type of."""

    POINTER = codevalues.POINTER  #: *T, the type is T; an unsafe.Pointer may hold it too
    MAP = codevalues.MAP  #: a map, the type is the map's
    CHANNEL = codevalues.CHANNEL  #: a channel, the type is the channel's
    SLICE = codevalues.ELEMENTS  #: first word of a slice, or a pointer to an array; the type is the element's
    FUNC = 16  #: a func value whose closure is a T
    IFACE = (
        17  #: first word of an interface with methods; the type is the interface's, 0 where it is not known
    )
    #: Not a word: a T begins here, or what was converted to a T; what it is a part of may be larger.
    VALUE = 18


@dataclass(frozen=True, slots=True)
class Claim:
    """What a place holds: kind and run-time address of an abi.Type (see ValueKind).

    given: where the type is that of generic code for any pointer: (offset, what stands there) of pointers in
        what the place points to.
    """

    kind: ValueKind
    type: int
    given: tuple[tuple[int, Claim], ...] = ()


@dataclass(frozen=True, slots=True)
class Element:
    """What stands in every element of an array in data that code indexes.

    Attributes:
        address: of the place in one of the elements, most often the first.
        step: bytes from one element to the next.
    """

    address: int
    step: int
    claim: Claim


@dataclass(frozen=True, slots=True)
class Receiver:
    """A method ``pkg.(*T).M`` is called on a global: T by name, or a struct that begins with a T.

    Attributes:
        address: data address. holds_pointer: True: the word there is the *T; False: the T begins there.
        type_name: ``pkg.T`` as the linker writes it (packages.display_name makes it readable). A T of size 0
            says nothing: all of them begin at runtime.zerobase.
        path: offsets behind the pointer at the address to the place, as Behind has them; () for a global.
        type: abi.Type of T where the method is generic and its dictionary names it, else 0.
        step: bytes to the next element of an array in data, as Element has it, 0 for what is in none.
    """

    address: int
    holds_pointer: bool
    type_name: str
    type: int = 0
    step: int = 0
    path: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Behind:
    """What stands behind a global pointer to a type that is known by its fields only.

    Attributes:
        address: of the pointer in data.
        path: offset of a field behind that pointer, then, where the field is the next pointer, of one behind
            that, and so on.
    """

    address: int
    path: tuple[int, ...]
    claim: Claim


@dataclass(frozen=True, slots=True)
class Slot:
    """A stack slot all of whose stores agree, or two that code uses as an interface.

    Attributes:
        offset: from the CFA (the stack pointer before the call that entered the function), negative inside
            the frame, from 0 on where register arguments are spilled.
        claim: what it holds, None where ``receiver`` says it.
        receiver: the slot holds the method's receiver, a pointer to the type of this name; "" otherwise.
    """

    offset: int
    claim: Claim | None
    receiver: str


@dataclass(frozen=True, slots=True)
class References:
    """Which function names which data address; int64[k], in order of the code.

    function: row in the function table; address: run time.
    """

    function: I64
    address: I64


@dataclass(slots=True)
class CodeEvidence:
    """What one module's code says.

    Attributes:
        references: who refers to data.
        names: of the functions, by row of the function table.
        globals: data address -> what stands there. Addresses of parts of variables are among them.
        elements: of arrays in data. extents: data address -> bytes of the array there, where its bounds are
            checked against a number.
        behind: what stands behind global pointers.
        nothing: addresses of values of no size.
        reach: data address of a pointer -> bytes at least of what it points to.
        wholes: data address -> bytes at least of the struct that begins there.
        receivers: methods called on globals, and behind global pointers: weaker, see Receiver.
        closures: run-time address of a closure's code -> abi.Type of the object that func values of it
            point to: ``struct { F uintptr; X0 T0; ... }``. Closures that capture nothing are not here.
        slots: row of a function in the function table -> its slots.
    """

    references: References
    names: list[str]
    globals: dict[int, Claim] = field(default_factory=dict)
    elements: list[Element] = field(default_factory=list)
    extents: dict[int, int] = field(default_factory=dict)
    behind: list[Behind] = field(default_factory=list)
    nothing: frozenset[int] = frozenset()
    reach: dict[int, int] = field(default_factory=dict)
    wholes: dict[int, int] = field(default_factory=dict)
    receivers: list[Receiver] = field(default_factory=list)
    closures: dict[int, int] = field(default_factory=dict)
    slots: dict[int, list[Slot]] = field(default_factory=dict)

    @classmethod
    def read(
        cls,
        text: U8,
        address: int,
        functions: FuncTable,
        *,
        data: Range,
        types: Range,
        read: Read,
        shapes: Sequence[int] = (),
    ) -> Self:
        """Read the code of one module (what it takes: docs/machine-code.md).

        Args:
            text: the module's code, uint8[n], such as section .text of its file.
            address: run-time address of text[0].
            functions: the module's function table, at run-time addresses.
            data: lowest and highest run-time address of variables (noptrdata, data, bss, noptrbss).
            types: moduledata.types and etypes; abi.Types outside (plugins) are not believed.
            read: memory at run-time addresses, for itabs (abi.ITab) and the sizes of types.
            shapes: abi.Types of generic code that leave open what pointers in them lead to.

        Raises CorruptFile for a damaged function table.
        """
        columns = functions.columns()
        code = codevalues.Code(
            text=text,
            address=address,
            entry=np.clip(functions.entries - address, 0, len(text)),  # a damaged table may lead anywhere
            role=roles_of(columns),
            arguments=np.maximum(columns.args, 0),
            data=np.array(data, np.int64),
            shapes=np.array(sorted(shapes), np.int64),
        )
        facts = read_facts(code)
        resolution = Resolution(facts, code, columns.names, TypeRecords(*types, read))
        made = cls(References(*facts.references.T), columns.names)
        made.extents, made.nothing = facts.extents(), facts.nothing(columns.names)
        made._fill(resolution)
        return made

    def _fill(self, found: Resolution) -> None:
        def claim_of(kind: int, t: int) -> Claim:
            t, given = found.given.get(t, (t, ()))
            parts = tuple((offset, claim_of(*part)) for offset, part in given)
            return Claim(ValueKind(kind), t, parts)

        for at, step, kind, t in found.globals():
            said = claim_of(kind, t)
            if step:
                self.elements.append(Element(at, step, said))
            else:
                self.globals[at] = said
        self.reach, self.wholes = found.reach, found.wholes
        self.behind = [Behind(at, path, claim_of(kind, t)) for at, path, kind, t in found.behind()]
        self.closures = found.closures
        for function, offset, kind, t in found.slots():
            claim = claim_of(kind, t) if kind != codevalues.ARGUMENT else None
            receiver = receiver_of(self.names[function]) if claim is None else ""
            self.slots.setdefault(function, []).append(Slot(offset, claim, receiver))
        self.receivers = [
            Receiver(at, held, receiver_of(self.names[row]), t, step, path)
            for at, step, path, held, row, t in found.receivers()
        ]
