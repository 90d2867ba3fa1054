"""What pyelftools says about a Go binary, in the shape of goretain's records: slow, and written by others."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from elftools.dwarf.locationlists import LocationExpr, LocationParser
from elftools.elf.elffile import ELFFile

TYPE_TAGS = {
    "DW_TAG_base_type": "base",
    "DW_TAG_structure_type": "struct",
    "DW_TAG_array_type": "array",
    "DW_TAG_pointer_type": "pointer",
    "DW_TAG_typedef": "typedef",
    "DW_TAG_subroutine_type": "subroutine",
    "DW_TAG_unspecified_type": "unspecified",
}

Location = tuple[tuple[int, int, bytes], ...]
VariableRow = tuple[str, int, bool, bool, int, Location, bool, str]
TypeRow = tuple[str, str, int, int, int, int, int, int, int, tuple[tuple[str, int, int], ...]]


@dataclass
class Described:
    """Everything of the Go units.

    Attributes:
        globals: (address, name, type offset), sorted.
        types: DIE offset -> (tag, name, size, elem, kind, runtime type, key, elem, count, members).
        functions: low -> (name, high, variables).
        constants: name -> value.
        inlines: low -> [(inlined function, ranges)], outer ones first.
        frames: [(low, high, [(pc, cfa offset from sp)])] of .debug_frame.
    """

    globals: list[tuple[int, str, int]] = field(default_factory=list)
    types: dict[int, TypeRow] = field(default_factory=dict)
    functions: dict[int, tuple[str, int, list[VariableRow]]] = field(default_factory=dict)
    constants: dict[str, int] = field(default_factory=dict)
    frames: list[tuple[int, int, list[tuple[int, int]]]] = field(default_factory=list)


def describe(path: Path) -> Described:
    """Read all of a binary's DWARF."""
    with path.open("rb") as stream:
        dwarf = ELFFile(stream).get_dwarf_info()
        out = Described()
        for unit in dwarf.iter_CUs():
            top = unit.get_top_DIE()
            if _value(top, "DW_AT_language") == 0x16:
                _Unit(dwarf, unit, out).read()
        _read_frames(dwarf, out)
        out.globals.sort()
        return out


def _value(die: Any, name: str, default: Any = None) -> Any:
    attribute = die.attributes.get(name)
    return default if attribute is None else attribute.value


def _text(die: Any) -> str:
    value = _value(die, "DW_AT_name", b"")
    text: str = value.decode("utf-8", "replace")
    return text


def _go(die: Any, number: int) -> int:
    """A Go attribute, which pyelftools knows by its number only."""
    value: int = next((a.value for name, a in die.attributes.items() if name == number), 0)
    return value


class _Unit:
    def __init__(self, dwarf: Any, unit: Any, out: Described) -> None:
        self.dwarf, self.unit, self.out = dwarf, unit, out
        self.locations = LocationParser(dwarf.location_lists())
        self.base = _value(unit.get_top_DIE(), "DW_AT_low_pc", 0)

    def read(self) -> None:
        for die in self.unit.get_top_DIE().iter_children():
            if die.tag in TYPE_TAGS:
                self._type(die)
            elif die.tag == "DW_TAG_variable":
                self._global(die)
            elif die.tag == "DW_TAG_constant":
                self.out.constants[_text(die)] = _value(die, "DW_AT_const_value")
            elif die.tag == "DW_TAG_subprogram" and "DW_AT_low_pc" in die.attributes:
                self._function(die)

    def _global(self, die: Any) -> None:
        location = bytes(_value(die, "DW_AT_location", b""))
        assert location[0] == 0x03, "globals are DW_OP_addr"
        address = int.from_bytes(location[1:9], "little")
        self.out.globals.append((address, _text(die), _value(die, "DW_AT_type")))

    def _type(self, die: Any) -> None:
        members, count = [], 0
        for child in die.iter_children():
            if child.tag == "DW_TAG_member":
                at = _value(child, "DW_AT_data_member_location")
                members.append((_text(child), at, _value(child, "DW_AT_type")))
            elif child.tag == "DW_TAG_subrange_type":
                count = _value(child, "DW_AT_count", 0)
        size = _value(die, "DW_AT_byte_size", 8 if die.tag == "DW_TAG_pointer_type" else -1)
        numbers = (_go(die, n) for n in (0x2900, 0x2904, 0x2901, 0x2902))
        kind, runtime_type, key, elem = numbers
        row = (
            TYPE_TAGS[die.tag],
            _text(die),
            size,
            _value(die, "DW_AT_type", 0),
            kind,
            runtime_type,
            key,
            elem,
        )
        self.out.types[die.offset] = (*row, count, tuple(members))

    def _origin(self, die: Any) -> Any:
        return (
            die.get_DIE_from_attribute("DW_AT_abstract_origin")
            if "DW_AT_abstract_origin" in die.attributes
            else None
        )

    def _function(self, die: Any) -> None:
        low, high = _value(die, "DW_AT_low_pc"), _value(die, "DW_AT_high_pc")
        if die.attributes["DW_AT_high_pc"].form != "DW_FORM_addr":
            high += low
        origin = self._origin(die)
        variables: list[VariableRow] = []
        self._variables(die, "", variables)
        self.out.functions[low] = (_text(die) or _text(origin), high, variables)

    def _variables(self, scope: Any, inlined_from: str, out: list[VariableRow]) -> None:
        for die in scope.iter_children():
            inner = inlined_from
            if die.tag in ("DW_TAG_variable", "DW_TAG_formal_parameter"):
                out.append(self._variable(die, inlined_from))
            elif die.tag == "DW_TAG_inlined_subroutine":
                inner = _text(self._origin(die))
            if die.has_children:
                self._variables(die, inner, out)

    def _variable(self, die: Any, inlined_from: str) -> VariableRow:
        origin = self._origin(die)
        named = die if origin is None else origin
        return (
            _text(named),
            _value(named, "DW_AT_type", 0),
            die.tag == "DW_TAG_formal_parameter",
            bool(inlined_from),
            _go(die, 0x2907) if any(n == 0x2907 for n in die.attributes) else -1,
            self._location(die),
            bool(_value(named, "DW_AT_variable_parameter", 0)),
            inlined_from,
        )

    def _location(self, die: Any) -> Location:
        attribute = die.attributes.get("DW_AT_location")
        if attribute is None:
            return ()
        if attribute.form in ("DW_FORM_block1", "DW_FORM_exprloc"):
            return ((0, 1 << 63, bytes(attribute.value)),) if attribute.value else ()
        version = self.unit["version"]
        found: Any = self.locations.parse_from_attribute(attribute, version, die)
        assert not isinstance(found, LocationExpr)
        base, rows = self.base, []
        for item in found:
            if hasattr(item, "base_address"):
                base = item.base_address
                continue
            shift = 0 if getattr(item, "is_absolute", False) else base
            rows.append((shift + item.begin_offset, shift + item.end_offset, bytes(item.loc_expr)))
        return tuple(rows)


def _read_frames(dwarf: Any, out: Described) -> None:
    for entry in dwarf.CFI_entries() if dwarf.has_CFI() else ():
        if type(entry).__name__ != "FDE":
            continue
        low = entry["initial_location"]
        rows = [(row["pc"], row["cfa"].offset) for row in entry.get_decoded().table]
        out.frames.append((low, low + entry["address_range"], rows))
