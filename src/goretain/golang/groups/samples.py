"""Objects that the memory profile has sampled, and the stacks that allocated them.

A sampled object has a special (specialprofile of runtime/mheap.go) that names its ``runtime.bucket``: a
header, the stack as return addresses, and a ``runtime.memRecord`` behind it (runtime/mprof.go). The stack was
taken with runtime.callers, which has an address of its own for each inlined call, so that every address is
one frame (CallersFrames, runtime/symtab.go). The list of all buckets is not needed: those of live objects are
found through their specials, without a symbol. Imports ``golang``'s ``layout``, ``memory``, ``packages``,
``roots`` and ``stacks``, ``model`` and ``snapshot``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from goretain.golang.layout import Program
from goretain.golang.memory.objects import Objects
from goretain.golang.packages import display_name
from goretain.golang.roots.specials import Specials
from goretain.golang.stacks.records import RecordReader
from goretain.golang.stacks.stacks import Stacks
from goretain.model.errors import MissingMemory
from goretain.snapshot import NO_OBJECT, Frame, Samples, Site

_BUCKET, _RECORD, _CYCLE = "runtime.bucket", "runtime.memRecord", "runtime.memRecordCycle"
_DEEPEST = 1 << 10  # maxProfStackDepth of runtime/mprof.go
#: A counter of objects is not larger: what is was read while it changed.
_MOST = 1 << 40
Stack = tuple[int, ...]


def sample_columns(specials: Specials, objects: Objects, stacks: Stacks) -> tuple[Samples, list[Site]]:
    """The group ``samples`` and the table ``sites`` of a snapshot; objects that are gone are left out.

    Buckets of one stack, which differ in the size of what it allocated, are one site.
    """
    profiled = specials.profiled
    ids = objects.find(np.fromiter(profiled, np.int64, len(profiled)))
    buckets = np.fromiter(profiled.values(), np.int64, len(profiled))
    known = ids != NO_OBJECT
    ids, first = np.unique(ids[known], return_index=True)
    named, row = np.unique(buckets[known][first], return_inverse=True)
    found = list(_Buckets(stacks.program).read(named.tolist()))
    sites, places = _sites(found, stacks)
    site = np.array([places.get(b.stack, -1) if b is not None else -1 for b in found], np.int32)
    return Samples(sample_object=ids.astype(np.uint32), sample_site=site[row]), sites


@dataclass(frozen=True, slots=True)
class _Bucket:
    """One bucket: return addresses, innermost first; bytes of each of its objects; how many are in use as of
    the last collection, and of those that were counted since."""

    stack: Stack
    size: int
    active: int
    counted: int


class _Buckets:
    """Reads buckets."""

    def __init__(self, program: Program) -> None:
        layout = program.layout
        self._memory = program.memory
        self._header = RecordReader(layout, _BUCKET, ("size",), ("nstk",))
        self._stack_at = layout.size(_BUCKET)
        self._size = layout.size(_RECORD)
        first, width = layout.offset(_RECORD, "future"), layout.size(_CYCLE)
        count = layout.array_length(_RECORD, "future")
        self._active = layout.offset(_RECORD, "active")
        self._future = range(first, first + count * width, width)
        self._counters = [layout.offset(_CYCLE, name) // 8 for name in ("allocs", "frees")]

    def read(self, addresses: Iterable[int]) -> Iterable[_Bucket | None]:
        """The buckets at addresses, None for one that was not captured or is none."""
        for address in addresses:
            try:
                yield self._read(address)
            except MissingMemory:
                yield None

    def _read(self, address: int) -> _Bucket | None:
        size, depth = self._header.read(self._memory, address)
        if depth > _DEEPEST:
            return None
        raw = self._memory.read(address + self._stack_at, 8 * depth + self._size)
        words = memoryview(raw).cast("Q")
        record = words[depth:]
        future = sum(self._in_use(record, at) for at in self._future)
        return _Bucket(tuple(words[:depth]), size, self._in_use(record, self._active), future)

    def _in_use(self, record: memoryview[int], at: int) -> int:
        allocs, frees = (record[at // 8 + counter] for counter in self._counters)
        return allocs - frees


def _sites(buckets: Iterable[_Bucket | None], stacks: Stacks) -> tuple[list[Site], dict[Stack, int]]:
    """The sites, and the row of each stack."""
    by_stack: dict[Stack, list[_Bucket]] = {}
    for bucket in buckets:
        if bucket is not None:
            by_stack.setdefault(bucket.stack, []).append(bucket)
    # Before the first collection the runtime publishes nothing, and a profile counts what is to come.
    early = not any(bucket.active for rows in by_stack.values() for bucket in rows)
    frames = _Frames(stacks)
    sites = []
    for stack, rows in by_stack.items():
        objects = [bucket.active + (bucket.counted if early else 0) for bucket in rows]
        sane = all(0 <= count < _MOST and row.size < _MOST for count, row in zip(objects, rows, strict=True))
        sites.append(
            Site(
                frames=frames.of(stack),
                objects=sum(objects) if sane else None,
                bytes=sum(n * row.size for n, row in zip(objects, rows, strict=True)) if sane else None,
            )
        )
    return sites, {stack: row for row, stack in enumerate(by_stack)}


class _Frames:
    """Names return addresses, each once."""

    def __init__(self, stacks: Stacks) -> None:
        self._stacks = stacks
        self._known: dict[int, Frame | None] = {}

    def of(self, stack: Stack) -> tuple[Frame, ...]:
        """The frames of Go code."""
        return tuple(frame for pc in stack if (frame := self._frame(pc)) is not None)

    def _frame(self, pc: int) -> Frame | None:
        if pc not in self._known:
            found = self._stacks.source_at(pc)
            self._known[pc] = Frame(display_name(found.name), found.file, found.line) if found else None
        return self._known[pc]
