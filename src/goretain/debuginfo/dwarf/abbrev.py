"""Abbreviation tables of .debug_abbrev: what attributes, in what form, the DIEs of a unit have.

Go writes one table for the whole program; a C compiler writes one per unit. Source: DWARF 5, section 7.5.3.
Everything is counted, so that a hostile table costs an error and not a minute. Imports nothing of goretain.
"""

from __future__ import annotations

from dataclasses import dataclass

_IMPLICIT_CONST = 0x21
# Go uses about 60 abbreviations of up to 12 attributes; gcc some hundreds.
_MAX_ABBREVIATIONS, _MAX_ATTRIBUTES = 20_000, 256


@dataclass(frozen=True, slots=True)
class Abbreviation:
    """DW_TAG, whether such entries have children, and triples of DW_AT, DW_FORM and implicit value."""

    tag: int
    children: bool
    attributes: tuple[tuple[int, int, int], ...]


def uleb(data: bytes, at: int) -> tuple[int, int]:
    """An unsigned LEB128 number of up to 64 bits and the position after it. Raises ValueError, IndexError."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number of more than 64 bits")


def sleb(data: bytes, at: int) -> tuple[int, int]:
    """A signed LEB128 number of at most 64 bits and the position after it. Raises ValueError, IndexError."""
    start = at
    value, at = uleb(data, at)
    bits = 7 * (at - start)
    return (value - (1 << bits) if data[at - 1] & 64 else value), at


class AbbreviationTables:
    """Tables by their offset in .debug_abbrev, parsed once each."""

    def __init__(self, section: bytes) -> None:
        self._section = section
        self._tables: dict[int, dict[int, Abbreviation]] = {}
        # Tables are disjoint in honest files, so parsing all of them reads the section once.
        self._budget = 4 * len(section) + 65_536

    def table(self, offset: int) -> dict[int, Abbreviation]:
        """Abbreviations by code. Raises ValueError or IndexError when the table is malformed."""
        known = self._tables.get(offset)
        if known is None:
            known, end = self._parse(offset)
            self._budget -= end - offset
            if self._budget < 0:
                raise ValueError("abbreviation tables overlap")
            self._tables[offset] = known
        return known

    def _parse(self, at: int) -> tuple[dict[int, Abbreviation], int]:
        data = self._section
        table: dict[int, Abbreviation] = {}
        while True:
            code, at = uleb(data, at)
            if code == 0:
                return table, at
            tag, at = uleb(data, at)
            children = data[at] != 0
            attributes, at = _attributes(data, at + 1)
            if len(table) >= _MAX_ABBREVIATIONS:
                raise ValueError(f"more than {_MAX_ABBREVIATIONS} abbreviations")
            table.setdefault(code, Abbreviation(tag, children, attributes))


def _attributes(data: bytes, at: int) -> tuple[tuple[tuple[int, int, int], ...], int]:
    out: list[tuple[int, int, int]] = []
    while True:
        attribute, at = uleb(data, at)
        form, at = uleb(data, at)
        implicit = 0
        if form == _IMPLICIT_CONST:
            implicit, at = sleb(data, at)
        if attribute == 0 and form == 0:
            return tuple(out), at
        if len(out) >= _MAX_ATTRIBUTES:
            raise ValueError(f"an abbreviation of more than {_MAX_ATTRIBUTES} attributes")
        out.append((attribute, form, implicit))
