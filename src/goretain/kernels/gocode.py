"""What registers and stack slots hold in Go's machine code, as far as it says so: addresses, globals'
contents, new objects of known types.

One function at a time, one pass from its first instruction to its last, with the state at every jump kept for
its target (a meet: what two ways disagree on is unknown) and repeated while a jump back changes something, a
few times at most. Facts come out as rows; ``golang.code`` makes sense of them. The calling convention is
Go's ABIInternal (cmd/compile/abi-internal.md): integer arguments in AX, BX, CX, DI, SI, R8..R11, results
likewise, no register survives a call; write barriers (runtime.gcWriteBarrier1..8) change R11 only.
Imports numpy and sibling kernels.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from goretain.kernels import x86
from goretain.kernels.jit import Int, checked, inlined_checked
from goretain.kernels.x86effects import (
    AX,
    BX,
    CX,
    DI,
    SI,
    SP,
    branch_kind,
    is_padding,
    pushed_bytes,
    writes_memory,
    written,
)

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]

# A value is kind << 48 | payload.
UNKNOWN = 0
CONSTANT = 1  #: a number below 2**47
ADDRESS = 2  #: an address in the program: payload
LOADED = 3  #: eight bytes that stood at a data address: payload
POINTER = 4  #: what new(T) gave; payload: abi.Type of T
MAP = 5  #: a map; payload: its abi.Type
CHANNEL = 6  #: a channel; payload: its abi.Type
ELEMENTS = 7  #: pointer word of a slice; payload: abi.Type of its elements
BOXED = 8  #: data word of an interface made from a T; payload: abi.Type of T
ARGUMENT = 9  #: first word of the receiver, in a method; payload 0
RESULT = 10  #: first result of a call; payload: offset of the CALL in the text
SHIFT = 48
_PAYLOAD = (1 << SHIFT) - 1
_TOP = -1  # no way leads here yet

# What calling a function means.
ORDINARY, NEW, MALLOC, MAKE_MAP, MAKE_CHANNEL, MAKE_SLICE, GROW_SLICE, CONVERT = range(8)
TYPED_MOVE, SLICE_COPY, BARRIER, DUFF, NO_RETURN, METHOD, MAP_USE, ASSEMBLY = range(8, 16)

# Facts: rows (kind, function row, a, b).
LOAD, STORE, TAKE, OTHER = 0, 1, 2, 3  #: references; a: data address, b: 0
STORED = 4  #: a: data address, b: the value stored there
IS = 5  #: a: a LOADED or RESULT value, b: MAP or ELEMENTS value that it is
HOLDS = 6  #: a: data address, b: abi.Type of the value there
RECEIVER = 7  #: a: LOADED or ADDRESS value, b: row of the method that is called on it
CLOSURE = 8  #: a: address of the code, b: abi.Type of the closure object
RETURNS = 9  #: a: 0, b: first result
SLOT = 10  #: a: offset from the CFA, b: the value that every store into that stack slot stores
SIZED = 11  #: a: abi.Type, b: bytes allocated for it
FACT_WIDTH = 4

REGISTERS, SLOTS, ABOVE = 16, 128, 16
STATE = REGISTERS + SLOTS
LABELS = 1 << 12
#: What follows in a longer function is not read.
INSTRUCTIONS = 1 << 17
_ROUNDS = 8
_RETURN_WORD = 8
_INDIRECT_ARGUMENTS = 64

# Scalars that change: int64[16].
(
    LIVE, DEPTH, FRAME, TAKEN, CHANGED, TABLES, LABEL_COUNT, LOW, HIGH, USED, BARRED, FUNCTION, START, END,
    UNREADABLE,
) = range(15)  # fmt: skip
_NOTHING_TAKEN = 1 << 40


class Code(NamedTuple):
    """The program.

    text: uint8[n]; address: run-time address of its first byte; entry: int64[f + 1], where functions begin
    (offsets in the text, ascending), then the end of the last; role: uint8[f]; arguments: int64[f], bytes of
    arguments and results in memory; data: int64[2], lowest and highest address of variables.
    """

    text: U8
    address: int
    entry: I64
    role: U8
    arguments: I64
    data: I64


class Work(NamedTuple):
    """Memory to work in, from :func:`work_for`.

    forms: x86.FORMS; ins: int64[x86.WIDTH], the instruction; rows: int64[INSTRUCTIONS, x86.WIDTH], those of
    the function; label: int32[longest function + 1], 0 or the number of a jump's
    target; state: int64[LABELS + 1, STATE], row 0 the current one; depth: int64[LABELS + 1], bytes pushed
    there, -1 where no way led; claim: int64[SLOTS]; v: int64[16].
    """

    forms: U8
    ins: I64
    rows: I64
    label: I32
    state: I64
    depth: I64
    claim: I64
    v: I64


def work_for(entry: I64) -> Work:
    """Working memory for functions that begin at int64[f + 1] offsets; 4.7 MB and 4 bytes a byte of code."""
    longest = int(np.diff(entry).max(initial=0))
    return Work(
        x86.FORMS,
        np.zeros(x86.WIDTH, np.int64),
        np.empty((INSTRUCTIONS, x86.WIDTH), np.int64),
        np.zeros(longest + 1, np.int32),
        np.zeros((LABELS + 1, STATE), np.int64),
        np.zeros(LABELS + 1, np.int64),
        np.zeros(SLOTS, np.int64),
        np.zeros(16, np.int64),
    )


@inlined_checked
def _fact(w: Work, facts: I64, kind: Int, a: Int, b: Int) -> None:
    i = w.v[USED]
    facts[i, 0], facts[i, 1], facts[i, 2], facts[i, 3] = kind, w.v[FUNCTION], a, b
    w.v[USED] = i + 1


@checked
def scan(code: Code, w: Work, first: int, facts: I64) -> Int:
    """Facts of the functions from row ``first`` on, into int64[k, 4] from row 0 on; ``w.v[USED]`` rows.

    Returns the row to go on with: the number of functions, or that of the first one that may not have found
    room (call again with an empty table; a table of :func:`room_for` rows holds any function).
    O(instructions), a few times where there are loops.
    """
    w.v[USED] = 0
    for f in range(first, code.role.shape[0]):
        start, end = max(code.entry[f], 0), min(code.entry[f + 1], code.text.shape[0])
        if start >= end:
            continue
        if w.v[USED] + (end - start) * 2 + SLOTS + 1 > facts.shape[0]:
            return f
        w.v[FUNCTION], w.v[START], w.v[END] = f, start, end
        _labels(code, w)
        begin = w.v[USED]
        for _ in range(_ROUNDS):
            w.v[USED], w.v[CHANGED] = begin, 0
            _interpret(code, w, facts)
            if w.v[CHANGED] == 0:
                break
        if w.v[CHANGED] != 0:
            _only_references(w, facts, begin)
        else:
            _tell_slots(w, facts)
        for o in range(end - start + 1):
            w.label[o] = 0
    return code.role.shape[0]


def room_for(entry: I64) -> int:
    """Rows of facts that hold any one function."""
    return 2 * int(np.diff(entry).max(initial=0)) + SLOTS + 2


@inlined_checked
def _only_references(w: Work, facts: I64, begin: Int) -> None:
    """Takes back the facts from row ``begin`` on that no end of the rounds has confirmed."""
    kept = begin
    for i in range(begin, w.v[USED]):
        if facts[i, 0] <= OTHER:
            for k in range(FACT_WIDTH):
                facts[kept, k] = facts[i, k]
            kept += 1
    w.v[USED] = kept


@inlined_checked
def _tell_slots(w: Work, facts: I64) -> None:
    """Emits what all stores into each slot agree on.

    From the lowest slot on whose address is taken there may be stores that are not seen; a receiver's slot
    holds a receiver all the same.
    """
    for s in range(w.v[LOW] - REGISTERS, w.v[HIGH] - REGISTERS):
        offset = (s - (SLOTS - ABOVE)) * 8
        if w.claim[s] > 0 and (offset < w.v[TAKEN] or w.claim[s] >> SHIFT == ARGUMENT):
            _fact(w, facts, SLOT, offset, w.claim[s])


# -- first pass: where jumps lead, how far slots reach -----------------------------------------------------


@inlined_checked
def _target(w: Work, at: Int) -> Int:
    """Offset in the text that the branch behind which ``at`` lies leads to."""
    return at + w.ins[x86.IMM]


@checked
def _labels(code: Code, w: Work) -> None:
    """Numbers the targets of jumps inside the function and finds the lowest slot whose address is taken."""
    v = w.v
    start, end = v[START], v[END]
    v[LABEL_COUNT], v[TABLES], v[TAKEN], v[DEPTH], v[FRAME] = 0, 0, _NOTHING_TAKEN, 0, 0
    v[LOW], v[HIGH] = SLOTS, 0
    at = start
    n = 0
    while at < end:
        if n >= w.rows.shape[0]:
            v[UNREADABLE] += 1
            v[END] = at
            break
        ins = w.rows[n]
        size = x86.decode(code.text, at, end, w.forms, ins)
        if size <= 0:
            v[UNREADABLE] += 1
            v[END] = at
            break
        n += 1
        at += size
        branch = branch_kind(ins)
        if ins[x86.MODE] == x86.MEMORY and ins[x86.BASE] == SP:
            # At the frame's depth or, before the prologue and after the epilogue, at none.
            deep = (ins[x86.DISP] - v[DEPTH] - _RETURN_WORD) >> 3
            flat = (ins[x86.DISP] - _RETURN_WORD) >> 3
            v[LOW] = min(v[LOW], deep + (SLOTS - ABOVE))
            v[HIGH] = max(v[HIGH], max(deep, min(flat, ABOVE)) + (SLOTS - ABOVE) + 2)
        if branch == 1 or branch == 2:
            target = at + ins[x86.IMM]
            if target >= start and target < end and w.label[target - start] == 0:
                if v[LABEL_COUNT] < LABELS:
                    v[LABEL_COUNT] += 1
                    w.label[target - start] = v[LABEL_COUNT]
                else:
                    w.label[target - start] = -1
        elif branch == 3:
            if ins[x86.OP] == 0xFF:
                v[TABLES] = 1
            v[DEPTH] = v[FRAME]
        elif ins[x86.OP] == 0x8D and ins[x86.MODE] == x86.MEMORY and ins[x86.BASE] == SP:
            if ins[x86.DISP] >= 0 and ins[x86.REG] != SP and ins[x86.MAP] == x86.ONE:
                v[TAKEN] = min(v[TAKEN], ins[x86.DISP] - v[DEPTH] - _RETURN_WORD)
        else:
            v[DEPTH] += pushed_bytes(ins)
            v[FRAME] = max(v[FRAME], v[DEPTH])
    v[LOW], v[HIGH] = max(v[LOW], 0) + REGISTERS, min(v[HIGH], SLOTS) + REGISTERS
    for i in range(1, v[LABEL_COUNT] + 1):
        w.depth[i] = -1
        for s in range(REGISTERS):
            w.state[i, s] = _TOP
        for s in range(v[LOW], v[HIGH]):
            w.state[i, s] = _TOP


# -- second pass: values ------------------------------------------------------------------------------------


@inlined_checked
def _forget(w: Work) -> None:
    for s in range(REGISTERS):
        w.state[0, s] = UNKNOWN
    for s in range(w.v[LOW], w.v[HIGH]):
        w.state[0, s] = UNKNOWN


@checked
def _meet(state: I64, label: Int, low: Int, high: Int) -> Int:
    """Meets entries [low, high) of the current state into a label's; whether that changed it."""
    changed = 0
    for s in range(low, high):
        old, new = state[label, s], state[0, s]
        if old != new and old != UNKNOWN:
            state[label, s] = new if old == _TOP else UNKNOWN
            changed = 1
    return changed


