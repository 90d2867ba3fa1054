"""Pc-value tables: the compressed step functions from pc to frame size, line, stack map and so on.

A table is a sequence of (value delta, pc delta) varints from the function's entry on; it does not say where
the function is, and the linker shares equal ones, so each is decoded once, whatever function asks for it.
Source: runtime/symtab.go (pcvalue, step, readvarint). Imports the standard library only.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable

_NONE = -1
_WORD = (1 << 32) - 1


class PcValues:
    """The tables of one module by their offset in the pctab."""

    def __init__(self, data: bytes, fail: Callable[[int, str], Exception]) -> None:
        """data: the pctab; fail: makes the error for an offset in it and a reason."""
        self._data = data
        self._fail = fail
        self._known: dict[int, tuple[list[int], list[int]]] = {}
        # Honest tables are disjoint, so decoding all of them reads the pctab once.
        self._budget = 4 * len(data) + 65_536

    def value(self, offset: int, distance: int) -> int:
        """Value at entry + distance of the table at an offset; -1 when there is no table or it ends before.

        Raises what ``fail`` makes when the table is malformed.
        """
        if offset == 0:
            return _NONE
        table = self._known.get(offset)
        if table is None:
            try:
                table = self._decode(offset)
            except IndexError:
                raise self._fail(offset, "a pc-value table has no end") from None
            self._known[offset] = table
        ends, values = table
        i = bisect.bisect_right(ends, distance)
        return values[i] if distance >= 0 and i < len(ends) else _NONE

    def _decode(self, offset: int) -> tuple[list[int], list[int]]:
        """Ends (distances from the entry, exclusive) and values of the steps."""
        data, at = self._data, offset
        ends: list[int] = []
        values: list[int] = []
        value, distance = _NONE, 0
        while True:
            delta, at = self._varint(at)
            if delta == 0 and distance:
                break
            # Zigzag in 32 bits, as the runtime has it.
            value += ~(delta >> 1) if delta & 1 else delta >> 1
            delta, at = self._varint(at)
            distance += delta
            ends.append(distance)
            values.append(value)
            if at - offset > self._budget or len(data) < at:
                raise self._fail(offset, "the pc-value tables overlap")
        self._budget -= at - offset
        return ends, values

    def _varint(self, at: int) -> tuple[int, int]:
        data = self._data
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << (shift & 31)
            if byte < 128:
                return value & _WORD, at
            shift += 7
