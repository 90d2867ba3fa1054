"""What the runtime says of its memory, as MemStats counts it; and its clock.

Reads ``runtime.memstats`` (mstats, consistentHeapStats of runtime/mstats.go) and, by ``groups.pacing``,
``runtime.gcController``. What the program's debug information or its symbols do not tell is
None. Imports ``golang.layout``, ``golang.memory``, ``groups``, ``capture.image``, ``snapshot`` and ``model``.
"""

from __future__ import annotations

import msgspec

from goretain.capture.image import Image
from goretain.capture.ranges import total
from goretain.golang.groups.pacing import NO_LIMIT, gc_percent, memory_limit, pacer
from goretain.golang.groups.resident import resident_facts
from goretain.golang.layout import Program
from goretain.golang.memory.spans import SpanTable
from goretain.model.errors import GoretainError
from goretain.snapshot import HeapTotals, Memory

_STATS, _DELTA = "runtime.mstats", "runtime.heapStatsDelta"
#: Bytes of heapStatsDelta that MemStats.GCSys counts; from Go 1.27 on without the second.
_WORK = ("inWorkBufs", "inPtrScalarBits")
_GENERATIONS = 3  # of consistentHeapStats
_MOST = (1 << 63) - 1


def memory_facts(image: Image, program: Program, totals: HeapTotals, spans: SpanTable) -> Memory:
    """The table ``memory`` of a snapshot, as far as the runtime, the image and the kernel tell."""
    read = _Reader(program)
    limit = memory_limit(program)
    facts = Memory(
        heap_in_use=totals.in_use_bytes,
        heap_free=read.pacer("heapFree"),
        heap_released=read.pacer("heapReleased"),
        stacks=read.deltas("inStacks"),
        system_stacks=read.stats("stacks_sys"),
        span_metadata=_sum(read.stats("mspan_sys"), read.stats("mcache_sys")),
        gc_metadata=_sum(read.stats("gcMiscSys"), read.deltas(*_WORK)),
        profile_metadata=read.stats("buckhash_sys"),
        other_runtime=read.stats("other_sys"),
        rss=image.facts.rss_bytes,
        next_gc=read.pacer("gcPercentHeapGoal"),
        limit=None if limit == NO_LIMIT else limit,
        gc_percent=gc_percent(program),
        gc_cycles=read.stats("numgc"),
    )
    # Without symbols its counters are unknown; what they count is not.
    found = {"stacks": total(spans.stacks)} | resident_facts(image, program, spans)
    known = {name for name, fact in msgspec.structs.asdict(facts).items() if fact is not None}
    return msgspec.structs.replace(facts, **{name: found[name] for name in found.keys() - known})


def monotonic_ns(image: Image, program: Program) -> int | None:
    """The runtime's clock at the capture: that of its last collection, and the wall time since then."""
    read = _Reader(program)
    wall, monotonic = read.stats("last_gc_unix"), read.stats("last_gc_nanotime")
    if not wall or not monotonic or image.facts.source != "live":
        return None
    return max(monotonic + int(image.facts.taken_at * 1e9) - wall, monotonic)


def profile_rate(program: Program) -> int | None:
    """runtime.MemProfileRate, 0 for none; without symbols what the Ps last saw of it (mcache.memProfRate,
    from Go 1.24 on); None when unknown."""
    try:
        rate = program.word(program.symbol("runtime.MemProfileRate"))
    except GoretainError:
        return _seen_rate(program)
    return rate if rate <= _MOST else 0


def _seen_rate(program: Program) -> int | None:
    try:
        first, count, _ = program.slice(program.symbol("runtime.allp"))
        caches = [program.uint(program.word(first + 8 * i), "runtime.p", "mcache") for i in range(count)]
        rates = [program.uint(cache, "runtime.mcache", "memProfRate") for cache in caches if cache]
    except GoretainError:
        return None
    return max((rate for rate in rates if rate <= _MOST), default=0)


class _Reader:
    """Reads counters; None where struct, field, variable or memory is missing."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def stats(self, *path: str) -> int | None:
        """A field of runtime.memstats."""
        return self._value("runtime.memstats", _STATS, *path)

    def pacer(self, *path: str) -> int | None:
        """A field of runtime.gcController."""
        return _counter(pacer(self._program, *path))

    def deltas(self, *fields: str) -> int | None:
        """Those fields that there are of memstats.heapStats, summed over its generations (unsafeRead)."""
        layout = self._program.layout
        names = [name for name in fields if layout.has(_DELTA, name)]
        try:
            first = self._program.symbol("runtime.memstats") + layout.offset(_STATS, "heapStats", "stats")
            deltas = [first + i * layout.size(_DELTA) for i in range(_GENERATIONS)]
            total = sum(self._program.uint(delta, _DELTA, name) for delta in deltas for name in names)
        except GoretainError:
            return None
        total %= 1 << 64
        return total if names and total <= _MOST else None

    def _value(self, variable: str, struct: str, *path: str) -> int | None:
        try:
            return _counter(self._program.uint(self._program.symbol(variable), struct, *path))
        except GoretainError:
            return None


def _counter(value: int | None) -> int | None:
    """A count; without collections the goal is the largest number, which says nothing."""
    return None if value is None or value > _MOST else value


def _sum(*parts: int | None) -> int | None:
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None
