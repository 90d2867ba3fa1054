"""Goroutine stacks: their words, their frames, and the names of what stands in them.

Unwinding follows (*unwinder).resolveInternal and next (runtime/traceback.go): the pcsp table gives each
frame's size, the word under the CFA the caller's pc, FuncFlagTopFrame ends the stack, FuncFlagSPWrite ends
what can be known.
Imports this room, ``golang.types`` and ``golang.layout``.
"""

from __future__ import annotations

from dataclasses import dataclass

from goretain.debuginfo.pclntab.pclntab import FLAG_SP_WRITE, FLAG_TOP_FRAME, SourceFrame
from goretain.golang.layout import Program, Readable
from goretain.golang.modules import Module
from goretain.golang.stacks.stackmaps import CONSERVATIVE_CALLS, NOT_SAFE_POINTS, FramePlan, FramePlans
from goretain.golang.stacks.variables import FrameNames, SlotName
from goretain.golang.types.claims import Claims
from goretain.golang.types.universe import TypeUniverse
from goretain.model.errors import MissingMemory

_FRAME_LIMIT = 1 << 16
#: It writes the stack pointer, but has a frame on both stacks meanwhile (resolveInternal).
_UNWINDABLE_SP_WRITER = "runtime.cgocallback"


class StackWords:
    """The words [low, high) of one stack, read at once."""

    def __init__(self, memory: Readable, low: int, high: int) -> None:
        """Raises MissingMemory when a part was not captured."""
        self.low = low & ~7
        self.high = high & ~7
        self.words = memoryview(memory.read(self.low, self.high - self.low)).cast("Q")

    def word(self, address: int) -> int:
        """Value at an aligned address of the stack. Raises MissingMemory outside."""
        if not self.low <= address <= self.high - 8:
            raise MissingMemory(address)
        return self.words[(address - self.low) >> 3]


@dataclass(frozen=True, slots=True)
class StackFrame:
    """One physical frame.

    Attributes:
        pc: where it continues: a return address, or the next instruction of an innermost frame.
        sp, cfa: the frame is [sp, cfa); the word under cfa is the return address.
        plan: what its function keeps in it at pc.
        innermost: no frame was called from it.
        exact: pc is the next instruction, not a return address.
        conservative: it did not stop at a safe point, so every word may be a pointer.
        live: execution continues in it; not so for one that a fault ended and that defers nothing.
    """

    pc: int
    sp: int
    cfa: int
    plan: FramePlan
    innermost: bool
    exact: bool
    conservative: bool
    live: bool = True

    @property
    def function(self) -> str:
        """Full name of the function, ``main.(*cache).get``."""
        return self.plan.func.name

    @property
    def symbol_pc(self) -> int:
        """The pc that describes the frame: inside the call instruction, for a return address."""
        return self.pc if self.exact or self.pc == self.plan.func.entry else self.pc - 1


class Stacks:
    """Unwinds and names stacks of one program."""

    def __init__(
        self,
        program: Program,
        universe: TypeUniverse,
        modules: list[Module],
        claims: Claims | None = None,
    ) -> None:
        """claims: what the code says, where no debug information describes functions."""
        self.program = program
        self.modules = modules
        self.plans = FramePlans(program, modules)
        self.names = FrameNames(program, universe, claims)
        self._sources: dict[int, list[SourceFrame]] = {}
        self._calls: dict[int, tuple[str, ...]] = {}

    def unwind(
        self, words: StackWords, pc: int, sp: int, *, at_safe_point: bool = True, exact: bool = False
    ) -> list[StackFrame]:
        """Frames from (pc, sp) outwards, innermost first; ends early where the stack cannot be followed.

        Args:
            at_safe_point: the goroutine was parked by the runtime; otherwise the innermost frame and the
                frames of the runtime directly above it are conservative.
            exact: pc is the next instruction, not a return address.
        """
        frames: list[StackFrame] = []
        injected, in_runtime, callee = False, not at_safe_point, ""
        while len(frames) < _FRAME_LIMIT:
            plan = self.plans.plan(pc)
            if plan is None:
                break
            first = not frames
            in_runtime = in_runtime and plan.func.name.startswith("runtime.")
            # a write barrier also saves its caller's registers in its own frame
            barrier = not NOT_SAFE_POINTS.isdisjoint((callee, plan.func.name))
            unsafe = (first and not at_safe_point) or in_runtime or injected or barrier
            injects = plan.func.name in CONSERVATIVE_CALLS
            stopped = injected or callee == "runtime.sigpanic" or (first and exact)
            cfa = sp + plan.delta
            maps, live = plan, True
            if callee == "runtime.sigpanic":
                maps, live = self._after_fault(plan)
            frames.append(StackFrame(pc, sp, cfa, maps, first, stopped, unsafe or injects, live))
            if plan.func.flag & FLAG_TOP_FRAME or cfa > words.high or self._sp_unknown(plan, first):
                break
            pc, sp, callee, injected = words.word(cfa - 8), cfa, plan.func.name, injects
        return frames

    def _after_fault(self, plan: FramePlan) -> tuple[FramePlan, bool]:
        """Where a function that faulted continues: at its deferred calls, or nowhere (frame.continpc)."""
        func = plan.func
        if not func.deferreturn:
            return plan, False
        return self.plans.plan(func.entry + func.deferreturn + 1) or plan, True

    @staticmethod
    def _sp_unknown(plan: FramePlan, first: bool) -> bool:
        writes = bool(plan.func.flag & FLAG_SP_WRITE) and plan.func.name != _UNWINDABLE_SP_WRITER
        return writes and not first

    def function(self, pc: int) -> str:
        """Name of the function that holds pc, "" outside Go code."""
        found = self.plans.find(pc)
        return found[1].name if found else ""

    def source_frames(self, frame: StackFrame) -> list[SourceFrame]:
        """The calls of the source that a frame stands for, inlined ones first, its own function last."""
        if frame.symbol_pc not in self._sources:
            found = frame.plan.module.functions.frames(frame.plan.func, frame.symbol_pc)
            self._sources[frame.symbol_pc] = found
        return self._sources[frame.symbol_pc]

    def source_at(self, pc: int) -> SourceFrame | None:
        """The innermost call of the source at a return address, None outside Go code."""
        found = self.plans.find(pc)
        if found is None:
            return None
        module, func = found
        frames = module.functions.frames(func, pc - 1 if pc > func.entry else pc)
        return frames[0] if frames else None

    def register_names(self, frame: StackFrame) -> dict[str, SlotName]:
        """Variable names of the registers of a frame that stopped at its pc."""
        return self.names.registers(frame.plan, frame.pc) if frame.exact else {}

    def source_names(self, frame: StackFrame) -> tuple[str, ...]:
        """Names of ``source_frames``."""
        if frame.symbol_pc not in self._calls:
            self._calls[frame.symbol_pc] = tuple(f.name for f in self.source_frames(frame))
        return self._calls[frame.symbol_pc]

    def slot_names(self, frame: StackFrame) -> dict[int, SlotName]:
        """Variable names of the frame's pointer words, by offset from the CFA."""
        return self.names.at(frame.plan, frame.pc, frame.symbol_pc)
