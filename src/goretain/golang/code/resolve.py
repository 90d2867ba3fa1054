"""From facts of single instructions to types of places.

A value that was loaded from a global or returned by a function has that global's or function's static type,
so evidence about one is evidence about the other: types spread between them until nothing is new.
Reads abi.ITab and abi.Type (internal/abi). Imports ``kernels``, ``golang.code.facts`` and numpy.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from goretain.golang.code.facts import Facts
from goretain.kernels import gocode
from goretain.model.errors import GoretainError

I64 = NDArray[np.int64]
Read = Callable[[int, int], bytes]
FUNC, EFACE, IFACE, VALUE = 16, 17, 18, 19
_SHIFT = gocode.SHIFT
_PAYLOAD = (1 << _SHIFT) - 1
_TYPED = (gocode.POINTER, gocode.MAP, gocode.CHANNEL, gocode.ELEMENTS)
_ROUNDS = 16
#: A place with evidence that disagrees.
_CONFLICT = -1
#: Functions as places, apart from addresses of globals.
_FUNCTIONS = 1 << 50


class Resolution:
    """Types of globals, functions' results, closures and slots of one module.

    Attributes:
        closures: address of code -> abi.Type of the closure object.
        conflicts: places that disagreeing evidence left without a type.
    """

    def __init__(self, facts: Facts, code: gocode.Code, types: tuple[int, int], read: Read) -> None:
        self._facts = facts
        self._code = code
        self._low, self._high = types
        self._read = read
        self._known: dict[int, int] = {}
        self._interfaces: dict[int, int] = {}
        self._values: dict[int, int] = {}
        self.conflicts = 0
        self._wrong_sizes = self._sizes()
        self.closures = self._closures()
        self._closure_types = set(self.closures.values())
        self._links: dict[int, set[int]] = {}
        self._gather()
        self._spread()

    # -- what can be believed

    def _is_type(self, address: int) -> bool:
        return self._low <= address < self._high

    def _word(self, address: int) -> int:
        """A word of memory; 0 when it cannot be read."""
        with contextlib.suppress(GoretainError):
            return int.from_bytes(self._read(address, 8), "little")
        return 0

    def _sizes(self) -> set[int]:
        """Types that were allocated with another size than their own: arrays of them, not one."""
        rows = self._facts.of(gocode.SIZED)
        pairs = {(t, size) for _, t, size in rows.tolist()}
        return {t for t, size in pairs if not self._is_type(t) or self._word(t) != size}

    def _interface(self, address: int) -> int:
        """The interface type of the abi.ITab at an address; 0 when there is none."""
        inter, t = self._word(address), self._word(address + 8)
        return inter if self._is_type(inter) and self._is_type(t) else 0

    def _closures(self) -> dict[int, int]:
        found: dict[int, int] = {}
        for _, pc, t in self._facts.of(gocode.CLOSURE).tolist():
            if self._is_type(t) and t not in self._wrong_sizes:
                self._put(found, pc, t)
        return {pc: t for pc, t in found.items() if t != _CONFLICT}

    def _put(self, table: dict[int, int], place: int, value: int) -> None:
        """Notes a value; two that differ are a conflict that stays."""
        old = table.setdefault(place, value)
        if old not in (value, _CONFLICT):
            table[place] = _CONFLICT
            self.conflicts += 1

    def _typed(self, value: int) -> int:
        """The value as evidence of a static type: kind << 48 | type, 0 for none."""
        kind, t = value >> _SHIFT, value & _PAYLOAD
        if kind not in _TYPED or not self._is_type(t):
            return 0
        if kind == gocode.POINTER:
            if t in self._wrong_sizes:
                return 0
            if t in self._closure_types:
                return FUNC << _SHIFT | t
        return value

    # -- gathering

    def _place(self, value: int) -> int:
        """The place whose static type a value has, 0 for none."""
        kind, payload = value >> _SHIFT, value & _PAYLOAD
        if kind == gocode.LOADED:
            return payload
        if kind == gocode.RESULT:
            row = self._callee(payload)
            return _FUNCTIONS + row if row >= 0 else 0
        return 0

    def _callee(self, at: int) -> int:
        """Row of the function that the CALL at an offset calls, -1 when it is not the start of one."""
        text, entry = self._code.text, self._code.entry
        end = at + 5
        while end <= len(text) and text[end - 5] != 0xE8:
            end += 1
        target = end + int.from_bytes(text[end - 4 : end].tobytes(), "little", signed=True)
        row = int(np.searchsorted(entry, target, side="right")) - 1
        return row if 0 <= row < len(entry) - 1 and int(entry[row]) == target else -1

    def _gather(self) -> None:
        for _, place, value in self._facts.of(gocode.STORED).tolist():
            self._tell(place, value)
        for row, _, value in self._facts.of(gocode.RETURNS).tolist():
            self._tell(_FUNCTIONS + row, value)
        for _, value, t in self._facts.of(gocode.IS).tolist():
            place, typed = self._place(value), self._typed(t)
            if place and typed:
                self._put(self._known, place, typed)
        for _, place, t in self._facts.of(gocode.HOLDS).tolist():
            if self._is_type(t):
                self._values.setdefault(place, t)

    def _tell(self, place: int, value: int) -> None:
        """One value that a place held."""
        if value >> _SHIFT == gocode.ADDRESS:
            address = value & _PAYLOAD
            inter = self._interface(address)
            if inter:
                self._put(self._known, place, IFACE << _SHIFT | inter)
            elif self._is_type(address):
                self._put(self._known, place, EFACE << _SHIFT)
            return
        typed = self._typed(value)
        other = self._place(value)
        if typed:
            self._put(self._known, place, typed)
        elif other:
            self._links.setdefault(place, set()).add(other)
            self._links.setdefault(other, set()).add(place)

    def _spread(self) -> None:
        """Carries types along links, from known places to those that nothing is known of."""
        fresh = list(self._known)
        for _ in range(_ROUNDS):
            found: dict[int, int] = {}
            for place in fresh:
                value = self._known[place]
                for other in self._links.get(place, ()) if value != _CONFLICT else ():
                    if other not in self._known:
                        self._put(found, other, value)
            if not found:
                return
            self._known |= found
            fresh = list(found)

    # -- results

    def globals(self) -> Iterator[tuple[int, int, int]]:
        """(data address, kind, abi.Type) of each global that something is known of."""
        interfaces = {p for p, v in self._known.items() if v != _CONFLICT and v >> _SHIFT in (EFACE, IFACE)}
        for place, value in sorted(self._known.items()):
            if value != _CONFLICT and place < _FUNCTIONS and place - 8 not in interfaces:
                yield place, value >> _SHIFT, value & _PAYLOAD
        for place, t in sorted(self._values.items()):
            if place not in self._known:
                yield place, VALUE, t

    def receivers(self) -> Iterator[tuple[int, bool, int]]:
        """(data address, whether the word there is the pointer, row of the method), each once."""
        seen = {(value, row) for _, value, row in self._facts.of(gocode.RECEIVER).tolist()}
        for value, row in sorted(seen):
            yield value & _PAYLOAD, value >> _SHIFT == gocode.LOADED, row

    def slots(self) -> Iterator[tuple[int, int, int, int]]:
        """(function row, offset from the CFA, kind, abi.Type); kind ARGUMENT: the receiver."""
        for function, offset, value in self._facts.of(gocode.SLOT).tolist():
            if value >> _SHIFT == gocode.ARGUMENT:
                yield function, offset, gocode.ARGUMENT, 0
                continue
            known = self._typed(value) or self._known.get(self._place(value), _CONFLICT)
            if known > 0 and known >> _SHIFT < EFACE:
                yield function, offset, known >> _SHIFT, known & _PAYLOAD
