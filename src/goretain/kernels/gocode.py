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

import numpy as np

from goretain.kernels import x86
from goretain.kernels.codecalls import beside, call, field, indirect_call, method_entry, stored_behind
from goretain.kernels.codeplaces import (
    behind,
    bounded,
    chosen,
    computed,
    data_place,
    element_of,
    multiplied,
    note_compare,
    place_of,
)
from goretain.kernels.codevalues import (
    ABOVE,
    ADDRESS,
    ARGUMENT,
    ASSEMBLY,
    BARRED,
    CHANGED,
    COMPARED,
    CONSTANT,
    DEPTH,
    ELEMENT,
    END,
    FACT_WIDTH,
    FRAME,
    FUNCTION,
    HIGH,
    I64,
    INSIDE,
    INSTRUCTIONS,
    LABEL_COUNT,
    LABELS,
    LIVE,
    LOADED,
    LOW,
    MADE,
    METHOD,
    REFERENCE,
    REGISTERS,
    RETURN_WORD,
    RETURNS,
    SHIFT,
    SLOT,
    SLOTS,
    STACKED,
    START,
    STORED,
    TABLES,
    TAKEN,
    THROUGH,
    TOP,
    UNKNOWN,
    USED,
    WITHIN,
    Code,
    Work,
    fact,
    forget,
    in_data,
    set_slot,
    slot_of,
    target_of,
)
from goretain.kernels.jit import Int, checked, inlined_checked
from goretain.kernels.x86effects import AX, SP, branch_kind, is_padding, pushed_bytes, writes_memory, written

_ROUNDS = 8
#: An instruction gives fewer facts than this: a call one for each pair of arguments and three more.
_FACTS = 12
_NOTHING_TAKEN = 1 << 40


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
        if w.v[USED] + min(3 * (end - start), _FACTS * INSTRUCTIONS) + SLOTS + 1 > facts.shape[0]:
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
    """Rows of facts that hold any one function: three a byte of code, up to what is read of a long one."""
    return min(3 * int(np.diff(entry).max(initial=0)), _FACTS * INSTRUCTIONS) + SLOTS + 2


@inlined_checked
def _only_references(w: Work, facts: I64, begin: Int) -> None:
    """Takes back the facts from row ``begin`` on that no end of the rounds has confirmed."""
    kept = begin
    for i in range(begin, w.v[USED]):
        if facts[i, 0] == REFERENCE:
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
            fact(w, facts, SLOT, offset, w.claim[s])


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
            v[END] = at
            break
        ins = w.rows[n]
        size = x86.decode(code.text, at, end, w.forms, ins)
        if size <= 0:
            v[END] = at
            break
        n += 1
        at += size
        branch = branch_kind(ins)
        if ins[x86.MODE] == x86.MEMORY and ins[x86.BASE] == SP:
            # At the frame's depth or, before the prologue and after the epilogue, at none.
            deep = (ins[x86.DISP] - v[DEPTH] - RETURN_WORD) >> 3
            flat = (ins[x86.DISP] - RETURN_WORD) >> 3
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
                v[TAKEN] = min(v[TAKEN], ins[x86.DISP] - v[DEPTH] - RETURN_WORD)
        else:
            v[DEPTH] += pushed_bytes(ins)
            v[FRAME] = max(v[FRAME], v[DEPTH])
    v[LOW], v[HIGH] = max(v[LOW], 0) + REGISTERS, min(v[HIGH], SLOTS) + REGISTERS
    for i in range(1, v[LABEL_COUNT] + 1):
        w.depth[i] = -1
        for s in range(REGISTERS):
            w.state[i, s] = TOP
        for s in range(v[LOW], v[HIGH]):
            w.state[i, s] = TOP


@checked
def _meet(state: I64, label: Int, low: Int, high: Int) -> Int:
    """Meets entries [low, high) of the current state into a label's; whether that changed it."""
    changed = 0
    for s in range(low, high):
        old, new = state[label, s], state[0, s]
        if old != new and old != UNKNOWN:
            state[label, s] = new if old == TOP else UNKNOWN
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
    forget(work)
    v[LIVE], v[DEPTH], v[BARRED], v[COMPARED] = 1, 0, 0, 0
    if code.role[v[FUNCTION]] == METHOD:
        work.state[0, AX] = np.int64(ARGUMENT) << SHIFT
    for s in range(v[LOW] - REGISTERS, v[HIGH] - REGISTERS):
        work.claim[s] = TOP
    at = start
    n = 0
    while at < end:
        ins = work.rows[n]
        w = Work(work.forms, ins, work.rows, work.label, work.state, work.depth, work.claim, v)
        n += 1
        label = w.label[at - start]
        if label != 0:
            v[COMPARED] = 0
            _arrive(w, label)
        elif v[LIVE] == 0 and v[BARRED] == 1 and not is_padding(ins):
            # Reached by no jump that can be seen: a jump table or the runtime leads here.
            forget(w)
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
            continue
        note_compare(code, w, facts, at)
        if ins[x86.MAP] == x86.ONE and not ins[x86.VEX] and ins[x86.OP] == 0xE8:
            call(code, w, facts, here, at)
        elif ins[x86.MAP] == x86.ONE and ins[x86.OP] == 0xFF and ins[x86.REG] & 7 == 2:
            indirect_call(w, facts)
        elif not _moved(code, w, facts, at):
            _overwritten(w)


@inlined_checked
def _arrive(w: Work, label: Int) -> None:
    """The state at a jump's target, met with the one that came from above."""
    v = w.v
    if label < 0:
        forget(w)
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
        forget(w)
        v[LIVE], v[DEPTH] = 1, v[FRAME]
    else:
        v[BARRED] = 0  # only a jump from further down leads here


