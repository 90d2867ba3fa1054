"""Where a variable lies in memory at one instant: a DWARF location expression evaluated to memory pieces.

The Go compiler (cmd/compile/internal/ssa/debug.go, cmd/internal/dwarf/dwarf.go) describes variables by
DW_OP_fbreg/DW_OP_call_frame_cfa for stack homes, DW_OP_reg for registers and DW_OP_piece for variables that
are split over both. Only memory matters here: a piece in a register or behind a pointer yields nothing.
Imports the standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass

_ADDR, _DEREF, _CONSTU, _CONSTS, _PLUS, _PLUS_UCONST = 0x03, 0x06, 0x10, 0x11, 0x22, 0x23
_REG0, _REG31, _BREG0, _BREG31, _REGX, _FBREG, _PIECE = 0x50, 0x6F, 0x70, 0x8F, 0x90, 0x91, 0x93
_CALL_FRAME_CFA, _IMPLICIT_VALUE, _STACK_VALUE = 0x9C, 0x9E, 0x9F


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes [offset, offset + size) of a variable stand at cfa_offset from the CFA; size -1: all the rest."""

    cfa_offset: int
    offset: int
    size: int


#: DWARF numbers of amd64's general registers (System V psABI, figure 3.36).
DWARF_REGISTERS = (
    *("rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp"),
    *("r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"),
)


def register_pieces(expression: bytes) -> list[tuple[str, int]]:
    """(register, offset among the pieces) of the parts of a variable that live in general registers."""
    found: list[tuple[str, int]] = []
    at, offset, register = 0, 0, ""
    while at < len(expression):
        op = expression[at]
        at += 1
        if _REG0 <= op < _REG0 + len(DWARF_REGISTERS):
            register = DWARF_REGISTERS[op - _REG0]
        elif op == _PIECE:
            size, at = _uleb(expression, at)
            if register:
                found.append((register, offset))
            offset, register = offset + size, ""
        elif op in (_FBREG, _CONSTS, _CONSTU, _PLUS_UCONST):
            at = _uleb(expression, at)[1]
        elif op not in (_CALL_FRAME_CFA, _PLUS):
            at = _skip(op, expression, at)
            if at < 0:
                return found
    return [*found, (register, offset)] if register else found


def stack_pieces(expression: bytes) -> list[Piece]:
    """The parts of a variable that lie in its frame. An unknown operator ends the evaluation."""
    pieces: list[Piece] = []
    at, offset = 0, 0
    current: int | None = None
    while at < len(expression):
        op = expression[at]
        at += 1
        if op == _CALL_FRAME_CFA:
            current = 0
        elif op == _FBREG:
            current, at = _sleb(expression, at)
        elif op in (_CONSTS, _CONSTU, _PLUS_UCONST):
            value, at = _sleb(expression, at) if op == _CONSTS else _uleb(expression, at)
            current = current + value if current is not None else None
        elif op == _PLUS:
            continue  # the operand was added when it was pushed
        elif op == _PIECE:
            size, at = _uleb(expression, at)
            if current is not None:
                pieces.append(Piece(current, offset, size))
            offset, current = offset + size, None
        else:
            skipped = _skip(op, expression, at)
            if skipped < 0:
                return pieces
            at, current = skipped, None
    if current is not None and not offset:
        pieces.append(Piece(current, 0, -1))
    return pieces


def _skip(op: int, expression: bytes, at: int) -> int:
    """Position after the operands of an operator that yields no stack memory, -1 for an unknown one."""
    if op == _ADDR:
        return at + 8
    if op in (_DEREF, _STACK_VALUE) or _REG0 <= op <= _REG31:
        return at
    if _BREG0 <= op <= _BREG31 or op == _REGX:
        return _uleb(expression, at)[1]
    if op == _IMPLICIT_VALUE:
        size, at = _uleb(expression, at)
        return at + size
    return -1


def _uleb(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data):
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            break
    return value, at


def _sleb(data: bytes, at: int) -> tuple[int, int]:
    start = at
    value, at = _uleb(data, at)
    if at > start and data[at - 1] & 64:
        value -= 1 << 7 * (at - start)
    return value, at
