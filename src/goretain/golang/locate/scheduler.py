"""The scheduler's variables: ``allm``, ``allgs`` and ``allp``, by structs that point back at each other.

Reads ``runtime.m``, ``runtime.g``, ``runtime.p``, ``runtime.schedt`` (runtime/runtime2.go) and
``runtime.mcache`` (mcache.go). Imports ``golang.locate.words`` and numpy.
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
    allocated_slices,
    distinct,
    within,
    words_at,
)

_M, _G, _P, _SCHED, _CACHE = "runtime.m", "runtime.g", "runtime.p", "runtime.schedt", "runtime.mcache"
#: Fields of runtime.schedt, the least value that they have once the program's main function runs, and a
#: value that they do not reach. Its own goroutines (ngsys) are the sweeper, the scavenger and others.
_SCHED_FIELDS = (
    ("goidgen", 2, 1 << 48),
    ("mnext", 2, 1 << 40),
    ("maxmcount", 1, 1 << 31),
    ("nmfreed", 0, 1 << 40),  # counted after the thread is listed
    ("nmidle", 0, 1 << 24),
    ("nmsys", 0, 1 << 24),
    ("ngsys", 2, 1 << 20),
    ("npidle", 0, 1 << 16),
    ("nmspinning", 0, 1 << 16),
    ("gcwaiting", 0, 2),
    ("sysmonwait", 0, 2),
    ("procresizetime", 1, 1 << 62),
    ("totaltime", 0, 1 << 62),
)
_G_LIMIT, _P_LIMIT, _STACK_LIMIT, _SAMPLE = 1 << 30, 1 << 16, 1 << 40, 64
_SCAN = 0x1000  # of a status: the collector has the g (_Gscan)
_GOROUTINE_STATES, _P_STATES, _WAITING = 16, 8, 4
# Up to Go 1.25, and since then also those of threads that C made (_Gdeadextra).
_DEAD = (6, 11)


def find_threads(
    blocks: list[Block], constants: range, memory: Memory, fields: Fields
) -> tuple[list[int], list[int]]:
    """Places of ``runtime.allm``, and the ms of its list.

    It is the scanned word that leads to an m, but for runtime.g0.m, which leads to m0, and sched.freem,
    where ms that have ended stay for a while. The list says nothing: those still link to it, and threads
    that start and end while it is read break it.

    constants: where no m can be.
    """
    structs = Structs(memory, fields)
    found: dict[int, list[int]] = {}

    def wanted(words: I64) -> Bits:
        return _may_be_ms(blocks, constants, fields, words)

    for head, places in distinct(blocks, wanted=wanted):
        if _is_m(structs, head):
            of_g0 = (structs.uint(head, _M, "g0") or 0) + fields.offset(_G, "m")
            listed = [place for place in places if place != of_g0 and not _is_freem(structs, place)]
            found |= {head: listed} if listed else {}
    places = [place for listed in found.values() for place in listed]
    return places, [m for head in found for m in structs.some_of_chain(head, _M, "alllink")]


def _may_be_ms(blocks: list[Block], constants: range, fields: Fields, heads: I64) -> Bits:
    """Which addresses may be ms (see ``_is_m``) as far as the variables tell, which are read already: a large
    program has tens of thousands of words that lead to its variables."""
    back = fields.offset(_G, "m")
    g0, known = words_at(blocks, heads + fields.offset(_M, "g0"))
    signals, known_too = words_at(blocks, heads + fields.offset(_M, "gsignal"))
    (owner, told), (owner_too, told_too) = (words_at(blocks, g + back) for g in (g0, signals))
    named = (g0 % 8 == 0) & ~within(constants, g0) & (~told | (owner == heads))
    early = ~addresses(g0) | (told & (owner == 0))
    signalled = addresses(signals) & ~within(constants, signals) & (~told_too | (owner_too == heads))
    fits: Bits = ~known | ~known_too | np.where(early, signalled, named)
    return fits & ~within(constants, heads)


def _is_m(structs: Structs, m: int) -> bool:
    """Whether the g of its scheduler names it; a new m is listed before it has one, but not before that of
    its signals."""
    g0 = structs.uint(m, _M, "g0")
    if g0 is None or g0 % 8:
        return False
    owner = structs.uint(g0, _G, "m") if g0 else 0
    if owner:
        return owner == m
    signals = structs.uint(m, _M, "gsignal")
    return bool(signals) and signals is not None and structs.uint(signals, _G, "m") == m


def _is_freem(structs: Structs, place: int) -> bool:
    """Whether a word is runtime.sched.freem: around it stand the scheduler's counts and times."""
    sched = place - structs.fields.offset(_SCHED, "freem")
    for name, least, limit in _SCHED_FIELDS:
        if structs.fields.has(_SCHED, name):
            value = structs.uint(sched, _SCHED, name)
            if value is None or not least <= value < limit:
                return False
    idle = structs.uint(sched, _SCHED, "pidle")
    return idle is not None and (not idle or (structs.uint(idle, _P, "id") or 0) < _P_LIMIT)


