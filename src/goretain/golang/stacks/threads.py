"""The threads of the program as the runtime sees them: which M a captured thread is, and where its goroutine
stopped.

Reads ``runtime.allm``, ``runtime.m`` (g0, gsignal, curg, p, procid, vdsoSP, vdsoPC, alllink) and
``runtime.g`` (stack, sched, atomicstatus) of runtime/runtime2.go. A thread that runs Go code has its
registers' stack pointer in curg's stack; on the system stack curg's place is in g.sched (systemstack, mcall)
or m.vdsoSP (time); in a signal handler it is in the ucontext that the kernel put on the signal stack.
Imports ``golang.layout`` and ``model``.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable
from dataclasses import dataclass

from goretain.golang.layout import Program, Readable
from goretain.model.errors import MissingMemory

_M, _G = "runtime.m", "runtime.g"
_M_LIMIT = 1 << 20
_SYSCALL = 3
#: mcontext_t of amd64 (asm/sigcontext.h): r8-r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip.
_SIGCONTEXT = (
    *("r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"),
    *("rdi", "rsi", "rbp", "rbx", "rdx", "rax", "rcx", "rsp", "rip"),
)
#: General registers that may hold a pointer of the program.
POINTER_REGISTERS = tuple(name for name in _SIGCONTEXT if name not in ("rsp", "rip"))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a running goroutine stopped; registers when they are its own, None when it called the runtime."""

    pc: int
    sp: int
    registers: dict[str, int] | None


@dataclass(frozen=True, slots=True)
class SystemStack:
    """A system or signal stack in use by a thread that owns a P: [start, end) is scanned conservatively."""

    thread: int
    name: str
    start: int
    end: int
    registers: dict[str, int]


@dataclass(slots=True)
class Threads:
    """running: address of a g -> where it stopped; system: stacks in use; notes: what was not found."""

    running: dict[int, Place]
    system: list[SystemStack]
    notes: list[str]


def read_threads(
    program: Program, registers: dict[int, dict[str, int]], in_text: Callable[[int], bool]
) -> Threads:
    """Match captured threads with Ms. registers: by thread id; in_text: whether an address is Go code."""
    threads = Threads({}, [], [])
    by_stack = sorted((r["rsp"], tid) for tid, r in registers.items())
    m = program.word(program.symbol("runtime.allm"))
    for _ in range(_M_LIMIT):
        if not m:
            break
        try:
            _read_m(program, m, registers, by_stack, in_text, threads)
        except MissingMemory as error:
            threads.notes.append(f"a thread of the runtime could not be read: {error.message}")
        m = program.uint(m, _M, "alllink")
    return threads


def stack_of(program: Program, g: int) -> tuple[int, int]:
    """[low, high) of a g's stack; (0, 0) when there is none."""
    if not g:
        return 0, 0
    return program.uint(g, _G, "stack", "lo"), program.uint(g, _G, "stack", "hi")


def _read_m(
    program: Program,
    m: int,
    registers: dict[int, dict[str, int]],
    by_stack: list[tuple[int, int]],
    in_text: Callable[[int], bool],
    threads: Threads,
) -> None:
    curg = program.uint(m, _M, "curg")
    if not program.uint(m, _M, "p") or (curg and program.uint(curg, _G, "atomicstatus") & 0xFFF == _SYSCALL):
        return  # without a P a thread may not touch the heap
    stacks = {name: stack_of(program, g) for name, g in _stacks(program, m, curg).items()}
    on, tid = _where(stacks, by_stack)
    if not on and program.uint(m, _M, "procid") in registers:
        tid = program.uint(m, _M, "procid")
    own = registers.get(tid, {})
    if on in ("g0", "gsignal"):
        threads.system.append(SystemStack(tid, on, own["rsp"], stacks[on][1], own))
    if not curg:
        return
    if on == "curg":
        threads.running[curg] = Place(own["rip"], own["rsp"], own)
        return
    place = _saved_place(program, m, curg, own, stacks, in_text)
    if place is not None:
        threads.running[curg] = place
    else:
        goid = program.uint(curg, _G, "goid")
        threads.notes.append(f"goroutine {goid} runs, but its stack pointer was not found")


def _stacks(program: Program, m: int, curg: int) -> dict[str, int]:
    return {"curg": curg, "g0": program.uint(m, _M, "g0"), "gsignal": program.uint(m, _M, "gsignal")}


def _where(stacks: dict[str, tuple[int, int]], by_stack: list[tuple[int, int]]) -> tuple[str, int]:
    """Name of the stack that a captured thread runs on, and the thread; ("", -1) when none does."""
    for name, (low, high) in stacks.items():
        at = bisect.bisect_left(by_stack, (low, -1))
        if at < len(by_stack) and by_stack[at][0] < high:
            return name, by_stack[at][1]
    return "", -1


def _saved_place(
    program: Program,
    m: int,
    curg: int,
    own: dict[str, int],
    stacks: dict[str, tuple[int, int]],
    in_text: Callable[[int], bool],
) -> Place | None:
    low, high = stacks["curg"]
    signal = stacks["gsignal"]
    rsp = own.get("rsp", 0)
    if signal[0] <= rsp < signal[1]:
        place = interrupted(program.memory, rsp, signal[1], (low, high), in_text)
        if place is not None:
            return place
    sp = program.uint(m, _M, "vdsoSP")
    if low <= sp < high:
        return Place(program.uint(m, _M, "vdsoPC"), sp, None)
    sp = program.uint(curg, _G, "sched", "sp")
    if low <= sp < high:
        return Place(program.uint(curg, _G, "sched", "pc"), sp, None)
    return None


def interrupted(
    memory: Readable, start: int, end: int, stack: tuple[int, int], in_text: Callable[[int], bool]
) -> Place | None:
    """The goroutine's registers in the ucontext on a signal stack: the pair (rsp, rip) nearest the top."""
    words = memoryview(memory.read(start & ~7, end - (start & ~7) & ~7)).cast("Q")
    for i in range(len(words) - 2, len(_SIGCONTEXT) - 3, -1):
        if stack[0] <= words[i] < stack[1] and in_text(words[i + 1]):
            first = i - len(_SIGCONTEXT) + 2
            found = {name: words[first + k] for k, name in enumerate(_SIGCONTEXT)}
            return Place(found["rip"], found["rsp"], found)
    return None
