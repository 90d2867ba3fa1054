"""Which places of data the operands of Go's machine code name: single words, and elements of arrays.

An array in data is indexed by its address and a product: ``MOVQ (base)(index*8)``, or ``SHLQ $7`` and
``ADDQ`` first where it has more dimensions. What is stored into one element by a variable index says the
type of all. Nothing but arrays is followed: of two indices the inner one must be known (by the check of its
bounds, or a mask) to go through just what the outer one steps over.
Imports numpy and sibling kernels.
"""

from __future__ import annotations

import numpy as np

from goretain.kernels import x86
from goretain.kernels.codevalues import (
    ADDRESS,
    ARGUMENT,
    BEHIND,
    BOUND,
    COMPARED,
    CONSTANT,
    ELEMENT,
    EXTENT,
    I64,
    INDEX,
    INSIDE,
    LOADED,
    MOST_WORDS,
    PAYLOAD,
    RESULT,
    SHIFT,
    TESTED,
    THROUGH,
    UNKNOWN,
    WITHIN,
    Code,
    Work,
    fact,
    in_data,
)
from goretain.kernels.jit import Int, inlined_checked
from goretain.kernels.x86effects import SP, is_padding

#: Multiples and numbers of elements are smaller.
_MOST = 1 << 23
_COUNT_BITS = 24
#: Fields further behind what a pointer points to are not followed.
_FARTHEST = 1 << 15


@inlined_checked
def place_of(code: Code, w: Work, at: Int) -> Int:
    """Address in the program that the memory operand names, 0 when that is not known."""
    ins = w.ins
    if ins[x86.MODE] == x86.RELATIVE:
        return code.address + at + ins[x86.DISP]
    if ins[x86.MODE] == x86.MEMORY and ins[x86.BASE] >= 0 and ins[x86.INDEX] < 0:
        base = w.state[0, ins[x86.BASE]]
        if base >> SHIFT == ADDRESS:
            return (base & PAYLOAD) + ins[x86.DISP]
    return np.int64(0)


@inlined_checked
def is_element(value: Int) -> bool:
    """Whether it is what stood in an element of an array."""
    return bool(value >> SHIFT >= ELEMENT and value >> SHIFT < WITHIN)


@inlined_checked
def behind(w: Work, facts: I64, at: Int, kind: Int) -> Int:
    """The memory operand, where it lies behind a pointer of no known type, as a value of a kind: THROUGH for
    what stands there, INSIDE for its address. UNKNOWN for all else.

    at: offset behind the instruction.
    """
    ins = w.ins
    if ins[x86.MODE] != x86.MEMORY or ins[x86.BASE] < 0 or ins[x86.INDEX] >= 0 or ins[x86.BASE] == SP:
        return np.int64(UNKNOWN)
    return beyond(w, facts, at, kind, w.state[0, ins[x86.BASE]], ins[x86.DISP])


@inlined_checked
def beyond(w: Work, facts: I64, at: Int, kind: Int, base: Int, far: Int) -> Int:
    """What lies so many bytes behind what a pointer points to, as ``behind`` has it."""
    pointer = base >> SHIFT in (LOADED, RESULT, ARGUMENT, THROUGH, INSIDE) or is_element(base)
    if not pointer or far < 0 or far >= _FARTHEST or far & 7:
        return np.int64(UNKNOWN)
    fact(w, facts, BEHIND, (far >> 3) << SHIFT | at, base)
    return kind << SHIFT | at


@inlined_checked
def data_place(code: Code, value: Int) -> Int:
    """The place of data that a value is the address of, as facts have it: an address, or that of elements; 0
    for none."""
    if value >> SHIFT >= WITHIN:
        return value - (np.int64(WITHIN - ELEMENT) << SHIFT)
    if value >> SHIFT == ADDRESS and in_data(code, value & PAYLOAD):
        return value & PAYLOAD
    return np.int64(0)


@inlined_checked
def element_of(code: Code, w: Work, facts: I64) -> Int:
    """The address of an array's element that the memory operand names, as a value; UNKNOWN for all else."""
    ins = w.ins
    base, index = ins[x86.BASE], ins[x86.INDEX]
    if ins[x86.MODE] != x86.MEMORY or base < 0 or base == SP:
        return np.int64(UNKNOWN)
    first = w.state[0, base]
    if index < 0:
        return _behind(code, first, ins[x86.DISP]) if first >> SHIFT >= WITHIN else np.int64(UNKNOWN)
    second = w.state[0, index]
    if ins[x86.SCALE] == 1 and (second >> SHIFT == ADDRESS or second >> SHIFT >= WITHIN):
        first, second = second, first
    return _behind(code, indexed(code, w, facts, first, second, ins[x86.SCALE]), ins[x86.DISP])