@inlined_checked
def _leave(w: Work, facts: I64, branch: Int, here: Int, at: Int) -> None:
    """A branch: hands the state to its target; a return says what the function returns."""
    v = w.v
    start = v[START]
    if branch != 3:
        target = target_of(w, at)
        if target >= start and target < v[END]:
            label = w.label[target - start]
            if label > 0:
                changed = _jump(w, label, branch)
                if changed and target <= here:
                    v[CHANGED] = 1
    elif w.ins[x86.OP] == 0xC3:
        value = w.state[0, AX]
        if value >> SHIFT >= ADDRESS:
            fact(w, facts, RETURNS, 0, value)
    if branch != 1:
        v[LIVE], v[BARRED] = 0, 1
        v[DEPTH] = v[FRAME]
    else:
        value = bounded(w, np.int64(0))
        if value >= 0:
            w.state[0, v[COMPARED] - 1] = value


@inlined_checked
def _jump(w: Work, label: Int, branch: Int) -> Int:
    """Hands the state to a jump's target, with what the jump says of the register that was compared."""
    value = bounded(w, np.int64(1)) if branch == 1 else np.int64(-1)
    if value < 0:
        return _hand_over(w, label)
    r = w.v[COMPARED] - 1
    before = w.state[0, r]
    w.state[0, r] = value
    changed = _hand_over(w, label)
    w.state[0, r] = before
    return changed


@inlined_checked
def _reference(code: Code, w: Work, facts: I64, at: Int) -> None:
    """The function names a data address."""
    address = code.address + at + w.ins[x86.DISP]
    if in_data(code, address):
        fact(w, facts, np.int64(REFERENCE), address, 0)


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
        return chosen(w) if op >= 0x40 and op < 0x50 else 0
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
        s = slot_of(w)
        if s >= 0:
            set_slot(w, s, np.int64(CONSTANT) << SHIFT if ins[x86.IMM] == 0 else UNKNOWN)
        return 1 if s >= 0 else 0
    if computed(code, w, facts, at):
        return 1
    if not ins[x86.WIDE]:
        return 0
    if op == 0x8D and mode >= x86.MEMORY:
        w.state[0, reg] = _address(code, w, facts, at)
        return 1
    if op == 0x8B:
        w.state[0, reg] = _loaded(code, w, facts, at)
        return 1
    if op == 0x89 or op == 0x87:
        return _stored(code, w, facts, at)
    return 0


@inlined_checked
def _zeroed(w: Work) -> int:
    """MOVUPS X15, slot: X15 is zero in Go's code."""
    s = slot_of(w)
    if s < 0 or s + 1 + REGISTERS >= w.v[HIGH]:
        return 0
    w.state[0, REGISTERS + s] = w.state[0, REGISTERS + s + 1] = np.int64(CONSTANT) << SHIFT
    return 1


@inlined_checked
def _address(code: Code, w: Work, facts: I64, at: Int) -> Int:
    """What LEAQ computes."""
    place = place_of(code, w, at)
    if place > 0:
        return (np.int64(ADDRESS) << SHIFT) | place
    element = element_of(code, w, facts)
    if element == UNKNOWN:
        element = behind(w, facts, at, np.int64(INSIDE))
    return element if element != UNKNOWN else multiplied(w)


@inlined_checked
def _loaded(code: Code, w: Work, facts: I64, at: Int) -> Int:
    """What MOVQ reads."""
    ins = w.ins
    if ins[x86.MODE] == x86.REGISTER:
        return w.state[0, ins[x86.BASE]]
    if ins[x86.BASE] == SP:
        s = slot_of(w)
        known = w.state[0, REGISTERS + s] if s >= 0 else np.int64(UNKNOWN)
        return (np.int64(STACKED) << SHIFT) | s if s >= 0 and known == UNKNOWN else known
    place = place_of(code, w, at)
    if place > 0:
        return (np.int64(LOADED) << SHIFT) | place if in_data(code, place) else np.int64(UNKNOWN)
    element = element_of(code, w, facts)
    if element != UNKNOWN:
        return element - (np.int64(WITHIN - ELEMENT) << SHIFT)
    field_there = behind(w, facts, at, np.int64(THROUGH))
    return field_there if field_there != UNKNOWN else method_entry(w)


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
        s = slot_of(w)
        if s < 0 or exchange:
            return 0
        set_slot(w, s, value)
        if s + REGISTERS > w.v[LOW]:
            beside(code, w, facts, w.state[0, REGISTERS + s - 1], value)
        return 1
    place = place_of(code, w, at)
    if place > 0:
        if value >> SHIFT >= ADDRESS and in_data(code, place):
            fact(w, facts, STORED, place, value)
    else:
        element = data_place(code, element_of(code, w, facts))
        if element:
            if value >> SHIFT >= ADDRESS:
                fact(w, facts, STORED, element, value)
        elif ins[x86.INDEX] < 0 and ins[x86.BASE] >= 0 and w.state[0, ins[x86.BASE]] >> SHIFT == MADE:
            field(w, facts, w.state[0, ins[x86.BASE]], ins[x86.DISP], value)
        elif value >> SHIFT >= ADDRESS:
            stored_behind(code, w, facts, value, at)
    if exchange:
        w.state[0, ins[x86.REG]] = UNKNOWN
    return 1


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
        offset = k - w.v[DEPTH] - RETURN_WORD
        for s in range(w.v[LOW] - REGISTERS, w.v[HIGH] - REGISTERS):
            place = (s - (SLOTS - ABOVE)) * 8
            if place + 8 > offset and place < offset + size:
                w.state[0, REGISTERS + s] = UNKNOWN
                w.claim[s] = UNKNOWN