def find_goroutines(
    blocks: list[Block], constants: range, ms: list[int], memory: Memory, fields: Fields
) -> list[int]:
    """Places of ``runtime.allgs``: the longest slice of gs that have their own ids and stacks.

    While the collector marks, runtime.work.stackRoots may be the same slice: both are right then.
    """
    structs, known = Structs(memory, fields), {0, *ms}
    best: dict[int, int] = {}
    longest = 0
    for place, array, count in allocated_slices(blocks, constants, _G_LIMIT):
        if count < longest or not _are_goroutines(structs, known, array, min(count, 4)):
            continue
        if _are_goroutines(structs, known, array, min(count, _SAMPLE)):
            best = best if count == longest else {}
            best.setdefault(array, place)
            longest = count
    return list(best.values())


def _are_goroutines(structs: Structs, ms: set[int], array: int, count: int) -> bool:
    listed = structs.memory.words(array, count)
    if listed is None or not addresses(listed).all() or len(np.unique(listed)) != count:
        return False
    paths = (("m",), ("stack", "lo"), ("stack", "hi"), ("goid",), ("atomicstatus",), ("sched", "sp"))
    address, m, low, high, goid, status, sp = structs.columns(_G, listed.tolist(), paths)
    named = goid[goid != 0]
    if len(address) != count or not 0 < len(np.unique(named)) == len(named) or bool((named < 0).any()):
        return False
    stacks = (low > 0) & (low < high) & (high - low <= _STACK_LIMIT)
    stacks &= (status != _WAITING) | ((low <= sp) & (sp <= high))
    good = np.isin(m, list(ms)) & (stacks | ((high == 0) & np.isin(status, _DEAD)))
    # No g is listed before it has a state (allgadd): zeros, and so pointers to anything small, are no gs.
    state = status & ~_SCAN
    good &= (state > 0) & (state < _GOROUTINE_STATES)
    return bool(good.mean() > MOST)


def find_processors(
    blocks: list[Block], constants: range, ms: list[int], spans: I64, memory: Memory, fields: Fields
) -> list[int]:
    """Places of ``runtime.allp``: the longest slice of ps whose id is their index."""
    if not len(spans):
        return []
    structs, spans = Structs(memory, fields), np.sort(spans)
    best: list[int] = []
    longest = 0
    for place, array, count in allocated_slices(blocks, constants, _P_LIMIT):
        # runtime.m0 is a variable too, with a copy of the slice (m.allpSnapshot).
        if count < longest or any(m <= place < m + fields.size(_M) for m in ms):
            continue
        listed = memory.words(array, count)
        if listed is None or not addresses(listed).all():
            continue
        if all(_is_p(structs, spans, p, i) for i, p in enumerate(listed.tolist())):
            best = [place] if count > longest else [*best, place]
            longest = count
    return best


def _is_p(structs: Structs, spans: I64, p: int, index: int) -> bool:
    """Whether p is the processor of an index: its m is one, its cache holds spans of the heap (sorted)."""
    if structs.uint(p, _P, "id") != index or (structs.uint(p, _P, "status") or 0) >= _P_STATES:
        return False
    m, cache = structs.uint(p, _P, "m"), structs.uint(p, _P, "mcache")
    if m is None or (m and not _is_m(structs, m)) or not cache:
        return False
    classes = structs.fields.array_length(_CACHE, "alloc")
    held = structs.memory.words(cache + structs.fields.offset(_CACHE, "alloc"), classes)
    if held is None or not held.all():
        return False
    # All that hold nothing name one empty span, a variable of the runtime.
    known = spans[np.minimum(np.searchsorted(spans, held), len(spans) - 1)] == held
    empty = max(np.unique(held[~known], return_counts=True)[1], default=0)
    return int(known.sum()) + int(empty) > MOST * len(held)
