"""Structs without a type record, put together from what the code does behind a pointer to them.

``var hub = &Hub{}`` is a struct in data that nothing allocates, so where it is converted to no interface the
program has no ``abi.Type`` of it. Where a global pointer to one leads to, and what begins there, is asked of
memory; a struct that it leads to in the heap was allocated by its type and needs none of this. Imports the
type rooms of ``golang``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from goretain.golang.layout import Program
from goretain.golang.types.gotypes import GoField, GoType, pointer_leaves
from goretain.golang.types.moduletypes import among
from goretain.golang.types.universe import TypeUniverse
from goretain.model.errors import MissingMemory

Part = tuple[int, GoType]
#: Structs in data that pointers of known types lead to.
_MOST = 1 << 16


@dataclass(frozen=True, slots=True)
class Composite:
    """A struct in data whose fields are known one by one.

    Attributes:
        address: where it begins.
        pointers: addresses in data of pointers to it.
        parts: (offset, type) of fields.
    """

    address: int
    pointers: tuple[int, ...]
    parts: tuple[Part, ...]


class Pointed:
    """What global pointers to types that have no record lead to.

    Args:
        typed: data addresses of pointers whose type is known: what they lead to is, too.
        data: lowest and highest address of variables of the module.
        nothing: addresses that pointers to values of no size have (runtime.zerobase).
    """

    def __init__(
        self,
        program: Program,
        universe: TypeUniverse,
        typed: set[int],
        data: tuple[int, int],
        nothing: frozenset[int],
    ) -> None:
        self._program = program
        self._universe = universe
        self._typed = typed
        self._low, self._high = data
        self._nothing = nothing

    def composites(self, said: Iterable[tuple[int, Sequence[int], GoType]]) -> list[Composite]:
        """The structs in data; said: (address of a pointer in data, offsets behind it and the pointers there,
        what the code says stands at the last)."""
        parts: dict[int, set[Part]] = defaultdict(set)
        pointers: dict[int, set[int]] = defaultdict(set)
        for address, path, t in said:
            found = self._walk(address, path)
            if found is not None and found[1] + path[-1] + t.size <= self._high:
                pointers[found[1]].add(found[0])
                parts[found[1]].add((path[-1], t))
        return [
            Composite(at, tuple(sorted(pointers[at])), tuple(sorted(parts[at], key=lambda p: p[0])))
            for at in sorted(parts)
        ]

    def described(self, pointers: Iterable[tuple[int, GoType]]) -> Iterator[tuple[int, int, GoType]]:
        """(address of a pointer, where it leads to in data, type there) of pointers and all behind them;
        pointers: (address, type of what it points to)."""
        queue = list(pointers)
        seen: set[int] = set()
        for at, t in queue:
            start = self._target(at, t.size)
            if start is None or start in seen or len(seen) > _MOST:
                continue
            seen.add(start)
            yield at, start, t
            queue += [
                (start + leaf.offset, leaf.type.elem)
                for leaf in pointer_leaves(t)
                if leaf.kind == "ptr" and leaf.type.elem is not None and leaf.type.elem.has_pointers
            ]

    def _walk(self, at: int, path: Sequence[int]) -> tuple[int, int] | None:
        """(address of the last pointer on a path, where it leads to), as far as all lies in data."""
        start = 0
        for i, offset in enumerate(path):
            at = start + path[i - 1] if i else at
            found = self._target(at, offset + 8) if at not in self._typed else None
            if found is None:
                return None
            start = found
        return at, start

    def _target(self, at: int, size: int) -> int | None:
        """Where the pointer at an address leads to, so many bytes in data; None for all else."""
        try:
            start = self._program.word(at)
        except MissingMemory:
            return None
        inside = self._low <= start and start + size <= self._high
        known = inside and start % 8 == 0 and start not in self._nothing and not self._is_boxed(at)
        return start if known else None

    def _is_boxed(self, at: int) -> bool:
        """Whether the word is the second one of an interface."""
        try:
            before = self._program.word(at - 8)
        except MissingMemory:
            return False
        word = np.array([before], np.int64)
        return bool(among(word, self._universe.itabs)[0] or self._universe.modules.contains(word)[0])


def struct_of(size: int, parts: Iterable[tuple[int, GoType]]) -> GoType:
    """A struct of which some fields are known; of two that overlap the first given is taken."""
    fields: list[GoField] = []
    for offset, t in parts:
        end = offset + t.size
        if end <= size and all(end <= f.offset or f.offset + f.type.size <= offset for f in fields):
            fields.append(GoField(f"{offset:#x}", offset, t))
    fields.sort(key=lambda f: f.offset)
    return GoType("struct { ... }", "struct", size, fields=fields)
