"""What calling a function means to the reader of machine code, by its name in the function table.

The runtime's functions that the compiler calls are declared in cmd/compile/internal/typecheck/_builtin/
runtime.go; those that allocate by size class (runtime/malloc_generated.go) take (size, type, needzero) like
mallocgc. In a program whose names were changed there are simply fewer that are known.
Imports ``debuginfo``, ``kernels`` and numpy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from goretain.debuginfo.pclntab import FLAG_ASM, FuncColumns
from goretain.kernels import gocode

_EXACT = {
    "newobject": gocode.NEW,
    "makemap": gocode.MAKE_MAP,
    "makemap64": gocode.MAKE_MAP,
    "makechan": gocode.MAKE_CHANNEL,
    "makechan64": gocode.MAKE_CHANNEL,
    "makeslice": gocode.MAKE_SLICE,
    "makeslice64": gocode.MAKE_SLICE,
    "makeslicecopy": gocode.MAKE_SLICE,
    "growslice": gocode.GROW_SLICE,
    "convT": gocode.CONVERT,
    "convTnoptr": gocode.CONVERT,
    "typedmemmove": gocode.TYPED_MOVE,
    "typedmemclr": gocode.TYPED_MOVE,
    "wbMove": gocode.TYPED_MOVE,
    "wbZero": gocode.TYPED_MOVE,
    "typedslicecopy": gocode.SLICE_COPY,
    "duffzero": gocode.DUFF,
    "duffcopy": gocode.DUFF,
    "gopanic": gocode.NO_RETURN,
    "throw": gocode.NO_RETURN,
    "fatal": gocode.NO_RETURN,
    "mapiterinit": gocode.MAP_USE,
    "mapIterStart": gocode.MAP_USE,
    "mapclear": gocode.MAP_USE,
    "mapdelete": gocode.MAP_USE,
}
_STARTS = (
    ("mallocgc", gocode.MALLOC),
    ("mapaccess1", gocode.MAP_USE),
    ("mapaccess2", gocode.MAP_USE),
    ("mapassign", gocode.MAP_USE),
    ("mapdelete_fast", gocode.MAP_USE),
    ("gcWriteBarrier", gocode.BARRIER),
    ("panic", gocode.NO_RETURN),
    ("goPanic", gocode.NO_RETURN),
)


def roles_of(functions: FuncColumns) -> NDArray[np.uint8]:
    """uint8[n]: role of each function, a constant of ``kernels.gocode``."""
    roles = np.full(len(functions.names), gocode.ORDINARY, np.uint8)
    roles[(functions.flag & FLAG_ASM) != 0] = gocode.ASSEMBLY
    for row, name in enumerate(functions.names):
        if name.startswith("runtime."):
            role = _runtime_role(name[len("runtime.") :])
            if role != gocode.ORDINARY:
                roles[row] = role
        elif roles[row] == gocode.ORDINARY and receiver_of(name):
            roles[row] = gocode.METHOD
    return roles


def _runtime_role(name: str) -> int:
    name = name.removesuffix(".abi0")
    if name in _EXACT:
        return _EXACT[name]
    if "." in name:
        return gocode.ORDINARY
    return next((role for start, role in _STARTS if name.startswith(start)), gocode.ORDINARY)


def receiver_of(name: str) -> str:
    """Name of T for a method ``pkg.(*T).M``, as the linker writes it (``pkg.T``); "" for all else.

    Functions inside of methods have no receiver of their own, methods of generic types are shared between
    types of one shape.
    """
    package, star, rest = name.partition(".(*")
    type_name, closed, method = rest.partition(").")
    if not star or not closed or not method or "." in method or "-" in method or "[" in name:
        return ""
    return f"{package}.{type_name}"