@inlined_checked
def _hand_over(w: Work, label: Int) -> Int:
    """Meets the current state into a label's; whether that changed it."""
    if w.depth[label] < 0:
        w.depth[label] = w.v[DEPTH]
    return _meet(w.state, label, 0, REGISTERS) | _meet(w.state, label, w.v[LOW], w.v[HIGH])


@checked
def _interpret(code: Code, work: Work, facts: I64) -> None:
    """One round over the function."""
    v = work.v
    start, end = v[START], v[END]
    _forget(work)
    v[LIVE], v[DEPTH], v[BARRED] = 1, 0, 0
    if code.role[v[FUNCTION]] == METHOD:
        work.state[0, AX] = np.int64(ARGUMENT) << SHIFT
    for s in range(v[LOW] - REGISTERS, v[HIGH] - REGISTERS):
        work.claim[s] = _TOP
    at = start
    n = 0
    while at < end:
        ins = work.rows[n]
        w = Work(work.forms, ins, work.rows, work.label, work.state, work.depth, work.claim, v)
        n += 1
        label = w.label[at - start]
        if label != 0:
            _arrive(w, label)
        elif v[LIVE] == 0 and v[BARRED] == 1 and not is_padding(ins):
            # Reached by no jump that can be seen: a jump table or the runtime leads here.
            _forget(w)
            v[LIVE], v[DEPTH] = 1, v[FRAME]
        here = at
        at += ins[x86.SIZE]
        branch = branch_kind(ins)
        if ins[x86.MODE] == x86.RELATIVE:
            _reference(code, w, facts, at)
        if v[LIVE] == 0 or code.role[v[FUNCTION]] == ASSEMBLY:
            continue
        if branch:
            _leave(w, facts, branch, here, at)
        elif ins[x86.MAP] == x86.ONE and not ins[x86.VEX] and ins[x86.OP] == 0xE8:
            _call(code, w, facts, here, at)
        elif not _moved(code, w, facts, at):
            _overwritten(w)


