"""What a call says, in Go's machine code: of its arguments, and of what it returns.

Functions that matter have roles, by their names; arguments and results stand where ABIInternal has them
(cmd/compile/abi-internal.md): AX, BX, CX, DI, SI. Imports numpy and sibling kernels.
"""

from __future__ import annotations

import numpy as np

from goretain.kernels import x86
from goretain.kernels.codeplaces import behind, data_place, is_element
from goretain.kernels.codevalues import (
    ABOVE,
    ADDRESS,
    BARRED,
    BARRIER,
    BOXED,
    CHANNEL,
    CLOSURE,
    CONSTANT,
    DEPTH,
    DICTIONARY,
    DUFF,
    ELEMENTS,
    ENTRY,
    FIELD,
    FRAME,
    GIVEN,
    GROW_SLICE,
    HOLDS,
    I64,
    INSIDE,
    INTERFACE,
    IS,
    LIVE,
    LOADED,
    MADE,
    MAKE_CHANNEL,
    MAKE_MAP,
    MAKE_SLICE,
    MALLOC,
    MAP,
    MAP_USE,
    METHOD,
    NEW,
    NO_RETURN,
    ORDINARY,
    PAYLOAD,
    POINTER,
    POINTER_STORE,
    RECEIVER,
    REGISTERS,
    RESULT,
    SHIFT,
    SIZED,
    SLICE_COPY,
    SLOTS,
    STACKED,
    STORED,
    THROUGH,
    TYPED_MOVE,
    UNKNOWN,
    Code,
    Work,
    fact,
    in_data,
    kill,
    target_of,
)
from goretain.kernels.jit import Int, inlined_checked
from goretain.kernels.x86effects import AX, BX, CX, DI, SI

#: What a call of a function that is not known may overwrite from the stack pointer up.
INDIRECT_ARGUMENTS = 64
#: Offset of abi.ITab.Fun (internal/abi/iface.go).
_ITAB_FUNCTIONS = 24
#: Registers of the integer arguments in order, four bits each: AX, BX, CX, DI, SI, R8, R9, R10, R11.
_ORDER, _ARGUMENTS = 0xBA9867130, 9


@inlined_checked
def _row(code: Code, offset: Int) -> Int:
    """Row of the function that holds an offset of the text, -1 outside."""
    low, high = np.int64(0), np.int64(code.entry.shape[0])
    while low < high:
        middle = (low + high) >> 1
        if code.entry[middle] <= offset:
            low = middle + 1
        else:
            high = middle
    return low - 1 if low <= code.role.shape[0] else np.int64(-1)


@inlined_checked
def _allocated(w: Work, facts: I64, role: Int) -> Int:
    """The value that an allocating function of the runtime returns, 0 for others."""
    ax, bx, si = w.state[0, AX], w.state[0, BX], w.state[0, SI]
    kind, t = np.int64(0), ax
    if role == NEW:
        kind = np.int64(POINTER)
    elif role == MALLOC:
        kind, t = np.int64(POINTER), bx
        if ax >> SHIFT != CONSTANT:
            return np.int64(0)
        if bx >> SHIFT == ADDRESS:
            fact(w, facts, SIZED, bx & PAYLOAD, ax & PAYLOAD)
    elif role == MAKE_MAP:
        kind = np.int64(MAP)
    elif role == MAKE_CHANNEL:
        kind = np.int64(CHANNEL)
    elif role == MAKE_SLICE:
        kind = np.int64(ELEMENTS)
    elif role == GROW_SLICE:
        kind, t = np.int64(ELEMENTS), si
    if kind == 0 or t >> SHIFT != ADDRESS:
        return np.int64(0)
    return (kind << SHIFT) | (t & PAYLOAD)


@inlined_checked
def _sited(code: Code, w: Work, facts: I64, value: Int, here: Int) -> Int:
    """What a call gave: where its type leaves open what it leads to, what this very call gave."""
    if value >> SHIFT != POINTER:
        return value
    t = value & PAYLOAD
    low, high = np.int64(0), np.int64(code.shapes.shape[0])
    while low < high:
        middle = (low + high) >> 1
        if code.shapes[middle] < t:
            low = middle + 1
        else:
            high = middle
    if low == code.shapes.shape[0] or code.shapes[low] != t:
        return value
    fact(w, facts, GIVEN, here, t)
    return (np.int64(MADE) << SHIFT) | here


@inlined_checked
def field(w: Work, facts: I64, base: Int, offset: Int, value: Int) -> None:
    """A store into what a call gave."""
    if offset >= 0 and offset & 7 == 0 and value >> SHIFT >= ADDRESS:
        fact(w, facts, FIELD, (offset >> 3) << SHIFT | (base & PAYLOAD), value)


@inlined_checked
def _names(value: Int) -> Int:
    """Whether a value has an identity that facts can be told of."""
    kind = value >> SHIFT
    return kind in (LOADED, RESULT, MADE, THROUGH) or is_element(value)


@inlined_checked
def _placed(code: Code, value: Int) -> bool:
    """Whether a value is what stood at a place that facts can be told of, or the address of one."""
    kind = value >> SHIFT
    return kind in (LOADED, THROUGH, INSIDE) or is_element(value) or data_place(code, value) != 0


@inlined_checked
def _target(code: Code, value: Int) -> Int:
    """The place that a value is the address of, as STORED and HOLDS have it; 0 for none."""
    if value >> SHIFT == INSIDE:
        return np.int64(THROUGH) << SHIFT | value & PAYLOAD
    return data_place(code, value)


