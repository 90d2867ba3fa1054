"""Global variables of a program that names none: where they begin, what they hold, whose they are.

A variable begins where the code names its address; the words up to the next such address are its own, unless
the code says how long a value there is. Its layer is that of the functions that refer to it: of several the
runtime's before the standard library's before the program's, because what is inlined elsewhere stays its
package's variable. What only data refers to belongs to the package of that data. Imports ``golang.types``,
``golang.packages`` and numpy.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goretain.golang.packages import Packages, package_of
from goretain.golang.roots.arrays import find_arrays
from goretain.golang.types.claims import Claims, Value
from goretain.golang.types.gotypes import GoType
from goretain.snapshot import Layer

I64 = NDArray[np.int64]
#: Type of sync.allPools and oldPools, which are the runtime's (Packages.layer_of_global).
_POOLS = "[]*sync.Pool"
#: Which layer of the functions that refer to a variable is its own.
_RANK = {Layer.RUNTIME: 0, Layer.STDLIB: 1, Layer.PROGRAM: 2}


@dataclass(frozen=True, slots=True)
class Nameless:
    """One variable: [start, end), its type (None: not known), the package it most likely belongs to; whether
    code refers to it."""

    start: int
    end: int
    type: GoType | None
    package: str
    referred: bool


class NamelessGlobals:
    """The variables of the data segments of a program.

    segments: (start, end) of each. pointed: int64[k], data addresses that stand in data.
    """

    def __init__(
        self, claims: Claims, packages: Packages, segments: Sequence[tuple[int, int]], pointed: I64
    ) -> None:
        self._packages = packages
        self._segments = segments
        self._addresses, self._functions = claims.references
        values = claims.values()
        self._values = {v.address: v for v in _outermost([v for v in values if not v.step])}
        ends = sorted([*self._boundaries(pointed), *(high for _, high in segments)])
        arrays = find_arrays(values, claims.extents, np.unique(self._addresses).tolist(), ends)
        self._pointers = claims.pointers
        self._values = {v.address: v for v in _outermost([*self._values.values(), *arrays])}
        self._starts = self._boundaries(pointed)

    def type_at(self, start: int, size: int) -> GoType | None:
        """What the code says begins at an address, as far as it fits into a variable of this size."""
        value = self._values.get(start)
        return value.type if value is not None and value.type.size <= size else None

    def variables(self) -> Iterator[Nameless]:
        """All variables in address order."""
        for start, end in zip(self._starts, [*self._starts[1:], 0], strict=True):
            limit = next((high for low, high in self._segments if low <= start < high), 0)
            end = min(end, limit) if end > start else limit
            value = self._values.get(start)
            last = end
            if value is not None and value.type.kind == "struct":
                last = min(end, start + value.type.size)  # what is named behind it is another's, of any size
            functions = self._referring(start, last)
            for pointer in self._pointers.get(start, ()):
                functions += self._referring(pointer, pointer + 8)
            yield Nameless(
                start,
                end,
                value.type if value is not None else None,
                self._package(functions, value),
                bool(functions),
            )

    def _boundaries(self, pointed: I64) -> list[int]:
        """Where variables begin: addresses that code or data names, outside values of known extent."""
        named = np.unique(np.concatenate([self._addresses, pointed, np.array(list(self._values), np.int64)]))
        inside = np.zeros(len(named), np.bool_)
        for low, high in self._segments:
            inside |= (named >= low) & (named < high)
        named = named[inside & (named % 8 == 0)]
        covered = np.zeros(len(named), np.bool_)
        for value in self._values.values():
            first = np.searchsorted(named, value.address, side="right")
            covered[first : np.searchsorted(named, value.address + value.type.size)] = True
        found: list[int] = named[~covered].tolist()
        return found

    def _referring(self, start: int, end: int) -> list[str]:
        """Functions that refer to [start, end)."""
        first = bisect.bisect_left(self._addresses, start)
        return self._functions[first : bisect.bisect_left(self._addresses, end)]

    def _package(self, functions: Sequence[str], value: Value | None) -> str:
        """The package of the functions that are nearest to the runtime, "" where there are none."""
        packages = {package_of(name) for name in functions} - {""}
        if not packages:
            return ""
        if packages == {"sync"} and value is not None and value.type.name == _POOLS:
            return "runtime"
        return min(packages, key=lambda p: (_RANK.get(self._packages.layer(p), 3), p))


def _outermost(values: Sequence[Value]) -> list[Value]:
    """Values that lie in no other, by address."""
    found: list[Value] = []
    end = 0
    for value in sorted(values, key=lambda v: (v.address, -v.type.size)):
        if value.address >= end:
            found.append(value)
            end = value.address + value.type.size
    return found