@inlined_checked
def _arrive(w: Work, label: Int) -> None:
    """The state at a jump's target, met with the one that came from above."""
    v = w.v
    if label < 0:
        _forget(w)
        if v[LIVE] == 0:
            v[DEPTH] = v[FRAME]
        v[LIVE] = 1
        return
    if v[LIVE]:
        _hand_over(w, label)
    if w.depth[label] >= 0:
        v[LIVE], v[DEPTH] = 1, w.depth[label]
        for s in range(REGISTERS):
            w.state[0, s] = w.state[label, s]
        for s in range(v[LOW], v[HIGH]):
            w.state[0, s] = w.state[label, s]
    elif v[TABLES]:
        _forget(w)
        v[LIVE], v[DEPTH] = 1, v[FRAME]
    else:
        v[BARRED] = 0  # only a jump from further down leads here


@inlined_checked
def _leave(w: Work, facts: I64, branch: Int, here: Int, at: Int) -> None:
    """A branch: hands the state to its target; a return says what the function returns."""
    v = w.v
    start = v[START]
    if branch != 3:
        target = _target(w, at)
        if target >= start and target < v[END]:
            label = w.label[target - start]
            if label > 0:
                changed = _hand_over(w, label)
                if changed and target <= here:
                    v[CHANGED] = 1
    elif w.ins[x86.OP] == 0xC3:
        value = w.state[0, AX]
        if value >> SHIFT >= ADDRESS:
            _fact(w, facts, RETURNS, 0, value)
    if branch != 1:
        v[LIVE], v[BARRED] = 0, 1
        v[DEPTH] = v[FRAME]


