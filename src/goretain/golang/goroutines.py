"""All goroutines that are not dead: state, wait reason, frames, creator, and where each one stopped.

Reads ``runtime.allgs``, ``runtime.g`` (runtime/runtime2.go) and ``runtime.waitReasonStrings``. The goroutine
states are _Gidle to _Gdeadextra of runtime2.go; the scan bit 0x1000 is taken away.
Imports ``golang.stacks``, ``golang.threads``, ``golang.packages``, ``capture.image`` and ``snapshot``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from goretain.golang.layout import Program
from goretain.golang.packages import Packages, display_name, package_of
from goretain.golang.stacks import StackFrame, Stacks, StackWords
from goretain.golang.threads import SystemStack, Threads, read_threads, stack_of
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
#: goid of the main goroutine, which no go statement made.
_MAIN = 1
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
    """Goroutines, the system stacks in use, and what could not be read (one sentence each)."""

    live: list[LiveGoroutine]
    system: list[SystemStack]
    notes: list[str]


def read_goroutines(program: Program, stacks: Stacks, registers: dict[int, dict[str, int]]) -> Goroutines:
    """All goroutines with their frames.

    registers: of the captured threads, by thread id. Raises UnknownLayout.
    """

    def in_text(pc: int) -> bool:
        return stacks.plans.find(pc) is not None

    threads = read_threads(program, registers, in_text)
    reasons = wait_reasons(program)
    array, count, _ = program.slice(program.symbol("runtime.allgs"))
    result = Goroutines([], threads.system, threads.notes)
    addresses = memoryview(program.memory.read(array, 8 * min(count, _G_LIMIT))).cast("Q")
    for address in addresses:
        goroutine = _read(program, stacks, address, reasons)
        if goroutine is None:
            continue
        try:
            _unwind(program, stacks, goroutine, threads)
        except MissingMemory as error:
            result.notes.append(f"the stack of goroutine {goroutine.id} was not captured: {error.message}")
        result.live.append(goroutine)
    return result


def wait_reasons(program: Program) -> list[str]:
    """Texts of runtime.waitReason by value; empty when the program has no such table."""
    symbol = program.layout.elf.symbols.get("runtime.waitReasonStrings")
    if symbol is None:
        return []
    return [program.text(symbol.value + program.bias + 16 * i, 128) for i in range(symbol.size // 16)]


def _read(program: Program, stacks: Stacks, g: int, reasons: list[str]) -> LiveGoroutine | None:
    number = program.uint(g, _G, "atomicstatus") & ~_SCAN
    if number in _NO_STACK:
        return None
    state = STATES.get(number, f"state {number}")
    reason = program.uint(g, _G, "waitreason") if state in _PARKED else 0
    low, high = stack_of(program, g)
    identity = program.uint(g, _G, "goid")
    return LiveGoroutine(
        address=g,
        id=identity,
        state=state,
        wait_reason=reasons[reason] if state in _PARKED and reason < len(reasons) else "",
        creator=stacks.function(program.uint(g, _G, "gopc")) if identity != _MAIN else "",
        start=stacks.function(program.uint(g, _G, "startpc")),
        stack_low=low,
        stack_high=high,
    )


def _unwind(program: Program, stacks: Stacks, g: LiveGoroutine, threads: Threads) -> None:
    """Fill words, frames, registers. Raises MissingMemory."""
    pc, sp = program.uint(g.address, _G, "sched", "pc"), program.uint(g.address, _G, "sched", "sp")
    if program.uint(g.address, _G, "syscallsp"):
        pc, sp = program.uint(g.address, _G, "syscallpc"), program.uint(g.address, _G, "syscallsp")
    place = threads.running.get(g.address)
    if g.state == "running":
        g.at_safe_point = False
        if place is not None:
            pc, sp, g.registers = place.pc, place.sp, place.registers
    if not g.stack_low <= sp < g.stack_high:
        if g.state == "running":  # nothing says where: every word of the stack may be in use
            g.words = StackWords(program.memory, g.stack_low, g.stack_high)
        return
    g.words = StackWords(program.memory, sp, g.stack_high)
    g.frames = stacks.unwind(g.words, pc, sp, at_safe_point=g.at_safe_point)


def speaking_function(g: LiveGoroutine, stacks: Stacks, packages: Packages) -> str:
    """The function that tells an engineer which goroutine this is.

    The innermost one of the program's own module; else of its dependencies; else outside the runtime; else
    the one that the goroutine started with.
    """
    names = [s.name for f in g.frames for s in stacks.source_frames(f)]
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

    return [
        Goroutine(
            id=g.id,
            state=g.state,
            wait_reason=g.wait_reason,
            frames=tuple(s for f in g.frames for s in source(f)),
            creator=display_name(g.creator),
            stack_bytes=g.stack_high - g.stack_low,
        )
        for g in goroutines.live
    ]
