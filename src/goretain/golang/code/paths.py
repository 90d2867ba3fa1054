"""Places behind pointers whose types no record names: what code reads and stores through them.

A struct that the compiler lays out as data (``var hub = &Hub{}``) and that no code allocates or converts has
no type record; its fields are known one by one, by what code does with them. The same field of the same
pointer is one place here, however often code goes there. Imports ``kernels``, ``golang.code.facts``, numpy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from goretain.golang.code.facts import Facts
from goretain.kernels import codevalues

#: Places behind pointers, apart from all others.
PATHS = 1 << 52
_SHIFT = codevalues.SHIFT
_PAYLOAD = codevalues.PAYLOAD
_KINDS = (codevalues.THROUGH, codevalues.INSIDE)
#: A chain of more pointers is not followed, nor are more places.
_DEEPEST, _MOST = 8, 1 << 20
_ROUNDS = 4


class Paths:
    """Numbers for places behind pointers.

    Args:
        root: (row of the function, value) -> the place of a pointer that was not itself read through one; 0
            where it has none.

    Attributes:
        behind: place of a pointer -> offset in what it points to -> place.
    """

    def __init__(self, facts: Facts, root: Callable[[int, int], int]) -> None:
        self._root = root
        self._steps = _steps(facts)
        self._places: dict[int, int] = {}
        self._parents: list[tuple[int, int]] = []
        self.behind: dict[int, dict[int, int]] = {}

    def place(self, at: int, depth: int = 0) -> int:
        """The place that the instruction before an offset of the text names, 0 when that cannot be told."""
        if at not in self._places:
            self._places[at] = self._found(at, depth) if depth < _DEEPEST else 0
        return self._places[at]

    def _found(self, at: int, depth: int) -> int:
        step = self._steps.get(at)
        if step is None:
            return 0
        function, offset, base = step
        kind, payload = base >> _SHIFT, base & _PAYLOAD
        pointer = self.place(payload, depth + 1) if kind in _KINDS else self._root(function, base)
        if kind == codevalues.INSIDE and pointer:
            pointer, before = self.parent(pointer)
            offset += before
        return self.child(pointer, offset) if pointer else 0

    def child(self, pointer: int, offset: int) -> int:
        """The place at an offset in what the pointer at a place points to, 0 when there are too many."""
        children = self.behind.setdefault(pointer, {})
        if offset not in children:
            if len(self._parents) >= _MOST:
                return 0
            children[offset] = PATHS + len(self._parents)
            self._parents.append((pointer, offset))
        return children[offset]

    def parent(self, place: int) -> tuple[int, int]:
        """The place of the pointer that leads to a place here, and the offset behind it."""
        return self._parents[place - PATHS]

    def has(self, place: int) -> bool:
        """Whether a place lies behind a pointer."""
        return PATHS <= place < PATHS + len(self._parents)

    def chain(self, place: int) -> tuple[int, tuple[int, ...]]:
        """The place that all begins at, and the offsets from there to a place."""
        offsets: list[int] = []
        while self.has(place):
            place, offset = self.parent(place)
            offsets.append(offset)
        return place, tuple(offsets[::-1])

    def share(
        self, leads: dict[int, set[int]], begins: Iterable[tuple[int, int]], excluded: Callable[[int], bool]
    ) -> None:
        """Adds to the leads between pointers those between what is behind them.

        leads: place -> where what stands there goes too.
        begins: (place of a pointer, place): what the pointer points to begins at that place too.
        excluded: whether a place says nothing of others.
        """
        begins = list(begins)
        for _ in range(_ROUNDS):
            pairs = [(a, b) for a, found in leads.items() if a in self.behind for b in found]
            grown = [
                self._lead(leads, kid, self.child(other, offset))
                for pointer, other in pairs
                for offset, kid in list(self.behind[pointer].items())
                if not excluded(kid)
            ]
            grown += [
                self._lead(leads, kid, self._within(place, offset))
                for pointer, place in begins
                for offset, kid in list(self.behind.get(pointer, {}).items())
                if not excluded(kid)
            ]
            if not any(grown):
                return

    def _within(self, place: int, offset: int) -> int:
        if not self.has(place):
            return place + offset
        pointer, before = self.parent(place)
        return self.child(pointer, before + offset)

    def _lead(self, leads: dict[int, set[int]], source: int, target: int) -> bool:
        """Adds one; whether it is new."""
        known = leads.setdefault(source, set())
        new = target not in known and target not in (0, source)
        if new:
            known.add(target)
        return new


def _steps(facts: Facts) -> dict[int, tuple[int, int, int]]:
    """Offset behind an instruction -> row of its function, bytes behind the pointer, the pointer as a value;
    of those that other facts speak of."""
    is_step = facts.rows[:, 0] == codevalues.BEHIND
    steps, others = facts.rows[is_step], facts.rows[~is_step]
    at = steps[:, 2] & _PAYLOAD
    spoken = np.unique(np.concatenate([_offsets(others[:, 2]), _offsets(others[:, 3])]))
    needed = np.isin(at, spoken)
    for _ in range(_DEEPEST):
        more = np.isin(at, _offsets(steps[needed, 3])) & ~needed
        if not more.any():
            break
        needed |= more
    rows = steps[needed]
    return {a & _PAYLOAD: (function, (a >> _SHIFT) * 8, base) for function, a, base in rows[:, 1:].tolist()}


def _offsets(
    values: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Offsets of the instructions that THROUGH and INSIDE values are of."""
    chosen = np.isin(values >> _SHIFT, _KINDS)
    found: np.ndarray[tuple[int], np.dtype[np.int64]] = values[chosen] & _PAYLOAD
    return found
