"""What a stack frame stopped at a given pc looks like: its size, its live pointer words and its stack
objects.

The rules are those of (*stkframe).getStackMap (runtime/stkframe.go) and funcdata (runtime/symtab.go): the
pcsp table gives the frame's size; FUNCDATA_LocalsPointerMaps and FUNCDATA_ArgsPointerMaps at
PCDATA_StackMapIndex give live words; FUNCDATA_StackObjects lists variables whose address was taken
(stackObjectRecord, runtime/stack.go). Everything is relative to the CFA, so one plan serves every frame that
stopped at the same pc.
Imports ``debuginfo``, ``golang.layout`` and ``golang.modules``.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from goretain.debuginfo.pclntab.pclntab import (
    ARGS_UNKNOWN,
    FUNCDATA_ARGS,
    FUNCDATA_LOCALS,
    FUNCDATA_STACK_OBJECTS,
    NO_FUNCDATA,
    PCDATA_STACK_MAP,
    Func,
)
from goretain.golang.layout import Program
from goretain.golang.modules import Module
from goretain.golang.types.gcmask import object_mask

_OBJECT_LIMIT = 1 << 16
_BIT_LIMIT = 1 << 27

#: Called without a stack map of their own: the write barriers and the compiler's block copies are no safe
#: points (hasStackMap in cmd/compile/internal/liveness/plive.go), so the caller's map at that call is another
#: call's.
NOT_SAFE_POINTS = frozenset(
    (
        *(f"runtime.{name}" for name in ("gcWriteBarrier", "wbZero", "wbMove", "duffzero", "duffcopy")),
        *(f"runtime.gcWriteBarrier{n}" for n in range(1, 9)),
        *("gcWriteBarrier", "wbZero", "wbMove"),
    )
)
#: These inject a call at an arbitrary instruction of the frame above them (isInjectedCall,
#: runtime/traceback.go).
CONSERVATIVE_CALLS = frozenset(("runtime.asyncPreempt", "runtime.debugCallV2"))
#: Their locals hold a reflect.makeFuncCtxt and an abi.RegArgs at fixed offsets (reflect/asm_amd64.s).
REFLECT_STUBS = frozenset(("reflect.makeFuncStub", "reflect.methodValueCall"))


@dataclass(frozen=True, slots=True)
class StackObject:
    """A variable whose address was taken: its place, size and pointer words, all from the CFA."""

    offset: int
    size: int
    pointers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FramePlan:
    """A function stopped at one pc. Offsets in bytes from the CFA (the caller's sp after the return).

    Attributes:
        func, module: where the pc is.
        delta: CFA minus sp.
        locals, args: live pointer words by the stack maps.
        objects: stack objects, in address order.
        args_size: bytes of arguments, results and spill area above the CFA; 0 when not described.
        reflect_stub: its arguments and objects depend on the value that it calls.
    """

    func: Func
    module: Module
    delta: int
    locals: tuple[int, ...]
    args: tuple[int, ...]
    objects: tuple[StackObject, ...]
    args_size: int
    reflect_stub: bool

    @property
    def varp(self) -> int:
        """Top of the local variables from the CFA: below the return address and the saved frame pointer."""
        return -16 if self.delta > 8 else -8


class FramePlans:
    """Frame plans by pc, computed once each."""

    def __init__(self, program: Program, modules: list[Module]) -> None:
        self._program = program
        self._modules = modules
        self._plans: dict[int, FramePlan | None] = {}

    def find(self, pc: int) -> tuple[Module, Func] | None:
        """The function that holds pc, None outside Go code."""
        for module in self._modules:
            if module.text <= pc < module.etext:
                func = module.functions.find(pc)
                return (module, func) if func is not None else None
        return None

    def plan(self, pc: int) -> FramePlan | None:
        """The plan of a frame that continues at pc. None outside Go code."""
        if pc not in self._plans:
            found = self.find(pc)
            self._plans[pc] = self._build(*found, pc) if found else None
        return self._plans[pc]

    def _build(self, module: Module, func: Func, pc: int) -> FramePlan:
        # Like funcspdelta, a return address is looked up as it stands: the delta after a call is the delta at
        # it.
        delta = max(module.functions.pc_value(func.pcsp, func.entry, pc), 0) + 8 if func.pcsp else 8
        index = self._map_index(module, func, pc)
        varp = -16 if delta > 8 else -8
        reflect_stub = func.name in REFLECT_STUBS
        known = func.args != ARGS_UNKNOWN
        arguments = self._bits(module, func, FUNCDATA_ARGS, index)[0] if known and func.args else []
        return FramePlan(
            func=func,
            module=module,
            delta=delta,
            locals=self._locals(module, func, index, varp),
            args=tuple(8 * i for i in arguments),
            objects=() if reflect_stub else self._objects(module, func, varp),
            args_size=func.args if known else 0,
            reflect_stub=reflect_stub,
        )

    def _map_index(self, module: Module, func: Func, pc: int) -> int:
        index = -1
        if pc != func.entry and len(func.pcdata) > PCDATA_STACK_MAP and func.pcdata[PCDATA_STACK_MAP]:
            index = module.functions.pc_value(func.pcdata[PCDATA_STACK_MAP], func.entry, pc - 1)
        return max(index, 0)  # -1 is the prologue: the entry map

    def _locals(self, module: Module, func: Func, index: int, varp: int) -> tuple[int, ...]:
        if varp != -16:
            return ()
        bits, width = self._bits(module, func, FUNCDATA_LOCALS, index)
        return tuple(varp - 8 * width + 8 * i for i in bits)

    def _funcdata(self, module: Module, func: Func, kind: int) -> int:
        if len(func.funcdata) <= kind or func.funcdata[kind] == NO_FUNCDATA:
            return 0
        return module.gofunc + func.funcdata[kind]

    def _bits(self, module: Module, func: Func, kind: int, index: int) -> tuple[list[int], int]:
        """Set bits and width of a runtime.stackmap's row: {n, nbit int32; bytedata [(nbit+7)/8]byte each}."""
        address = self._funcdata(module, func, kind)
        if not address:
            return [], 0
        raw = self._program.memory.read(address, 8)
        rows, width = struct.unpack("<ii", raw)
        if not 0 < width < _BIT_LIMIT or not 0 <= index < rows:
            return [], 0
        size = (width + 7) // 8
        row = int.from_bytes(self._program.memory.read(address + 8 + index * size, size), "little")
        return [i for i in range(width) if row >> i & 1], width

    def _objects(self, module: Module, func: Func, varp: int) -> tuple[StackObject, ...]:
        """stackObjectRecord: {off, size, ptrBytes int32; gcdataoff uint32}, after their number as a word."""
        address = self._funcdata(module, func, FUNCDATA_STACK_OBJECTS)
        if not address:
            return ()
        count = min(self._program.word(address), _OBJECT_LIMIT)
        raw = self._program.memory.read(address + 8, 16 * count)
        out = []
        for offset, size, pointer_bytes, mask_offset in struct.iter_unpack("<iiiI", raw):
            mask = module.rodata + mask_offset
            base = offset if offset >= 0 else varp + offset
            words = object_mask(self._program, mask, abs(pointer_bytes), is_program=pointer_bytes < 0)
            out.append(StackObject(base, size, tuple(base + 8 * w for w in words)))
        return tuple(sorted(out, key=lambda o: o.offset))