@inlined_checked
def _reference(code: Code, w: Work, facts: I64, at: Int) -> None:
    """The function names a data address."""
    ins = w.ins
    address = code.address + at + ins[x86.DISP]
    if address < code.data[0] or address >= code.data[1]:
        return
    how = np.int64(OTHER)
    if ins[x86.MAP] == x86.ONE and not ins[x86.VEX]:
        if ins[x86.OP] == 0x8D:
            how = np.int64(TAKE)
        elif ins[x86.OP] == 0x8B:
            how = np.int64(LOAD)
        elif ins[x86.OP] == 0x89 or ins[x86.OP] == 0x87 or ins[x86.OP] == 0xC7:
            how = np.int64(STORE)
    _fact(w, facts, how, address, 0)


@inlined_checked
def _slot(w: Work) -> Int:
    """Index of the aligned stack slot that the instruction names, -1 when it is none that is followed."""
    ins = w.ins
    offset = ins[x86.DISP] - w.v[DEPTH] - _RETURN_WORD
    if ins[x86.INDEX] >= 0 or offset & 7:
        return np.int64(-1)
    s = (offset >> 3) + (SLOTS - ABOVE)
    inside = s + REGISTERS >= w.v[LOW] and s + REGISTERS < w.v[HIGH]
    return s if inside else np.int64(-1)