@inlined_checked
def _used(code: Code, w: Work, facts: I64, role: Int, row: Int) -> None:
    """What the arguments of a call say of each other."""
    ax, bx, cx = w.state[0, AX], w.state[0, BX], w.state[0, CX]
    si, di = w.state[0, SI], w.state[0, DI]
    if role == METHOD:
        if _placed(code, ax):
            fact(w, facts, RECEIVER, ax, row)
            if bx >> SHIFT == ADDRESS and not in_data(code, bx & PAYLOAD):
                fact(w, facts, DICTIONARY, ax, bx & PAYLOAD)
        return
    if role == GROW_SLICE:
        if si >> SHIFT == ADDRESS and _names(ax):
            fact(w, facts, IS, ax, (np.int64(ELEMENTS) << SHIFT) | (si & PAYLOAD))
        return
    if role == POINTER_STORE:
        place = _target(code, ax)
        if place and bx >> SHIFT >= ADDRESS:
            fact(w, facts, STORED, place, bx)
        return
    if ax >> SHIFT != ADDRESS:
        return
    t = ax & PAYLOAD
    if role == MAP_USE:
        if _names(bx):
            fact(w, facts, IS, bx, (np.int64(MAP) << SHIFT) | t)
    elif role == SLICE_COPY:
        for value in (bx, di):
            if _names(value):
                fact(w, facts, IS, value, (np.int64(ELEMENTS) << SHIFT) | t)
    elif role == TYPED_MOVE:
        for value in (bx, cx):
            place = _target(code, value)
            if place:
                fact(w, facts, HOLDS, place, t)


@inlined_checked
def stored_behind(code: Code, w: Work, facts: I64, value: Int, at: Int) -> None:
    """A store through a pointer: a new closure's code, or what a field is."""
    place = behind(w, facts, at, np.int64(THROUGH))
    if place != UNKNOWN:
        fact(w, facts, STORED, place, value)
    elif w.ins[x86.DISP] == 0 and w.ins[x86.INDEX] < 0 and w.ins[x86.BASE] >= 0:
        _made_closure(code, w, facts, value)


@inlined_checked
def _made_closure(code: Code, w: Work, facts: I64, value: Int) -> None:
    """The address of code as the first word of a new object."""
    address, target = value & PAYLOAD, w.state[0, w.ins[x86.BASE]]
    inside = address >= code.address and address < code.address + code.text.shape[0]
    if value >> SHIFT == ADDRESS and inside and target >> SHIFT == POINTER:
        fact(w, facts, CLOSURE, address, target & PAYLOAD)


@inlined_checked
def beside(code: Code, w: Work, facts: I64, word: Int, value: Int) -> None:
    """Two neighbouring words: when the first may be a type or itab, the second is an interface's data."""
    if word >> SHIFT != ADDRESS or in_data(code, word & PAYLOAD):
        return
    if _placed(code, value):
        fact(w, facts, INTERFACE, value, word & PAYLOAD)


@inlined_checked
def call(code: Code, w: Work, facts: I64, here: Int, at: Int) -> None:
    """A direct call: what its arguments say, and what holds after it."""
    v = w.v
    row = _row(code, target_of(w, at))
    role = np.int64(ORDINARY)
    if row >= 0:
        role = np.int64(code.role[row])
        if code.entry[row] != target_of(w, at) and role != DUFF:
            role = np.int64(ORDINARY)
    if role == BARRIER:
        w.state[0, 11] = UNKNOWN
        return
    if role == DUFF:
        w.state[0, DI] = w.state[0, SI] = w.state[0, AX] = UNKNOWN
        return
    result = _sited(code, w, facts, _allocated(w, facts, role), here)
    if role in (ORDINARY, METHOD):
        for i in range(_ARGUMENTS - 1):
            first, second = (_ORDER >> (4 * i)) & 15, (_ORDER >> (4 * i + 4)) & 15
            beside(code, w, facts, w.state[0, first], w.state[0, second])
    if role >= GROW_SLICE:
        _used(code, w, facts, role, row)
    for r in range(REGISTERS):
        w.state[0, r] = UNKNOWN
    w.state[0, AX] = result if result else (np.int64(RESULT) << SHIFT) | here
    area = code.arguments[row] if row >= 0 else np.int64(INDIRECT_ARGUMENTS)
    kill(w, np.int64(0), area)
    if role == NO_RETURN:
        v[LIVE], v[BARRED], v[DEPTH] = 0, 1, v[FRAME]


@inlined_checked
def method_entry(w: Work) -> Int:
    """What is read through what stood in a stack slot: where that is an itab, one of its functions; else
    UNKNOWN."""
    ins = w.ins
    if ins[x86.MODE] != x86.MEMORY or ins[x86.BASE] < 0 or ins[x86.INDEX] >= 0:
        return np.int64(UNKNOWN)
    base = w.state[0, ins[x86.BASE]]
    behind = ins[x86.DISP] - _ITAB_FUNCTIONS
    is_entry = base >> SHIFT == STACKED and behind >= 0 and behind & 7 == 0
    return (np.int64(ENTRY) << SHIFT) | (base & PAYLOAD) if is_entry else np.int64(UNKNOWN)


@inlined_checked
def indirect_call(w: Work, facts: I64) -> None:
    """A call of what a register or memory holds. A function that was read through one slot and is called on
    what stood in the next is a method of the interface there."""
    if w.ins[x86.MODE] == x86.REGISTER:
        called, receiver = w.state[0, w.ins[x86.BASE]], w.state[0, AX]
        s = called & PAYLOAD
        if called >> SHIFT == ENTRY and receiver == (np.int64(STACKED) << SHIFT) | (s + 1):
            fact(w, facts, BOXED, (s - (SLOTS - ABOVE)) * 8, 0)
    for r in range(REGISTERS):
        w.state[0, r] = UNKNOWN
    kill(w, np.int64(0), np.int64(INDIRECT_ARGUMENTS))
