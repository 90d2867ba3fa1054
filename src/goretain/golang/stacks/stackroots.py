"""The root words of goroutine stacks, of registers and of system stacks, each with its name and type.

Joins the scan (``stackscan``) with the names (``variables``). Reads ``runtime.g`` sched.ctxt and xRegs
(runtime/runtime2.go, runtime/preempt_xreg.go). Imports ``golang`` rooms below it and ``model``.
"""

from __future__ import annotations

from typing import NamedTuple

from goretain.golang.layout import Program
from goretain.golang.packages import display_name
from goretain.golang.stacks.goroutines import LiveGoroutine
from goretain.golang.stacks.passing import PassedValues
from goretain.golang.stacks.stacks import StackFrame, Stacks, StackWords
from goretain.golang.stacks.stackscan import LiveWord, StackScan
from goretain.golang.stacks.threads import POINTER_REGISTERS, SystemStack
from goretain.golang.stacks.variables import nameless_slot, pointer_part
from goretain.golang.types.gotypes import GoType, Leaf
from goretain.golang.types.universe import TypeUniverse
from goretain.model.errors import MissingMemory

_G = "runtime.g"
#: Elements of a slice: more is a length that was misread.
_SLICE_LIMIT = 1 << 40
#: Where runtime.asyncPreempt saves the registers of the frame above it, from its sp
#: (runtime/preempt_amd64.s).
_SAVED_REGISTERS = (
    *("rax", "rcx", "rdx", "rbx", "rsi", "rdi", "r8"),
    *("r9", "r10", "r11", "r12", "r13", "r14", "r15"),
)


class StackRoot(NamedTuple):
    """One root word: where it stands (0: a register), its value, path, typed leaf, how it was found."""

    address: int
    value: int
    path: str
    leaf: Leaf | None
    conservative: bool


