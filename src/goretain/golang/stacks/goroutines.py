"""All goroutines that are not dead: state, wait reason, frames, creator, and where each one stopped.

Reads ``runtime.allgs``, ``runtime.g`` (runtime/runtime2.go) and ``runtime.waitReasonStrings``. The goroutine
states are _Gidle to _Gdeadextra of runtime2.go; the scan bit 0x1000 is taken away.
Imports this room, ``golang.packages``, ``capture.image`` and ``snapshot``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from goretain.golang.layout import Program
from goretain.golang.packages import Packages, display_name, package_of
from goretain.golang.stacks.records import RecordReader
from goretain.golang.stacks.stacks import StackFrame, Stacks, StackWords
from goretain.golang.stacks.threads import SystemStack, Threads, read_threads
from goretain.model.errors import MissingMemory
from goretain.snapshot import Frame, Goroutine, Layer

_G = "runtime.g"
_SCAN = 0x1000
STATES = {
    0: "idle",
    1: "runnable",
    2: "running",
    3: "syscall",
    4: "waiting",
    5: "moribund",
    6: "dead",
    8: "copystack",
    9: "preempted",
    10: "leaked",
    11: "deadextra",
}
_NO_STACK = frozenset((0, 6, 11))
#: What cgo writes into the package of the program: calls of C, and of Go from C (cmd/cgo/out.go).
_CGO_STUB = re.compile(r"(^|\.)_(Cfunc|Cgo|cgo)")
#: goid of the main goroutine, which no go statement made.
_MAIN = 1
Ends = Mapping[int, int]  # address of a runtime.g -> end of its outermost frame
_PARKED = frozenset(("waiting", "leaked"))
_G_LIMIT = 1 << 28
#: Started by the runtime, but running the program's code (isSystemGoroutine, runtime/traceback.go).
_USER_STARTS = frozenset(("runtime.main", "runtime.corostart", "runtime.handleAsyncEvent"))


@dataclass(slots=True)
class LiveGoroutine:
    """One goroutine.

    Attributes:
        address: of its runtime.g.
        id, state, wait_reason: goid, one of STATES' names, text of the wait reason ("" unless waiting).
        creator: function of the go statement; start: function that it runs.
        stack_low, stack_high: bounds of its stack.
        frames: innermost first.
        words: the part of the stack in use; None when it was not captured.
        registers: its own registers, when it was stopped in Go code on its own stack.
        at_safe_point: parked by the runtime, so that the stack maps hold for its innermost frame.
        context, deferred, panic: sched.ctxt, _defer and _panic; async_preempted: asyncSafePoint.
        waiting: its first runtime.sudog, 0 without.
        parent: goid of the goroutine that made it, 0 unknown; created_at: pc of the go statement's return.
        waiting_since: g.waitsince, 0 when no collection found it waiting.
    """

    address: int
    id: int
    state: str
    wait_reason: str
    creator: str
    start: str
    stack_low: int
    stack_high: int
    frames: list[StackFrame] = field(default_factory=list)
    words: StackWords | None = None
    registers: dict[str, int] | None = None
    at_safe_point: bool = True
    context: int = 0
    deferred: int = 0
    panic: int = 0
    async_preempted: bool = False
    waiting: int = 0
    parent: int = 0
    created_at: int = 0
    waiting_since: int = 0

    @property
    def waits(self) -> bool:
        """Whether it is parked until something wakes it."""
        return self.state in _PARKED

    @property
    def is_system(self) -> bool:
        """Whether it serves the runtime only."""
        return self.start.startswith("runtime.") and self.start not in _USER_STARTS

    @property
    def layer(self) -> Layer:
        """The root layer of what its stack holds."""
        if self.is_system:
            return Layer.RUNTIME
        return Layer.PARKED if self.state in _PARKED else Layer.RUNNING


@dataclass(slots=True)
class Goroutines:
    """Goroutines, the system stacks in use, and what could not be read (one sentence each); all: addresses of
    every runtime.g, of dead goroutines too."""

    live: list[LiveGoroutine]
    system: list[SystemStack]
    notes: list[str]
    all: list[int]


def read_goroutines(
    program: Program, stacks: Stacks, registers: dict[int, dict[str, int]], ends: Ends | None = None
) -> Goroutines:
    """All goroutines with their frames. Raises UnknownLayout.

    registers: of the captured threads, by thread id; ends: where no more of a stack is known than its frames.
    """

    def in_text(pc: int) -> bool:
        return stacks.plans.find(pc) is not None

    threads = read_threads(program, registers, in_text)
    reader = _Reader(program, stacks, threads, ends or {})
    array, count, _ = program.slice(program.symbol("runtime.allgs"))
    addresses = memoryview(program.memory.read(array, 8 * min(count, _G_LIMIT))).cast("Q") if count else ()
    result = Goroutines([], threads.system, threads.notes, list(addresses))
    for address in result.all:
        try:
            goroutine = reader.read(address)
        except MissingMemory as error:
            result.notes.append(f"a goroutine was not captured: {error.message}")
            continue
        if goroutine is None:
            continue
        try:
            reader.unwind(goroutine)
        except MissingMemory as error:
            result.notes.append(f"the stack of goroutine {goroutine.id} was not captured: {error.message}")
        result.live.append(goroutine)
    return result


def wait_reasons(program: Program) -> list[str]:
    """Texts of runtime.waitReason by value; empty when neither the program nor a layout table tells."""
    symbol, table = program.layout.symbols.get("runtime.waitReasonStrings"), program.layout.table
    if symbol is None:
        return list(table.wait_reasons) if table is not None else []
    return [program.text(symbol.value + program.bias + 16 * i, 128) for i in range(symbol.size // 16)]


_FIELDS = (
    ("atomicstatus",),
    ("goid",),
    ("waitreason",),
    ("stack", "lo"),
    ("stack", "hi"),
    ("gopc",),
    ("startpc",),
    ("sched", "pc"),
    ("sched", "sp"),
    ("sched", "ctxt"),
    ("syscallpc",),
    ("syscallsp",),
    ("_defer",),
    ("_panic",),
    ("asyncSafePoint",),
    ("waiting",),
    ("waitsince",),
    ("parentGoid",),
)


class _Reader:
    """Reads goroutines one by one."""

    def __init__(self, program: Program, stacks: Stacks, threads: Threads, ends: Ends) -> None:
        self._ends = ends
        self._memory = program.memory
        self._stacks = stacks
        self._threads = threads
        self._record = RecordReader(program.layout, _G, *_FIELDS)
        self._reasons = wait_reasons(program)
        self._saved: tuple[int, int] = (0, 0)

    def read(self, address: int) -> LiveGoroutine | None:
        """The goroutine of a g; None when it has no stack. Raises MissingMemory."""
        status, identity, reason, low, high, gopc, startpc, pc, sp, context, syscall_pc, syscall_sp, *rest = (
            self._record.read(self._memory, address)
        )
        number = status & ~_SCAN
        if number in _NO_STACK:
            return None
        state = STATES.get(number, f"state {number}")
        waits = state in _PARKED and reason < len(self._reasons)
        # A goroutine in a system call has moved on since sched was written (unwinder.initAt).
        self._saved = (syscall_pc, syscall_sp) if syscall_sp else (pc, sp)
        return LiveGoroutine(
            address=address,
            id=identity,
            state=state,
            wait_reason=self._reasons[reason] if waits else "",
            creator=self._stacks.function(gopc) if identity != _MAIN else "",
            start=self._stacks.function(startpc),
            stack_low=low,
            stack_high=high,
            context=context,
            deferred=rest[0],
            panic=rest[1],
            async_preempted=bool(rest[2]),
            waiting=rest[3],
            waiting_since=rest[4] if state in _PARKED else 0,
            parent=rest[5],
            created_at=gopc if identity != _MAIN else 0,
        )

    def unwind(self, g: LiveGoroutine) -> None:
        """Fill words, frames and registers of the goroutine read last. Raises MissingMemory."""
        pc, sp = self._saved
        running = g.state == "running"
        g.at_safe_point = not running
        place = self._threads.running.get(g.address)
        if running and place is not None:
            pc, sp, g.registers = place.pc, place.sp, place.registers
        if g.stack_low <= sp < g.stack_high:
            g.words = StackWords(self._memory, sp, self._ends.get(g.address, g.stack_high))
            exact = g.registers is not None
            g.frames = self._stacks.unwind(g.words, pc, sp, at_safe_point=not running, exact=exact)
        elif running:  # nothing says where: every word of the stack may be in use
            g.words = StackWords(self._memory, g.stack_low, g.stack_high)


def speaking_function(g: LiveGoroutine, stacks: Stacks, packages: Packages) -> str:
    """The function that tells an engineer which goroutine this is.

    The innermost one of the program's own module; else of its dependencies; else outside the runtime; else
    the one that the goroutine started with.
    """
    names = [n for f in g.frames for n in stacks.source_names(f) if not _CGO_STUB.search(n)]
    owners = [package_of(name) for name in names]
    ranked = (
        (n for n, p in zip(names, owners, strict=True) if packages.is_own(p)),
        (n for n, p in zip(names, owners, strict=True) if packages.layer(p) is Layer.PROGRAM),
        (n for n, p in zip(names, owners, strict=True) if packages.layer(p) is not Layer.RUNTIME),
    )
    for candidates in ranked:
        found = next(candidates, "")
        if found:
            return display_name(found)
    return display_name(g.start or next(iter(names), ""))


def root_name(g: LiveGoroutine, stacks: Stacks, packages: Packages) -> str:
    """``goroutine 18 [chan receive] main.worker``."""
    state = g.wait_reason or g.state
    if g.state == "leaked":
        state += " (leaked)"
    return f"goroutine {g.id} [{state}] {speaking_function(g, stacks, packages)}".rstrip()


def table(goroutines: Goroutines, stacks: Stacks) -> list[Goroutine]:
    """The snapshot's goroutine table, in the order of ``goroutines.live``."""
    known: dict[int, tuple[Frame, ...]] = {}

    def source(f: StackFrame) -> tuple[Frame, ...]:
        if f.symbol_pc not in known:
            lines = stacks.source_frames(f)
            known[f.symbol_pc] = tuple(Frame(display_name(s.name), s.file, s.line) for s in lines)
        return known[f.symbol_pc]

    places: dict[int, Frame | None] = {}

    def created_at(pc: int) -> Frame | None:
        if pc not in places:
            found = stacks.source_at(pc)
            places[pc] = Frame(display_name(found.name), found.file, found.line) if found else None
        return places[pc]

    return [
        Goroutine(
            id=g.id,
            state=g.state,
            wait_reason=g.wait_reason,
            frames=tuple(s for f in g.frames for s in source(f)),
            creator=display_name(g.creator),
            stack_bytes=g.stack_high - g.stack_low,
            created_at=created_at(g.created_at),
            parent=g.parent or None,
            start=display_name(g.start),
            system=g.is_system,
            waiting_since=g.waiting_since or None,
        )
        for g in goroutines.live
    ]