@inlined_checked
def _set_slot(w: Work, s: Int, value: Int) -> None:
    w.state[0, REGISTERS + s] = value
    # Above the frame a slot belongs to one parameter: what is not known there is of its type all the same.
    if value >> SHIFT == CONSTANT or (value == UNKNOWN and s >= SLOTS - ABOVE):
        return
    if w.claim[s] == _TOP:
        w.claim[s] = value
    elif w.claim[s] != value:
        w.claim[s] = UNKNOWN


@inlined_checked
def _place(code: Code, w: Work, at: Int) -> Int:
    """Address in the program that the memory operand names, 0 when that is not known."""
    ins = w.ins
    if ins[x86.MODE] == x86.RELATIVE:
        return code.address + at + ins[x86.DISP]
    if ins[x86.MODE] == x86.MEMORY and ins[x86.BASE] >= 0 and ins[x86.INDEX] < 0:
        base = w.state[0, ins[x86.BASE]]
        if base >> SHIFT == ADDRESS:
            return (base & _PAYLOAD) + ins[x86.DISP]
    return np.int64(0)


@inlined_checked
def _in_data(code: Code, address: Int) -> Int:
    return address >= code.data[0] and address < code.data[1]


@inlined_checked
def _moved(code: Code, w: Work, facts: I64, at: Int) -> int:
    """Carries out the instructions whose effect on values is known; 0 for all others."""
    ins, v = w.ins, w.v
    op, reg, mode, base = ins[x86.OP], ins[x86.REG], ins[x86.MODE], ins[x86.BASE]
    if ins[x86.VEX] or ins[x86.PREFIX] & (x86.P66 | x86.PSEGMENT | x86.P67):
        return 0
    if ins[x86.MAP] == x86.TWO:
        if op == 0x11 and reg == 15 and mode == x86.MEMORY and base == SP and ins[x86.INDEX] < 0:
            return _zeroed(w)
        return 0
    if ins[x86.MAP] != x86.ONE:
        return 0
    pushed = pushed_bytes(ins)
    if pushed:
        v[DEPTH] += pushed
        if op >= 0x58 and op < 0x60:
            w.state[0, base] = UNKNOWN
        return 1
    if op >= 0xB8 and op < 0xC0:
        known = ins[x86.IMM] >= 0 and ins[x86.IMM] < 1 << 47
        w.state[0, base] = (np.int64(CONSTANT) << SHIFT) | ins[x86.IMM] if known else UNKNOWN
        return 1
    if (op == 0x31 or op == 0x33) and mode == x86.REGISTER and reg == base:
        w.state[0, reg] = np.int64(CONSTANT) << SHIFT
        return 1
    if op == 0xC7 and mode == x86.MEMORY and base == SP and ins[x86.WIDE]:
        s = _slot(w)
        if s >= 0:
            _set_slot(w, s, np.int64(CONSTANT) << SHIFT if ins[x86.IMM] == 0 else UNKNOWN)
        return 1 if s >= 0 else 0
    if not ins[x86.WIDE]:
        return 0
    if op == 0x8D and mode >= x86.MEMORY:
        place = _place(code, w, at)
        w.state[0, reg] = (np.int64(ADDRESS) << SHIFT) | place if place > 0 else UNKNOWN
        return 1
    if op == 0x8B:
        w.state[0, reg] = _loaded(code, w, at)
        return 1
    if op == 0x89 or op == 0x87:
        return _stored(code, w, facts, at)
    return 0


