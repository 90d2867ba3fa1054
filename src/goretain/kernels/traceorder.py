"""Puts the events of an execution trace in order: by goroutine and its sequence numbers, and by time.

Clocks of processors may tie or run backwards beside each other, so the order of what happens to a goroutine
is that of internal/trace/order.go: an event that names a goroutine (it was told of, created, unblocked,
started) has the goroutine's next sequence number of its generation, 0 where it says none, and from there to
the next one all that happens to it happens on one thread, in the order of that thread. Events are those that
:mod:`goretain.kernels.tracewire` read, with their offsets; what their numbers say is never an index. Imports
numpy and this package.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from goretain.kernels.jit import Int, inlined, kernel
from goretain.kernels.tracewire import GENERATION, I32, I64, THREAD, U8, Events
from goretain.kernels.varints import varint

# What an event says of states: nothing; of a goroutine that it names, what was so before; that it begins;
# what becomes of it as of a sequence number; what becomes of the goroutine on its thread; the last two.
NOTHING, TELLS, BEGINS, NAMES, OWN, SWITCHES = 0, 1, 2, 3, 4, 5
#: Added to a state that was so before; what is no state but belongs in a goroutine's order.
TOLD, PASSING = 8, 16
_RUNNING, _IN_SYSCALL, _LAST_STATE = 2, 3, 4
#: A key is generation, sequence number, and whether it is of the goroutine's own doing behind that.
_GENERATION = 33
_BEHIND_GENERATION = (1 << _GENERATION) - 1
_MOST_SEQUENCE = (1 << 32) - 1
_NEVER = (1 << 63) - 1
# Of a thread: its next event and the batch of that; the goroutine that runs there, its index, its turn's key.
CURSOR, BATCH, RUNS, INDEX, KEY = 0, 1, 2, 3, 4


class Known(NamedTuple):
    """Goroutines that a trace tells of.

    id: int64[g], ascending; slot: int32[a power of two], index + 1 by hash, 0 empty, at most half in use;
    factor: int64[1], odd, not known to who made the trace; sitting: int64[k, 3], generation, thread and
    goroutine, ascending, of those that sat in a system call.
    """

    id: I64
    slot: I32
    factor: I64
    sitting: I64


class Says(NamedTuple):
    """uint8[256] each, by kind: what an event says; the state of whom it names; of the one on its thread."""

    role: U8
    named: U8
    own: U8


class Threads(NamedTuple):
    """Where each thread is: int64[t + 1] its first among events.row; int64[t, 5] CURSOR and so on; int64[t]
    the time of its next event; int64[t] a heap of threads by that. The last three are to work on.
    """

    first: I64
    turn: I64
    when: I64
    heap: I64


class Changes(NamedTuple):
    """What happens to goroutines: int64[n] key; uint8[n] state (with TOLD, or PASSING); int32[n] event."""

    key: I64
    state: U8
    event: I32


@kernel
def list_kinds(kind: U8, wanted: U8, place: I64, out: I32) -> None:
    """The events of each kind k that is wanted: out from place[k] on, moved to where they end. O(n)."""
    for i in range(kind.shape[0]):
        if wanted[kind[i]]:
            at = place[kind[i]]
            place[kind[i]] = at + 1
            out[at] = i


@kernel
def place_known(known: Known) -> None:
    """Enters all ids into an empty table of slots."""
    mask = known.slot.shape[0] - 1
    for i in range(known.id.shape[0]):
        mixed = known.id[i] * known.factor[0]
        at = (mixed ^ (mixed >> 31)) & mask
        while known.slot[at] != 0:
            at = (at + 1) & mask
        known.slot[at] = i + 1


@inlined
def _index(known: Known, goroutine: Int) -> Int:
    """The index of a goroutine, -1 of one that the trace never told of."""
    mask = known.slot.shape[0] - 1
    mixed = goroutine * known.factor[0]
    at = (mixed ^ (mixed >> 31)) & mask
    while known.slot[at] != 0:
        if known.id[known.slot[at] - 1] == goroutine:
            return known.slot[at] - 1
        at = (at + 1) & mask
    return np.int64(-1)


@inlined
def _sitter(known: Known, generation: Int, thread: Int) -> Int:
    """The goroutine that sat in a system call on a thread, 0 none."""
    low: Int = np.int64(0)
    high: Int = np.int64(known.sitting.shape[0])
    while low < high:
        middle = (low + high) // 2
        row = known.sitting[middle]
        if row[0] < generation or (row[0] == generation and row[1] < thread):
            low = middle + 1
        else:
            high = middle
    if low < known.sitting.shape[0]:
        row = known.sitting[low]
        if row[0] == generation and row[1] == thread:
            return row[2]
    return np.int64(0)


@inlined
def _put(place: I64, out: Changes, goroutine: Int, change: tuple[Int, Int, Int]) -> None:
    """Stores (key, state, event) with those of its goroutine, or only counts it where there is no room."""
    if goroutine < 0:
        return
    at = place[goroutine]
    place[goroutine] = at + 1
    if out.key.shape[0] > 0:
        out.key[at], out.state[at], out.event[at] = change


@inlined
def _sift_down(heap: I64, when: I64, count: Int) -> None:
    """Restores the order of a heap of threads by ``when`` whose first may be too late."""
    at = 0
    moved = heap[0]
    while 2 * at + 1 < count:
        child = 2 * at + 1
        if child + 1 < count and when[heap[child + 1]] < when[heap[child]]:
            child += 1
        if when[moved] <= when[heap[child]]:
            break
        heap[at] = heap[child]
        at = child
    heap[at] = moved


@inlined
def _begin(events: Events, first: I64, turn: I64, when: I64, heap: I64) -> Int:
    """Puts every thread that has events at its first one, by time; how many there are."""
    count = 0
    for thread in range(first.shape[0] - 1):
        cursor = events.start[first[thread]]
        if cursor == events.start[first[thread + 1]]:
            continue
        turn[thread, CURSOR], turn[thread, BATCH] = cursor, first[thread]
        turn[thread, RUNS], turn[thread, INDEX], turn[thread, KEY] = 0, -1, 0
        when[thread] = events.time[cursor]
        at = count
        count += 1
        while at > 0 and when[heap[(at - 1) // 2]] > when[thread]:
            heap[at] = heap[(at - 1) // 2]
            at = (at - 1) // 2
        heap[at] = thread
    return count


@inlined
def _named(data: U8, at: Int, said: tuple[Int, Int, Int]) -> tuple[Int, Int, Int, bool]:
    """(the goroutine that an event names, its place in a key, its state, whether it runs on the thread).

    said: what the event says, which state, and its thread. Of a state that there is none the goroutine is 0.
    """
    what, state, thread = said
    end = data.shape[0]
    goroutine, at = varint(data, at, end)
    second, at = varint(data, at, end)
    if what == TELLS:
        state, at = varint(data, at, end)
        if state < 1 or state > _LAST_STATE:
            return np.int64(0), np.int64(0), np.int64(0), False
        here = state == _RUNNING or (state == _IN_SYSCALL and second == thread)
        return goroutine, np.int64(0), state + TOLD, here
    here = state in (_RUNNING, _IN_SYSCALL)
    if what == BEGINS:
        return goroutine, np.int64(0), state, here
    if second < 0 or second > _MOST_SEQUENCE:
        second = np.int64(_MOST_SEQUENCE)
    return goroutine, second << 1, state, here


@kernel
def list_changes(
    data: U8,
    events: Events,
    batches: I64,
    rank: I64,
    says: Says,
    known: Known,
    threads: Threads,
    place: I64,
    out: Changes,
) -> None:
    """What happens to known goroutines: counts, or stores it by goroutine and, about, by time.

    Args:
        rank: int64[batches], of each one's generation.
        place: int64[g], where the rows of each goroutine begin; moved to where they end.
        out: as ``place`` was with 0 to begin from; empty to count only.

    O(n), and O(log threads) more whenever another thread is next.
    """
    first, turn, when, heap = threads
    count = _begin(events, first, turn, when, heap)
    while count > 0:
        mine = heap[0]
        limit: Int = np.int64(_NEVER)
        if out.key.shape[0] > 0 and count > 1:
            limit = when[heap[1]]
            if count > 2:
                limit = min(limit, when[heap[2]])
        i = turn[mine, CURSOR]
        last = events.start[first[mine + 1]]
        while i < last and events.time[i] <= limit:
            what = says.role[events.kind[i]]
            if what != NOTHING:
                while i >= events.start[turn[mine, BATCH] + 1]:
                    turn[mine, BATCH] += 1
                batch = events.row[turn[mine, BATCH]]
                generation = rank[batch] << _GENERATION
                if what in (OWN, SWITCHES):
                    if turn[mine, RUNS] == 0:
                        sitter = _sitter(known, batches[batch, GENERATION], batches[batch, THREAD])
                        turn[mine, RUNS], turn[mine, INDEX] = sitter, _index(known, sitter)
                        turn[mine, KEY] = generation
                    state = np.int64(says.own[events.kind[i]])
                    _put(place, out, turn[mine, INDEX], (max(turn[mine, KEY], generation) | 1, state, i))
                    if state != _RUNNING and state != _IN_SYSCALL and state != PASSING:
                        turn[mine, RUNS], turn[mine, INDEX] = 0, -1
                if what != OWN:
                    said = what, np.int64(says.named[events.kind[i]]), batches[batch, THREAD]
                    goroutine, sequence, state, here = _named(data, np.int64(events.at[i]), said)
                    index = _index(known, goroutine)
                    _put(place, out, index, (generation | sequence, state, i))
                    if here:
                        turn[mine, RUNS], turn[mine, INDEX] = goroutine, index
                        turn[mine, KEY] = generation | sequence
            i += 1
        turn[mine, CURSOR] = i
        if i < last:
            when[mine] = events.time[i]
        else:
            count -= 1
            heap[0] = heap[count]
        _sift_down(heap, when, count)


@inlined
def _insert(begin: Int, end: Int, changes: Changes) -> bool:
    """Sorts rows that are nearly in order; False where that would take long: rows moved, none is lost."""
    left = 1000 + 4 * (end - begin)
    key, state, event = changes
    for k in range(begin + 1, end):
        if key[k - 1] <= key[k]:
            continue
        moved = key[k], state[k], event[k]
        at = k
        while at > begin and key[at - 1] > moved[0]:
            key[at], state[at], event[at] = key[at - 1], state[at - 1], event[at - 1]
            at -= 1
        key[at], state[at], event[at] = moved
        left -= k - at
        if left < 0:
            return False
    return True


@kernel
def sort_changes(start: I64, changes: Changes, room: Changes, base: I64, slot: I32) -> bool:
    """Sorts the rows of every goroutine by key, those of one key as they stood; whether they could be.

    Sequence numbers have no gaps, so that they are counted: O(n), unless what wrote the trace was wrong.
    start: int64[g + 1]; room: for the rows of one goroutine; base: int64[generations]; slot: int32, four of
    each row of one goroutine.
    """
    key = changes.key
    for part in range(start.shape[0] - 1):
        begin, end = start[part], start[part + 1]
        if _insert(begin, end, changes):
            continue
        first = key[begin] >> _GENERATION
        last = first
        for k in range(begin, end):
            first = min(first, key[k] >> _GENERATION)
            last = max(last, key[k] >> _GENERATION)
        base[first : last + 1] = 0
        for k in range(begin, end):
            generation = key[k] >> _GENERATION
            base[generation] = max(base[generation], (key[k] & _BEHIND_GENERATION) + 1)
        used: Int = np.int64(0)
        for generation in range(first, last + 1):
            used, base[generation] = used + base[generation], used
        if used > slot.shape[0]:
            return False
        slot[:used] = 0
        for k in range(begin, end):
            slot[base[key[k] >> _GENERATION] + (key[k] & _BEHIND_GENERATION)] += 1
        total = 0
        for k in range(used):
            total, slot[k] = total + slot[k], total
        for k in range(begin, end):
            which = base[key[k] >> _GENERATION] + (key[k] & _BEHIND_GENERATION)
            to = slot[which]
            slot[which] = to + 1
            room.key[to] = key[k]
            room.state[to] = changes.state[k]
            room.event[to] = changes.event[k]
        for k in range(end - begin):
            key[begin + k] = room.key[k]
            changes.state[begin + k] = room.state[k]
            changes.event[begin + k] = room.event[k]
    return True


@kernel
def settle(start: I64, changes: Changes, time: I64, passing: I32) -> Int:
    """States out of changes in order, in their place: key becomes since when. How many there are. O(n).

    A goroutine's times never run backwards: what happened later is not earlier. What is told of again is left
    out. start: int64[g + 1], moved to where the states of each begin. passing: int32[m, 2], goroutine's index
    and event.
    """
    n: Int = np.int64(0)
    passed = 0
    for part in range(start.shape[0] - 1):
        begin = start[part]
        start[part] = n
        for k in range(begin, start[part + 1]):
            state = changes.state[k]
            event = changes.event[k]
            if state == PASSING:
                passing[passed, 0] = part
                passing[passed, 1] = event
                passed += 1
                continue
            since: Int = time[event]
            if state >= TOLD:
                if n > start[part]:
                    continue
                since = np.int64(0)
            elif n > start[part]:
                since = max(since, changes.key[n - 1])
            changes.key[n] = since
            changes.state[n] = state & (TOLD - 1)
            changes.event[n] = event
            n += 1
    start[start.shape[0] - 1] = n
    return n


@kernel
def code_states(kind: U8, changes: Changes, table: I32, code: I32, open: I64) -> Int:
    """A number for what each state is and what told of it: table[kind, state]; how many are below 0.

    kind: uint8[events]; table: int32[256, 8]; code: int32[n]; open: those rows that are below 0.
    """
    count = 0
    for i in range(code.shape[0]):
        code[i] = table[kind[changes.event[i]], changes.state[i]]
        if code[i] < 0:
            open[count] = i
            count += 1
    return count


@kernel
def spend(start: I64, label: I32, since: I64, edges: I64, out: I64) -> None:
    """Adds how long states lasted to out[label, between which edges]. O(rows + edges of each goroutine).

    start: int64[g + 1], rows of each goroutine; edges: int64[k + 1], ascending, the last is the end of the
    trace; out: int64[labels, k].
    """
    parts = edges.shape[0] - 1
    for goroutine in range(start.shape[0] - 1):
        part = 0
        for i in range(start[goroutine], start[goroutine + 1]):
            at = since[i]
            until = since[i + 1] if i + 1 < start[goroutine + 1] else edges[parts]
            while part + 1 < parts and edges[part + 1] <= at:
                part += 1
            k = part
            while k < parts and at < until:
                behind = min(until, edges[k + 1])
                out[label[i], k] += max(behind - at, 0)
                at = max(behind, at)
                k += 1


@kernel
def sample_between(data: U8, events: Events, rows: I32, edges: I64, out: I64) -> None:
    """What a metric was between edges: its largest value, the time of its latest, and that one.

    Args:
        rows: int32[k], events whose first number is the value.
        edges: int64[e + 1], ascending; the first part takes what is before, the last what is behind.
        out: int64[e, 3], the time -1 where there is none.
    """
    parts = edges.shape[0] - 1
    part = 0
    for row in rows:
        at = events.time[row]
        value, _ = varint(data, np.int64(events.at[row]), data.shape[0])
        if at < edges[part]:
            part = 0
        while part + 1 < parts and edges[part + 1] <= at:
            part += 1
        if out[part, 1] < 0 or value > out[part, 0]:
            out[part, 0] = value
        if at >= out[part, 1]:
            out[part, 1] = at
            out[part, 2] = value
