"""Every type record that the linker put into a program: the way to types without debug information.

The records (``abi.Type``, internal/abi/type.go) lie between ``moduledata.types`` and ``etypes``
(runtime/symtab.go). The lists that lead to them (typelinks, itablinks, from Go 1.27 ``typedesclen``) name
only those that package reflect may ask for, so all aligned places are looked at: a record has a kind, an
alignment, a size that holds its pointers, and an offset that leads to a well-formed name.
Imports ``golang.layout``, ``model`` and numpy.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from goretain.golang.layout import Program
from goretain.model.errors import MissingMemory

I64 = NDArray[np.int64]
_MODULEDATA = "runtime.moduledata"
_REGION_LIMIT = 1 << 30
_SIZE_LIMIT = 1 << 40
_LAST_KIND = 26
_RECORD_BYTES = 48
#: Bits of Name's first byte: exported, has a tag, has a package path, is embedded.
_NAME_FLAGS = 15
_FIXED_SIZES = {1: 1, 2: 8, 3: 1, 4: 2, 5: 4, 6: 8, 7: 8, 8: 1, 9: 2, 10: 4, 11: 8, 12: 8, 13: 4, 14: 8,
                15: 8, 16: 16, 18: 8, 19: 8, 20: 16, 21: 8, 22: 8, 23: 24, 24: 16, 26: 8}  # fmt: skip


class ModuleTypes:
    """The type records of all modules of a program. Methods raise MissingMemory and UnknownLayout."""

    def __init__(self, program: Program) -> None:
        self._program = program

    @cached_property
    def ranges(self) -> list[tuple[int, int]]:
        """[types, etypes) of every module, run-time addresses, the main module's first."""
        at = self._program.uint
        return [(at(m, _MODULEDATA, "types"), at(m, _MODULEDATA, "etypes")) for m in self._program.modules()]

    def base_of(self, address: int) -> int:
        """``moduledata.types`` of the module that an address among its types belongs to, 0 for none."""
        return next((low for low, high in self.ranges if low <= address < high), 0)

    @cached_property
    def addresses(self) -> I64:
        """int64[k], ascending: addresses of all type records."""
        found = [self._records(low, high) for low, high in self.ranges]
        return np.concatenate([*found, np.empty(0, np.int64)])

    def contains(self, addresses: I64) -> NDArray[np.bool_]:
        """Which of the addresses are those of type records."""
        return among(addresses, self.addresses)

    def _records(self, low: int, high: int) -> I64:
        """Addresses of the records in [low, high); their names lie there too."""
        if not 0 < high - low < _REGION_LIMIT:
            raise MissingMemory(low, max(high - low, 0))
        raw = np.frombuffer(self._program.memory.read(low, (high - low) & ~7), np.uint8)
        first = np.arange(0, len(raw) - _RECORD_BYTES + 1, 8)
        words = raw.view(np.int64)
        w = first >> 3
        size, pointers = words[w], words[w + 1]
        kind, align, field_align = raw[first + 23] & 31, raw[first + 21], raw[first + 22]
        good = (kind > 0) & (kind <= _LAST_KIND) & (size >= 0) & (size < _SIZE_LIMIT)
        good &= (pointers >= 0) & (pointers <= size) & (pointers % 8 == 0)
        for a in (align, field_align):
            good &= (a == 1) | (a == 2) | (a == 4) | (a == 8)
        good &= size % np.maximum(align, 1) == 0
        for number, fixed in _FIXED_SIZES.items():
            good &= (kind != number) | (size == fixed)
        rows = first[good]
        addresses: I64 = rows[_named(raw, rows)] + low
        return addresses


def among(values: I64, ascending: I64) -> NDArray[np.bool_]:
    """bool[k]: which of the values are in an ascending list."""
    if not len(ascending):
        return np.zeros(len(values), np.bool_)
    at = np.minimum(np.searchsorted(ascending, values), len(ascending) - 1)
    return np.asarray(ascending[at] == values, np.bool_)


def _named(raw: NDArray[np.uint8], rows: I64) -> NDArray[np.bool_]:
    """Which of the records at rows have a name: Str leads to a Name with no odd flags and readable text."""
    offset = raw.view(np.int32)[(rows >> 2) + 10].astype(np.int64)
    good = (offset > 0) & (offset + 2 < len(raw))
    at = np.where(good, offset, 0)
    good &= raw[at] <= _NAME_FLAGS
    short = raw[at + 1] < 128
    length = np.where(short, raw[at + 1], (raw[at + 1] & 127) + (raw[np.minimum(at + 2, len(raw) - 1)] << 7))
    start = at + np.where(short, 2, 3)
    good &= (length > 0) & (start + length <= len(raw))
    first = raw[np.where(good, start, 0)]
    last = raw[np.where(good, start + length - 1, 0)]
    # The text of a type starts with a letter, * [ ( < or { and ends with a letter, digit or bracket.
    return np.asarray(good & (first > 32) & (first != 127) & (last > 32) & (last != 127), np.bool_)
