"""Where arguments of a Go function lie above its CFA: the layout of the stack-assigned part and of the spill
area.

The algorithm is that of the Go internal ABI specification (cmd/compile/abi-internal.md, "Function call
argument and result passing") for amd64: 9 integer and 15 floating-point registers; what does not fit goes to
the stack; every register-assigned argument has a home in the spill area after the stack-assigned arguments
and results.
Imports ``golang.types.gotypes``.
"""

from __future__ import annotations

import re

from goretain.golang.types.gotypes import GoType

_INTEGER_REGISTERS, _FLOAT_REGISTERS = 9, 15
_INTEGERS = {"string": 2, "interface": 2, "slice": 3}
_FLOATS = {"float32": 1, "float64": 1, "complex64": 2, "complex128": 2}
_CLOSURE = re.compile(r"\.(func\d+|gowrap\d+|deferwrap\d+|\d+)$|-range\d+$|-fm$")
_ALIGN_4 = frozenset(("int32", "uint32", "float32", "complex64"))


def dictionary_position(function: str) -> int:
    """Where a function that generic code was compiled to takes its hidden dictionary among its parameters.

    First, or after the receiver; -1 for other functions, and for closures in them, which capture it
    (cmd/compile/internal/noder/reader.go, shapedFuncType).
    """
    if "[go.shape." not in function or function.startswith("type:") or _CLOSURE.search(function):
        return -1
    return 0 if function.endswith("]") else 1


def spill_offsets(parameters: list[GoType], results: list[GoType]) -> tuple[list[int], int]:
    """(offset from the CFA of each parameter, in its stack home or the spill area; bytes of all of them).

    parameters: with the receiver and the dictionary, in the order in which they are passed.
    """
    offsets = [-1] * len(parameters)
    used = (0, 0)
    stack = 0
    in_registers: list[int] = []
    for i, t in enumerate(parameters):
        taken = _registers(t, used)
        if taken is not None:
            used = taken
            in_registers.append(i)
        else:
            stack = _align(stack, alignment(t))
            offsets[i] = stack
            stack += t.size
    stack = _after_results(_align(stack, 8), results)
    for i in in_registers:
        stack = _align(stack, alignment(parameters[i]))
        offsets[i] = stack
        stack += parameters[i].size
    return offsets, _align(stack, 8)


def _after_results(stack: int, results: list[GoType]) -> int:
    used = (0, 0)
    for t in results:
        taken = _registers(t, used)
        if taken is not None:
            used = taken
        else:
            stack = _align(stack, alignment(t)) + t.size
    return _align(stack, 8)


def _registers(t: GoType, used: tuple[int, int]) -> tuple[int, int] | None:
    """Registers in use after assigning a value of t, None when it does not fit."""
    if t.kind == "struct":
        for f in t.fields:
            taken = _registers(f.type, used)
            if taken is None:
                return None
            used = taken
        return used
    if t.kind == "array":
        if t.count == 0 or t.elem is None:
            return used
        return _registers(t.elem, used) if t.count == 1 else None
    floats = _FLOATS.get(t.kind, 0)
    integers = 0 if floats else _INTEGERS.get(t.kind, 1)
    taken = (used[0] + integers, used[1] + floats)
    return taken if taken[0] <= _INTEGER_REGISTERS and taken[1] <= _FLOAT_REGISTERS else None


def alignment(t: GoType) -> int:
    """Alignment of a value of t on amd64 (cmd/compile/internal/types/size.go)."""
    if t.kind == "struct":
        return max((alignment(f.type) for f in t.fields), default=1)
    if t.kind == "array":
        return alignment(t.elem) if t.elem is not None else 1
    if t.kind in _ALIGN_4:
        return 4
    return t.size if t.size in (1, 2) else 8


def _align(offset: int, to: int) -> int:
    return (offset + to - 1) // to * to