@inlined_checked
def _zeroed(w: Work) -> int:
    """MOVUPS X15, slot: X15 is zero in Go's code."""
    s = _slot(w)
    if s < 0 or s + 1 + REGISTERS >= w.v[HIGH]:
        return 0
    w.state[0, REGISTERS + s] = w.state[0, REGISTERS + s + 1] = np.int64(CONSTANT) << SHIFT
    return 1


@inlined_checked
def _loaded(code: Code, w: Work, at: Int) -> Int:
    """What MOVQ reads."""
    ins = w.ins
    if ins[x86.MODE] == x86.REGISTER:
        return w.state[0, ins[x86.BASE]]
    if ins[x86.BASE] == SP:
        s = _slot(w)
        return w.state[0, REGISTERS + s] if s >= 0 else np.int64(UNKNOWN)
    place = _place(code, w, at)
    return (np.int64(LOADED) << SHIFT) | place if _in_data(code, place) else np.int64(UNKNOWN)


@inlined_checked
def _stored(code: Code, w: Work, facts: I64, at: Int) -> int:
    """MOVQ and XCHGQ from a register; 0 when the effect is not followed."""
    ins = w.ins
    value = w.state[0, ins[x86.REG]]
    exchange = ins[x86.OP] == 0x87
    if ins[x86.MODE] == x86.REGISTER:
        if exchange:
            w.state[0, ins[x86.REG]] = w.state[0, ins[x86.BASE]]
        w.state[0, ins[x86.BASE]] = value
        return 1
    if ins[x86.BASE] == SP:
        s = _slot(w)
        if s < 0 or exchange:
            return 0
        _set_slot(w, s, value)
        return 1
    place = _place(code, w, at)
    if place > 0:
        if value >> SHIFT >= ADDRESS and _in_data(code, place):
            _fact(w, facts, STORED, place, value)
    elif ins[x86.DISP] == 0 and ins[x86.INDEX] < 0 and ins[x86.BASE] >= 0 and value >> SHIFT == ADDRESS:
        code_address = value & _PAYLOAD
        target = w.state[0, ins[x86.BASE]]
        inside = code_address >= code.address and code_address < code.address + code.text.shape[0]
        if inside and target >> SHIFT == POINTER:
            _fact(w, facts, CLOSURE, code_address, target & _PAYLOAD)
    if exchange:
        w.state[0, ins[x86.REG]] = UNKNOWN
    return 1


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
def _call(code: Code, w: Work, facts: I64, here: Int, at: Int) -> None:
    """A direct call: what its arguments say, and what holds after it."""
    v = w.v
    row = _row(code, _target(w, at))
    role = np.int64(ORDINARY)
    if row >= 0:
        role = np.int64(code.role[row])
        if code.entry[row] != _target(w, at) and role != DUFF:
            role = np.int64(ORDINARY)
    if role == BARRIER:
        w.state[0, 11] = UNKNOWN
        return
    if role == DUFF:
        w.state[0, DI] = w.state[0, SI] = w.state[0, AX] = UNKNOWN
        return
    result = _allocated(w, facts, role)
    if role >= GROW_SLICE:
        _used(code, w, facts, role, row)
    for r in range(REGISTERS):
        w.state[0, r] = UNKNOWN
    w.state[0, AX] = result if result else (np.int64(RESULT) << SHIFT) | here
    area = code.arguments[row] if row >= 0 else np.int64(_INDIRECT_ARGUMENTS)
    _kill(w, np.int64(0), area)
    if role == NO_RETURN:
        v[LIVE], v[BARRED], v[DEPTH] = 0, 1, v[FRAME]


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
            _fact(w, facts, SIZED, bx & _PAYLOAD, ax & _PAYLOAD)
    elif role == MAKE_MAP:
        kind = np.int64(MAP)
    elif role == MAKE_CHANNEL:
        kind = np.int64(CHANNEL)
    elif role == MAKE_SLICE:
        kind = np.int64(ELEMENTS)
    elif role == GROW_SLICE:
        kind, t = np.int64(ELEMENTS), si
    elif role == CONVERT:
        kind = np.int64(BOXED)
    if kind == 0 or t >> SHIFT != ADDRESS:
        return np.int64(0)
    return (kind << SHIFT) | (t & _PAYLOAD)


