"""The debug information of a program and of the plugins that it loaded, as that of one program.

A plugin is linked on its own: it has its own DWARF, load address and types. Numbers of its types get the
plugin's number in their upper bits; its addresses are moved to where it lies beside the program; types that
both describe under one name (those of packages that both import, which the plugin loader wants to be
identical) are the program's. May import ``debuginfo``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from goretain.debuginfo.beside.translated import moved
from goretain.debuginfo.dwarf.descriptions import Descriptions, Global
from goretain.debuginfo.dwarf.functions import Function
from goretain.debuginfo.dwarf.types import DwarfType
from goretain.debuginfo.elf.symbols import Symbol

#: Offsets in .debug_info are below it.
_SHIFT = 40
_MASK = (1 << _SHIFT) - 1


@dataclass(frozen=True, slots=True)
class Part:
    """One plugin.

    Attributes:
        descriptions, symbols: in its own link addresses.
        distance: from its link addresses to those of the program, as both are loaded.
        types: its moduledata.types less the program's.
    """

    descriptions: Descriptions
    symbols: Mapping[str, Symbol]
    distance: int
    types: int


class JoinedDescriptions:
    """``Descriptions`` of a program and its plugins, in link addresses of the program."""

    def __init__(self, program: Descriptions, parts: Sequence[Part]) -> None:
        self._program = program
        self._parts = [Part(program, {}, 0, 0), *parts]
        self._numbers: dict[int, int] = {}
        self._functions: dict[int, Function] = {}

    @property
    def complete(self) -> bool:
        """Whether the whole program is described."""
        return self._program.complete

    @cached_property
    def globals(self) -> list[Global]:
        """Package-level variables by address."""
        found = [
            replace(g, address=g.address + part.distance, type=self._number(index, g.type))
            for index, part in enumerate(self._parts)
            for g in part.descriptions.globals
        ]
        return sorted(found, key=lambda g: g.address)

    def struct(self, name: str, /) -> int | None:
        """Number of the named struct, None when it is not described."""
        found = ((i, part.descriptions.struct(name)) for i, part in enumerate(self._parts))
        return next((number | i << _SHIFT for i, number in found if number is not None), None)

    def type_by_name(self, name: str, /) -> int | None:
        """Number of the type with a name, None when it is not described."""
        found = ((i, part.descriptions.type_by_name(name)) for i, part in enumerate(self._parts))
        return next((number | i << _SHIFT for i, number in found if number is not None), None)

    def type(self, number: int, /) -> DwarfType:
        """The type with a number."""
        index = number >> _SHIFT
        part = self._parts[index]
        record = part.descriptions.type(number & _MASK)
        if not index:
            return record
        return replace(
            record,
            offset=number,
            elem=self._number(index, record.elem),
            go_runtime_type=record.go_runtime_type + part.types if record.go_runtime_type else 0,
            go_key=self._number(index, record.go_key),
            go_elem=self._number(index, record.go_elem),
            members=tuple(replace(m, type=self._number(index, m.type)) for m in record.members),
        )

    def _number(self, index: int, number: int) -> int:
        """The number of a part's type, the program's own where it describes the same."""
        if not number or not index:
            return number
        key = number | index << _SHIFT
        known = self._numbers.get(key)
        if known is None:
            known = self._numbers[key] = self._same(self._parts[index].descriptions.type(number)) or key
        return known

    def _same(self, record: DwarfType) -> int | None:
        """The program's number of a type that a plugin describes too."""
        number = self._program.type_by_name(record.name) if record.name else None
        if number is None:
            return None
        ours = self._program.type(number)
        alike = (ours.tag, ours.size, ours.go_kind) == (record.tag, record.size, record.go_kind)
        same = alike and [(m.name, m.offset) for m in ours.members] == [
            (m.name, m.offset) for m in record.members
        ]
        return number if same else None

    def constant(self, name: str, /) -> int | None:
        """Value of an integer constant, None when it is not described."""
        found = (part.descriptions.constant(name) for part in self._parts)
        return next((value for value in found if value is not None), None)

    def type_by_runtime_offset(self, offset: int, /) -> int | None:
        """Number of the type whose abi.Type is at moduledata.types + offset, None when not described."""
        for index, part in enumerate(self._parts):
            number = part.descriptions.type_by_runtime_offset(offset - part.types)
            if number is not None:
                return self._number(index, number)
        return None

    def runtime_types(self) -> Mapping[int, int]:
        """Offset of abi.Type from moduledata.types -> number."""
        return {
            offset + part.types: self._number(index, number)
            for index, part in enumerate(self._parts)
            for offset, number in part.descriptions.runtime_types().items()
        }

    def function_at(self, pc: int, /) -> Function | None:
        """The function whose machine code holds a link pc of the program, None when it is not described."""
        for index, part in enumerate(self._parts):
            found = part.descriptions.function_at(pc - part.distance)
            if found is None or not index:
                if found is not None:
                    return found
                continue
            low = found.low + part.distance
            known = self._functions.get(low)
            if known is None:
                known = self._functions[low] = self._of_part(index, found)
            return known
        return None

    def _of_part(self, index: int, function: Function) -> Function:
        function = moved(function, self._parts[index].distance)
        variables = (replace(v, type=self._number(index, v.type)) for v in function.variables)
        return replace(function, variables=tuple(variables))


class JoinedSymbols(Mapping[str, Symbol]):
    """Symbols of a program and its plugins; of two with one name the program's."""

    def __init__(self, program: Mapping[str, Symbol], parts: Sequence[Part]) -> None:
        self._program = program
        self._parts = parts

    def __getitem__(self, name: str) -> Symbol:
        if name in self._program:
            return self._program[name]
        for part in self._parts:
            symbol = part.symbols.get(name)
            if symbol is not None:
                return replace(symbol, value=symbol.value + part.distance)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        yield from self._program
        names = dict.fromkeys(name for part in self._parts for name in part.symbols)
        yield from (name for name in names if name not in self._program)

    def __len__(self) -> int:
        return sum(1 for _ in self)
