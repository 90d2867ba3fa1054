"""Functions of DWARF with their parameters and variables, decoded one function at a time.

A function that is also inlined somewhere has an abstract entry with the names and types, and concrete ones
that point to it. Variables of calls that were inlined into a function are its variables too, and marked.
Source: cmd/internal/dwarf/dwarf.go (PutConcreteFunc, PutInlinedFunc, putvar). May import ``debuginfo``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from goretain.debuginfo.dwarf.abbrev import uleb
from goretain.debuginfo.dwarf.decoder import (
    AT_ABSTRACT_ORIGIN,
    AT_GO_CLOSURE_OFFSET,
    AT_LOCATION,
    AT_NAME,
    AT_TYPE,
    AT_VARIABLE_PARAMETER,
)
from goretain.debuginfo.dwarf.index import TAG_VARIABLE
from goretain.debuginfo.dwarf.locations import Location, read_location
from goretain.debuginfo.dwarf.units import Unit, Units

_TAG_PARAMETER, _TAG_INLINED = 0x05, 0x1D

_VARIABLE_WANTED = (
    AT_NAME, AT_TYPE, AT_ABSTRACT_ORIGIN, AT_LOCATION, AT_GO_CLOSURE_OFFSET, AT_VARIABLE_PARAMETER,
)  # fmt: skip
# Lists may be shared, so the section's size does not bound their total. Real functions have 50 000 at most.
_MAX_LOCATIONS = 1 << 21
_MAX_ORIGINS = 8


@dataclass(frozen=True, slots=True)
class Variable:
    """A parameter, result or variable of a function.

    Attributes:
        name: as in the source; the compiler names moved variables "&x" and results "~r0".
        type: DIE offset of its type (0 unknown).
        is_parameter: parameter or result (then is_result too). is_inlined: it belongs to an inlined call.
        closure_offset: where it is in the closure's object when it is captured, -1 otherwise. Go before 1.23
            does not say, and the optimiser leaves out captured variables that it takes apart, such as slices.
        location: (low, high, DWARF expression), link pcs; one (0, 2**63, ...) when it never moves; empty when
            the compiler kept it nowhere.
        inlined_from: name of the inlined function it belongs to, "" for the function's own variables.
    """

    name: str
    type: int
    is_parameter: bool
    is_inlined: bool
    closure_offset: int
    location: Location
    is_result: bool = False
    inlined_from: str = ""


@dataclass(frozen=True, slots=True)
class Function:
    """A function with machine code: [low, high) in link pcs; variables in the order of the declarations."""

    name: str
    low: int
    high: int
    variables: tuple[Variable, ...]


class FunctionReader:
    """Decodes functions and remembers the abstract DIEs they share."""

    def __init__(self, units: Units) -> None:
        self._units = units
        self._origins: dict[int, tuple[str, int, bool]] = {}

    def read(self, offset: int, low: int, high: int) -> Function:
        """The function whose DIE is at offset. Raises CorruptFile."""
        with self._units.sections.guard("info", lambda: offset):
            return self._decode(offset, low, high)

    def name(self, offset: int) -> str:
        """Only the name of the function whose DIE is at offset. Raises CorruptFile."""
        with self._units.sections.guard("info", lambda: offset):
            return self._origin(offset)[0]

    def _decode(self, offset: int, low: int, high: int) -> Function:
        units, info = self._units, self._units.info
        unit = units.at(offset)
        table = units.table(unit)
        code, at = uleb(info, offset)
        abbreviation = table[code]
        at = units.skipper(abbreviation, unit)(info, at)
        variables: list[Variable] = []
        # One entry per open DIE: the inlined function whose call it is part of, "" for the function itself.
        scopes = [""] if abbreviation.children else []
        left = _MAX_LOCATIONS
        while scopes:
            if at >= unit.end:
                raise ValueError("the children of a function have no end")
            code, at = uleb(info, at)
            if code == 0:
                scopes.pop()
                continue
            abbreviation = table[code]
            scope = scopes[-1]
            if abbreviation.tag in (_TAG_PARAMETER, TAG_VARIABLE):
                values = units.decoder(abbreviation, _VARIABLE_WANTED, unit)(info, at, unit)
                at = values[0]
                variables.append(self._variable(values, unit, abbreviation.tag == _TAG_PARAMETER, scope))
                left -= len(variables[-1].location)
                if left < 0:
                    raise ValueError("the location lists of a function are too long")
            elif abbreviation.tag == _TAG_INLINED:
                at, origin = units.decoder(abbreviation, (AT_ABSTRACT_ORIGIN,), unit)(info, at, unit)
                scope = (self._origin(origin)[0] if origin is not None else "") or "?"
            else:
                at = units.skipper(abbreviation, unit)(info, at)
            if abbreviation.children:
                scopes.append(scope)
        return Function(self._origin(offset)[0], low, high, tuple(variables))

    def _variable(self, values: tuple[Any, ...], unit: Unit, is_parameter: bool, scope: str) -> Variable:
        _, name, type_offset, origin, location, closure_offset, is_result = values
        text = (name or b"").decode("utf-8", "replace")
        if origin is not None:
            origin_name, origin_type, origin_result = self._origin(origin)
            text, type_offset = text or origin_name, type_offset or origin_type
            is_result = is_result or origin_result
        return Variable(
            text, type_offset or 0, is_parameter, bool(scope),
            closure_offset if isinstance(closure_offset, int) else -1,
            read_location(location, unit), bool(is_result), scope,
        )  # fmt: skip

    def _origin(self, offset: int) -> tuple[str, int, bool]:
        """Name, type and "is a result" of a DIE, following DW_AT_abstract_origin."""
        known = self._origins.get(offset)
        if known is not None:
            return known
        units = self._units
        name, type_offset, is_result = b"", 0, False
        at: int | None = offset
        for _ in range(_MAX_ORIGINS):
            if at is None:
                break
            unit = units.at(at)
            code, position = uleb(units.info, at)
            decode = units.decoder(units.table(unit)[code], _VARIABLE_WANTED, unit)
            _, found, found_type, at, _, _, found_result = decode(units.info, position, unit)
            name, type_offset = name or found or b"", type_offset or found_type or 0
            is_result = is_result or bool(found_result)
        known = self._origins[offset] = (name.decode("utf-8", "replace"), type_offset, is_result)
        return known
