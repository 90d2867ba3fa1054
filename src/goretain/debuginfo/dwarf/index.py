"""One pass over .debug_info: where the types, globals, functions and constants are.

Only names, addresses and offsets are kept, as columns that can be saved; the rest is decoded when asked for.
Source: cmd/link/internal/ld/dwarf.go, cmd/internal/dwarf/dwarf.go. May import ``debuginfo`` and numpy.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goretain.debuginfo.dwarf.abbrev import Abbreviation, uleb
from goretain.debuginfo.dwarf.decoder import (
    AT_CONST_VALUE,
    AT_GO_KIND,
    AT_GO_RUNTIME_TYPE,
    AT_HIGH_PC,
    AT_LOCATION,
    AT_LOW_PC,
    AT_NAME,
    AT_TYPE,
    Decoder,
    Skipper,
)
from goretain.debuginfo.dwarf.units import Unit, Units

I64 = NDArray[np.int64]

TAG_ARRAY, TAG_POINTER, TAG_COMPILE_UNIT, TAG_STRUCT, TAG_SUBROUTINE = 0x01, 0x0F, 0x11, 0x13, 0x15
TAG_TYPEDEF, TAG_BASE, TAG_CONSTANT, TAG_SUBPROGRAM, TAG_VARIABLE = 0x16, 0x24, 0x27, 0x2E, 0x34
TAG_UNSPECIFIED = 0x3B
_TYPE_TAGS = {TAG_ARRAY, TAG_POINTER, TAG_STRUCT, TAG_SUBROUTINE, TAG_TYPEDEF, TAG_BASE, TAG_UNSPECIFIED}
_OP_ADDR, _OP_ADDRX = 0x03, 0xA1

_SKIP, _TYPE, _GLOBAL, _FUNCTION, _CONSTANT = range(5)
_WANTED: dict[int, tuple[int, ...]] = {
    _TYPE: (AT_NAME, AT_GO_RUNTIME_TYPE),
    _GLOBAL: (AT_NAME, AT_LOCATION, AT_TYPE),
    _FUNCTION: (AT_LOW_PC, AT_HIGH_PC),
    _CONSTANT: (AT_NAME, AT_CONST_VALUE),
}
_Row = tuple[int, Decoder | None, Skipper, bool]


@dataclass(frozen=True, slots=True)
class Index:
    """Columns of one program; names are UTF-8, each ended by a zero byte, in the order of their column.

    Attributes:
        type_offsets: int64[t], DIE offsets of named types, ascending. type_names: their names.
        type_tags: int64[t], DW_TAG; negative for a plain typedef, one that only gives another type a name.
        runtime_types: int64[t], offset from moduledata.types of the type's descriptor, 0 when there is none.
        global_addresses, global_types: int64[g] link addresses (ascending) and DIE offsets. global_names.
        function_lows, function_highs, function_offsets: int64[f] link pcs (lows ascending) and DIE offsets.
        constant_values: int64[c]. constant_names.
    """

    type_offsets: I64
    type_tags: I64
    runtime_types: I64
    type_names: bytes
    global_addresses: I64
    global_types: I64
    global_names: bytes
    function_lows: I64
    function_highs: I64
    function_offsets: I64
    constant_values: I64
    constant_names: bytes


class _Collector:
    """Growing columns: machine integers and joined names, so that hostile input costs bytes, not objects."""

    def __init__(self, prefix: bytes) -> None:
        self.prefix = prefix
        self.types: tuple[array[int], ...] = (array("q"), array("q"), array("q"))
        self.globals: tuple[array[int], ...] = (array("q"), array("q"))
        self.functions: tuple[array[int], ...] = (array("q"), array("q"), array("q"))
        self.constants: array[int] = array("q")
        self.type_names = bytearray()
        self.global_names: list[bytes] = []
        self.constant_names = bytearray()

    def add(self, kind: int, offset: int, tag: int, values: tuple[Any, ...], unit: Unit) -> None:
        """Keep what one top-level DIE says; values are those of _WANTED[kind] after the position."""
        if kind == _TYPE:
            _, name, runtime_type = values
            if name and name.startswith(self.prefix):
                for column, value in zip(self.types, (offset, tag, runtime_type or 0), strict=True):
                    column.append(value)
                self.type_names += name + b"\0"
        elif kind == _FUNCTION:
            _, low, high = values
            if low is not None and high is not None and low < high:
                for column, value in zip(self.functions, (low, high, offset), strict=True):
                    column.append(value)
        elif kind == _GLOBAL:
            _, name, location, type_offset = values
            address = global_address(location, unit)
            if name and address is not None and type_offset is not None:
                self.globals[0].append(address)
                self.globals[1].append(type_offset)
                self.global_names.append(name)
        else:
            _, name, value = values
            if name and isinstance(value, int):
                self.constants.append(value)
                self.constant_names += name + b"\0"

    def finish(self) -> Index:
        """The columns, globals and functions sorted by address."""
        types = [np.array(column, np.int64) for column in self.types]
        addresses, global_types = (np.array(column, np.int64) for column in self.globals)
        by_address = np.argsort(addresses, kind="stable")
        names = b"".join(self.global_names[i] + b"\0" for i in by_address.tolist())
        functions = [np.array(column, np.int64) for column in self.functions]
        by_low = np.argsort(functions[0], kind="stable")
        lows, highs, offsets = (column[by_low] for column in functions)
        return Index(
            types[0], types[1], types[2], bytes(self.type_names),
            addresses[by_address], global_types[by_address], names,
            lows, highs, offsets,
            np.array(self.constants, np.int64), bytes(self.constant_names),
        )  # fmt: skip


def global_address(location: object, unit: Unit) -> int | None:
    """Link address that a location expression names by DW_OP_addr or DW_OP_addrx alone, else None."""
    if not isinstance(location, bytes) or not location:
        return None
    if location[0] == _OP_ADDR and len(location) == 9:
        return int.from_bytes(location[1:], "little")
    if location[0] == _OP_ADDRX:
        index, end = uleb(location, 1)
        return unit.address(index) if end == len(location) else None
    return None


def build_index(units: Units, package: str = "") -> Index:
    """Walk all Go units, or that of one package for the types of that package.

    Raises CorruptFile naming the DIE that cannot be decoded. About 2 us a DIE.
    """
    collector = _Collector(f"{package}.".encode() if package else b"")
    at = [0]
    with units.sections.guard("info", lambda: at[0]):
        for unit in units.all if not package else units.of_package(package):
            at[0] = unit.start
            _walk(units, unit, collector, at)
    return collector.finish()


def _row(units: Units, unit: Unit, abbreviation: Abbreviation) -> _Row:
    tag = abbreviation.tag
    kind = {TAG_VARIABLE: _GLOBAL, TAG_SUBPROGRAM: _FUNCTION, TAG_CONSTANT: _CONSTANT}.get(tag, _SKIP)
    if tag in _TYPE_TAGS:
        kind = _TYPE
    skipper = units.skipper(abbreviation, unit)
    decoder = units.decoder(abbreviation, _WANTED[kind], unit) if kind != _SKIP else None
    return kind, decoder, skipper, abbreviation.children


def signed_tag(abbreviation: Abbreviation) -> int:
    """The tag, negated for a typedef without DW_AT_go_kind, which only names another type."""
    described = any(attribute == AT_GO_KIND for attribute, _, _ in abbreviation.attributes)
    return -abbreviation.tag if abbreviation.tag == TAG_TYPEDEF and not described else abbreviation.tag


def _walk(units: Units, unit: Unit, collector: _Collector, at: list[int]) -> None:
    """Visit the DIEs of one unit; at[0] follows the position of the top-level DIE, for messages."""
    info, end = units.info, unit.end
    abbreviations = units.table(unit)
    rows: dict[int, _Row] = {}
    position, depth = unit.first, 0
    while position < end:
        offset = position
        code = info[position]
        position += 1
        if code > 127:
            code, position = uleb(info, offset)
        if code == 0:
            depth -= 1
            if depth <= 0:
                break
            continue
        row = rows.get(code)
        if row is None:
            at[0] = offset
            row = rows[code] = _row(units, unit, abbreviations[code])
        kind, decoder, skip, children = row
        if depth == 1 and decoder is not None:
            at[0] = offset
            values = decoder(info, position, unit)
            position = values[0]
            collector.add(kind, offset, signed_tag(abbreviations[code]), values, unit)
        else:
            position = skip(info, position)
        depth += children
    if position > end:
        raise ValueError("an entry runs over the end of its unit")
