"""The heap's variables: ``mheap_`` by its span table, the chunks of persistentalloc by the spans they hold.

A slice is mheap_.allspans when it lists mspans that make sense of themselves and that the arenas name for
their pages. Reads ``runtime.mheap``, ``runtime.mspan``, ``runtime.heapArena`` (runtime/mheap.go),
``runtime.fixalloc`` (mfixalloc.go) and the list through the first words of the chunks (malloc.go,
persistentalloc1). Imports ``golang.locate.words``, ``kernels.arenas``
and numpy.
"""

from __future__ import annotations

import numpy as np

from goretain.golang.locate.words import (
    I64,
    MOST,
    Bits,
    Block,
    Fields,
    Memory,
    Structs,
    addresses,
    distinct,
)
from goretain.kernels.arenas import ARENA_BASE, ARENA_SHIFT, GO_PAGE

_HEAP, _SPAN, _ARENA = "runtime.mheap", "runtime.mspan", "runtime.heapArena"
_IN_USE, _MANUAL = 1, 2
_SPAN_LIMIT, _SAMPLE = 1 << 28, 256
_TELLING = 16  # bytes of objects whose spans have fewer slots with inline marks, 512 without
_CHUNK = 256 << 10  # persistentChunkSize
_ALLOCATORS = (
    ("spanalloc", _SPAN),
    ("cachealloc", "runtime.mcache"),
    ("specialfinalizeralloc", "runtime.specialfinalizer"),
    ("specialCleanupAlloc", "runtime.specialCleanup"),
    ("specialprofilealloc", "runtime.specialprofile"),
    ("specialReachableAlloc", "runtime.specialReachable"),
    ("specialPinCounterAlloc", "runtime.specialPinCounter"),
    ("specialWeakHandleAlloc", "runtime.specialWeakHandle"),
    ("arenaHintAlloc", "runtime.arenaHint"),
)
_SPAN_FIELDS = (
    ("startAddr",),
    ("npages",),
    ("state",),
    ("elemsize",),
    ("nelems",),
    ("freeindex",),
)


def find_heaps(blocks: list[Block], memory: Memory, fields: Fields) -> list[int]:
    """Run-time addresses that fit ``runtime.mheap_``. Raises UnknownLayout."""
    spans_at, arenas_at = fields.offset(_HEAP, "allspans"), fields.offset(_HEAP, "arenas")
    found: list[int] = []
    for block in blocks:
        rows = block.before(spans_at, fields.size(_HEAP))
        listed, count, room = (block.at(rows, spans_at + i) for i in (0, 8, 16))
        arenas = block.at(rows, arenas_at)
        fits = (count > 0) & (count <= room) & (room < _SPAN_LIMIT)
        fits &= addresses(arenas) & (arenas & 4095 == 0) & _allocators(block, rows, fields)
        for i in np.flatnonzero(fits).tolist():
            spans = _sample(memory, int(listed[i]), int(count[i]))
            if _are_spans(Structs(memory, fields), spans, int(arenas[i])):
                found.append(block.start + 8 * int(rows[i]))
    return found


def _allocators(block: Block, rows: I64, fields: Fields) -> Bits:
    """Where the heap's fixed-size allocators allocate structs of the sizes that the layout gives them."""
    fits = np.ones(len(rows), np.bool_)
    for name, struct in _ALLOCATORS:
        if fields.has(_HEAP, name, "size") and fields.has_struct(struct):
            fits &= block.at(rows, fields.offset(_HEAP, name, "size")) == fields.size(struct)
    return fits


def _sample(memory: Memory, listed: int, count: int) -> list[int]:
    """Some of the spans of a list, from all over it."""
    chosen = np.unique(np.linspace(0, count - 1, min(count, _SAMPLE)).astype(np.int64)).tolist()
    if count <= 1 << 16:
        words = memory.words(listed, count)
        return [] if words is None else words[chosen].tolist()
    return [word for i in chosen if (word := memory.word(listed + 8 * i)) is not None]


