"""Which Go type every object has: exact evidence first, then along typed pointers from the roots.

Exact without debug information: malloc headers, large spans' types and interface values. The rest follows
pointers from
DWARF globals and live stack variables. What no typed pointer reaches stays unknown. The spreading is
``kernels.propagate``; this room resolves the type words that it meets. Imports ``kernels`` and the type
rooms of ``golang``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goretain.golang.types.gotypes import GoField, GoType, Leaf
from goretain.golang.types.maptypes import closure_type
from goretain.golang.types.structure import BOXED, Structure
from goretain.golang.types.typetable import TypeTable
from goretain.golang.types.universe import TypeUniverse
from goretain.kernels import propagate
from goretain.kernels.propagate import EFACE, FUNC, IFACE, PENDING, UNKNOWN, Heap, State, Words
from goretain.model.errors import GoretainError, MissingMemory

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]
U32 = NDArray[np.uint32]
#: Names of the types that internal/runtime/maps and runtime/map.go allocate with.
_MAP_PARTS = (
    "*internal/runtime/maps.table",
    "noalg.map.group[",
    "map.group[",
    "map.bucket[",
    "noalg.map.bucket[",
)
_FIRST_WORDS = 1 << 12
#: Rounds are bounded by the depth of the type graph; a program with deeper types keeps the rest unknown.
_ROUND_LIMIT = 10_000


@dataclass(slots=True)
class Seeds:
    """Typed root slots: leaves[leaf[i]] stands at byte position at[i] of the image's memory (its first
    word)."""

    leaves: list[Leaf]
    leaf: I32
    at: I64


@dataclass(slots=True)
class Inferred:
    """The result: type row and array flag per object, the type table, the words met, the seeds' leaf rows."""

    type: I32
    array: U8
    table: TypeTable
    words: Words
    seed_leaf: I32
    mask_mismatches: int

    def expand(self) -> None:
        """Write the leaves of every type that an object has."""
        present = np.zeros(len(self.table.types) + 1, np.bool_)
        present[self.type] = True  # -1, unknown, is the last
        for row in np.flatnonzero(present[:-1]).tolist():
            self.table.expand(row)


