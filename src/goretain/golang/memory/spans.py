"""The span table: which slots of the heap are allocated, and where their bits and contents lie in the image.

Reads ``runtime.mheap_.allspans``, ``runtime.mspan`` (runtime/mheap.go), ``runtime.heapArena.bitmap`` (up to
Go 1.21) and the inline marks of ``runtime.spanInlineMarkBits`` (runtime/mgcmark_greenteagc.go). Imports
``capture``, ``kernels``, ``model``, ``golang.layout`` and ``golang.memory.sweeping``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goretain.capture.image import Image
from goretain.capture.ranges import as_ranges, normalise
from goretain.golang.extent import Extent
from goretain.golang.layout import Program
from goretain.golang.memory.sweeping import Marks, find_unswept
from goretain.kernels.arenas import ARENA_BASE, ARENA_SHIFT, GO_PAGE
from goretain.kernels.heapscan import Spans
from goretain.kernels.lookup import PageTable, build_page_table
from goretain.model.errors import UnknownLayout

_WORD_TYPES: dict[int, type[np.generic]] = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.int64}
_IN_USE, _MANUAL = 1, 2  # runtime/mheap.go mSpanInUse, mSpanManual
_INLINE_MARK_BYTES = 128  # runtime/mgcmark_greenteagc.go: sizeof(spanInlineMarkBits)
_INLINE_MARKS_AT = GO_PAGE - 64  # its marks field
_BITMAP_OBJECT_LIMIT = 512  # runtime/mbitmap.go: minSizeForMallocHeader
_PAGE_LIMIT = 1 << 34  # of the address space
_STACK_PAGES = 1 << 20  # of one stack: the runtime ends a program at 1 GB (runtime/proc.go, maxstacksize)

I64 = NDArray[np.int64]


@dataclass(slots=True)
class SpanTable:
    """In-use spans in address order, and what the others sum up to.

    Attributes:
        spans: the kernel's view.
        table: finds the span of an address.
        pages: int64[s], 8 KiB pages; specials: int64[s], address of the first special, 0 without.
        stack_bytes: pages of spans that hold stacks or work of the collector.
        stacks, work: int64[k, 2], normal: the spans of stacks, and those of the collector's work buffers.
        chunks: int64[c], addresses of the spans that are chunks of user arenas (package arena): one object
            each to the collector, many values of any types to the program.
        unreadable: spans that are listed, but were not captured (of truncated cores) or cannot be (damage).
        green_tea, inline_bitmaps: detected features.
    """

    spans: Spans
    table: PageTable
    pages: I64
    specials: I64
    chunks: I64
    stack_bytes: int
    stacks: I64
    work: I64
    green_tea: bool
    inline_bitmaps: bool
    unreadable: int

    @property
    def in_use_bytes(self) -> int:
        """Bytes of all in-use spans (MemStats.HeapInuse)."""
        return int(self.pages.sum()) * GO_PAGE

    @property
    def extent(self) -> Extent:
        """How much there is to analyse."""
        k = self.spans
        return Extent(int(k.slots.sum()), int(self.pages[k.noscan == 0].sum()) * GO_PAGE // 8)


class _MspanReader:
    """Fields of many mspans at once, as int64 columns, by their widths in the debug information."""

    def __init__(self, image: Image, program: Program, addresses: I64) -> None:
        self.image, self.layout, self.addresses = image, program.layout, addresses

    def __call__(self, *path: str) -> I64:
        width = min(self.layout.width("runtime.mspan", *path), 8)
        if width not in _WORD_TYPES:
            raise UnknownLayout("runtime.mspan", ".".join(path), self.layout.go_version)
        at = self.addresses + self.layout.offset("runtime.mspan", *path)
        return self.image.gather(at, _WORD_TYPES[width])[0].astype(np.int64)


def read_spans(image: Image, program: Program) -> SpanTable:
    """The span table of an image. Raises UnknownLayout, MissingMemory."""
    layout = program.layout
    heap = program.symbol("runtime.mheap_")
    first, count, _ = program.slice(heap + layout.offset("runtime.mheap", "allspans"))
    listed = np.frombuffer(image.read(first, 8 * count), np.int64)
    addresses = listed[image.locate(listed, layout.size("runtime.mspan")) >= 0]
    if not len(addresses):  # a heap without any span is none
        image.read(int(listed[0]), layout.size("runtime.mspan"))
    state = _MspanReader(image, program, addresses)("state")
    stack_bytes, stacks, work = _manual(_MspanReader(image, program, addresses[state == _MANUAL]))
    used = addresses[state == _IN_USE]
    used = used[np.argsort(_MspanReader(image, program, used)("startAddr"), kind="stable")]
    sound = _sound(image, _MspanReader(image, program, used))
    read = _MspanReader(image, program, used[sound])
    pages, specials = read("npages"), read("specials")
    inline_bitmaps = not layout.has("runtime.heapArena", "bitmap")
    spans, green_tea = _kernel_view(image, program, read, pages, inline_bitmaps)
    table = build_page_table(spans.start, pages * GO_PAGE)
    unreadable = len(listed) - len(addresses) + int((~sound).sum())
    is_chunk = layout.has("runtime.mspan", "isUserArenaChunk")
    chunks = spans.start[read("isUserArenaChunk") != 0] if is_chunk else np.empty(0, np.int64)
    return SpanTable(
        spans,
        table,
        pages,
        specials,
        chunks,
        stack_bytes,
        stacks,
        work,
        green_tea,
        inline_bitmaps,
        unreadable,
    )


def _manual(read: _MspanReader) -> tuple[int, I64, I64]:
    """Bytes of the spans that the runtime manages by hand, and ranges of those with stacks, and of the
    others: only a stack's span has the size of its parts (stackpoolalloc and stackalloc of runtime/stack.go).
    """
    pages, start, size = read("npages"), read("startAddr"), read("elemsize")
    sound = (pages > 0) & (pages <= _STACK_PAGES)
    ranges = np.column_stack((start, start + np.where(sound, pages, 0) * GO_PAGE))
    stacks, work = (normalise(ranges[sound & chosen]) for chosen in (size > 0, size == 0))
    return int(pages[sound].sum()) * GO_PAGE, stacks, work


def _sound(image: Image, read: _MspanReader) -> NDArray[np.bool_]:
    """Which of the spans, in address order, can be: in memory, apart from each other, with room for their
    slots. The others come from a damaged file."""
    start, size, count, pages = read("startAddr"), read("elemsize"), read("nelems"), read("npages")
    mapped = normalise(as_ranges((m.start, m.end) for m in image.mappings))
    if not len(start) or not len(mapped):
        return np.zeros(len(start), np.bool_)
    whole = np.where((pages > 0) & (pages <= _PAGE_LIMIT), pages * GO_PAGE, 0)
    slots = np.where((count > 0) & (count <= whole // 8), count, 1)
    can_be: NDArray[np.bool_] = (whole > 0) & (count == slots) & (size > 0) & (size <= whole // slots)
    around = np.maximum(np.searchsorted(mapped[:, 0], start, side="right") - 1, 0)
    can_be &= (mapped[around, 0] <= start) & (start <= mapped[around, 1] - whole)
    ends = np.maximum.accumulate(np.where(can_be, start + whole, 0))
    can_be[1:] &= start[1:] >= ends[:-1]
    return can_be


def _kernel_view(
    image: Image, program: Program, read: _MspanReader, pages: I64, inline_bitmaps: bool
) -> tuple[Spans, bool]:
    layout = program.layout
    start, size, count = read("startAddr"), read("elemsize"), read("nelems")
    span_class = read("spanclass")
    noscan, large = (span_class & 1) == 1, (span_class >> 1) == 0
    free_index = read("freeindex")
    scan_index = read("freeIndexForScan") if layout.has("runtime.mspan", "freeIndexForScan") else free_index
    bit_bytes = (count + 7) // 8
    alloc, mark = read("allocBits"), read("gcmarkBits")
    content = image.locate(start, pages * GO_PAGE)
    green_tea = _has_inline_marks(size, count, pages, noscan)
    inline = green_tea & (pages == 1) & (size >= 16) & (size <= _BITMAP_OBJECT_LIMIT) & ~large
    marks = Marks(
        at=np.where(mark != 0, image.locate(mark, bit_bytes), -1),
        inline_at=np.where(inline, _inline_marks(image, start), -1),
        size=bit_bytes,
    )
    if inline_bitmaps:
        bitmap_bit = _bitmaps_in_spans(size, content, inline, noscan | large)
        crossing = np.empty(0, np.int64)
    else:
        bitmap_bit, crossing = _bitmaps_in_arenas(
            image, program, start, pages * GO_PAGE, noscan | (content < 0)
        )
    spans = Spans(
        start=start,
        elem_size=size,
        slots=count,
        free_index=free_index,
        scan_index=scan_index,
        alloc_at=np.where(alloc != 0, image.locate(alloc, bit_bytes), -1),
        mark_at=marks.at,
        inline_at=marks.inline_at,
        content_at=content,
        bitmap_bit=bitmap_bit,
        crossing=crossing,
        header=(~noscan & (size > _BITMAP_OBJECT_LIMIT) & ~large & inline_bitmaps).astype(np.uint8),
        large_type=np.where(large, read("largeType"), 0)
        if layout.has("runtime.mspan", "largeType")
        else 0 * start,
        unswept=find_unswept(image, program, read, marks).astype(np.uint8),
        noscan=noscan.astype(np.uint8),
        large=large.astype(np.uint8),
        first_slot=np.concatenate(([0], np.cumsum(count))).astype(np.int64),
    )
    return spans, green_tea


def _has_inline_marks(size: I64, count: I64, pages: I64, noscan: NDArray[np.bool_]) -> bool:
    """Green Tea takes 128 bytes of each small one-page span: asked of any span whose slot count tells."""
    small = (pages == 1) & (size >= 16) & (size <= _BITMAP_OBJECT_LIMIT)
    room = np.where(noscan, GO_PAGE, GO_PAGE - GO_PAGE // 64)[small]
    slots = size[small]
    without, with_marks = room // slots, (room - _INLINE_MARK_BYTES) // slots
    telling = without != with_marks
    return bool((count[small][telling] == with_marks[telling]).any())


def _inline_marks(image: Image, start: I64) -> I64:
    """Positions of the 63 mark bytes; read apart from the span's content, which a lean capture may leave
    out."""
    return image.locate(start + _INLINE_MARKS_AT, 63)


def _bitmaps_in_spans(size: I64, content: I64, inline: NDArray[np.bool_], without: NDArray[np.bool_]) -> I64:
    """Bit positions of the bitmaps at the end of small spans (runtime/mbitmap.go heapBitsInSpan), -1
    without."""
    has = ~without & (size <= _BITMAP_OBJECT_LIMIT) & (content >= 0)
    at = content + GO_PAGE - GO_PAGE // 64 - np.where(inline, _INLINE_MARK_BYTES, 0)
    return np.where(has, at * 8, -1)


def _bitmaps_in_arenas(
    image: Image, program: Program, start: I64, size: I64, without: NDArray[np.bool_]
) -> tuple[I64, I64]:
    """Bit positions of the bitmaps in heapArena.bitmap (up to Go 1.21), and those of arena-crossing spans,
    joined."""
    level_two = program.uint(program.symbol("runtime.mheap_"), "runtime.mheap", "arenas")
    offset = program.layout.offset("runtime.heapArena", "bitmap")
    in_arena = (1 << ARENA_SHIFT) - 1

    def position(address: I64, length: I64) -> I64:
        metadata = image.gather(level_two + ((address + ARENA_BASE) >> ARENA_SHIFT) * 8)[0].astype(np.int64)
        return image.locate(metadata + offset + (address & in_arena) // 64, length // 64)

    fits = (start & in_arena) + size <= in_arena + 1
    at = position(start, size)
    bits = np.where(~without & fits & (at >= 0), at * 8, -1)
    parts: list[NDArray[np.uint8]] = []
    joined = 0
    for i in np.flatnonzero(~without & ~fits).tolist():
        cuts = [int(start[i]), *range((int(start[i]) | in_arena) + 1, int(start[i] + size[i]), in_arena + 1)]
        lengths = np.diff([*cuts, int(start[i] + size[i])])
        pieces = position(np.array(cuts), lengths)
        if (pieces < 0).any():
            continue
        bits[i] = -2 - joined * 8
        for piece, length in zip(pieces.tolist(), (lengths // 64).tolist(), strict=True):
            parts.append(image.memory[piece : piece + length])
            joined += length
    parts.append(np.zeros(-joined % 8, np.uint8))
    return bits, np.concatenate(parts).view(np.int64)
