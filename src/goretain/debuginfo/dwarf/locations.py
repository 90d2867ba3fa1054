"""Location lists: where a variable is at which pcs.

DWARF 4 keeps them in .debug_loc, DWARF 5 in .debug_loclists; both become (low, high, expression) with
absolute link pcs. Source: DWARF 4, section 2.6.2; DWARF 5, section 7.7.3. May import ``debuginfo``.
"""

from __future__ import annotations

import struct

from goretain.debuginfo.dwarf.abbrev import uleb
from goretain.debuginfo.dwarf.units import Unit

Location = tuple[tuple[int, int, bytes], ...]
EVERYWHERE = 1 << 63
"""High pc of an expression that holds at every pc."""

_MAX_ENTRIES = 1 << 16
_PAIR = struct.Struct("<QQ")
_ALL_ONES = (1 << 64) - 1

_END, _BASE_X, _STARTX_ENDX, _STARTX_LENGTH, _OFFSET_PAIR = range(5)
_DEFAULT, _BASE, _START_END, _START_LENGTH = range(5, 9)


def read_location(value: object, unit: Unit) -> Location:
    """The location of DW_AT_location: an expression or the offset of a list; empty when there is none.

    Raises ValueError, IndexError or struct.error when the list is malformed.
    """
    if isinstance(value, bytes):
        return ((0, EVERYWHERE, value),) if value else ()
    if not isinstance(value, int):
        return ()
    return _list_v5(value, unit) if unit.version >= 5 else _list_v4(value, unit)


def _list_v4(at: int, unit: Unit) -> Location:
    data = unit.sections["loc"]
    base = unit.base
    out: list[tuple[int, int, bytes]] = []
    while len(out) < _MAX_ENTRIES:
        low, high = _PAIR.unpack_from(data, at)
        at += 16
        if low == _ALL_ONES:
            base = high
            continue
        if low == high == 0:
            return tuple(out)
        size = int.from_bytes(data[at : at + 2], "little")
        out.append((base + low, base + high, data[at + 2 : at + 2 + size]))
        at += 2 + size
    raise ValueError("a location list has no end")


def _list_v5(at: int, unit: Unit) -> Location:
    data = unit.sections["loclists"]
    base = unit.base
    out: list[tuple[int, int, bytes]] = []
    while len(out) < _MAX_ENTRIES:
        kind = data[at]
        at += 1
        if kind == _END:
            return tuple(out)
        if kind == _BASE_X:
            index, at = uleb(data, at)
            base = unit.address(index)
            continue
        if kind == _BASE:
            base = int.from_bytes(data[at : at + 8], "little")
            at += 8
            continue
        low, high, at = _bounds(kind, data, at, base, unit)
        size, at = uleb(data, at)
        out.append((low, high, data[at : at + size]))
        at += size
    raise ValueError("a location list has no end")


def _bounds(kind: int, data: bytes, at: int, base: int, unit: Unit) -> tuple[int, int, int]:
    """Low and high pc of one entry, and the position after them."""
    if kind == _OFFSET_PAIR:
        low, at = uleb(data, at)
        high, at = uleb(data, at)
        return base + low, base + high, at
    if kind == _DEFAULT:
        return 0, EVERYWHERE, at
    if kind == _START_END:
        low, high = _PAIR.unpack_from(data, at)
        return low, high, at + 16
    if kind == _START_LENGTH:
        low = struct.unpack_from("<Q", data, at)[0]
        size, at = uleb(data, at + 8)
        return low, low + size, at
    if kind in (_STARTX_ENDX, _STARTX_LENGTH):
        index, at = uleb(data, at)
        low = unit.address(index)
        last, at = uleb(data, at)
        return low, unit.address(last) if kind == _STARTX_ENDX else low + last, at
    raise ValueError(f"a location list entry of unknown kind {kind}")
