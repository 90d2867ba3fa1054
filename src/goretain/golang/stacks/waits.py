"""What each waiting goroutine waits for: the channels, locks and conditions behind its sudogs.

A goroutine that a channel, select, lock, WaitGroup or Cond has parked stands in that one's queue with a
``runtime.sudog`` (runtime/runtime2.go). Channels and selects list theirs in ``g.waiting`` (chan.go,
select.go); a select whose channels are all nil has none: the list is complete before it parks, and only the
goroutine empties it, after it was woken. From Go 1.26 semaphores and conditions list theirs too (sema.go).
Before, the sudog is a local variable of the functions that parked the goroutine: it is recognised there by
``sudog.g``, which names its goroutine only while it stands in a queue. ``sudog.c`` is the channel,
``sudog.elem`` the semaphore's word; a condition before 1.26 is the ``notifyList`` (sema.go) whose queue the
sudog stands in.
Imports this room, ``golang.layout``, ``snapshot`` and ``model``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from goretain.golang.layout import Layout, Program
from goretain.golang.stacks.goroutines import LiveGoroutine
from goretain.golang.stacks.records import RecordReader
from goretain.model.errors import MissingMemory, UnknownLayout
from goretain.snapshot import WaitKind

_SUDOG, _LIST, _COND = "runtime.sudog", "runtime.notifyList", "sync.Cond"
#: Texts of waitReasonStrings (runtime/runtime2.go); in a synctest bubble they end in (durable).
_KINDS = {
    "chan receive": WaitKind.CHANNEL_RECEIVE,
    "chan send": WaitKind.CHANNEL_SEND,
    "select": WaitKind.SELECT,
    "sync.Mutex.Lock": WaitKind.MUTEX,
    "sync.RWMutex.RLock": WaitKind.RW_MUTEX_READ,
    "sync.RWMutex.Lock": WaitKind.RW_MUTEX_WRITE,
    "sync.WaitGroup.Wait": WaitKind.WAIT_GROUP,
    "sync.Cond.Wait": WaitKind.COND,
    "semacquire": WaitKind.SEMAPHORE,
    "sleep": WaitKind.SLEEP,
    "IO wait": WaitKind.IO,
}
_NOTHING = {
    "chan receive (nil chan)": WaitKind.CHANNEL_RECEIVE,
    "chan send (nil chan)": WaitKind.CHANNEL_SEND,
    "select (no cases)": WaitKind.SELECT,
}
_CHANNELS = frozenset((WaitKind.CHANNEL_RECEIVE, WaitKind.CHANNEL_SEND, WaitKind.SELECT))
_TIMED = frozenset((WaitKind.SLEEP, WaitKind.IO, WaitKind.OTHER))
#: Until Go 1.24 a WaitGroup waits like any semaphore: its own function in the stack tells it.
_WAIT_GROUP = "sync.(*WaitGroup).Wait"
_CASES = 1 << 16  # of one select (runtime/select.go)
_WAITERS = 1 << 24  # of one condition
#: Functions from gopark to the caller of the one that has the sudog: gopark, goparkunlock, semacquire1,
#: sync.runtime_SemacquireRWMutex, RWMutex.rlock and the like.
_DEPTH = 8
NOTHING, UNKNOWN = 0, -1


@dataclass(frozen=True, slots=True)
class Wait:
    """One thing that a goroutine waits for: its position in ``Goroutines.live``, WaitKind, address (NOTHING,
    UNKNOWN)."""

    goroutine: int
    kind: WaitKind
    address: int


@dataclass(slots=True)
class WaitTable:
    """What all goroutines wait for, in their order; sudogs: addresses of those that stand in queues."""

    rows: list[Wait] = field(default_factory=list)
    sudogs: set[int] = field(default_factory=set)


def read_waits(program: Program, goroutines: list[LiveGoroutine]) -> WaitTable | None:
    """What goroutines wait for; None when nothing describes the runtime's queues."""
    try:
        reader = _Reader(program)
    except UnknownLayout:
        return None
    table = WaitTable()
    for position, goroutine in enumerate(goroutines):
        if goroutine.waits:
            kind, addresses = reader.read(goroutine)
            table.rows += [Wait(position, kind, address) for address in addresses]
    table.sudogs = reader.sudogs
    return table


@dataclass(frozen=True, slots=True)
class Sudog:
    """A sudog: its own address, its goroutine's, what it waits for, the next one of the same goroutine."""

    address: int
    goroutine: int
    element: int
    channel: int
    following: int


class SudogReader:
    """Reads the sudogs that goroutines list. Raises UnknownLayout."""

    def __init__(self, program: Program) -> None:
        layout = program.layout
        self._memory = program.memory
        fields = (("g",), _pointer(layout, "elem"), _pointer(layout, "c"), ("waitlink",))
        self._record = RecordReader(layout, _SUDOG, *fields)

    def listed(self, g: LiveGoroutine) -> list[Sudog]:
        """Those of ``g.waiting``, none if one of them is another goroutine's. Raises MissingMemory."""
        found: list[Sudog] = []
        at = g.waiting
        while at and len(found) < _CASES:
            sudog = self.at(at)
            if sudog.goroutine != g.address:
                return []
            found.append(sudog)
            at = sudog.following
        return found

    def at(self, address: int) -> Sudog:
        """The one at an address. Raises MissingMemory."""
        return Sudog(address, *self._record.read(self._memory, address))


