"""Tables that the runtime keeps: interfaces, size classes, wait reasons, queued finalizers and cleanups.

Reads ``runtime.itabTableType`` (runtime/iface.go), ``class_to_size`` (sizeclasses.go), ``waitReasonStrings``
(runtime2.go), ``runtime.finBlock`` (mfinal.go; finblock up to Go 1.24) and ``runtime.cleanupBlock``
(mcleanup.go). Imports ``golang.locate`` siblings and numpy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from goretain.golang.locate.heap import inside
from goretain.golang.locate.words import I64, Block, Fields, Memory, Structs, addresses, distinct, within

_ITABS = "runtime.itabTableType"
_ITAB_LIMIT, _ITAB_FIRST = 1 << 24, 512
_SMALLEST, _LARGEST_CLASS, _CLASSES = (0, 8, 16), 32768, 256
#: The second of runtime.waitReasonStrings; the first is empty.
_WAIT_REASON = b"GC assist marking"


def find_itabs(blocks: list[Block], constants: range, memory: Memory, fields: Fields) -> list[int]:
    """Places of ``runtime.itabTable``: the hash table that has as many entries as it says.

    constants: where it cannot be.
    """
    found: list[int] = []
    for head, places in distinct(blocks, wanted=lambda words: ~within(constants, words)):
        if _is_itab_table(head, memory, fields):
            found += places
    return found


def _is_itab_table(table: int, memory: Memory, fields: Fields) -> bool:
    head = memory.words(table, 2)
    if head is None or fields.offset(_ITABS, "size") or fields.offset(_ITABS, "count") != 8:
        return False
    size, count = head.tolist()
    if size & (size - 1) or not _ITAB_FIRST <= size <= _ITAB_LIMIT or not 0 < count < size:
        return False
    entries = memory.words(table + fields.offset(_ITABS, "entries"), size)
    if entries is None:
        return False
    used = entries[entries != 0]
    return len(used) == count and bool(addresses(used).all()) and len(np.unique(used)) == count


def find_size_classes(blocks: list[Block]) -> list[int]:
    """Places of ``runtime.class_to_size``: ascending uint16 from 0, 8, 16 to 32768."""
    found: list[int] = []
    first = sum(size << 16 * i for i, size in enumerate(_SMALLEST))
    for block in blocks:
        rows = np.flatnonzero(block.words & 0xFFFFFFFFFFFF == first).tolist()
        found += [block.start + 8 * row for row in rows if _are_size_classes(block.words[row:])]
    return found


def _are_size_classes(words: I64) -> bool:
    sizes = words[: _CLASSES // 4].view(np.uint16).astype(np.int64)
    sizes = sizes[: int(np.argmax(sizes == _LARGEST_CLASS)) + 1]
    return len(sizes) > 1 and bool((np.diff(sizes) > 0).all()) and not bool((sizes % 8).any())


def find_wait_reasons(blocks: list[Block], memory: Memory) -> list[int]:
    """Places of ``runtime.waitReasonStrings``; none when the texts were changed."""
    found: list[int] = []
    for block in blocks:
        rows = np.flatnonzero(block.words == len(_WAIT_REASON)) - 1
        texts = ((row, int(block.words[row])) for row in rows.tolist() if row >= 2)
        found += [
            block.start + 8 * (row - 2)
            for row, text in texts
            if memory.bytes(text, len(_WAIT_REASON)) == _WAIT_REASON
        ]
    return found


@dataclass(frozen=True, slots=True)
class _Queue:
    """A struct that holds queued calls: link to the next, number of records, the records."""

    struct: str
    link: tuple[str, ...]
    count: tuple[str, ...]
    records: str


def find_finalizers(
    blocks: list[Block], chunks: I64, code: list[range], memory: Memory, fields: Fields
) -> list[int]:
    """Places of ``runtime.allfin`` when finalizers are queued; none otherwise, as then it makes no
    difference. code: of the modules."""
    struct = "runtime.finBlock" if fields.has_struct("runtime.finBlock") else "runtime.finblock"
    if not fields.has_struct(struct):
        return []
    queue = _Queue(struct, ("alllink",), ("cnt",), "fin")
    return _queues(blocks, chunks, code, Structs(memory, fields), queue)


def find_cleanups(
    blocks: list[Block], chunks: I64, code: list[range], memory: Memory, fields: Fields
) -> list[int]:
    """Places of ``runtime.gcCleanups`` when cleanups are queued; none otherwise, as then it makes no
    difference. code: of the modules."""
    struct, header = "runtime.cleanupBlock", "cleanupBlockHeader"
    if not fields.has_struct(struct):
        return []
    at = fields.offset("runtime.cleanupQueue", "all", "value")
    queue = _Queue(struct, (header, "alllink"), (header, "n"), "cleanups")
    return [place - at for place in _queues(blocks, chunks, code, Structs(memory, fields), queue)]


def _queues(
    blocks: list[Block], chunks: I64, code: list[range], structs: Structs, queue: _Queue
) -> list[int]:
    """Words that begin the longest list of blocks in persistent chunks, of those that hold any record."""
    best: list[int] = []
    longest = 0
    size = structs.fields.size(queue.struct)
    for head, places in distinct(blocks, scanned=False, wanted=lambda words: inside(chunks, words)):
        chain = structs.chain(head, queue.struct, *queue.link)
        if chain is None or len(chain) < longest or not _are_apart(chain, chunks, size):
            continue
        if _hold_records(structs, chain, queue, code):
            best = places if len(chain) > longest else best + places
            longest = len(chain)
    return best


def _are_apart(chain: list[int], chunks: I64, size: int) -> bool:
    """Whether blocks of a size lie in chunks and do not overlap, as the free lists of smaller things do."""
    starts = np.sort(np.array(chain, np.int64))
    whole = inside(chunks, starts).all() and inside(chunks, starts + size - 1).all()
    return bool(whole and (np.diff(starts) >= size).all())


def _hold_records(structs: Structs, chain: list[int], queue: _Queue, code: list[range]) -> bool:
    """Whether blocks hold as many records as their counts say, each with a func value first,
    or cleared because its turn has come; and whether there is one."""
    fields, memory = structs.fields, structs.memory
    room, first = fields.array_length(queue.struct, queue.records), fields.offset(queue.struct, queue.records)
    size = (fields.size(queue.struct) - first) // room
    functions: set[int | None] = set()
    for block in chain:
        held = structs.uint(block, queue.struct, *queue.count)
        if held is None or held > room:
            return False
        functions |= {memory.word(block + first + size * i) for i in range(held)}
    functions.discard(0)
    entries = [memory.word(f or 0) or 0 for f in functions]
    return bool(entries) and all(any(pc in part for part in code) for pc in entries)
