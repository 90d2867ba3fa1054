"""Strings among words of data that nothing types: pointer and length that code sets and reads together.

For programs without debug information. A global string that the program never hands to anything typed is two
words: the functions that name the first are those that name the second, and no third word (a capacity) goes
with them. Such a pair is taken for a string when it also leads into a pointer-free object in a way that a
pointer beside a number does not: to an address that no word has, or up to the very end of the allocation.
What agrees with less stays unknown. Source: reflect.StringHeader. Imports ``kernels`` and
rooms of ``golang``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from goretain.golang.memory.objects import Objects
from goretain.golang.roots.rootslots import RootSlots
from goretain.golang.types.gotypes import GoType, Leaf
from goretain.kernels.arenas import slots_below
from goretain.kernels.propagate import Heap
from goretain.snapshot import NO_OBJECT

I64 = NDArray[np.int64]
#: Smaller blocks hold several things (runtime.maxTinySize): a pointer into the middle of one means nothing.
_TINY = 16
#: A shorter text that ends with its allocation may be any number.
_LEAST = 64


def claim_strings(
    slots: RootSlots, objects: Objects, heap: Heap, references: tuple[I64, Sequence[str]]
) -> None:
    """Gives untyped words of data that begin a string the leaf of one.

    references: as ``Claims.references`` has them.
    """
    rows = np.flatnonzero((slots.leaf < 0) & (slots.address > 0) & (slots.goroutine < 0) & (slots.flags == 0))
    target = objects.find(slots.value[rows])
    at = objects.image.locate(slots.address[rows], 16)
    good = (target != NO_OBJECT) & (at >= 0) & (at % 8 == 0)
    rows, target, at = rows[good], target[good], at[good]
    size = objects.table.size[target]
    front = slots.value[rows] - objects.table.address[target]
    length = objects.image.words[(at >> 3) + 1]
    good = (objects.spans.spans.noscan[objects.span[target]] == 1) & (size > _TINY)
    good &= (length > 0) & (length <= size - front)
    smaller = slots_below(heap.class_size, size)
    good &= (front % 8 != 0) | ((length >= _LEAST) & (front + length > smaller))
    pointers = set(slots.address.tolist())
    addresses, names = references
    found = [
        row
        for row, address in zip(rows[good].tolist(), slots.address[rows[good]].tolist(), strict=True)
        if _two_words(address, addresses, names, pointers)
    ]
    slots.leaf[np.array(found, np.int64)] = len(slots.leaves)
    slots.leaves.append(Leaf(0, "string", GoType("string", "string", 16), ""))


def _two_words(address: int, addresses: I64, names: Sequence[str], pointers: set[int]) -> bool:
    """Whether code names the words at address and behind it in the same functions, and the third in none of
    them, unless that is a pointer of its own."""
    first, second, third = (_functions(address + 8 * i, addresses, names) for i in range(3))
    return bool(first) and first == second and (address + 16 in pointers or not first & third)


def _functions(address: int, addresses: I64, names: Sequence[str]) -> set[str]:
    low, high = np.searchsorted(addresses, (address, address + 1)).tolist()
    return set(names[low:high])
