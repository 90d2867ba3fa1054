"""Queued finalizers and cleanups: ``runtime.allfin`` and ``runtime.gcCleanups``, by the blocks they list.

A list is taken for a queue only when every record of every block is one: other small structs of the runtime
lie in the same chunks, and a freed ``runtime.specialfinalizer`` that is alone on its free list looks like a
block with one function. What is half written at the instant of a capture is the last record of a block that
grows or shrinks, never another. Reads ``runtime.finBlock`` and ``runtime.finalizer`` (mfinal.go; finblock up
to Go 1.24), ``runtime.cleanupBlock`` and ``runtime.cleanupFn`` (mcleanup.go). Imports ``capture.ranges``,
``golang.locate`` siblings and numpy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from goretain.capture.ranges import USER_SPACE
from goretain.golang.locate.heap import inside
from goretain.golang.locate.words import (
    I64,
    KIND_INTERFACE,
    KIND_POINTER,
    Block,
    Structs,
    distinct,
    kind_of,
)

_HEAP, _FINALIZER, _CLEANUP = "runtime.mheap", "runtime.finalizer", "runtime.cleanupFn"
#: Bytes of results. No program is loaded lower, so that no address is taken for such a number.
_RESULT_LIMIT = 1 << 22


@dataclass(frozen=True, slots=True)
class Queues:
    """Where queues are looked for, and what their records are compared with.

    Attributes:
        blocks: the program's variables. chunks: int64[n], sorted, of persistentalloc.
        heap: run-time address of ``runtime.mheap_``, whose free lists are no queues.
        code: run-time addresses of machine code.
    """

    blocks: list[Block]
    chunks: I64
    heap: int
    code: list[range]
    structs: Structs

    def is_function(self, value: int) -> bool | None:
        """Whether a func value begins with an address of code; None when it was not captured."""
        entry = self.structs.memory.word(value)
        return None if entry is None else any(entry in part for part in self.code)

    def has_kind(self, value: int, *kinds: int) -> bool:
        """Whether an abi.Type has one of the kinds, or was not captured."""
        return value % 8 == 0 and kind_of(self.structs.memory, value) in (*kinds, None)


#: Whether records (int64[room, words]), of which so many are counted, can be those of a block; then their
#: func values.
_Judge = Callable[[Queues, I64, int], list[int] | None]


@dataclass(frozen=True, slots=True)
class _Kind:
    """A struct that holds queued calls: link to the next, number of records, the records, their judge."""

    struct: str
    link: tuple[str, ...]
    count: tuple[str, ...]
    records: str
    judge: _Judge


def find_finalizers(queues: Queues) -> list[int]:
    """Places of ``runtime.allfin`` when finalizers are queued, all with the same value; none otherwise, as
    then it makes no difference."""
    fields = queues.structs.fields
    struct = "runtime.finBlock" if fields.has_struct("runtime.finBlock") else "runtime.finblock"
    if not fields.has_struct(struct):
        return []
    return _places(queues, _Kind(struct, ("alllink",), ("cnt",), "fin", _finalizers))


def find_cleanups(queues: Queues) -> list[int]:
    """Places of ``runtime.gcCleanups`` when cleanups are queued; none otherwise, as then it makes no
    difference."""
    struct, header, fields = "runtime.cleanupBlock", "cleanupBlockHeader", queues.structs.fields
    if not fields.has_struct(struct):
        return []
    at = fields.offset("runtime.cleanupQueue", "all", "value")
    kind = _Kind(struct, (header, "alllink"), (header, "n"), "cleanups", _cleanups)
    return [place - at for place in _places(queues, kind)]


def _places(queues: Queues, kind: _Kind) -> list[int]:
    """Words that begin the longest list of blocks, of those that hold any record; none when two differ."""
    structs, found = queues.structs, dict[int, tuple[int, list[int]]]()
    size = structs.fields.size(kind.struct)
    heap = range(queues.heap, queues.heap + structs.fields.size(_HEAP))
    for head, all_places in distinct(
        queues.blocks, scanned=False, wanted=lambda words: inside(queues.chunks, words)
    ):
        places = [place for place in all_places if place not in heap]
        chain = structs.chain(head, kind.struct, *kind.link) if places else None
        if chain and _are_apart(chain, queues.chunks, size) and _hold_records(queues, chain, kind):
            found[head] = len(chain), places
    longest = max((length for length, _ in found.values()), default=0)
    best = [places for length, places in found.values() if length == longest]
    return best[0] if len(best) == 1 else []


def _are_apart(chain: list[int], chunks: I64, size: int) -> bool:
    """Whether blocks of a size lie in chunks and do not overlap, as the free lists of smaller things do."""
    starts = np.sort(np.array(chain, np.int64))
    whole = inside(chunks, starts).all() and inside(chunks, starts + size - 1).all()
    return bool(whole and (np.diff(starts) >= size).all())


def _hold_records(queues: Queues, chain: list[int], kind: _Kind) -> bool:
    """Whether blocks hold as many records as their counts say, and at least one with a function."""
    structs = queues.structs
    fields, memory = structs.fields, structs.memory
    room, first = fields.array_length(kind.struct, kind.records), fields.offset(kind.struct, kind.records)
    width = (fields.size(kind.struct) - first) // room // 8
    functions: set[int] = set()
    for block in chain:
        count, words = (
            structs.uint(block, kind.struct, *kind.count),
            memory.words(block + first, room * width),
        )
        if count is None or words is None or count > room:
            return False
        named = kind.judge(queues, words.reshape(room, width), count)
        if named is None:
            return False
        functions.update(named)
    verdicts = {queues.is_function(value) for value in functions}
    return True in verdicts and False not in verdicts


def _finalizers(queues: Queues, records: I64, count: int) -> list[int] | None:
    """Judge of finalizers: what is not counted is cleared; only the last may be written or cleared now."""
    offset = queues.structs.fields.offset
    columns = [offset(_FINALIZER, name) // 8 for name in ("fn", "arg", "ot", "fint", "nret")]
    records = records[:, columns]
    if records[count:, :3].any() or not ((records[:count] >= 0) & (records[:count] < USER_SPACE)).all():
        return None
    for i, (function, argument, pointer, first, results) in enumerate(records[:count].tolist()):
        # A cleanup of Go 1.24 stands in the same queue, as a function alone.
        whole = function and bool(argument) == bool(pointer) == bool(first)
        if not whole and (i != count - 1 or (function and argument)):
            return None  # a record is written from the function to the argument, and cleared likewise
        if pointer and not queues.has_kind(pointer, KIND_POINTER):
            return None
        if first and not queues.has_kind(first, KIND_POINTER, KIND_INTERFACE):
            return None
        if results % 8 or results >= _RESULT_LIMIT:
            return None
    return [function for function in records[:count, 0].tolist() if function]


def _cleanups(queues: Queues, records: I64, count: int) -> list[int] | None:
    """Judge of cleanups: they are cleared from the first on, each as its turn comes, and counted till the
    last is done."""
    fields = queues.structs.fields
    names = ("call", "fn") if fields.has_struct(_CLEANUP) else ()
    columns = [fields.offset(_CLEANUP, name) // 8 for name in names] or [0]
    functions = records[:count, columns]
    waiting = functions.all(axis=1)
    if (np.diff(waiting.astype(np.int8)) < 0).any():
        return None
    return [value for value in functions.ravel().tolist() if value]