class _Reader:
    """Reads what goroutines wait for, one by one."""

    def __init__(self, program: Program) -> None:
        layout = program.layout
        self.sudogs: set[int] = set()
        self._memory = program.memory
        self._queue = SudogReader(program)
        self._goroutine_at = layout.offset(_SUDOG, "g")
        self._next = RecordReader(layout, _SUDOG, ("next",))
        # The linker leaves out what a program without conditions does not need.
        self._head = RecordReader(layout, _LIST, ("head",)) if layout.has(_LIST, "head") else None
        self._list_in_cond = layout.offset(_COND, "notify") if layout.has(_COND, "notify") else None
        self._list_of: dict[int, int] = {}

    def read(self, g: LiveGoroutine) -> tuple[WaitKind, list[int]]:
        """Kind of the wait, and the addresses that it is for."""
        reason = g.wait_reason.removesuffix(" (durable)").removesuffix(" (synctest)")
        if reason in _NOTHING:
            return _NOTHING[reason], [NOTHING]
        kind = _KINDS.get(reason, WaitKind.OTHER)
        if kind in _TIMED:
            return kind, [UNKNOWN]
        try:
            if kind in _CHANNELS:
                # While it is parked only the goroutine itself could have emptied the list.
                if kind is WaitKind.SELECT and not g.waiting:
                    return kind, [NOTHING]
                return kind, self._channels(g) or [UNKNOWN]
            if kind is WaitKind.SEMAPHORE and any(f.function == _WAIT_GROUP for f in g.frames[:_DEPTH]):
                kind = WaitKind.WAIT_GROUP
            return kind, [self._semaphore(g)]
        except MissingMemory:
            return kind, [UNKNOWN]

    def _channels(self, g: LiveGoroutine) -> list[int]:
        """Channels of a send, receive or select; a select on one channel twice has it once."""
        listed = self._queue.listed(g)
        self.sudogs.update(sudog.address for sudog in listed)
        return list(dict.fromkeys(sudog.channel or UNKNOWN for sudog in listed))

    def _semaphore(self, g: LiveGoroutine) -> int:
        """Address of the semaphore's word or of the condition's list."""
        sudog = self._own_sudog(g)
        if sudog is None:
            return UNKNOWN
        self.sudogs.add(sudog.address)
        return sudog.element or self._list(g, sudog) or UNKNOWN

    def _own_sudog(self, g: LiveGoroutine) -> Sudog | None:
        for at in (g.waiting, *self._words(g)):
            if not at or at % 8 or not self._is_own(at, g):
                continue
            sudog = self._queue.at(at)
            if not sudog.channel:
                return sudog
        return None

    def _is_own(self, at: int, g: LiveGoroutine) -> bool:
        try:
            named = self._memory.read(at + self._goroutine_at, 8)
        except MissingMemory:
            return False
        return int.from_bytes(named, "little") == g.address and not g.stack_low <= at < g.stack_high

    @staticmethod
    def _words(g: LiveGoroutine) -> Iterator[int]:
        """Words of the frames that parked the goroutine, each value once."""
        if g.words is None or not g.frames:
            return iter(())
        top = g.frames[: _DEPTH + 1][-1].cfa
        words = g.words.words[: max(top - g.words.low, 0) // 8]
        return iter(dict.fromkeys(words))

    def _list(self, g: LiveGoroutine, sudog: Sudog) -> int:
        """The notifyList whose queue the sudog stands in: the stack still knows it, or its sync.Cond."""
        if sudog.address in self._list_of:
            return self._list_of[sudog.address]
        for word in self._words(g) if self._head is not None else ():
            for at in (word, word + self._list_in_cond if self._list_in_cond is not None else 0):
                if at and at % 8 == 0 and self._queues(at, sudog.address):
                    return at
        return 0

    def _queues(self, at: int, wanted: int) -> bool:
        """Whether a notifyList at an address queues a sudog; then remembers all that it queues."""
        assert self._head is not None
        found: list[int] = []
        try:
            (sudog,) = self._head.read(self._memory, at)
            while sudog and sudog % 8 == 0 and len(found) < _WAITERS and sudog not in self._list_of:
                found.append(sudog)
                (sudog,) = self._next.read(self._memory, sudog)
                if len(found) == 1 and wanted != found[0] and not self._is_queued(found[0]):
                    return False
        except MissingMemory:
            return False
        if wanted not in found:
            return False
        self._list_of |= dict.fromkeys(found, at)
        return True

    def _is_queued(self, at: int) -> bool:
        """Whether a sudog names a goroutine; a word that is none of a list rarely leads to such."""
        return bool(self._queue.at(at).goroutine)


def _pointer(layout: Layout, name: str) -> tuple[str, ...]:
    """Path of a sudog's pointer: from Go 1.26 it is hidden from the collector in a maybeTraceablePtr."""
    return (name, "vu") if layout.has(_SUDOG, name, "vu") else (name,)
