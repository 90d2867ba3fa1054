"""The address space that the Go runtime has taken: arenas of its heap, and what it keeps beside them.

The plan copies what says so, and the explanation of RSS reads it: which pages of the arenas were given back
to the system, and which other memory is the runtime's and not C's. Each question is asked alone: what a
program does not tell is left out, and said. Reads ``runtime.mheap`` and ``runtime.gcBitsArenas``
(runtime/mheap.go), ``runtime.pageAlloc`` (mpagealloc.go), ``runtime.pallocData`` (mpallocbits.go),
``runtime.scavengeIndex`` (mgcscavenge.go), ``runtime.persistentChunks`` (malloc.go), ``runtime.buckhash``
(mprof.go), ``runtime.spanSPMC`` (mgcmark_greenteagc.go). Imports ``golang.layout``, ``golang.markarenas``,
``capture.ranges``, ``kernels.arenas`` and ``model``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from goretain.capture.ranges import I64, as_ranges, normalise
from goretain.golang.layout import Program
from goretain.golang.markarenas import mark_arenas
from goretain.kernels.arenas import ARENA_BASE, ARENA_SHIFT, GO_PAGE
from goretain.model.errors import GoretainError, MissingMemory

_HEAP, _ARENA, _CHUNK = "runtime.mheap", "runtime.heapArena", "runtime.pallocData"
_RING = "runtime.spanSPMC"
_SPAN_LIMIT = 1 << 40  # bytes: a larger one was read while it changed, or is damaged
_ARENA_LIMIT = 1 << 22  # arenas of the whole address space: 1 << arenaL2Bits
#: Slices of numbers of arenas: one of all up to Go 1.24, then one for the heap and one for package arena.
_LISTS = ("allArenas", "heapArenas", "userArenaArenas")
_CHUNKS_OF_ARENA = 16  # pallocChunkBytes is 4 MiB
_LEVEL_TWO_SHIFT = 13  # pallocChunksL2Bits
_PERSISTENT_CHUNK = 256 << 10  # persistentChunkSize
_LIST_LIMIT = 1 << 20  # a longer list is garbage read from a running process
_BUCKETS = 179999 * 8  # buckhashArray

Ranges = list[tuple[int, int]]
T = TypeVar("T")


def arenas_of(spans: I64) -> I64:
    """Numbers of the arenas that ranges int64[k, 2] of spans lie in: sorted, each once. Raises MissingMemory
    when they are none of the address space."""
    first, last = ((edge + ARENA_BASE) >> ARENA_SHIFT for edge in (spans[:, 0], spans[:, 1] - 1))
    # Neighbours mostly share their arena: to drop repeats first spares the sort.
    new = np.ones(len(first), np.bool_)
    new[1:] = (first[1:] != first[:-1]) | (last[1:] != last[:-1])
    first, last = first[new], last[new]
    if len(first) and not 0 <= int(first.min()) <= int(last.max()) < _ARENA_LIMIT:
        raise MissingMemory(int(spans.min()))
    long = np.flatnonzero(last > first + 1).tolist()
    return np.unique(np.concatenate((first, last, *(np.arange(first[i], last[i]) for i in long))))


def persistent_chunks(program: Program) -> Ranges:
    """Every chunk that persistentalloc ever got: a list through their first words. Raises MissingMemory."""
    found: Ranges = []
    at = program.word(program.symbol("runtime.persistentChunks"))
    while at:
        if len(found) >= _LIST_LIMIT:
            raise MissingMemory(at, _PERSISTENT_CHUNK)
        found.append((at, at + _PERSISTENT_CHUNK))
        at = program.word(at)
    return found


class OwnMemory:
    """What one program's runtime says of its address space.

    Attributes:
        arenas: numbers of the arenas of its heap, int64[a], ascending.
    """

    def __init__(self, program: Program, spans: I64) -> None:
        """spans: int64[k, 2], ranges of spans that are in use: their arenas are there in any case. Those that
        cannot be are left out."""
        self.program = program
        self.heap = program.symbol("runtime.mheap_")
        listed = [_asked(partial(self._listed, name)) for name in _LISTS]
        start, end = spans[:, 0], spans[:, 1]
        can_be = (start >= 0) & (end > start) & (end <= ARENA_BASE) & (end - start <= _SPAN_LIMIT)
        known = [arenas_of(spans[can_be]), *(numbers for numbers in listed if numbers is not None)]
        self.arenas: I64 = np.unique(np.concatenate(known))

    @property
    def ranges(self) -> I64:
        """The arenas: normal int64[j, 2]."""
        start = (self.arenas << ARENA_SHIFT) - ARENA_BASE
        return normalise(np.column_stack((start, start + (1 << ARENA_SHIFT))))

    def wanted(self) -> I64:
        """Memory that the answers below are read from, less what is copied for other reasons: int64[k, 2]."""
        found: Ranges = []
        for name in _LISTS:
            place = _asked(partial(self._list, name))
            found += [] if place is None else [place]
        table = _asked(self._arena_table)
        if table is not None:
            found += [(table + first * 8, table + (last + 1) * 8) for first, last in self._in_a_row()]
        found += _asked(lambda: [(at, at + size) for _, at, size in self._chunks()]) or []
        return as_ranges(found)

    def released(self) -> I64 | None:
        """Free pages that were given back to the system (their scavenged bits): normal int64[j, 2]. None
        where that is not told."""
        return _asked(self._released)

    def beside(self) -> tuple[I64, bool]:
        """What the runtime took beside the arenas, normal int64[j, 2]; whether that is all of it."""
        sources = (
            self._summaries,
            self._page_bits,
            partial(persistent_chunks, self.program),
            self._span_list,
            self._arena_metadata,
            self._buckets,
            self._mark_bits,
            self._mark_queues,
        )
        answers: list[Ranges | None] = [_asked(source) for source in sources]
        found = [pair for answer in answers if answer is not None for pair in answer]
        return normalise(as_ranges(found)), all(answer is not None for answer in answers)

    def _list(self, name: str) -> tuple[int, int]:
        layout = self.program.layout
        if not layout.has(_HEAP, name):
            return (0, 0)
        at, count, _ = self.program.slice(self.heap + layout.offset(_HEAP, name))
        if not 0 <= count <= _ARENA_LIMIT:
            raise ValueError(name)
        return (at, at + count * 8)

    def _listed(self, name: str) -> I64:
        start, end = self._list(name)
        numbers = np.frombuffer(
            self.program.memory.read(start, end - start) if end > start else b"", np.int64
        )
        if bool(((numbers < 0) | (numbers >= _ARENA_LIMIT)).any()):
            raise ValueError(name)
        return numbers

    def _in_a_row(self) -> Iterator[tuple[int, int]]:
        """First and last numbers of arenas that follow each other."""
        cuts = np.flatnonzero(np.diff(self.arenas) > 1) + 1
        return ((int(row[0]), int(row[-1])) for row in np.split(self.arenas, cuts) if len(row))

    def _arena_table(self) -> int:
        return self.program.uint(self.heap, _HEAP, "arenas")

    def _arena_metadata(self) -> Ranges:
        table, size = self._arena_table(), self.program.layout.size(_ARENA)
        found = [(table, table + _ARENA_LIMIT * 8)]
        for first, last in self._in_a_row():
            raw = self.program.memory.read(table + first * 8, (last + 1 - first) * 8)
            found += [(at, at + size) for at in np.frombuffer(raw, np.int64).tolist() if at > 0]
        return found

    def _chunks(self) -> Iterator[tuple[int, int, int]]:
        """For arenas in a row: number of the first, where their pallocData begins, and its bytes."""
        layout, size = self.program.layout, self.program.layout.size(_CHUNK)
        at = self.heap + layout.offset(_HEAP, "pages", "chunks")
        arenas = (1 << _LEVEL_TWO_SHIFT) // _CHUNKS_OF_ARENA  # of one table of the second level
        for first, last in self._in_a_row():
            while first <= last:
                end = min(last + 1, (first // arenas + 1) * arenas)
                table = self.program.word(at + first // arenas * 8)
                if table:
                    begin = table + first % arenas * _CHUNKS_OF_ARENA * size
                    yield first, begin, (end - first) * _CHUNKS_OF_ARENA * size
                first = end

    def _released(self) -> I64:
        layout = self.program.layout
        size, bits = layout.size(_CHUNK), layout.offset(_CHUNK, "scavenged")
        parts = [np.empty((0, 2), np.int64)]
        for first, at, length in self._chunks():
            raw = np.frombuffer(self.program.memory.read(at, length), np.uint8).reshape(-1, size)
            flags: NDArray[np.uint8] = np.unpackbits(raw[:, bits : bits + 64].ravel(), bitorder="little")
            steps = np.flatnonzero(np.diff(flags.astype(np.int8), prepend=0, append=0))
            parts.append((first << ARENA_SHIFT) - ARENA_BASE + steps.reshape(-1, 2) * GO_PAGE)
        return normalise(np.concatenate(parts))

    def _summaries(self) -> Ranges:
        """Reserved for the summaries of the page allocator and the scavenger's index, mapped when needed."""
        layout, pages = self.program.layout, ("pages",)
        levels = layout.array_length(_HEAP, *pages, "summary")
        first = self.heap + layout.offset(_HEAP, *pages, "summary")
        slices = [first + 24 * level for level in range(levels)]
        slices.append(self.heap + layout.offset(_HEAP, *pages, "scav", "index", "chunks"))
        found = [self.program.slice(at) for at in slices]
        return [(at, at + room * 8) for at, _, room in found]

    def _page_bits(self) -> Ranges:
        layout = self.program.layout
        at = self.heap + layout.offset(_HEAP, "pages", "chunks")
        tables = self.program.memory.read(at, layout.array_length(_HEAP, "pages", "chunks") * 8)
        size = layout.size(_CHUNK) << _LEVEL_TWO_SHIFT
        return [(table, table + size) for table in np.frombuffer(tables, np.int64).tolist() if table > 0]

    def _span_list(self) -> Ranges:
        at, _, room = self.program.slice(self.heap + self.program.layout.offset(_HEAP, "allspans"))
        return [(at, at + room * 8)]

    def _buckets(self) -> Ranges:
        at = self.program.word(self.program.symbol("runtime.buckhash"))
        return [(at, at + _BUCKETS)] if at else []

    def _mark_bits(self) -> Ranges | None:
        arenas = mark_arenas(self.program)
        return None if arenas is None else [(arena.start, arena.stop) for arena in arenas]

    def _mark_queues(self) -> Ranges:
        """Rings in which the workers of Green Tea hand spans to each other."""
        layout = self.program.layout
        if not layout.has_struct(_RING):
            return []
        node = layout.offset(_RING, "allnode", "next")
        found: Ranges = []
        lists = self.program.symbol("runtime.work")
        at = self.program.uint(lists, "runtime.workType", "spanSPMCs", "list", "obj")
        while at and len(found) < _LIST_LIMIT:
            ring = self.program.uint(at, _RING, "ring")
            found.append((ring, ring + 8 * self.program.uint(at, _RING, "cap")))
            at = self.program.word(at + node)
        return found


def _asked(question: Callable[[], T]) -> T | None:
    """The answer; None where symbols, layout or memory do not tell."""
    try:
        return question()
    except (GoretainError, ValueError, OverflowError):
        return None
