"""From an address to the object that holds it: a page table leads to the span, division to the slot.

Interior pointers hit the object they point into; an address in no object (a free slot, the tail of a
span, outside the heap) gives -1. The heap base is randomised from Go 1.26 and arenas may lie far apart,
so pages are listed only for the 64 MB arenas that hold spans (``heapArenaBytes`` in runtime/malloc.go).
What is read on the way fits the processor's caches, but for the slot's own entry: an address costs one
access to main memory, and nothing about the object needs another. Imports numpy and this package.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from goretain.kernels.arenas import ARENA_SHIFT, PAGE_SHIFT
from goretain.kernels.jit import Int, inlined, kernel

PAGES_PER_ARENA = 1 << (ARENA_SHIFT - PAGE_SHIFT)
MISSING = np.uint32(0xFFFFFFFF)

I64 = NDArray[np.int64]
U32 = NDArray[np.uint32]


class PageTable(NamedTuple):
    """What :func:`find` needs; a plain tuple of arrays, so kernels take it as one argument.

    Attributes:
        address, size: int64[s], the spans, ascending and disjoint.
        first_arena: number (address >> 26) of the first arena that holds spans.
        arenas: int32[a], row of an arena in ``pages`` by arena number minus ``first_arena``, -1 when it
            has no span.
        pages: uint32[rows * 8192 + 1], how many spans start below the page.
    """

    address: I64
    size: I64
    first_arena: int
    arenas: NDArray[np.int32]
    pages: U32


class ObjectTable(NamedTuple):
    """What :func:`find_object` needs. n objects in s spans of equal slots.

    Attributes:
        address, size: int64[n], the objects, ascending.
        spans: finds the span of an address.
        slot_size, slots: int64[s], bytes of a slot (more than 0), number of slots.
        first_slot: int64[s + 1], which entry of ``object_at`` is the span's first slot.
        object_at: uint32[first_slot[s]], the object in each slot, MISSING in a free one.
    """

    address: I64
    size: I64
    spans: PageTable
    slot_size: I64
    slots: I64
    first_slot: I64
    object_at: U32


def build_page_table(address: I64, size: I64) -> PageTable:
    """The page table of spans (int64[s] ascending, int64[s] bytes > 0).

    Costs 32 KB per 64 MB arena that holds spans, and at most 8 MB for the list of arenas of a 47-bit
    address space.

    Raises:
        ValueError: addresses overlap, descend, or lie outside [0, 2**47).
    """
    n = len(address)
    if n == 0:
        return PageTable(address, size, 0, np.empty(0, np.int32), np.zeros(1, np.uint32))
    fault = _first_fault(address, size)
    if fault >= 0 or address[0] < 0 or int(address[-1]) + int(size[-1]) > 1 << 47:
        raise ValueError(f"spans must be ascending, disjoint and below 2**47 (span {max(fault, 0)})")
    first = int(address[0]) >> ARENA_SHIFT
    last = (int(address[-1]) + int(size[-1]) - 1) >> ARENA_SHIFT
    arenas = np.full(last - first + 1, -1, np.int32)
    _mark_arenas(address, size, first, arenas)
    used = np.flatnonzero(arenas >= 0)
    arenas[used] = np.arange(len(used), dtype=np.int32)
    pages = np.empty(len(used) * PAGES_PER_ARENA + 1, np.uint32)
    _count_pages(address, (used + first).astype(np.int64), pages)
    return PageTable(address, size, first, arenas, pages)


def find_many(pointers: I64, table: ObjectTable) -> U32:
    """Object ids (uint32[k]) of pointers (int64[k]); 0xFFFFFFFF where a pointer is in no object."""
    found = np.empty(len(pointers), np.uint32)
    _find_into(pointers, table, found)
    return found


@inlined
def find(pointer: Int, table: PageTable) -> Int:
    """Span that holds the address, or -1.

    One span begins in a page of Go's heap; more do only where the runs of a heap dump stand for spans.
    """
    arena = (pointer >> 26) - table.first_arena
    if arena < 0 or arena >= table.arenas.shape[0]:
        return np.int64(-1)
    row = np.int64(table.arenas[arena])
    if row < 0:
        return np.int64(-1)
    page = (row << 13) + ((pointer >> 13) & 8191)
    low = np.int64(table.pages[page])
    high = np.int64(table.pages[page + 1])
    while low < high:
        middle = (low + high) >> 1
        if table.address[middle] <= pointer:
            low = middle + 1
        else:
            high = middle
    low -= 1
    if low < 0 or pointer >= table.address[low] + table.size[low]:
        return np.int64(-1)
    return low


@inlined
def find_object(pointer: Int, table: ObjectTable) -> tuple[Int, Int, Int]:
    """(object that holds the address or -1, its span or -1, bytes from the object's start to the address).

    Interior pointers included. Constant time for Go's spans.
    """
    s = find(pointer, table.spans)
    if s < 0:
        return np.int64(-1), s, np.int64(0)
    inside = np.int64(pointer - table.spans.address[s])
    slot = np.int64(0)
    if inside >= table.slot_size[s]:
        slot = np.int64(np.uint64(inside) // np.uint64(table.slot_size[s]))
        inside -= slot * table.slot_size[s]
        if slot >= table.slots[s]:
            return np.int64(-1), s, inside
    found = table.object_at[table.first_slot[s] + slot]
    return (np.int64(found) if found != MISSING else np.int64(-1)), s, inside


@kernel
def _find_into(pointers: I64, table: ObjectTable, found: U32) -> None:
    for k in range(pointers.shape[0]):
        found[k] = find_object(pointers[k], table)[0]


@kernel
def _first_fault(address: I64, size: I64) -> int:
    """First span that is empty or begins before its predecessor ends, or -1."""
    end = address[0]
    for i in range(address.shape[0]):
        if size[i] <= 0 or address[i] < end:
            return i
        end = address[i] + size[i]
    return -1


@kernel
def _mark_arenas(address: I64, size: I64, first: int, arenas: NDArray[np.int32]) -> None:
    """Set 0 for every arena that a span touches; spans may cross arenas."""
    for i in range(address.shape[0]):
        begin = address[i] >> 26
        for arena in range(begin, ((address[i] + size[i] - 1) >> 26) + 1):
            arenas[arena - first] = 0


@kernel
def _count_pages(address: I64, arena_numbers: I64, pages: U32) -> None:
    """pages[row * 8192 + p] = spans that start below page p of the arena; the last entry is n."""
    n = address.shape[0]
    i = 0
    for row in range(arena_numbers.shape[0]):
        base = arena_numbers[row] << 26
        for page in range(8192):
            limit = base + (np.int64(page) << 13)
            while i < n and address[i] < limit:
                i += 1
            pages[(row << 13) + page] = i
    pages[arena_numbers.shape[0] << 13] = n
