"""Where values of machine code come from, as places: globals, elements of arrays, what functions return, what
lies behind pointers.

Imports ``kernels``, ``golang.code`` modules and numpy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from goretain.golang.code.facts import Facts
from goretain.golang.code.paths import Paths
from goretain.golang.code.roles import receiver_of
from goretain.golang.code.values import place_of
from goretain.kernels import codevalues

_SHIFT = codevalues.SHIFT
_PAYLOAD = codevalues.PAYLOAD
_CALL = 0xE8
#: Functions' results and calls as places, apart from addresses of globals and of elements of arrays.
FUNCTIONS, _CALLS = 1 << 50, 1 << 51
#: What a pointer to a type of a name leads to, as the place of such a pointer.
_NAMED = 1 << 53
_ELEMENTS = codevalues.ELEMENT << _SHIFT


def is_data(place: int) -> bool:
    """Whether it is an address of data, or that of elements there."""
    return place < FUNCTIONS or place >= _ELEMENTS


class Places:
    """Places of one module.

    Attributes:
        leads: place -> where what stands there goes too.
        paths: places behind pointers.
        reach: data address of a pointer -> bytes at least of what it points to.
        wholes: data address -> bytes at least of the struct that begins there.
    """

    def __init__(self, facts: Facts, code: codevalues.Code, names: list[str], generic: set[int]) -> None:
        self._code = code
        self._names = names
        self._generic = generic
        self._named: dict[str, int] = {}
        self._sites: dict[int, int] = {}
        self.leads: dict[int, set[int]] = {}
        self.paths = Paths(facts, self._pointer)
        self.reach = facts.reach(codevalues.LOADED)
        self.wholes: dict[int, int] = {}
        self._own_reach: dict[str, int] = {}
        for row, size in facts.reach(codevalues.ARGUMENT).items():
            name = receiver_of(names[row])
            self._own_reach[name] = max(size, self._own_reach.get(name, 0))

    def source(self, value: int) -> int:
        """The place that a value comes from, 0 for none."""
        kind, payload = value >> _SHIFT, value & _PAYLOAD
        if kind == codevalues.LOADED:
            return payload
        if codevalues.ELEMENT <= kind < codevalues.WITHIN:
            return value
        if kind == codevalues.MADE:
            return self.call(payload)
        if kind == codevalues.THROUGH:
            return self.paths.place(payload)
        if kind != codevalues.RESULT:
            return 0
        if payload not in self._sites:
            self._sites[payload] = self._callee(payload)
            row = self._sites[payload]
            if row >= 0 and row not in self._generic:
                self.lead(FUNCTIONS + row, self.call(payload))
        return self.call(payload)

    def call(self, at: int) -> int:
        """The place that the result of the CALL at an offset is."""
        return _CALLS + at

    def lead(self, source: int, place: int) -> None:
        """What stands in one place goes to another."""
        self.leads.setdefault(source, set()).add(place)

    def spot(self, place: int) -> int:
        """The place that a STORED or HOLDS fact speaks of, 0 for none."""
        through = place >> _SHIFT == codevalues.THROUGH
        return self.paths.place(place & _PAYLOAD) if through else place

    def of(self, value: int) -> tuple[int, bool]:
        """The place that a value is the address of, or (True) stood in; 0 for none."""
        kind = value >> _SHIFT
        if kind in (codevalues.THROUGH, codevalues.INSIDE):
            return self.paths.place(value & _PAYLOAD), kind == codevalues.THROUGH
        return place_of(value)

    def before(self, place: int) -> int:
        """The place of the word before that at a place, 0 where code does not go there."""
        if not self.paths.has(place):
            return place - 8
        pointer, offset = self.paths.parent(place)
        return self.paths.behind[pointer].get(offset - 8, 0)

    def share(self, calls: Iterable[tuple[int, int]], excluded: Callable[[int], bool]) -> None:
        """What is behind one pointer is behind all that its value goes to or that the same methods are called
        on; calls: (receiver as a value, row of the method); excluded: as Paths.share has it."""
        begins = []
        for value, row in calls:
            pointer = self._named.get(receiver_of(self._names[row]))
            place, held = self.of(value)
            self._extend(place, held, self._own_reach.get(receiver_of(self._names[row]), 0))
            if pointer and place and held:
                self.lead(pointer, place)
            elif pointer and place:
                begins.append((pointer, place))
        self.paths.share(self.leads, begins, excluded)

    def _extend(self, place: int, held: bool, size: int) -> None:
        """Notes that a struct of a size at least is at a place, or behind the pointer there."""
        table, before = (self.reach if held else self.wholes), 0
        if self.paths.has(place) and not held:
            table = self.reach
            place, before = self.paths.parent(place)
        if size and 0 < place < FUNCTIONS:
            table[place] = max(table.get(place, 0), before + size)

    def _pointer(self, function: int, value: int) -> int:
        """The place of a pointer that code goes through; all receivers of a type are one."""
        if value >> _SHIFT != codevalues.ARGUMENT:
            return self.source(value)
        name = receiver_of(self._names[function])
        # Generic code of a shape says nothing of what its pointers lead to.
        return self._named.setdefault(name, _NAMED + len(self._named)) if name and "[" not in name else 0

    def _callee(self, at: int) -> int:
        """Row of the function that the CALL at an offset calls, -1 when it is not the start of one."""
        text, entry = self._code.text, self._code.entry
        if at + 5 > len(text) or text[at] != _CALL:
            return -1
        target = at + 5 + int.from_bytes(text[at + 1 : at + 5].tobytes(), "little", signed=True)
        row = int(np.searchsorted(entry, target, side="right")) - 1
        return row if 0 <= row < len(entry) - 1 and int(entry[row]) == target else -1
