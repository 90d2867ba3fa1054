"""What the readers of Go memory ask of debug information, whoever answers.

Answered by the DWARF of the program, by that of a separate file whose addresses were translated, or, for the
runtime's own structs only, by a layout table made from a toolchain. May import ``debuginfo``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from goretain.debuginfo.dwarf.functions import Function
from goretain.debuginfo.dwarf.types import DwarfType
from goretain.debuginfo.elf.elf import Elf
from goretain.debuginfo.elf.symbols import Symbol

__all__ = ["DebugSource", "Descriptions", "Global"]


@dataclass(frozen=True, slots=True)
class Global:
    """A package-level variable: full name, link address, DIE offset of its type."""

    name: str
    address: int
    type: int


class Descriptions(Protocol):
    """Types, constants, globals and functions of one program.

    Types are named by a number that only the answerer understands: for DWARF the offset of the DIE. Addresses
    are link addresses of the program that runs.
    """

    @property
    def complete(self) -> bool:
        """True: DWARF of the whole program; False: structs of the runtime only, no globals or functions."""
        ...

    @property
    def globals(self) -> Sequence[Global]:
        """Package-level variables by address."""
        ...

    def struct(self, name: str, /) -> int | None:
        """Number of the named struct, None when it is not described."""
        ...

    def type_by_name(self, name: str, /) -> int | None:
        """Number of the type with a name such as "runtime.mspan" or "[]uint8", None when not described."""
        ...

    def type(self, number: int, /) -> DwarfType:
        """The type with a number. Types may refer to each other in cycles."""
        ...

    def constant(self, name: str, /) -> int | None:
        """Value of an integer constant such as "runtime._KindSpecialFinalizer", None when not described."""
        ...

    def type_by_runtime_offset(self, offset: int, /) -> int | None:
        """Number of the type whose abi.Type is at moduledata.types + offset, None when not described."""
        ...

    def runtime_types(self) -> Mapping[int, int]:
        """Offset of abi.Type from moduledata.types -> number, for all types of which both are known."""
        ...

    def function_at(self, pc: int, /) -> Function | None:
        """The function whose machine code holds a link pc, None when it is not described."""
        ...


class DebugSource(Protocol):
    """A debug file beside the binary: what it says, translated to link addresses of the binary that runs."""

    @property
    def elf(self) -> Elf:
        """The file, in its own link addresses."""
        ...

    @property
    def descriptions(self) -> Descriptions:
        """Types, globals and functions."""
        ...

    @property
    def symbols(self) -> Mapping[str, Symbol]:
        """Symbols by name."""
        ...
