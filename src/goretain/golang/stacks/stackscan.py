"""The live pointer words of one stack, found as the garbage collector finds them.

Follows scanstack and scanframeworker (runtime/mgcmark.go) and the stack objects of runtime/mgcstack.go:
frames at a safe point give the words of their maps; conservative frames give every word; a variable whose
address was taken counts only when a live pointer into the stack reaches it, directly or through other such
variables. Defer records and the panic are pointers into the stack from outside (runtime._defer,
runtime._panic, runtime/runtime2.go).
Imports ``golang.stacks.stacks``, ``golang.stacks.stackmaps`` and ``golang.layout``.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from goretain.golang.layout import Program
from goretain.golang.stacks.stackmaps import FramePlan, StackObject
from goretain.golang.stacks.stacks import StackFrame, StackWords

_DEFER_LIMIT = 1 << 20
#: reflect/asm_amd64.s: offsets from the stub's sp.
_RETURN_VALID, _REG_ARGS = 32, 40
_CONTEXT = "reflect.makeFuncCtxt"


class LiveWord(NamedTuple):
    """One word that keeps something outside the stack alive.

    Attributes:
        address: of the word; value: what it points to.
        frame: index of the frame that holds it, -1 for a word outside the frames (a defer record's field).
        conservative: found by scanning, not by a stack map.
        note: what it is when no frame names it: ``(deferred call)``.
    """

    address: int
    value: int
    frame: int
    conservative: bool
    note: str = ""


class StackScan:
    """The scan of one stack. ``roots`` are the words found; call the add methods first, then ``finish``."""

    def __init__(self, program: Program, words: StackWords, low: int, high: int) -> None:
        """[low, high) is the goroutine's whole stack; words holds the part that is in use."""
        self._program = program
        self._words = words
        self._low = low
        self._high = high
        self.roots: list[LiveWord] = []
        self._precise: list[int] = []
        self._loose: list[int] = []
        self._objects: list[tuple[int, int, int, tuple[int, ...]]] = []

    def add_frame(self, frame: StackFrame, index: int) -> None:
        """Scan one frame. Raises MissingMemory when it reaches outside the captured stack."""
        plan = frame.plan
        if not frame.live:
            return
        if frame.conservative:
            self._range(frame.sp, frame.cfa + plan.varp, index)
            self._range(frame.cfa, frame.cfa + spill_area(plan), index)
            return
        for offset in frame_words(plan):
            self._word(frame.cfa + offset, index, conservative=False)
        objects = plan.objects
        arguments: tuple[int, ...] = ()
        if plan.reflect_stub:
            objects, arguments = self._reflect_stub(frame)
        for offset in arguments:
            self._word(frame.cfa + offset, index, conservative=False)
        placed = ((frame.cfa + item.offset, item) for item in objects)
        self.add_objects(
            (start, start + item.size, index, tuple(frame.cfa + p for p in item.pointers))
            for start, item in placed
            if start >= frame.sp
        )

    def add_objects(self, objects: Iterable[tuple[int, int, int, tuple[int, ...]]]) -> None:
        """Variables whose address was taken: (start, end, frame, addresses of pointer words)."""
        self._objects += objects

    def add_range(self, start: int, end: int, index: int) -> None:
        """Scan every word of [start, end) of this stack."""
        self._range(max(start, self._words.low), min(end, self._words.high), index)

    def add_value(self, address: int, value: int, note: str, *, conservative: bool = False) -> None:
        """A word outside the frames that the collector scans with this stack."""
        self._put(address, value, -1, conservative, note)

    def add_defers(self, record: int) -> None:
        """The chain of defer records that starts at record (runtime.g._defer)."""
        p, seen = self._program, 0
        while record and seen < _DEFER_LIMIT:
            for name, note in (("fn", "(deferred call)"), ("link", "(next defer)")):
                at = record + p.layout.offset("runtime._defer", name)
                self.add_value(at, p.word(at), note)
            if p.uint(record, "runtime._defer", "heap"):
                self.add_value(0, record, "(defer record)")
            record, seen = p.uint(record, "runtime._defer", "link"), seen + 1

    def finish(self) -> list[LiveWord]:
        """Trace the stack objects that live pointers reach; all words that hold something elsewhere."""
        objects = sorted(self._objects)
        starts = [o[0] for o in objects]
        done = [False] * len(objects)
        while self._precise or self._loose:
            conservative = not self._precise
            pointer = (self._loose if conservative else self._precise).pop()
            i = bisect.bisect_right(starts, pointer) - 1
            if i < 0 or done[i] or pointer >= objects[i][1]:
                continue
            done[i] = True
            for address in objects[i][3]:
                self._word(address, objects[i][2], conservative)
        return self.roots

    def _range(self, start: int, end: int, index: int) -> None:
        for address in range((start + 7) & ~7, min(end, self._high) & ~7, 8):
            self._word(address, index, conservative=True)

    def _word(self, address: int, index: int, conservative: bool) -> None:
        self._put(address, self._words.word(address), index, conservative, "")

    def _put(self, address: int, value: int, index: int, conservative: bool, note: str) -> None:
        if self._low <= value < self._high:
            (self._loose if conservative else self._precise).append(value)
        elif value:
            self.roots.append(LiveWord(address, value, index, conservative, note))

    def _reflect_stub(self, frame: StackFrame) -> tuple[tuple[StackObject, ...], tuple[int, ...]]:
        """argMapInternal: the argument map of the called value, and the abi.RegArgs in the stub's frame."""
        if frame.sp >= frame.cfa - 8:
            return (), ()
        p, layout = self._program, self._program.layout
        context = self._words.word(frame.sp)
        bitmap = p.uint(context, _CONTEXT, "stack")
        count = int.from_bytes(p.memory.read(bitmap, 4), "little")
        if not self._words.word(frame.sp + _RETURN_VALID) & 0xFF:
            count = min(count, p.uint(context, _CONTEXT, "argLen") // 8)
        raw = int.from_bytes(p.memory.read(p.word(bitmap + 8), (count + 7) // 8), "little") if count else 0
        size = layout.size("internal/abi.RegArgs")
        first = layout.offset("internal/abi.RegArgs", "Ptrs")
        pointers = range(first, first + layout.width("internal/abi.RegArgs", "Ptrs"), 8)
        base = frame.plan.varp - (size + 7 & ~7)
        item = StackObject(base, size, tuple(base + at for at in pointers))
        return (item,), tuple(8 * i for i in range(count) if raw >> i & 1)


def frame_words(plan: FramePlan) -> Iterator[int]:
    """Offsets from the CFA of the words that a frame at a safe point keeps alive, stack objects apart."""
    yield from plan.locals
    yield from argument_words(plan)


def argument_words(plan: FramePlan) -> tuple[int, ...]:
    """Live words of the caller's argument area: stack-assigned arguments, results and spilled registers."""
    return plan.args


def spill_area(plan: FramePlan) -> int:
    """Bytes above the CFA that belong to a conservative frame."""
    return plan.args_size
