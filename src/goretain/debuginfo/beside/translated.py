"""Debug information of one file in the link addresses of another that was built from the same source.

The linker gives each section its own place: code stays, variables move by one distance a section. What has
no certain place in the other file (strings and other read-only data, which are sorted by content) is left
out. May import ``debuginfo``.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from goretain.debuginfo.dwarf.descriptions import Descriptions, Global
from goretain.debuginfo.dwarf.functions import Function
from goretain.debuginfo.dwarf.locations import EVERYWHERE
from goretain.debuginfo.dwarf.types import DwarfType
from goretain.debuginfo.elf.symbols import Symbol


@dataclass(frozen=True, slots=True)
class Shift:
    """Link addresses [start, end) of the debug file are ``distance`` higher in the binary that runs."""

    start: int
    end: int
    distance: int


class Shifts:
    """Where the sections of a debug file are in the binary that runs; ``back`` goes the other way."""

    def __init__(self, shifts: Sequence[Shift]) -> None:
        self.shifts = sorted(shifts, key=lambda shift: shift.start)
        self._starts = [shift.start for shift in self.shifts]

    def translate(self, address: int) -> int | None:
        """The address in the binary that runs, None where that is not certain."""
        i = bisect.bisect_right(self._starts, address) - 1
        if i < 0 or address >= self.shifts[i].end:
            return None
        return address + self.shifts[i].distance

    @cached_property
    def back(self) -> Shifts:
        """From the binary that runs to the debug file."""
        turned = (Shift(s.start + s.distance, s.end + s.distance, -s.distance) for s in self.shifts)
        return Shifts(list(turned))


class TranslatedSymbols(Mapping[str, Symbol]):
    """The symbols of a debug file that have a certain place in the binary that runs."""

    def __init__(self, symbols: Mapping[str, Symbol], shifts: Shifts) -> None:
        self._symbols = symbols
        self._shifts = shifts

    def __getitem__(self, name: str) -> Symbol:
        symbol = self._symbols[name]
        address = self._shifts.translate(symbol.value)
        if address is None:
            raise KeyError(name)
        return replace(symbol, value=address)

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._symbols if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class TranslatedDescriptions:
    """``Descriptions`` of a debug file in link addresses of the binary that runs.

    Types need no translation: their numbers are the debug file's own, and their places count from
    moduledata.types, where both files have the same types.
    """

    def __init__(self, source: Descriptions, shifts: Shifts) -> None:
        self._source = source
        self._shifts = shifts
        self._functions: dict[int, Function] = {}

    @property
    def complete(self) -> bool:
        """Whether the whole program is described."""
        return self._source.complete

    @cached_property
    def globals(self) -> list[Global]:
        """Package-level variables by address."""
        placed = ((g, self._shifts.translate(g.address)) for g in self._source.globals)
        found = [replace(g, address=address) for g, address in placed if address is not None]
        return sorted(found, key=lambda g: g.address)

    def struct(self, name: str, /) -> int | None:
        """Number of the named struct, None when it is not described."""
        return self._source.struct(name)

    def type_by_name(self, name: str, /) -> int | None:
        """Number of the type with a name, None when it is not described."""
        return self._source.type_by_name(name)

    def type(self, number: int, /) -> DwarfType:
        """The type with a number."""
        return self._source.type(number)

    def constant(self, name: str, /) -> int | None:
        """Value of an integer constant, None when it is not described."""
        return self._source.constant(name)

    def type_by_runtime_offset(self, offset: int, /) -> int | None:
        """Number of the type whose abi.Type is at moduledata.types + offset, None when not described."""
        return self._source.type_by_runtime_offset(offset)

    def runtime_types(self) -> Mapping[int, int]:
        """Offset of abi.Type from moduledata.types -> number."""
        return self._source.runtime_types()

    def function_at(self, pc: int, /) -> Function | None:
        """The function whose machine code holds a link pc of the binary that runs, None when not known."""
        there = self._shifts.back.translate(pc)
        found = self._source.function_at(there) if there is not None else None
        if found is None or there is None or there == pc:
            return found
        known = self._functions.get(found.low)
        if known is None:
            known = self._functions[found.low] = moved(found, pc - there)
        return known


def moved(function: Function, distance: int) -> Function:
    """The function with all its pcs moved; expressions count from the frame and need nothing."""
    variables = tuple(
        replace(
            variable,
            location=tuple(
                (low, high, code) if high == EVERYWHERE else (low + distance, high + distance, code)
                for low, high, code in variable.location
            ),
        )
        for variable in function.variables
    )
    return replace(function, low=function.low + distance, high=function.high + distance, variables=variables)