@inlined_checked
def _behind(code: Code, value: Int, offset: Int) -> Int:
    """The same element's address and an offset, UNKNOWN outside of data."""
    place = (value & PAYLOAD) + offset
    if value >> SHIFT < WITHIN or not in_data(code, place):
        return np.int64(UNKNOWN)
    return (value >> SHIFT << SHIFT) | place


@inlined_checked
def indexed(code: Code, w: Work, facts: I64, base: Int, index: Int, scale: Int) -> Int:
    """The sum of an address in data and scale times an index: the address of an element, or UNKNOWN."""
    product = scaled(index, scale)
    step, count = (product & PAYLOAD) >> _COUNT_BITS, product & ((1 << _COUNT_BITS) - 1)
    if product == UNKNOWN or step & 7 or step >> 3 > MOST_WORDS:
        return np.int64(UNKNOWN)
    if base >> SHIFT == ADDRESS and in_data(code, base & PAYLOAD):
        if count:
            fact(w, facts, EXTENT, base & PAYLOAD, step * count)
    elif base >> SHIFT < WITHIN or step * count != ((base >> SHIFT) - WITHIN) << 3:
        return np.int64(UNKNOWN)
    return (WITHIN + (step >> 3)) << SHIFT | (base & PAYLOAD)


@inlined_checked
def scaled(value: Int, factor: Int) -> Int:
    """A value times a number, as an INDEX; UNKNOWN for addresses, constants and large products."""
    kind = value >> SHIFT
    if kind in (CONSTANT, ADDRESS) or kind >= WITHIN or factor <= 0:
        return np.int64(UNKNOWN)
    multiple, count = np.int64(1), np.int64(0)
    if kind == INDEX:
        multiple, count = (value & PAYLOAD) >> _COUNT_BITS, value & ((1 << _COUNT_BITS) - 1)
    if factor >= _MOST or multiple * factor >= _MOST:
        return np.int64(UNKNOWN)
    return np.int64(INDEX) << SHIFT | (multiple * factor) << _COUNT_BITS | count


@inlined_checked
def below(value: Int, limit: Int) -> Int:
    """A value of which is known that it is not negative and less than a limit."""
    kind = value >> SHIFT
    if kind in (CONSTANT, ADDRESS) or kind >= WITHIN or limit <= 0 or limit >= _MOST:
        return value
    multiple = (value & PAYLOAD) >> _COUNT_BITS if kind == INDEX else np.int64(1)
    return np.int64(INDEX) << SHIFT | multiple << _COUNT_BITS | (limit + multiple - 1) // multiple


@inlined_checked
def computed(code: Code, w: Work, facts: I64, at: Int) -> int:
    """Arithmetic of which indices and addresses of elements are made; 0 for all else."""
    ins = w.ins
    op, reg, base, imm = ins[x86.OP], ins[x86.REG], ins[x86.BASE], ins[x86.IMM]
    if ins[x86.MODE] != x86.REGISTER or base == SP:
        return 0
    if (op == 0x83 or op == 0x81) and reg & 7 == 4:
        # AND with a mask of low bits; that of 32 bits clears the upper half.
        bounded = imm > 0 and imm & (imm + 1) == 0
        w.state[0, base] = below(np.int64(UNKNOWN), imm + 1) if bounded else np.int64(UNKNOWN)
        return 1
    if not ins[x86.WIDE]:
        return 0
    if (op == 0xC1 or op == 0xD1) and reg & 7 == 4:
        shift = imm & 63 if op == 0xC1 else np.int64(1)
        w.state[0, base] = scaled(w.state[0, base], np.int64(1) << shift) if shift < 24 else np.int64(UNKNOWN)
        return 1
    if (op == 0x83 or op == 0x81) and reg & 7 == 0:
        w.state[0, base] = beyond(w, facts, at, np.int64(INSIDE), w.state[0, base], imm)
        return 1
    if op == 0x6B or op == 0x69:
        w.state[0, reg] = scaled(w.state[0, base], imm)
        return 1
    if op == 0x01 or op == 0x03:
        first, second = w.state[0, reg], w.state[0, base]
        if second >> SHIFT == ADDRESS or second >> SHIFT >= WITHIN:
            first, second = second, first
        w.state[0, base if op == 0x01 else reg] = indexed(code, w, facts, first, second, np.int64(1))
        return 1
    return 0


