"""Tables that the runtime keeps: interfaces, size classes, wait reasons.

Reads ``runtime.itabTableType`` and ``internal/abi.ITab`` (runtime/iface.go, runtime.itab up to Go 1.22),
``class_to_size`` (sizeclasses.go) and ``waitReasonStrings`` (runtime2.go). Imports ``golang.locate`` siblings
and numpy.
"""

from __future__ import annotations

import numpy as np

from goretain.golang.locate.words import (
    I64,
    KIND_INTERFACE,
    Bits,
    Block,
    Fields,
    Memory,
    addresses,
    distinct,
    kind_of,
    within,
    words_at,
)

_ITABS = "runtime.itabTableType"
_ITAB_LIMIT, _ITAB_FIRST = 1 << 24, 512
_SAMPLE = 16
_SMALLEST, _LARGEST_CLASS, _CLASSES = (0, 8, 16), 32768, 256
#: The second of runtime.waitReasonStrings; the first is empty.
_WAIT_REASON = b"GC assist marking"


def find_itabs(blocks: list[Block], constants: range, memory: Memory, fields: Fields) -> list[int]:
    """Places of ``runtime.itabTable``: the hash table that has as many entries as it says.

    constants: where it cannot be.
    """
    if fields.offset(_ITABS, "size") or fields.offset(_ITABS, "count") != 8:
        return []

    def wanted(words: I64) -> Bits:
        (size, known), (count, known_too) = (words_at(blocks, words + at) for at in (0, 8))
        return ~within(constants, words) & (~known | ~known_too | _are_filled(size, count))

    places = dict(distinct(blocks, wanted=wanted))
    read = [(head, words) for head in places if (words := memory.words(head, 2)) is not None]
    size, count = np.array([words for _, words in read], np.int64).reshape(-1, 2).T
    fits = np.flatnonzero(_are_filled(size, count)).tolist()
    tables = [
        read[i][0] for i in fits if _is_itab_table(read[i][0], int(size[i]), int(count[i]), memory, fields)
    ]
    return [place for table in tables for place in places[table]]


def _are_filled(size: I64, count: I64) -> Bits:
    """Which sizes and counts may be those of a table of interfaces."""
    fits: Bits = (size & (size - 1) == 0) & (size >= _ITAB_FIRST) & (size <= _ITAB_LIMIT)
    return fits & (count > 0) & (count < size)


def _is_itab_table(table: int, size: int, count: int, memory: Memory, fields: Fields) -> bool:
    entries = memory.words(table + fields.offset(_ITABS, "entries"), size)
    if entries is None:
        return False
    used = entries[entries != 0]
    # An entry is written before it is counted.
    if len(used) not in (count, count + 1) or not addresses(used).all() or len(np.unique(used)) < len(used):
        return False
    # Each begins with the interface type that it is of; what was not captured says nothing.
    inter = [memory.word(itab) for itab in used[:: len(used) // _SAMPLE + 1].tolist()]
    kinds = {kind_of(memory, at) for at in inter if at is not None}
    return kinds <= {KIND_INTERFACE, None}


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
