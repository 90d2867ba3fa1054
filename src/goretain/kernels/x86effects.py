"""What x86 instructions do besides moving values around: branches, the stack pointer, what they overwrite.

Works on what :mod:`goretain.kernels.x86` decoded. Where the exact answer is long, it says more is overwritten
than is. Source: Intel's manual, volume 2. Imports numpy and sibling kernels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from goretain.kernels import x86
from goretain.kernels.jit import Int, checked, inlined_checked

I64 = NDArray[np.int64]

AX, CX, BX, SP, SI, DI = 0, 1, 3, 4, 6, 7


@inlined_checked
def branch_kind(ins: I64) -> Int:
    """0 no branch, 1 conditional, 2 unconditional direct, 3 the end of a way (return, indirect, trap)."""
    op = ins[x86.OP]
    if ins[x86.VEX]:
        return np.int64(0)
    if ins[x86.MAP] == x86.ONE:
        if (op >= 0x70 and op < 0x80) or (op >= 0xE0 and op < 0xE4):
            return np.int64(1)
        if op == 0xE9 or op == 0xEB:
            return np.int64(2)
        if op == 0xC3 or op == 0xC2 or op == 0xCC or op == 0xF4:
            return np.int64(3)
        if op == 0xFF and (ins[x86.REG] & 7 == 4 or ins[x86.REG] & 7 == 5):
            return np.int64(3)
    elif ins[x86.MAP] == x86.TWO:
        if op >= 0x80 and op < 0x90:
            return np.int64(1)
        if op == 0x0B:
            return np.int64(3)
    return np.int64(0)


@inlined_checked
def pushed_bytes(ins: I64) -> Int:
    """Bytes by which an instruction moves the stack pointer down."""
    op = ins[x86.OP]
    if ins[x86.MAP] != x86.ONE or ins[x86.VEX]:
        return np.int64(0)
    if (op >= 0x50 and op < 0x58) or op == 0x9C or op == 0x68 or op == 0x6A:
        return np.int64(8)
    if (op >= 0x58 and op < 0x60) or op == 0x9D:
        return np.int64(-8)
    if (op == 0x81 or op == 0x83) and ins[x86.MODE] == x86.REGISTER and ins[x86.BASE] == SP:
        extension = ins[x86.REG] & 7
        return ins[x86.IMM] if extension == 5 else (-ins[x86.IMM] if extension == 0 else np.int64(0))
    if op == 0x8D and ins[x86.REG] == SP and ins[x86.MODE] == x86.MEMORY and ins[x86.BASE] == SP:
        return -ins[x86.DISP]
    return np.int64(0)


@inlined_checked
def is_padding(ins: I64) -> Int:
    """Whether it stands between functions and blocks and is never carried out for its effect."""
    op = ins[x86.OP]
    return (ins[x86.MAP] == x86.ONE and (op == 0x90 or op == 0xCC)) or (
        ins[x86.MAP] == x86.TWO and op == 0x1F
    )


@inlined_checked
def _rm(ins: I64) -> Int:
    return np.int64(1) << ins[x86.BASE] if ins[x86.MODE] == x86.REGISTER else np.int64(0)


@checked
def written(ins: I64) -> Int:
    """Set of registers (bit r) that an instruction may write; more than it does where that is simpler."""
    op, reg = ins[x86.OP], np.int64(1) << ins[x86.REG]
    rm = _rm(ins)
    if ins[x86.VEX]:
        return reg | rm | (np.int64(1) << ins[x86.VVVV] if ins[x86.VVVV] >= 0 else 0)
    if ins[x86.MAP] == x86.ONE:
        return _written_one(ins, op, reg, rm)
    if ins[x86.MAP] == x86.TWO:
        return _written_two(ins, op, reg, rm)
    if ins[x86.MAP] == x86.THREE:
        return reg | rm if op >= 0xF0 else 0
    if op >= 0x14 and op < 0x18:
        return rm
    return 1 << CX if op >= 0x60 and op < 0x64 else 0


@inlined_checked
def _written_one(ins: I64, op: Int, reg: Int, rm: Int) -> Int:
    extension = ins[x86.REG] & 7
    none, both = np.int64(0), reg | rm
    low = np.int64(1) << (ins[x86.REG] & 3)
    if op < 0x40:
        if op >= 0x38:
            return none
        return rm if op & 7 < 2 else (reg if op & 7 < 4 else np.int64(1))
    if op == 0x80 or op == 0x81 or op == 0x83:
        return rm if extension != 7 else none
    if op == 0x84 or op == 0x85 or op == 0xA8 or op == 0xA9 or op == 0x68 or op == 0x6A:
        return none
    if op == 0x88 or op == 0x89 or op == 0x8C or op == 0xC6 or op == 0xC7:
        return rm
    if op == 0x8A:
        return reg | low
    if op == 0x63 or op == 0x69 or op == 0x6B or op == 0x8B or op == 0x8D:
        return reg
    if op == 0x90 and ins[x86.BASE] == 0:
        return none
    if (op >= 0x90 and op < 0x98) or (op >= 0xB0 and op < 0xC0):
        return (np.int64(1) << ins[x86.BASE]) | (np.int64(1) << (ins[x86.BASE] & 3)) | np.int64(1)
    if op == 0xC0 or op == 0xC1 or (op >= 0xD0 and op < 0xD4):
        return rm  # shifts and rotations
    if op == 0xF6 or op == 0xF7:
        return none if extension < 2 else (rm if extension < 4 else np.int64(5))
    if op == 0xFE or op == 0xFF:
        return rm if extension < 2 else none
    if op == 0x98 or op == 0x99 or op == 0x9E or op == 0x9F:
        return np.int64(5)
    if op >= 0xA0 and op < 0xB0:
        return np.int64(1 | 1 << CX | 1 << SI | 1 << DI)
    return both | np.int64(7)


@inlined_checked
def _written_two(ins: I64, op: Int, reg: Int, rm: Int) -> Int:
    none = np.int64(0)
    if op == 0x0D or (op >= 0x10 and op < 0x20 and op != 0x12):
        return none
    if (op >= 0x28 and op < 0x30 and op != 0x2C and op != 0x2D) or (op >= 0x51 and op < 0x7E) or op == 0x7F:
        return none
    if op == 0x12 or op == 0xC2 or op == 0xC4 or op == 0xC6 or (op >= 0xD0 and op != 0xD7):
        return none
    if op == 0x7E:
        return rm
    if op >= 0x90 and op < 0xA0:
        return rm | (np.int64(1) << (ins[x86.BASE] & 3))
    if op == 0xA3:
        return none
    if op >= 0xC8 and op < 0xD0:
        return np.int64(1) << ins[x86.BASE]
    if op >= 0x40 and op < 0x50:
        return reg
    if op == 0xAF or op == 0xB6 or op == 0xB7 or op == 0xBE or op == 0xBF or (op >= 0xB8 and op < 0xBE):
        return reg | rm if op == 0xBA or op == 0xBB else reg
    return reg | rm | np.int64(15 | 1 << 11)


@checked
def writes_memory(ins: I64) -> Int:
    """Whether an instruction may write its memory operand."""
    op, extension = ins[x86.OP], ins[x86.REG] & 7
    if ins[x86.VEX] or ins[x86.MAP] > x86.TWO:
        return True
    if ins[x86.MAP] == x86.ONE:
        if op < 0x40:
            return op & 7 < 2 and op < 0x38
        if op == 0x80 or op == 0x81 or op == 0x83:
            return extension != 7
        if op == 0xF6 or op == 0xF7:
            return extension == 2 or extension == 3
        if op == 0xFE or op == 0xFF:
            return extension < 2
        return not (op == 0x63 or op == 0x69 or op == 0x6B or (op >= 0x84 and op < 0x86) or op == 0x8A
                    or op == 0x8B or op == 0x8D)  # fmt: skip
    if op == 0x11 or op == 0x13 or op == 0x17 or op == 0x29 or op == 0x2B:
        return True
    if op < 0x7E or (op >= 0x80 and op < 0x90) or op == 0xAF or (op >= 0xB6 and op < 0xBA) or op == 0xBE:
        return False
    return not (op == 0xBF or op == 0xBC or op == 0xBD or (op == 0x7E and ins[x86.PREFIX] & x86.PF3 != 0))
