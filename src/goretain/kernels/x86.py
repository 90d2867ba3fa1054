"""A length decoder for 64-bit x86: where the next instruction begins, and which registers and memory this one
names.

It knows what Go's compiler and assembler emit and what C compilers do: legacy prefixes, REX, the one-byte,
0F, 0F38 and 0F3A maps, VEX and EVEX. What it does not know has length 0, and the caller goes on at the next
function. It never reads outside [at, end). Source: Intel's manual, volume 2, chapter 2 and appendix A.
Imports numpy and ``kernels.jit``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from goretain.kernels.jit import Int, checked, inlined_checked

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]

# Columns of a decoded instruction, an int64[WIDTH].
MAP = 0  #: ONE, TWO (0F), THREE (0F38), FOUR (0F3A); more for EVEX maps 5 and 6
OP = 1  #: opcode byte in its map
WIDE = 2  #: 1 with REX.W (VEX.W, EVEX.W)
PREFIX = 3  #: set of P66, PF2, PF3, P67, PSEGMENT, PLOCK
VEX = 4  #: 1 for VEX and EVEX
MODE = 5  #: ABSENT, REGISTER, MEMORY, RELATIVE: what the r/m operand is
REG = 6  #: register of ModRM.reg, 0..15 (or the opcode's extension)
BASE = 7  #: register of r/m, or base of the memory operand; -1 without
INDEX = 8  #: index register, -1 without
DISP = 9  #: displacement, sign-extended; for RELATIVE counted from the end of the instruction
IMM = 10  #: immediate or branch displacement, sign-extended
VVVV = 11  #: the VEX register, -1 without
SIZE = 12  #: bytes
SCALE = 13  #: what the index register is multiplied by
WIDTH = 14

ONE, TWO, THREE, FOUR = 1, 2, 3, 4
ABSENT, REGISTER, MEMORY, RELATIVE = 0, 1, 2, 3
P66, PF2, PF3, P67, PSEGMENT, PLOCK = 1, 2, 4, 8, 16, 32

# Forms of an opcode: what follows it. The high bit says that a ModRM byte does.
_NONE, _BYTE, _WORD, _FULL, _QUAD, _MOFFS, _ENTER, _GROUP8, _GROUP, _JUMP = range(10)
_MODRM, _INVALID = 0x80, 0x7F
_LONGEST = 15


def opcode_forms() -> U8:
    """uint8[1024]: form of each opcode of the four maps, at (map - 1) * 256 + opcode."""
    forms = np.full(1024, _NONE, np.uint8)
    one, two = forms[:256], forms[256:512]
    for row in range(0, 0x40, 8):
        one[row : row + 4] = _MODRM
        one[row + 4], one[row + 5] = _BYTE, _FULL
    for op in (0x63, *range(0x84, 0x90), *range(0xD0, 0xD4), *range(0xD8, 0xE0), 0xFE, 0xFF):
        one[op] = _MODRM
    for op, form in ((0x68, _FULL), (0x69, _MODRM | _FULL), (0x6A, _BYTE), (0x6B, _MODRM | _BYTE)):
        one[op] = form
    one[0x70:0x80] = one[0xE0:0xE8] = one[0xEB] = one[0xA8] = one[0xCD] = _BYTE
    one[0x80], one[0x81], one[0x83] = _MODRM | _BYTE, _MODRM | _FULL, _MODRM | _BYTE
    one[0xA0:0xA4], one[0xA9], one[0xB0:0xB8], one[0xB8:0xC0] = _MOFFS, _FULL, _BYTE, _QUAD
    one[0xC0] = one[0xC1] = one[0xC6] = _MODRM | _BYTE
    one[0xC2] = one[0xCA] = _WORD
    one[0xC7], one[0xC8], one[0xE8], one[0xE9] = _MODRM | _FULL, _ENTER, _JUMP, _JUMP
    one[0xF6], one[0xF7] = _MODRM | _GROUP8, _MODRM | _GROUP
    for op in (*(6, 7, 0x0E, 0x16, 0x17, 0x1E, 0x1F, 0x27, 0x2F, 0x37, 0x3F), 0x60, 0x61, 0x82, 0x9A):
        one[op] = _INVALID
    for op in (0xCE, 0xD4, 0xD5, 0xD6, 0xEA):
        one[op] = _INVALID
    two[:] = _MODRM
    for op in (5, 6, 7, 8, 9, 0x0B, *range(0x30, 0x36), 0x37, 0x77, 0xA0, 0xA1, 0xA2, 0xA8, 0xA9, 0xAA):
        two[op] = _NONE
    two[0xC8:0xD0] = _NONE
    two[0x80:0x90] = _JUMP
    for op in (0x70, 0x71, 0x72, 0x73, 0xA4, 0xAC, 0xBA, 0xC2, 0xC4, 0xC5, 0xC6):
        two[op] = _MODRM | _BYTE
    for op in (4, 0x0A, 0x0C, 0x0E, 0x0F, 0x24, 0x25, 0x26, 0x27, 0x36, 0x39, *range(0x3B, 0x40), 0xA6, 0xA7):
        two[op] = _INVALID
    forms[512:768] = _MODRM
    forms[768:] = _MODRM | _BYTE
    return forms


FORMS = opcode_forms()


@inlined_checked
def _byte(text: U8, at: Int, end: Int) -> Int:
    """The byte at an offset, 0 from ``end`` on: what reads it there has run over and finds that out."""
    return np.int64(text[at]) if at < end else np.int64(0)


@inlined_checked
def _number(text: U8, at: Int, end: Int, size: Int) -> Int:
    """The little-endian number of 1, 2, 4 or 8 bytes, sign-extended; 0 when it reaches over ``end``."""
    value = np.int64(0)
    if at + size > end or size == 0:
        return value
    for i in range(size):
        value |= np.int64(text[at + i]) << (8 * i)
    shift = 64 - 8 * size
    return (value << shift) >> shift


@checked
def _vector_prefix(text: U8, at: Int, end: Int, ins: I64) -> Int:
    """Reads VEX or EVEX at ``at`` into ``ins``; bytes of it, 0 for an opcode map that is not known.

    Register bits are returned in ``ins`` as a REX byte would have them: R in REG, X in INDEX, B in BASE.
    """
    first, one, two = np.int64(text[at]), _byte(text, at + 1, end), _byte(text, at + 2, end)
    ins[VEX] = 1
    ins[REG] = ((one >> 7) & 1) ^ 1
    if first == 0xC5:
        ins[INDEX] = ins[BASE] = 0
        ins[MAP] = TWO
        ins[VVVV] = (~one >> 3) & 15
        return 2
    ins[INDEX], ins[BASE] = ((one >> 6) & 1) ^ 1, ((one >> 5) & 1) ^ 1
    ins[WIDE] = two >> 7
    ins[VVVV] = (~two >> 3) & 15
    number = one & (31 if first == 0xC4 else 7)
    ins[MAP] = number + 1
    if number < 1 or (number > 3 and (first == 0xC4 or number == 4 or number == 7)):
        return 0
    return 3 if first == 0xC4 else 4


@inlined_checked
def _operands(text: U8, at: Int, end: Int, ins: I64) -> Int:
    """Reads ModRM, SIB and displacement at ``at``; the offset behind them. Register bits as above."""
    modrm = _byte(text, at, end)
    at += 1
    mode, rm = modrm >> 6, modrm & 7
    ins[REG] = (ins[REG] << 3) | ((modrm >> 3) & 7)
    if mode == 3:
        ins[MODE], ins[INDEX] = REGISTER, -1
        ins[BASE] = (ins[BASE] << 3) | rm
        return at
    ins[MODE] = MEMORY
    index, base, size = np.int64(-1), (ins[BASE] << 3) | rm, np.int64(0)
    if rm == 4:
        sib = _byte(text, at, end)
        ins[SCALE] = np.int64(1) << (sib >> 6)
        at += 1
        index = (ins[INDEX] << 3) | ((sib >> 3) & 7)
        if index == 4:
            index = np.int64(-1)
        base = (ins[BASE] << 3) | (sib & 7)
        if sib & 7 == 5 and mode == 0:
            base, size = np.int64(-1), np.int64(4)
    elif rm == 5 and mode == 0:
        ins[MODE], base, size = RELATIVE, np.int64(-1), np.int64(4)
    if mode == 1:
        size = np.int64(1)
    elif mode == 2:
        size = np.int64(4)
    ins[INDEX], ins[BASE] = index, base
    ins[DISP] = _number(text, at, end, size)
    return at + size


@inlined_checked
def _immediate_size(form: Int, ins: I64) -> Int:
    """Bytes of the immediate of an opcode of a form."""
    size: Int = np.int64(0)
    if form == _BYTE:
        size = 1
    elif form == _JUMP:
        size = 4
    elif form == _WORD:
        size = 2
    elif form == _FULL:
        size = 2 if ins[PREFIX] & P66 and not ins[WIDE] else 4
    elif form == _QUAD:
        size = 8 if ins[WIDE] else (2 if ins[PREFIX] & P66 else 4)
    elif form == _MOFFS:
        size = 4 if ins[PREFIX] & P67 else 8
    elif form == _GROUP8:
        size = 1 if ins[REG] & 7 < 2 else 0
    elif form == _GROUP and ins[REG] & 7 < 2:
        size = 2 if ins[PREFIX] & P66 and not ins[WIDE] else 4
    return size


@inlined_checked
def _prefix_bit(first: Int) -> Int:
    """The bit of a legacy prefix, 0 for another byte."""
    if first == 0x66:
        return np.int64(P66)
    if first == 0xF2:
        return np.int64(PF2)
    if first == 0xF3:
        return np.int64(PF3)
    if first == 0x67:
        return np.int64(P67)
    if first == 0xF0:
        return np.int64(PLOCK)
    return np.int64(PSEGMENT) if (first & 0xE7) == 0x26 or first == 0x64 or first == 0x65 else np.int64(0)


@checked
def decode(text: U8, at: Int, end: Int, forms: U8, ins: I64) -> Int:
    """Decode the instruction at an offset of the text into ``ins``, int64[WIDTH].

    Args:
        text: uint8[n]; at, end: offsets, 0 <= at < end <= n.
        forms: ``FORMS``.

    Returns its length, or 0 when it is not known, runs over ``end`` or over 15 bytes. Constant time.
    """
    start = at
    for i in range(WIDTH):
        ins[i] = 0
    ins[VVVV] = ins[INDEX] = ins[BASE] = -1
    prefixes = np.int64(0)
    first = _byte(text, at, end)
    while at < end and at - start < _LONGEST:
        bit = _prefix_bit(first)
        if bit == 0:
            break
        prefixes |= bit
        at += 1
        first = _byte(text, at, end)
    ins[PREFIX] = prefixes
    at = _opcode(text, at, end, ins)
    if at < 0:
        return 0
    form = np.int64(_MODRM)
    if ins[MAP] <= FOUR:
        form = np.int64(forms[(ins[MAP] - 1) * 256 + ins[OP]])
    if ins[VEX] and ins[MAP] == TWO and ins[OP] >= 0x80 and ins[OP] < 0xA0:
        form = np.int64(_MODRM)  # moves and tests of mask registers stand where the long jumps do
    return _rest(text, start, at, end, form, ins)


@inlined_checked
def _opcode(text: U8, at: Int, end: Int, ins: I64) -> Int:
    """Reads REX or VEX and the opcode; the offset behind it, -1 for an unknown map."""
    first = _byte(text, at, end)
    rex = np.int64(0)
    if first & 0xF0 == 0x40:
        rex = first & 15
        at += 1
        first = _byte(text, at, end)
    ins[WIDE], ins[REG], ins[INDEX], ins[BASE] = rex >> 3, (rex >> 2) & 1, (rex >> 1) & 1, rex & 1
    ins[MAP] = ONE
    if at >= end:
        return np.int64(-1)
    if first == 0xC4 or first == 0xC5 or first == 0x62:
        size = _vector_prefix(text, at, end, ins)
        if size == 0:
            return np.int64(-1)
        at += size
        first = _byte(text, at, end)
    elif first == 0x0F:
        ins[MAP] = TWO
        at += 1
        first = _byte(text, at, end)
        if first == 0x38 or first == 0x3A:
            ins[MAP] = THREE if first == 0x38 else FOUR
            at += 1
            first = _byte(text, at, end)
    ins[OP] = first
    return at + 1


@inlined_checked
def _rest(text: U8, start: Int, at: Int, end: Int, form: Int, ins: I64) -> Int:
    """Reads what follows the opcode; the length of the whole, 0 when that is too long."""
    if form == _INVALID or at > end:
        return np.int64(0)
    if form & _MODRM:
        at = _operands(text, at, end, ins)
    else:
        # The opcode's low bits are the register of PUSH, POP, MOV, XCHG and BSWAP.
        ins[BASE] = (ins[BASE] << 3) | (ins[OP] & 7)
        ins[INDEX] = -1
    form &= 0x7F
    if form == _ENTER:
        at += 3
    else:
        size = _immediate_size(form, ins)
        ins[IMM] = _number(text, at, end, size)
        at += size
    if at > end or at - start > _LONGEST:
        return np.int64(0)
    ins[SIZE] = at - start
    return at - start
