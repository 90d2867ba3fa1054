"""The objects of a heap dump as spans of neighbours, with their pointer bits.

A dump does not name spans (``runtime.mspan``). Neighbours of one size with or without pointers serve as one:
all that is asked of a span is asked of any part of it. The dump lists the pointer words of every object;
types with a malloc header (from Go 1.22, objects over 512 bytes that are not large; runtime/mbitmap.go) stand
in it.
Imports ``capture.ranges``, ``kernels``, ``model``, numpy and this room.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goretain.capture.ranges import USER_SPACE
from goretain.golang.heapdump.dump import HeapDump
from goretain.golang.heapdump.phantoms import find_phantoms
from goretain.kernels import dumpscan
from goretain.kernels.arenas import ARENA_SHIFT
from goretain.kernels.heapscan import Spans
from goretain.model.errors import CorruptFile

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
Bits = NDArray[np.bool_]

_HEADER_BEYOND, _SMALL = 512, 32768  # runtime/mbitmap.go minSizeForMallocHeader, runtime/sizeclasses.go
#: Contents of pointer-free objects beyond it are not needed (golang.plan copies no more for map keys).
_KEPT_NOSCAN = 4096
#: Arenas of 64 MB that a dump may name: those of real heaps hold megabytes each.
_ARENAS_OF_ANY, _BYTES_PER_ARENA = 1024, 1 << 16


@dataclass(slots=True)
class DumpedObjects:
    """The objects of a dump in address order, phantoms left out; n rows.

    Attributes:
        address, size: int64[n]; content, fields: int64[n], offsets in the file; span: int32[n], the run of
            neighbours that an object belongs to.
        first: int64[s], each run's first object; noscan, header: bool[s].
        kept: bool[s], contents are wanted. bitmaps, marks: as ``Phantoms`` has them.
        phantoms, phantom_bytes: what was left out.
    """

    address: I64
    size: I64
    content: I64
    fields: I64
    span: NDArray[np.int32]
    first: I64
    noscan: Bits
    header: Bits
    kept: Bits
    bitmaps: bool
    marks: bool
    phantoms: int
    phantom_bytes: int

    @property
    def counts(self) -> I64:
        """int64[s]: objects of each run."""
        return np.diff(np.append(self.first, len(self.address)))

    @property
    def starts(self) -> I64:
        """int64[s]: address of each run."""
        return self.address[self.first]

    @property
    def lengths(self) -> I64:
        """int64[s]: bytes of each run."""
        return self.counts * self.size[self.first]


def read_objects(dump: HeapDump) -> DumpedObjects:
    """The objects of a dump. Raises CorruptFile when they overlap or lie where no object can be."""
    records = dump.records
    order = np.argsort(records.address, kind="stable")
    address, size = records.address[order], records.size[order]
    _check(dump, order, address, size)
    flags = np.zeros(len(order), np.uint8)
    dumpscan.has_pointers(dump.data, records.fields[order], flags)
    found = find_phantoms(address, size, flags == 1)
    real = ~found.phantom
    address, size, noscan, order = address[real], size[real], found.noscan[real], order[real]
    cut = (address[1:] != address[:-1] + size[:-1]) | (size[1:] != size[:-1]) | (noscan[1:] != noscan[:-1])
    first = np.flatnonzero(np.concatenate(([True], cut))[: len(address)])
    sizes, without = size[first], noscan[first]
    return DumpedObjects(
        address=address,
        size=size,
        content=records.content[order],
        fields=records.fields[order],
        span=np.repeat(np.arange(len(first)), np.diff(np.append(first, len(address)))).astype(np.int32),
        first=first,
        noscan=without,
        header=~without & (sizes > _HEADER_BEYOND) & (sizes <= _SMALL) & found.bitmaps,
        kept=~without | (sizes <= _KEPT_NOSCAN),
        bitmaps=found.bitmaps,
        marks=found.marks,
        phantoms=int(found.phantom.sum()),
        phantom_bytes=int(records.size.sum() - size.sum()),
    )


def _check(dump: HeapDump, order: I64, address: I64, size: I64) -> None:
    """Objects are apart from each other and where a heap can be. Raises CorruptFile."""
    wrong = (size > USER_SPACE) | (address > USER_SPACE - size)
    wrong[1:] |= address[1:] < address[:-1] + np.minimum(size[:-1], USER_SPACE)
    if wrong.any():
        at = int(dump.records.content[order[np.flatnonzero(wrong)[0]]])
        raise CorruptFile(dump.path, at, "an object overlaps another, or lies outside of the address space")
    arenas = len(np.unique(address >> ARENA_SHIFT))
    if arenas > _ARENAS_OF_ANY + len(dump.data) // _BYTES_PER_ARENA:
        raise CorruptFile(
            dump.path, None, f"its objects lie in {arenas} arenas of 64 MB, too many for its size"
        )


def spans_of(objects: DumpedObjects, content_at: I64, data: U8, *, own_types: bool) -> Spans:
    """The runs as spans.

    Args:
        content_at: int64[s], positions of their contents in an image's memory, -1 without.
        data: the dump's bytes.
        own_types: objects with a malloc header get their pointer words from the type that it names, as in a
            capture; else from the dump, as all others.
    """
    counts = objects.counts
    listed = ~objects.noscan & ~(objects.header & own_types)
    words = np.where(listed, objects.lengths // 8, 0)
    first_bit = np.cumsum(words) - words
    bits = np.zeros(int(words.sum()) // 64 + 1, np.int64)
    own = first_bit[objects.span] + (objects.address - objects.starts[objects.span]) // 8
    dumpscan.set_pointers(data, objects.fields, np.where(listed[objects.span], own, -1), bits.view(np.uint8))
    sizes, nowhere = objects.size[objects.first], np.full(len(counts), -1, np.int64)
    return Spans(
        start=objects.starts,
        elem_size=sizes,
        slots=counts,
        free_index=counts,
        scan_index=counts,
        alloc_at=nowhere,
        mark_at=nowhere,
        inline_at=nowhere,
        content_at=content_at,
        bitmap_bit=np.where(listed, -2 - first_bit, -1),
        crossing=bits,
        header=objects.header.astype(np.uint8),
        large_type=np.zeros(len(counts), np.int64),
        unswept=np.zeros(len(counts), np.uint8),
        noscan=objects.noscan.astype(np.uint8),
        large=(sizes > _SMALL).astype(np.uint8),
        first_slot=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
    )