@inlined_checked
def chosen(w: Work) -> int:
    """CMOVQ: of two values one. An index of two elements is zero or what the second is away, chosen so."""
    ins = w.ins
    if ins[x86.MODE] != x86.REGISTER or not ins[x86.WIDE]:
        return 0
    first, second = w.state[0, ins[x86.REG]], w.state[0, ins[x86.BASE]]
    low, high = min(first, second), max(first, second)
    value = first if first == second else np.int64(UNKNOWN)
    if (
        low != high
        and low == np.int64(CONSTANT) << SHIFT
        and high >> SHIFT == CONSTANT
        and high & PAYLOAD < _MOST
    ):
        value = np.int64(INDEX) << SHIFT | (high & PAYLOAD) << _COUNT_BITS | 2
    w.state[0, ins[x86.REG]] = value
    return 1


@inlined_checked
def multiplied(w: Work) -> Int:
    """LEAQ (r)(r*2) and the like as an INDEX, UNKNOWN for all else."""
    ins = w.ins
    base, index = ins[x86.BASE], ins[x86.INDEX]
    if ins[x86.MODE] != x86.MEMORY or ins[x86.DISP] or index < 0 or (base >= 0 and base != index):
        return np.int64(UNKNOWN)
    return scaled(w.state[0, index], ins[x86.SCALE] + (1 if base >= 0 else 0))


@inlined_checked
def note_compare(code: Code, w: Work, facts: I64, at: Int) -> None:
    """Keeps the register and the number of a CMPQ for the jump that follows it, and tells what is compared
    with an address."""
    ins, v = w.ins, w.v
    op = ins[x86.OP]
    if is_padding(ins):
        return
    v[COMPARED] = 0
    if ins[x86.MAP] != x86.ONE or ins[x86.VEX] or not ins[x86.WIDE]:
        return
    if op == 0x3D:
        v[COMPARED], v[BOUND] = 1, ins[x86.IMM]
    elif (op == 0x83 or op == 0x81) and ins[x86.MODE] == x86.REGISTER and ins[x86.REG] & 7 == 7:
        v[COMPARED], v[BOUND] = ins[x86.BASE] + 1, ins[x86.IMM]
    elif op == 0x39 or op == 0x3B:
        _test(code, w, facts, at)


@inlined_checked
def _test(code: Code, w: Work, facts: I64, at: Int) -> None:
    """CMPQ of two values, one of them an address."""
    ins = w.ins
    first, second = w.state[0, ins[x86.REG]], np.int64(UNKNOWN)
    if ins[x86.MODE] == x86.REGISTER:
        second = w.state[0, ins[x86.BASE]]
        if second >> SHIFT == ADDRESS:
            first, second = second, first
    elif first >> SHIFT == ADDRESS:
        place = place_of(code, w, at)
        second = behind(w, facts, at, np.int64(THROUGH))
        if place > 0 and in_data(code, place):
            second = np.int64(LOADED) << SHIFT | place
    if first >> SHIFT == ADDRESS and second >> SHIFT > ADDRESS and not in_data(code, first & PAYLOAD):
        fact(w, facts, TESTED, second, first & PAYLOAD)


@inlined_checked
def bounded(w: Work, taken: Int) -> Int:
    """The value of the compared register where a conditional jump was taken or not, -1 when it says nothing.

    Go checks bounds without sign; a signed comparison with them is that of a loop that counts from zero.
    """
    ins, v = w.ins, w.v
    condition = ins[x86.OP] & 15
    if v[COMPARED] == 0:
        return np.int64(-1)
    limit = v[BOUND]
    if condition == 6 or condition == 7 or condition >= 14:
        limit += 1
    smaller = condition == 2 or condition == 6 or condition == 12 or condition == 14
    larger = condition == 3 or condition == 7 or condition == 13 or condition == 15
    if not (smaller if taken else larger):
        return np.int64(-1)
    return below(w.state[0, v[COMPARED] - 1], limit)
