"""Type records of DWARF, decoded one at a time when somebody asks.

Go describes its types with entries (DIEs) that have attributes of its own, DW_AT_go_kind and the like; a
named type is such an entry plus a plain typedef that gives it the name again. Source:
cmd/link/internal/ld/dwarf.go (newtype, dotypedef, synthesizemaptypes and the like). May import
``debuginfo``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from goretain.debuginfo.dwarf.abbrev import uleb
from goretain.debuginfo.dwarf.decoder import (
    AT_BYTE_SIZE,
    AT_COUNT,
    AT_GO_ELEM,
    AT_GO_EMBEDDED,
    AT_GO_KEY,
    AT_GO_KIND,
    AT_GO_RUNTIME_TYPE,
    AT_MEMBER_LOCATION,
    AT_NAME,
    AT_TYPE,
    AT_UPPER_BOUND,
)
from goretain.debuginfo.dwarf.index import (
    TAG_ARRAY,
    TAG_BASE,
    TAG_POINTER,
    TAG_STRUCT,
    TAG_SUBROUTINE,
    TAG_TYPEDEF,
    TAG_UNSPECIFIED,
)
from goretain.debuginfo.dwarf.units import Unit, Units

_TAGS = {
    TAG_ARRAY: "array", TAG_POINTER: "pointer", TAG_STRUCT: "struct", TAG_SUBROUTINE: "subroutine",
    TAG_TYPEDEF: "typedef", TAG_BASE: "base", TAG_UNSPECIFIED: "unspecified",
}  # fmt: skip
_TAG_MEMBER, _TAG_SUBRANGE = 0x0D, 0x21
_WANTED = (AT_NAME, AT_BYTE_SIZE, AT_TYPE, AT_GO_KIND, AT_GO_RUNTIME_TYPE, AT_GO_KEY, AT_GO_ELEM)
_CHILD_WANTED = {
    _TAG_MEMBER: (AT_NAME, AT_MEMBER_LOCATION, AT_TYPE, AT_GO_EMBEDDED),
    _TAG_SUBRANGE: (AT_COUNT, AT_UPPER_BOUND),
}
_POINTER_SIZE = 8


@dataclass(frozen=True, slots=True)
class Member:
    """A field: byte offset in the struct, DIE offset of its type, whether it is embedded."""

    name: str
    offset: int
    type: int
    embedded: bool = False


@dataclass(frozen=True, slots=True)
class DwarfType:
    """One type DIE.

    Attributes:
        offset: its place in .debug_info, which identifies the type.
        tag: "base", "struct", "array", "pointer", "typedef", "subroutine" or "unspecified".
        name: Go syntax with full package paths ("" when it has none).
        size: bytes, -1 when the DIE does not say (typedefs, so also maps, channels and interfaces).
        elem: DIE offset of what is pointed to, the element of an array or the target of a typedef; 0 none.
        go_kind: abi.Kind (25 struct, 21 map, ...), 0 when absent.
        go_runtime_type: offset of the abi.Type from moduledata.types, 0 when the program has none.
        go_key, go_elem: DIE offsets of a map's key and of the element of a map, slice or channel; 0 none.
        count: length of an array, 0 otherwise.
        members: fields of a struct in order.
    """

    offset: int
    tag: str
    name: str
    size: int
    elem: int
    go_kind: int
    go_runtime_type: int
    go_key: int
    go_elem: int
    count: int
    members: tuple[Member, ...]


class TypeReader:
    """Decodes type DIEs and remembers them."""

    def __init__(self, units: Units) -> None:
        self._units = units
        self._known: dict[int, DwarfType] = {}

    def read(self, offset: int) -> DwarfType:
        """The type at a DIE offset; its references may form cycles. Raises CorruptFile when none is there."""
        known = self._known.get(offset)
        if known is None:
            with self._units.sections.guard("info", lambda: offset):
                known = self._known[offset] = self._decode(offset)
        return known

    def _decode(self, offset: int) -> DwarfType:
        units = self._units
        unit = units.at(offset)
        code, at = uleb(units.info, offset)
        abbreviation = units.table(unit)[code]
        tag = _TAGS.get(abbreviation.tag)
        if tag is None:
            raise ValueError(f"tag {abbreviation.tag:#x} is not a type of Go")
        values = units.decoder(abbreviation, _WANTED, unit)(units.info, at, unit)
        at, name, size, elem, kind, runtime_type, key, go_elem = values
        count, members = self._children(at, unit) if abbreviation.children else (0, ())
        if size is None:
            size = _POINTER_SIZE if tag == "pointer" else -1
        text = (name or b"").decode("utf-8", "replace")
        return DwarfType(
            offset, tag, text, size, elem or 0, kind or 0, runtime_type or 0,
            key or 0, go_elem or 0, count, members,
        )  # fmt: skip

    def _children(self, at: int, unit: Unit) -> tuple[int, tuple[Member, ...]]:
        """Array length and fields found among the children that start at a position."""
        units, info = self._units, self._units.info
        table = units.table(unit)
        members: list[Member] = []
        count, depth = 0, 1
        while at < unit.end:
            code, at = uleb(info, at)
            if code == 0:
                depth -= 1
                if depth == 0:
                    return count, tuple(members)
                continue
            abbreviation = table[code]
            wanted = _CHILD_WANTED.get(abbreviation.tag, ()) if depth == 1 else ()
            values = units.decoder(abbreviation, wanted, unit)(info, at, unit)
            at = values[0]
            if wanted and abbreviation.tag == _TAG_MEMBER:
                members.append(_member(values))
            elif wanted:
                count = _length(values)
            depth += abbreviation.children
        raise ValueError("the children of a type have no end")


def _member(values: tuple[Any, ...]) -> Member:
    _, name, offset, type_offset, embedded = values
    if not isinstance(offset, int) or type_offset is None:
        raise ValueError("a struct member without an offset or type")
    return Member((name or b"").decode("utf-8", "replace"), offset, type_offset, bool(embedded))


def _length(values: tuple[Any, ...]) -> int:
    _, count, upper = values
    if isinstance(count, int):
        return count
    return upper + 1 if isinstance(upper, int) else 0