def _are_spans(structs: Structs, spans: list[int], arenas: int) -> bool:
    """Whether spans are mspans; some may be changing, or be missing in a core that was cut off."""
    columns = structs.columns(_SPAN, spans, _SPAN_FIELDS)
    address, start, pages, state, size, count, free = columns
    if not len(address):
        return False
    # What is neither in use nor a stack was given back, and its fields say nothing.
    live, used = (state == _IN_USE) | (state == _MANUAL), state == _IN_USE
    good = (start % GO_PAGE == 0) & (start > 0) & (pages > 0) & (pages < 1 << 34)
    good &= ~used | ((size > 0) & (count > 0) & (size * count <= pages * GO_PAGE) & (free <= count))
    if not used.any() or (state <= _MANUAL).mean() < MOST or good[live].mean() < MOST:
        return False
    named = [_named(structs, arenas, int(s), int(a)) for s, a in zip(start[live], address[live], strict=True)]
    known = [answer for answer in named if answer is not None]
    return sum(known) >= MOST * len(known)


def _named(structs: Structs, arenas: int, start: int, span: int) -> bool | None:
    """Whether the arena of a page names a span for it; None when that was not captured."""
    arena = structs.memory.word(arenas + ((start + ARENA_BASE) >> ARENA_SHIFT) * 8)
    if arena is None:
        return None
    page = (start % (1 << ARENA_SHIFT)) // GO_PAGE
    named = structs.memory.word(arena + structs.fields.offset(_ARENA, "spans") + 8 * page)
    return None if named is None and arena else named == span


def span_list(heap: int, memory: Memory, fields: Fields) -> I64:
    """Addresses of all mspans of a heap."""
    at = heap + fields.offset(_HEAP, "allspans")
    words = memory.words(memory.word(at) or 0, min(memory.word(at + 8) or 0, _SPAN_LIMIT))
    return np.empty(0, np.int64) if words is None else words


def find_chunks(blocks: list[Block], spans: I64, memory: Memory) -> tuple[list[int], I64]:
    """Places of ``runtime.persistentChunks``, and the chunks, sorted: the list that holds the spans."""
    held: list[tuple[I64, list[int]]] = []
    for head, places in distinct(blocks, scanned=False, wanted=lambda words: words & 4095 == 0):
        found = _chunks(head, memory)
        if _hold(found, spans):
            held.append((found, places))
    if not held:
        return [], np.empty(0, np.int64)
    held.sort(key=lambda row: -len(row[0]))
    # A new chunk is named by the allocator an instant before it is listed.
    likely = (rest for _, places in held if (rest := _without_allocator(places, blocks)))
    return next(likely, held[0][1]), held[0][0]


def _chunks(head: int, memory: Memory) -> I64:
    """The chunks of a list, sorted; none when it is no list."""
    found: set[int] = set()
    at: int | None = head
    while at:
        if at in found or at & 4095:
            return np.empty(0, np.int64)
        found.add(at)
        at = memory.word(at)
    return np.sort(np.array(list(found), np.int64)) if at == 0 else np.empty(0, np.int64)


def inside(chunks: I64, values: I64) -> Bits:
    """Which values lie in one of the chunks."""
    if not len(chunks):
        return np.zeros(len(values), np.bool_)
    i = np.searchsorted(chunks, values, side="right") - 1
    held: Bits = (i >= 0) & (values < chunks[np.maximum(i, 0)] + _CHUNK)
    return held


def _hold(chunks: I64, spans: I64) -> bool:
    return bool(inside(chunks, spans).mean() > MOST) if len(spans) else False


def _without_allocator(places: list[int], blocks: list[Block]) -> list[int]:
    """The places less ``runtime.globalAlloc.base``, which names one of the chunks: how much of the chunk is
    used follows it (persistentAlloc.off)."""
    after = {place: _word_in(blocks, place + 8) for place in places}
    return [place for place, used in after.items() if not (used and 0 < used <= _CHUNK)]


def _word_in(blocks: list[Block], address: int) -> int | None:
    for block in blocks:
        i = (address - block.start) // 8
        if 0 <= i < len(block.words):
            return int(block.words[i])
    return None


def has_inline_marks(spans: I64, memory: Memory, fields: Fields) -> bool | None:
    """Whether small pointer-free spans give up slots for marks (Green Tea); None when no span tells."""
    chosen = spans[:: max(len(spans) // _SAMPLE, 1)].tolist()
    paths = (("state",), ("npages",), ("elemsize",), ("nelems",), ("spanclass",))
    _, state, pages, size, count, kind = Structs(memory, fields).columns(_SPAN, chosen, paths)
    telling = (state == _IN_USE) & (pages == 1) & (size == _TELLING) & (kind & 1 == 1)
    return bool((count[telling] < GO_PAGE // _TELLING).mean() > MOST) if telling.any() else None
