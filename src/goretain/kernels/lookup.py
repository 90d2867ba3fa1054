"""From an address to the object that holds it: a page table in two levels, then interpolation inside the
page.

Interior pointers hit the object they point into; an address in no object (a free slot, the tail of a
span, outside the heap) gives -1. The heap base is randomised from Go 1.26 and arenas may lie far apart,
so pages are listed only for the 64 MB arenas that hold objects (``heapArenaBytes`` in runtime/malloc.go).
Imports numpy and ``kernels.jit``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from goretain.kernels.jit import Int, inlined, kernel

PAGE_SHIFT = 13
ARENA_SHIFT = 26
PAGES_PER_ARENA = 1 << (ARENA_SHIFT - PAGE_SHIFT)
MISSING = np.uint32(0xFFFFFFFF)


class PageTable(NamedTuple):
    """What :func:`find` needs; a plain tuple of arrays, so kernels take it as one argument.

    Attributes:
        address, size: int64[n], the objects, ascending and disjoint.
        first_arena: number (address >> 26) of the first arena that holds objects.
        arenas: int32[a], row of an arena in ``pages`` by arena number minus ``first_arena``, -1 when it
            has no object.
        pages: uint32[rows * 8192 + 1], how many objects start below the page.
    """

    address: NDArray[np.int64]
    size: NDArray[np.int64]
    first_arena: int
    arenas: NDArray[np.int32]
    pages: NDArray[np.uint32]


def build_page_table(address: NDArray[np.int64], size: NDArray[np.int64]) -> PageTable:
    """The page table of objects (int64[n] ascending, int64[n] bytes > 0).

    Costs 32 KB per 64 MB arena that holds objects, and at most 8 MB for the list of arenas of a 47-bit
    address space.

    Raises:
        ValueError: addresses overlap, descend, or lie outside [0, 2**47).
    """
    n = len(address)
    if n == 0:
        return PageTable(address, size, 0, np.empty(0, np.int32), np.zeros(1, np.uint32))
    fault = _first_fault(address, size)
    if fault >= 0 or address[0] < 0 or int(address[-1]) + int(size[-1]) > 1 << 47:
        raise ValueError(f"objects must be ascending, disjoint and below 2**47 (object {max(fault, 0)})")
    first = int(address[0]) >> ARENA_SHIFT
    last = (int(address[-1]) + int(size[-1]) - 1) >> ARENA_SHIFT
    arenas = np.full(last - first + 1, -1, np.int32)
    _mark_arenas(address, size, first, arenas)
    used = np.flatnonzero(arenas >= 0)
    arenas[used] = np.arange(len(used), dtype=np.int32)
    pages = np.empty(len(used) * PAGES_PER_ARENA + 1, np.uint32)
    _count_pages(address, (used + first).astype(np.int64), pages)
    return PageTable(address, size, first, arenas, pages)


def find_many(pointers: NDArray[np.int64], table: PageTable) -> NDArray[np.uint32]:
    """Object ids (uint32[k]) of pointers (int64[k]); 0xFFFFFFFF where a pointer is in no object."""
    found = np.empty(len(pointers), np.uint32)
    _find_into(pointers, table, found)
    return found


@inlined
def find(pointer: Int, table: PageTable) -> Int:
    """Object that holds the address, interior pointers included, or -1. Constant time for Go's spans.

    A page of a span holds slots of one size, of which only free ones are missing: the quotient is an
        upper bound of
    the position, so the walk goes down; it goes up only on layouts that Go does not make.
    """
    arena = (pointer >> 26) - table.first_arena
    if arena < 0 or arena >= table.arenas.shape[0]:
        return np.int64(-1)
    row = np.int64(table.arenas[arena])
    if row < 0:
        return np.int64(-1)
    address = table.address
    page = (row << 13) + ((pointer >> 13) & 8191)
    low = np.int64(table.pages[page])
    high = np.int64(table.pages[page + 1])
    i = low - 1
    if low < high:
        distance = pointer - address[low]
        if distance >= 0:
            i = high - 1
            slot = table.size[low]
            if distance < (high - low) * slot and slot <= 8192:
                i = low + np.int64(np.uint32(distance) // np.uint32(slot))
            while address[i] > pointer:
                i -= 1
            while i + 1 < high and address[i + 1] <= pointer:
                i += 1
    if i < 0 or pointer >= address[i] + table.size[i]:
        return np.int64(-1)
    return i


@kernel
def _find_into(pointers: NDArray[np.int64], table: PageTable, found: NDArray[np.uint32]) -> None:
    for k in range(pointers.shape[0]):
        found[k] = find(pointers[k], table)


@kernel
def _first_fault(address: NDArray[np.int64], size: NDArray[np.int64]) -> int:
    """First object that is empty or begins before its predecessor ends, or -1."""
    end = address[0]
    for i in range(address.shape[0]):
        if size[i] <= 0 or address[i] < end:
            return i
        end = address[i] + size[i]
    return -1


@kernel
def _mark_arenas(
    address: NDArray[np.int64], size: NDArray[np.int64], first: int, arenas: NDArray[np.int32]
) -> None:
    """Set 0 for every arena that an object touches; objects may cross arenas."""
    for i in range(address.shape[0]):
        begin = address[i] >> 26
        for arena in range(begin, ((address[i] + size[i] - 1) >> 26) + 1):
            arenas[arena - first] = 0


@kernel
def _count_pages(
    address: NDArray[np.int64], arena_numbers: NDArray[np.int64], pages: NDArray[np.uint32]
) -> None:
    """pages[row * 8192 + p] = objects that start below page p of the arena; the last entry is n."""
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
