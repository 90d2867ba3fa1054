"""The lean plan: which memory of a Go program answers what holds what, and nothing else.

Runs while the target is frozen, so it reads structures in bulk and loops over none that grow with the heap.
Asked for: the runtime's own memory (chunks of persistentalloc: spans, specials, queued finalizers and
cleanups, itabs; the span list; mark and allocation bits; pointer bitmaps of 1.21 arenas), spans with
pointers, stacks, and pointer-free objects of up to 128 bytes (closures, weak handles, unbuffered channels).

Contents of larger pointer-free objects (buffers, text, tables of pointer-free maps, buffered channels) stay
where they are: what they are follows from who points to them, how full they are from headers with pointers.
Channel headers of such objects are left out too: nothing reads them, and to pick 96 bytes out of each of a
million 1 KB objects took 1.2 s, four times as long as to copy everything. With with_data, objects of up to
4 KiB are copied.

Reads ``runtime.mheap``, ``runtime.mspan``, ``runtime.heapArena`` (runtime/mheap.go),
``runtime.persistentChunks`` (malloc.go), ``runtime.itabTableType`` (iface.go), ``runtime.moduledata``
(symtab.go), ``runtime.m`` and ``runtime.g`` (runtime2.go), ``runtime.spanInlineMarkBits``
(mgcmark_greenteagc.go). Imports ``capture``, ``model``, numpy, ``kernels.arenas`` and
``golang``'s bulk, extent, layout, markarenas, ownmemory.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goretain.capture.image import path_at
from goretain.capture.ranges import I64, USER_SPACE, aligned, as_ranges
from goretain.capture.source import MemorySource, Plan
from goretain.golang.bulk import Structs, pages_of
from goretain.golang.extent import Extent, OnExtent
from goretain.golang.layout import Layout, Program
from goretain.golang.markarenas import mark_arenas
from goretain.golang.ownmemory import OwnMemory, arenas_of, persistent_chunks
from goretain.kernels.arenas import ARENA_BASE, ARENA_SHIFT, GO_PAGE
from goretain.model.errors import MissingMemory

_IN_USE, _MANUAL = 1, 2  # mSpanState, runtime/mheap.go
SMALL_NOSCAN, DATA_NOSCAN = 128, 4096
# Green Tea marks objects up to this size in the last bytes of their span (runtime/mgcmark_greenteagc.go).
_INLINE_MARKED, _INLINE_MARKS = 512, 128
# Heaps end below this; a longer list or a larger count is garbage read from a running process.
_LIST_LIMIT, _SPAN_LIMIT = 1 << 20, 1 << 28
_STACK_LIMIT = 64 << 20
_RED_ZONE = 128  # below the stack pointer, but in use: the ABI of C
_BITS_HEAD = 64  # of gcBitsArena: how much is used, and the link
_MODULEDATA = "runtime.moduledata"
_MODULE_BOUNDS = ("text", "data", "noptrdata", "enoptrdata", "ebss", "enoptrbss")


def lean_plan(
    layout: Layout, bias: int, *, with_data: bool = False, on_extent: OnExtent | None = None
) -> Plan:
    """The plan for a program of this layout.

    Args:
        with_data: also copy contents of pointer-free objects of up to 4 KiB, so that map keys can
            be shown.
        on_extent: told how much there is, by every run of the plan.

    The plan raises MissingMemory when it meets addresses that cannot be read (on a running process it may),
    and UnknownLayout when the runtime is not built as it expects.
    """

    def plan(source: MemorySource) -> I64:
        found = _LeanPlan(source, layout, bias, DATA_NOSCAN if with_data else SMALL_NOSCAN)
        try:
            ranges, extent = found.ranges()
        except (IndexError, OverflowError, ValueError):
            # No addresses, no counts: a heap that was read while it changed, or a damaged core.
            raise MissingMemory(found.heap, layout.size("runtime.mheap")) from None
        if on_extent is not None:
            on_extent(extent)
        return ranges

    return plan


@dataclass(slots=True)
class _Spans:
    """Spans that are in use or hold stacks: int64 columns."""

    base: I64
    size: I64
    state: I64
    noscan: NDArray[np.bool_]
    elem_size: I64
    count: I64
    alloc_bits: I64
    mark_bits: I64
    sweepgen: I64


class _LeanPlan:
    """One run of the plan."""

    def __init__(self, source: MemorySource, layout: Layout, bias: int, noscan_limit: int) -> None:
        self.source = source
        self.layout = layout
        self.program = Program(source, layout, bias, changing=not source.registers)
        self.heap = self.program.symbol("runtime.mheap_")
        self.noscan_limit = noscan_limit

    def ranges(self) -> tuple[I64, Extent]:
        listed, spans = self._spans()
        parts = [
            as_ranges([listed]),
            as_ranges(persistent_chunks(self.program)),
            self._bits(spans),
            self._mark_arenas(),
            self._whole_spans(spans),
            self._inline_marks(spans),
            self._interface_table(),
            self._global_masks(),
            self._plugins(),
            self._thread_stacks(),
            OwnMemory(self.program, np.column_stack((spans.base, spans.base + spans.size))).wanted(),
        ]
        if self.layout.has("runtime.heapArena", "bitmap"):
            parts.append(self._arena_bitmaps(spans))
        used = spans.state == _IN_USE
        extent = Extent(int(spans.count[used].sum()), int(spans.size[used & ~spans.noscan].sum()) // 8)
        return np.concatenate(parts), extent

    def _spans(self) -> tuple[tuple[int, int], _Spans]:
        """The array of span pointers as a range, and the spans themselves."""
        try:
            listed, pointers = self._span_list()
        except MissingMemory as error:
            what = "the list of all spans, runtime.mheap_.allspans,"
            raise MissingMemory(error.address, error.size, what=what) from None
        # By address: columns are then read in memory order.
        return listed, self._read_spans(np.sort(pointers))

    def _span_list(self) -> tuple[tuple[int, int], I64]:
        at, count, _ = self.program.slice(self.heap + self.layout.offset("runtime.mheap", "allspans"))
        if not 0 < count < _SPAN_LIMIT:
            raise MissingMemory(at, count * 8)
        listed = (at, at + count * 8)
        return listed, self.source.gather(as_ranges([listed])).view(np.int64)

    def _read_spans(self, pointers: I64) -> _Spans:
        fields = Structs.read(self.source, self.layout, "runtime.mspan", pointers)
        state = fields.column("state")
        fields = fields.only((state == _IN_USE) | (state == _MANUAL))
        return _Spans(
            base=fields.column("startAddr"),
            size=fields.column("npages") * GO_PAGE,
            state=fields.column("state"),
            noscan=(fields.column("spanclass") & 1) != 0,
            elem_size=fields.column("elemsize"),
            count=fields.column("nelems"),
            alloc_bits=fields.column("allocBits"),
            mark_bits=fields.column("gcmarkBits"),
            sweepgen=fields.column("sweepgen"),
        )

    def _bits(self, spans: _Spans) -> I64:
        """Pages of the allocation and mark bits: one bit an object."""
        sizes = (spans.count + 7) >> 3
        parts = [pages_of(bits[bits != 0], sizes[bits != 0]) for bits in (spans.alloc_bits, spans.mark_bits)]
        return np.concatenate(parts)

    def _mark_arenas(self) -> I64:
        """The heads of the arenas of mark bits: how full those are that new bits come from; all are memory of
        the runtime's own."""
        arenas = mark_arenas(self.program) or []
        return as_ranges([(arena.start, arena.start + _BITS_HEAD) for arena in arenas])

    def _whole_spans(self, spans: _Spans) -> I64:
        wanted = (spans.state == _MANUAL) | ~spans.noscan | (spans.elem_size <= self.noscan_limit)
        ranges: I64 = np.column_stack((spans.base, spans.base + spans.size))[wanted]
        return ranges

    def _inline_marks(self, spans: _Spans) -> I64:
        """Green Tea keeps mark bits at the end of small spans: those of spans not yet swept."""
        if not self.layout.has_struct("runtime.spanInlineMarkBits"):
            return as_ranges(())
        generation = self.program.uint(self.heap, "runtime.mheap", "sweepgen")
        ahead = (
            spans.sweepgen - generation
        ) & 0xFFFFFFFF  # 0: swept; 3: swept, then cached (runtime/mheap.go)
        swept = (ahead == 0) | (ahead == 3)
        small = (spans.size == GO_PAGE) & (spans.elem_size <= _INLINE_MARKED) & spans.noscan
        ends = (spans.base + spans.size)[small & ~swept & (spans.state == _IN_USE)]
        return np.column_stack((ends - _INLINE_MARKS, ends))

    def _interface_table(self) -> I64:
        """The hash table of itabs: a pointer-free heap object once it has grown."""
        struct = "runtime.itabTableType"
        table = self.program.word(self.program.symbol("runtime.itabTable"))
        size = self.program.uint(table, struct, "size")
        if size > _LIST_LIMIT:
            raise MissingMemory(table, size * 8)
        return as_ranges([(table, table + self.layout.offset(struct, "entries") + size * 8)])

    def _global_masks(self) -> I64:
        """Pointer masks of data and bss; outside persistent chunks where they are large."""
        masks: list[tuple[int, int]] = []
        for module in self.program.modules():
            for name in ("gcdatamask", "gcbssmask"):
                bits, at = (self.program.uint(module, _MODULEDATA, name, part) for part in ("n", "bytedata"))
                if at:
                    masks.append((at, at + bits // 8 + 8))
        return as_ranges(masks)

    def _plugins(self) -> I64:
        """All that is mapped of the files of further modules but their code, and their bss."""
        found: list[tuple[int, int]] = []
        for module in self.program.modules()[1:]:
            at = {name: self.program.uint(module, _MODULEDATA, name) for name in _MODULE_BOUNDS}
            found.append(
                (min(at["data"], at["noptrdata"]), max(at["enoptrdata"], at["ebss"], at["enoptrbss"]))
            )
            mapped = self.source.mappings()
            path = path_at(mapped, at["text"])
            found += [(m.start, m.end) for m in mapped if path and m.path == path and m.flags[:3:2] == "r-"]
        return as_ranges(found)

    def _thread_stacks(self) -> I64:
        """System stacks (g0) of all Ms from where they are to their top: in spans, or C's own."""
        saved, high = self._system_stacks()
        # A thread of cgo that has not run yet: high is the size of its stack, saved is 0.
        stopped = (saved > 0) & (saved < high) & (high < saved + _STACK_LIMIT)
        found = np.column_stack((saved, high))[stopped]
        return np.concatenate((found, self._running_stacks(np.sort(high))))

    def _running_stacks(self, tops: I64) -> I64:
        """From the stack pointer of each frozen thread that is on a system stack to the top of that."""
        pointers = np.array([r["rsp"] & (USER_SPACE - 1) for r in self.source.registers.values()], np.int64)
        mapped = as_ranges((m.start, m.end) for m in self.source.mappings())
        top = np.append(tops, np.iinfo(np.int64).max)[np.searchsorted(tops, pointers, side="right")]
        at = np.minimum(np.searchsorted(mapped[:, 1], pointers, side="right"), len(mapped) - 1)
        inside = (mapped[at, 0] <= pointers) & (top <= mapped[at, 1])
        low = np.maximum(pointers - _RED_ZONE, mapped[at, 0])
        found: I64 = np.column_stack((low, top))[inside & (top < pointers + _STACK_LIMIT)]
        return found

    def _system_stacks(self) -> tuple[I64, I64]:
        """Saved stack pointers and tops of every g0: int64[m] each."""
        link = self.layout.offset("runtime.m", "alllink")
        ms: list[int] = []
        m = self.program.word(self.program.symbol("runtime.allm"))
        while m:
            if len(ms) >= _LIST_LIMIT:
                raise MissingMemory(m)
            ms.append(m)
            m = self.program.word(m + link)
        g0 = self._words(np.array(ms, np.int64) + self.layout.offset("runtime.m", "g0"))
        g0 = g0[g0 != 0]
        high = self._words(g0 + self.layout.offset("runtime.g", "stack", "hi"))
        return self._words(g0 + self.layout.offset("runtime.g", "sched", "sp")), high

    def _words(self, addresses: I64) -> I64:
        """The words at addresses: int64[k]."""
        return self.source.gather(np.column_stack((addresses, addresses + 8))).view(np.int64)

    def _arena_bitmaps(self, spans: _Spans) -> I64:
        """Go 1.21 keeps one bit a word beside each arena: the parts for spans with pointers."""
        chosen = (spans.state == _IN_USE) & ~spans.noscan
        order = np.argsort(spans.base[chosen])
        low = spans.base[chosen][order] + ARENA_BASE
        high = low + spans.size[chosen][order]
        numbers = arenas_of(np.column_stack((low, high)) - ARENA_BASE)
        bitmap = self.layout.offset("runtime.heapArena", "bitmap")
        last = self.layout.offset("runtime.heapArena", "noMorePtrs")
        table = self.program.word(self.heap + self.layout.offset("runtime.mheap", "arenas"))
        rows = np.column_stack((table + numbers * 8, table + numbers * 8 + 8))
        parts = [rows]
        for number, arena in zip(numbers.tolist(), self._words(rows[:, 0]), strict=True):
            base = number << ARENA_SHIFT
            inside = slice(
                np.searchsorted(high, base, "right"), np.searchsorted(low, base + (1 << ARENA_SHIFT))
            )
            first = np.maximum(low[inside] - base, 0)
            end = np.minimum(high[inside] - base, 1 << ARENA_SHIFT)
            parts.append(arena + bitmap + np.column_stack((first // 64, -(-end // 64))))
            parts.append(arena + last + np.column_stack((first // 4096, -(-end // 4096))))
        return aligned(np.concatenate(parts), 64)