@inlined_checked
def _names(value: Int) -> Int:
    """Whether a value has an identity that facts can be told of."""
    return value >> SHIFT == LOADED or value >> SHIFT == RESULT


@inlined_checked
def _used(code: Code, w: Work, facts: I64, role: Int, row: Int) -> None:
    """What the arguments of a call say of each other."""
    ax, bx, cx = w.state[0, AX], w.state[0, BX], w.state[0, CX]
    si, di = w.state[0, SI], w.state[0, DI]
    if role == METHOD:
        if ax >> SHIFT == LOADED or (ax >> SHIFT == ADDRESS and _in_data(code, ax & _PAYLOAD)):
            _fact(w, facts, RECEIVER, ax, row)
        return
    if role == GROW_SLICE:
        if si >> SHIFT == ADDRESS and _names(ax):
            _fact(w, facts, IS, ax, (np.int64(ELEMENTS) << SHIFT) | (si & _PAYLOAD))
        return
    if ax >> SHIFT != ADDRESS:
        return
    t = ax & _PAYLOAD
    if role == MAP_USE:
        if _names(bx):
            _fact(w, facts, IS, bx, (np.int64(MAP) << SHIFT) | t)
    elif role == SLICE_COPY:
        for value in (bx, di):
            if _names(value):
                _fact(w, facts, IS, value, (np.int64(ELEMENTS) << SHIFT) | t)
    elif role == TYPED_MOVE:
        for value in (bx, cx):
            if value >> SHIFT == ADDRESS and _in_data(code, value & _PAYLOAD):
                _fact(w, facts, HOLDS, value & _PAYLOAD, t)


# -- everything else: what it overwrites ------------------------------------------------------------


@inlined_checked
def _kill(w: Work, k: Int, size: Int) -> None:
    """Forgets the slots in [SP + k, SP + k + size)."""
    offset = k - w.v[DEPTH] - _RETURN_WORD
    low = max((offset >> 3) + (SLOTS - ABOVE) + REGISTERS, w.v[LOW])
    high = min(((offset + size + 7) >> 3) + (SLOTS - ABOVE) + REGISTERS, w.v[HIGH])
    for s in range(low, high):
        w.state[0, s] = UNKNOWN


@inlined_checked
def _overwritten(w: Work) -> None:
    """Forgets what an instruction of no known meaning may write: registers and stack slots."""
    ins = w.ins
    mask = written(ins)
    r = 0
    while mask:
        if mask & 1:
            w.state[0, r] = UNKNOWN
        mask >>= 1
        r += 1
    if ins[x86.MODE] == x86.MEMORY and ins[x86.BASE] == SP and writes_memory(ins):
        size = np.int64(64) if ins[x86.VEX] else np.int64(16)
        k = ins[x86.DISP]
        if ins[x86.INDEX] >= 0:
            k, size = np.int64(-(1 << 30)), np.int64(1 << 31)
        offset = k - w.v[DEPTH] - _RETURN_WORD
        for s in range(w.v[LOW] - REGISTERS, w.v[HIGH] - REGISTERS):
            place = (s - (SLOTS - ABOVE)) * 8
            if place + 8 > offset and place < offset + size:
                w.state[0, REGISTERS + s] = UNKNOWN
                w.claim[s] = UNKNOWN
    if ins[x86.MAP] == x86.ONE and ins[x86.OP] == 0xFF and ins[x86.REG] & 7 == 2:
        for i in range(REGISTERS):
            w.state[0, i] = UNKNOWN
        _kill(w, np.int64(0), np.int64(_INDIRECT_ARGUMENTS))
