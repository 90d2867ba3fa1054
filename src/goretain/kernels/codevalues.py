"""What the reader of Go's machine code keeps: values, facts, the program, memory to work in.

Imports numpy and sibling kernels.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from goretain.kernels import x86
from goretain.kernels.jit import Int, inlined_checked

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]

# A value is kind << 48 | payload.
UNKNOWN = 0
CONSTANT = 1  #: a number below 2**47
INDEX = 2  #: a multiple; payload: multiple of what << 24 | how many different ones at most, 0 not known
STACKED = 3  #: what stood in a stack slot, where nothing else is known of it; payload: the slot's index
ENTRY = 4  #: a function of the itab that a slot holds, if it holds one; payload: the slot's index
ADDRESS = 5  #: an address in the program: payload. From here on a value says something of where it goes.
LOADED = 6  #: eight bytes that stood at a data address: payload
POINTER = 7  #: what new(T) gave; payload: abi.Type of T
MAP = 8  #: a map; payload: its abi.Type
CHANNEL = 9  #: a channel; payload: its abi.Type
ELEMENTS = 10  #: pointer word of a slice; payload: abi.Type of its elements
ARGUMENT = 11  #: first word of the receiver, in a method; payload 0
RESULT = 12  #: first result of a call; payload: offset of the CALL in the text
MADE = 13  #: what new(T) gave, T being compiled for any pointer; payload: offset of the CALL in the text
THROUGH = 14  #: eight bytes read through a pointer of no known type; payload: offset behind the instruction
INSIDE = 15  #: the address of such bytes; payload: offset behind the instruction that computes it
#: From here on the kind has a number of words: of an array in data whose elements are so far apart one begins
#: (WITHIN: is; ELEMENT: eight bytes that stood where one is) so many elements behind the address: payload.
ELEMENT = 1 << 13
WITHIN = 1 << 14
MOST_WORDS = (1 << 13) - 1
SHIFT = 48
PAYLOAD = (1 << SHIFT) - 1
TOP = -1  # no way leads here yet

# What calling a function means.
ORDINARY, NEW, MALLOC, MAKE_MAP, MAKE_CHANNEL, MAKE_SLICE, GROW_SLICE = range(7)
TYPED_MOVE, SLICE_COPY, BARRIER, DUFF, NO_RETURN, METHOD, MAP_USE, ASSEMBLY, INTERNAL = range(7, 16)
POINTER_STORE = 16

# Facts: rows (kind, function row, a, b).
REFERENCE = 0  #: a: data address that an instruction names, b: 0
STORED = 1  #: a: data address, b: the value stored there
IS = 2  #: a: a LOADED or RESULT value, b: MAP or ELEMENTS value that it is
HOLDS = 3  #: a: data address, b: abi.Type of the value there
RECEIVER = 4  #: a: LOADED or ADDRESS value, b: row of the method that is called on it
CLOSURE = 5  #: a: address of the code, b: abi.Type of the closure object
RETURNS = 6  #: a: 0, b: first result
SLOT = 7  #: a: offset from the CFA, b: the value that every store into that stack slot stores
SIZED = 8  #: a: abi.Type, b: bytes allocated for it
INTERFACE = 9  #: a: a LOADED or ADDRESS value, b: the type or itab beside it, as in an interface
DICTIONARY = 10  #: a: the value of a RECEIVER, b: address that is the call's next argument
EXTENT = 11  #: a: data address, b: bytes of the array that code indexes from there
GIVEN = 12  #: a: offset of the CALL that gave a MADE value, b: abi.Type of what it points to
FIELD = 13  #: a: words into what a MADE value points to << 48 | offset of its CALL, b: the value stored there
BOXED = (
    14  #: a: offset from the CFA of two slots that hold an interface, one of whose methods is called; b: 0
)
#: a: words behind what b points to (INSIDE: is the address of) << 48 | offset behind the instruction, b: a
#: value. It says what a THROUGH or INSIDE value of this offset is, or the place of a STORED or HOLDS fact.
BEHIND = 15
TESTED = 16  #: a: a value that is compared with an address that is none of data: b
FACT_WIDTH = 4
# A data address in facts may be that of an array's elements: ELEMENT + words between two << 48 | address.

REGISTERS, SLOTS, ABOVE = 16, 128, 16
STATE = REGISTERS + SLOTS
LABELS = 1 << 12
#: What follows in a longer function is not read.
INSTRUCTIONS = 1 << 17
RETURN_WORD = 8

# Scalars that change: int64[16].
(
    LIVE, DEPTH, FRAME, TAKEN, CHANGED, TABLES, LABEL_COUNT, LOW, HIGH, USED, BARRED, FUNCTION, START, END,
    COMPARED, BOUND,
) = range(16)  # fmt: skip


class Code(NamedTuple):
    """The program.

    text: uint8[n]; address: run-time address of its first byte; entry: int64[f + 1], where functions begin
    (offsets in the text, ascending), then the end of the last; role: uint8[f]; arguments: int64[f], bytes of
    arguments and results in memory; data: int64[2], lowest and highest address of variables; shapes:
    int64[k], ascending abi.Types that leave open what pointers in them lead to.
    """

    text: U8
    address: int
    entry: I64
    role: U8
    arguments: I64
    data: I64
    shapes: I64


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
def fact(w: Work, facts: I64, kind: Int, a: Int, b: Int) -> None:
    """Puts one fact of the current function down."""
    i = w.v[USED]
    facts[i, 0], facts[i, 1], facts[i, 2], facts[i, 3] = kind, w.v[FUNCTION], a, b
    w.v[USED] = i + 1


@inlined_checked
def forget(w: Work) -> None:
    """Nothing is known of any register or slot."""
    for s in range(REGISTERS):
        w.state[0, s] = UNKNOWN
    for s in range(w.v[LOW], w.v[HIGH]):
        w.state[0, s] = UNKNOWN


@inlined_checked
def target_of(w: Work, at: Int) -> Int:
    """Offset in the text that the branch behind which ``at`` lies leads to."""
    return at + w.ins[x86.IMM]


@inlined_checked
def in_data(code: Code, address: Int) -> Int:
    """Whether variables lie there."""
    return address >= code.data[0] and address < code.data[1]


@inlined_checked
def slot_of(w: Work) -> Int:
    """Index of the aligned stack slot that the instruction names, -1 when it is none that is followed."""
    ins = w.ins
    offset = ins[x86.DISP] - w.v[DEPTH] - RETURN_WORD
    if ins[x86.INDEX] >= 0 or offset & 7:
        return np.int64(-1)
    s = (offset >> 3) + (SLOTS - ABOVE)
    inside = s + REGISTERS >= w.v[LOW] and s + REGISTERS < w.v[HIGH]
    return s if inside else np.int64(-1)


@inlined_checked
def set_slot(w: Work, s: Int, value: Int) -> None:
    """A store of eight bytes into a slot, and what it means for all stores there."""
    if value >> SHIFT == STACKED or value >> SHIFT == ENTRY:
        value = np.int64(UNKNOWN)
    w.state[0, REGISTERS + s] = value
    value = UNKNOWN if value >> SHIFT == INDEX else value
    # Above the frame a slot belongs to one parameter: what is not known there is of its type all the same.
    if value >> SHIFT == CONSTANT or (value == UNKNOWN and s >= SLOTS - ABOVE):
        return
    if w.claim[s] == TOP:
        w.claim[s] = value
    elif w.claim[s] != value:
        w.claim[s] = UNKNOWN


@inlined_checked
def kill(w: Work, k: Int, size: Int) -> None:
    """Forgets the slots in [SP + k, SP + k + size)."""
    offset = k - w.v[DEPTH] - RETURN_WORD
    low = max((offset >> 3) + (SLOTS - ABOVE) + REGISTERS, w.v[LOW])
    high = min(((offset + size + 7) >> 3) + (SLOTS - ABOVE) + REGISTERS, w.v[HIGH])
    for s in range(low, high):
        w.state[0, s] = UNKNOWN