class StackRoots:
    """Finds and names root words of stacks."""

    def __init__(self, program: Program, universe: TypeUniverse, stacks: Stacks) -> None:
        self._program = program
        self.stacks = stacks
        self._context_at = program.layout.offset(_G, "sched", "ctxt")
        self._passed = PassedValues(program, universe)
        self._labels: dict[tuple[int, bool, int], tuple[str, Leaf | None]] = {}
        self._function = Leaf(0, "func", GoType("func()", "func", 8), "")
        self._notes = {
            "(deferred call)": self._function,
            "(defer record)": self._pointer_to(universe, "runtime._defer"),
            "(next defer)": self._pointer_to(universe, "runtime._defer"),
            "(context)": self._function,
        }

    @staticmethod
    def _pointer_to(universe: TypeUniverse, name: str) -> Leaf | None:
        t = universe.struct(name)
        return Leaf(0, "ptr", GoType(f"*{name}", "ptr", 8, elem_ref=t), "") if t is not None else None

    def of_goroutine(self, g: LiveGoroutine) -> list[StackRoot]:
        """Everything that a goroutine's stack and registers hold. Raises MissingMemory."""
        roots = self._registers(g.registers, g.frames[0]) if g.registers and g.frames else []
        if g.words is None:
            return roots
        scan = StackScan(self._program, g.words, g.stack_low, g.stack_high)
        for i, frame in enumerate(g.frames):
            scan.add_frame(frame, i)
        if not g.frames and not g.at_safe_point:
            scan.add_range(g.stack_low, g.stack_high, -1)
        self._add_outside(scan, g)
        words, pointers = self._passed.of(g)
        for word in scan.finish():
            root = self._named(g.frames, word)
            if _is_untyped(root.leaf) and word.frame >= 0 and not word.conservative:
                root = self._passing(root, words.get(word.address), pointers.get(word.value))
            roots.append(root)
        return roots

    @staticmethod
    def _passing(root: StackRoot, part: Leaf | None, pointer: Leaf | None) -> StackRoot:
        """A word without a type: what it is as part of a value that a channel passes, or as its address."""
        if part is not None:
            path = root.path + part.path if root.path.endswith(")") else root.path
            return root._replace(path=path, leaf=part)
        return root if pointer is None else root._replace(leaf=pointer)

    def of_system_stack(self, stack: SystemStack) -> list[StackRoot]:
        """Every word of a system stack in use, and the registers of its thread. Raises MissingMemory."""
        roots = [
            StackRoot(0, stack.registers[name], f":(register {name})", None, True)
            for name in POINTER_REGISTERS
            if stack.registers.get(name)
        ]
        words = StackWords(self._program.memory, stack.start, stack.end)
        for i, value in enumerate(words.words):
            if value:
                roots.append(StackRoot(words.low + 8 * i, value, f"+{8 * i:#x}", None, True))
        return roots

    def _registers(self, registers: dict[str, int], frame: StackFrame) -> list[StackRoot]:
        return [
            StackRoot(0, registers[name], self._register_path(frame, name), None, True)
            for name in POINTER_REGISTERS
            if registers.get(name)
        ]

    def _register_path(self, frame: StackFrame, register: str) -> str:
        found = self.stacks.register_names(frame).get(register)
        if found is None:
            return f":{display_name(frame.function)}.(register {register})"
        return f":{display_name(found.function or frame.function)}.{found.variable}"

    def _add_outside(self, scan: StackScan, g: LiveGoroutine) -> None:
        """What scanstack scans beside the frames: sched.ctxt, saved vector registers, defers, the panic."""
        p, layout = self._program, self._program.layout
        scan.add_value(g.address + self._context_at, g.context, "(context)")
        scan.add_defers(g.deferred)
        scan.add_value(0, g.panic, "(panic)")
        if not g.async_preempted or not layout.has(_G, "xRegs", "state"):
            return
        state = p.uint(g.address, _G, "xRegs", "state")
        if state:
            size = layout.size("runtime.xRegState")
            for at in range(state, state + size - 7, 8):
                scan.add_value(at, p.word(at), "(vector register)", conservative=True)

    def _named(self, frames: list[StackFrame], word: LiveWord) -> StackRoot:
        if word.frame < 0:
            leaf = self._notes.get(word.note)
            return StackRoot(word.address, word.value, f":{word.note}", leaf, word.conservative)
        frame = frames[word.frame]
        saved = _saved_register(frame, word.address)
        if saved and word.frame + 1 < len(frames):
            path = self._register_path(frames[word.frame + 1], saved)
            return StackRoot(word.address, word.value, path, None, word.conservative)
        key = (frame.pc, frame.exact, word.address - frame.cfa)
        label = self._labels.get(key)
        if label is None:
            label = self._labels[key] = self._label(frame, word.address - frame.cfa)
        path, leaf = label
        if word.conservative:
            leaf = None
        elif not path:
            path, leaf = self._temporary(frame, word)
        elif self.stacks.names.claims is not None and leaf is not None and leaf.kind == "slice":
            leaf = self._whole_slice(leaf, word)
        path = path or f":{display_name(frame.function)}.{self._unnamed(word.address - frame.cfa)}"
        return StackRoot(word.address, word.value, path, leaf, word.conservative)

    def _unnamed(self, offset: int) -> str:
        return "(temporary)" if self.stacks.names.claims is None else nameless_slot(offset)

    def _whole_slice(self, leaf: Leaf, word: LiveWord) -> Leaf | None:
        """The leaf of a slice whose length and capacity stand behind its pointer, else of its pointer
        only."""
        try:
            _, length, capacity = self._program.slice(word.address)
        except MissingMemory:
            return pointer_part(leaf)
        return leaf if 0 < length <= capacity < _SLICE_LIMIT else pointer_part(leaf)

    def _label(self, frame: StackFrame, offset: int) -> tuple[str, Leaf | None]:
        """Path and leaf of the variable at an offset from the CFA, ("", None) when no variable is there."""
        name = self.stacks.slot_names(frame).get(offset)
        if name is None:
            return "", None
        return f":{display_name(name.function or frame.function)}.{name.variable}", name.leaf

    def _temporary(self, frame: StackFrame, word: LiveWord) -> tuple[str, Leaf | None]:
        """A word without a variable: the running closure, whose first word is the function, or unknown."""
        try:
            first = self._program.word(word.value) if not word.value & 7 else 0
        except MissingMemory:
            first = 0
        if first != frame.plan.func.entry:
            return "", None
        return f":{display_name(frame.function)}.(closure)", self._function


def _is_untyped(leaf: Leaf | None) -> bool:
    """Whether nothing is known of what a word leads to."""
    return leaf is None or leaf.kind == "unsafeptr"


def _saved_register(frame: StackFrame, address: int) -> str:
    """The register that asyncPreempt saved at an address of its frame, "" for other words and frames."""
    index = (address - frame.sp) // 8
    if frame.function != "runtime.asyncPreempt" or not 0 <= index < len(_SAVED_REGISTERS):
        return ""
    return _SAVED_REGISTERS[index]