class Inference:
    """One run of type inference over a heap.

    function_name: symbol name of a run-time code address, "" when unknown.
    captured: what the closure whose code starts at a run-time address captured, as its code says; asked where
        debug information does not say: never up to Go 1.22, later where it leaves out what is not used.
    structure: what untyped objects prove by themselves, for programs without debug information.
    """

    def __init__(
        self,
        heap: Heap,
        universe: TypeUniverse,
        function_name: Callable[[int], str],
        captured: Callable[[int], list[GoField] | None],
        structure: Structure | None = None,
    ) -> None:
        self.heap = heap
        self.universe = universe
        self.function_name = function_name
        self.structure = structure
        self.captured = captured
        self.table = TypeTable(universe)
        self.words = _words(_FIRST_WORDS)
        n = len(heap.span)
        self.state = State(
            type=np.full(n, UNKNOWN, np.int32),
            array=np.zeros(n, np.uint8),
            hint=np.zeros(n, np.int32),
            hint_array=np.zeros(n, np.uint8),
            work=np.empty(n + 1, np.uint32),
            aside=np.empty(n + 1, np.uint32),
            is_aside=np.zeros(n, np.uint8),
            needed=np.zeros(0, np.uint8),
            counters=np.zeros(8, np.int64),
        )

    def run(self, header: I64, exact: list[tuple[int, GoType]], seeds: Seeds) -> Inferred:
        """header: int64[n], abi.Type address per object or 0; exact: (object id, type) known otherwise."""
        self._seed_headers(header, map_parts=False)
        self._seed_exact(exact)
        if self.structure is not None:  # before the runtime's own pointers, which say no more than hchan
            self._seed_exact(self.structure.channels(self.state.type))
        rows = np.array([self.table.root_leaf(leaf) for leaf in seeds.leaves], np.int32)
        seed_leaf = rows[seeds.leaf] if len(rows) else np.empty(0, np.int32)
        self._spread(seed_leaf, seeds.at >> 3)
        self._seed_structure(header)
        self._seed_headers(header, map_parts=True)
        self._spread(seed_leaf, seeds.at >> 3)
        while propagate.settle_hints(self.heap, self.table.arrays(), self._fresh()):
            self._spread(seed_leaf, seeds.at >> 3)
        self._seed_structure(header)
        mismatches = int(self.state.counters[propagate.MASK_MISMATCH])
        return Inferred(self.state.type, self.state.array, self.table, self.words, seed_leaf, mismatches)

    def _seed_headers(self, header: I64, *, map_parts: bool) -> None:
        """Types that headers name. Those of map parts wait: a map that leads there knows its part better."""
        # Most objects have none: to sort all would take a sixth of a whole analysis.
        named = np.flatnonzero(header)
        keys = np.unique(header[named])
        found = [self.universe.from_runtime(k) for k in keys.tolist()]
        rows = np.array(
            [self.table.intern(t) if t and t.name.startswith(_MAP_PARTS) == map_parts else -1 for t in found],
            np.int32,
        )
        row = rows[np.searchsorted(keys, header[named])]
        objects, row = named[row >= 0].astype(np.uint32), row[row >= 0]
        arrays = self.table.arrays()
        propagate.seed_exact(self.heap, arrays, self._fresh(), objects, row)

    @functools.cached_property
    def _boxed(self) -> I32:
        """Leaf rows of an interface without methods and of one with."""
        return np.array([self.table.root_leaf(leaf) for leaf in BOXED], np.int32)

    def _seed_structure(self, header: I64) -> None:
        """What objects that nothing typed leads to prove by themselves, and all that follows from it."""
        if self.structure is None:
            return
        seen = -1
        while seen != (known := int(np.count_nonzero(self.state.type >= 0))):
            seen = known
            self._seed_exact(self.structure.channels(self.state.type))
            maps = self.structure.map_headers(self.state.type, header)
            for _, t in maps:
                self.table.map_header(t)
            headers = [(o, parts.header) for o, t in maps if (parts := self.table.maps.parts(t)) is not None]
            self._seed_exact(headers)
            self._spread(np.empty(0, np.int32), np.empty(0, np.int64))
            found = self.structure.words(self.state.type)
            closures = [(o, made) for o, pc in found.closures if (made := self._closure(pc)) is not None]
            self._seed_exact(self.structure.fitting(closures))
            self._spread(self._boxed[found.methods.astype(np.int64)], found.interfaces)

    def _seed_exact(self, exact: list[tuple[int, GoType]]) -> None:
        objects = np.array([o for o, _ in exact], np.uint32)
        rows = np.array([self.table.intern(t) for _, t in exact], np.int32)
        propagate.seed_exact(self.heap, self.table.arrays(), self._fresh(), objects, rows)

    def _fresh(self) -> State:
        """The state with room to ask for every type of the table."""
        self.state = self.state._replace(needed=np.zeros(len(self.table.types), np.uint8))
        return self.state

    def _spread(self, seed_leaf: I32, at: I64) -> None:
        for _ in range(_ROUND_LIMIT):
            types, state = self.table.arrays(), self._fresh()
            state.counters[propagate.MISSES] = 0
            waiting = propagate.spread(self.heap, types, self.words, state, seed_leaf, at)
            if not waiting or not self._resolve(state):
                return

    def _resolve(self, state: State) -> bool:
        """Expands the types and resolves the words that the kernels asked for. False when nothing was
        asked."""
        needed = np.flatnonzero(state.needed).tolist()
        for row in needed:
            self.table.expand(row)
        pending = np.flatnonzero(self.words.value == PENDING).tolist()
        for row in pending:
            self._resolve_word(row)
        full = int(self.words.used[0]) * 2 >= len(self.words.key) - 2
        if full:
            self.words = _grown(self.words)
        return bool(needed or pending or full)

    def _resolve_word(self, row: int) -> None:
        key, kind = int(self.words.key[row]), int(self.words.kind[row])
        t, direct = None, False
        try:
            if kind == FUNC:
                t = self._closure(key)
            elif kind in (EFACE, IFACE):
                address = key if kind == EFACE else self.universe.program.word(key + 8)  # abi.ITab.Type
                t = self.universe.from_runtime(address)
                direct = t is not None and self.universe.is_direct(address)
        except (MissingMemory, GoretainError):
            pass
        value = self.table.intern(t)
        if direct and value >= 0:
            self.table.expand(value)
        self.words.value[row] = value
        self.words.direct[row] = direct

    def _closure(self, pc: int) -> GoType | None:
        name = self.function_name(pc)
        if not name:
            return None
        link_pc = pc - self.universe.program.bias
        described = self.structure is None
        t = closure_type(self.universe, name, link_pc, None if described else self.captured(pc))
        if len(t.fields) > 1 or not described:
            return t
        # An object whose code captured nothing would not be there: debug information does not say what.
        return closure_type(self.universe, name, link_pc, self.captured(pc))


def _words(capacity: int) -> Words:
    return Words(
        key=np.zeros(capacity, np.int64),
        value=np.full(capacity, UNKNOWN, np.int32),
        direct=np.zeros(capacity, np.uint8),
        kind=np.zeros(capacity, np.uint8),
        used=np.zeros(1, np.int64),
    )


def _grown(old: Words) -> Words:
    """The table with four times the room; entries are placed again."""
    new = _words(len(old.key) * 4)
    misses = np.zeros(8, np.int64)
    for row in np.flatnonzero(old.key).tolist():
        at = propagate.word_row(new, old.key[row], old.kind[row], misses)
        new.value[at] = old.value[row]
        new.direct[at] = old.direct[row]
    return new
