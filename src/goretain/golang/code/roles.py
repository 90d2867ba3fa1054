"""What calling a function means to the reader of machine code, by its name in the function table.

The runtime's functions that the compiler calls are declared in cmd/compile/internal/typecheck/_builtin/
runtime.go; those that allocate by size class (runtime/malloc_generated.go) take (size, type, needzero) like
mallocgc. In a program whose names were changed there are simply fewer that are known.
Imports ``debuginfo``, ``kernels`` and numpy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from goretain.debuginfo.pclntab.pclntab import FLAG_ASM, FuncColumns
from goretain.kernels import codevalues

_EXACT = {
    "newobject": codevalues.NEW,
    "makemap": codevalues.MAKE_MAP,
    "makemap64": codevalues.MAKE_MAP,
    "makechan": codevalues.MAKE_CHANNEL,
    "makechan64": codevalues.MAKE_CHANNEL,
    "makeslice": codevalues.MAKE_SLICE,
    "makeslice64": codevalues.MAKE_SLICE,
    "makeslicecopy": codevalues.MAKE_SLICE,
    "growslice": codevalues.GROW_SLICE,
    "typedmemmove": codevalues.TYPED_MOVE,
    "typedmemclr": codevalues.TYPED_MOVE,
    "wbMove": codevalues.TYPED_MOVE,
    "wbZero": codevalues.TYPED_MOVE,
    "typedslicecopy": codevalues.SLICE_COPY,
    "duffzero": codevalues.DUFF,
    "duffcopy": codevalues.DUFF,
    "gopanic": codevalues.NO_RETURN,
    "throw": codevalues.NO_RETURN,
    "fatal": codevalues.NO_RETURN,
    "mapiterinit": codevalues.MAP_USE,
    "mapIterStart": codevalues.MAP_USE,
    "mapclear": codevalues.MAP_USE,
    "mapdelete": codevalues.MAP_USE,
}
#: They take the address of a pointer and what it becomes.
_POINTER_STORES = frozenset(("sync/atomic.StorePointer", "sync/atomic.SwapPointer"))
_STARTS = (
    ("mallocgc", codevalues.MALLOC),
    ("mapaccess1", codevalues.MAP_USE),
    ("mapaccess2", codevalues.MAP_USE),
    ("mapassign", codevalues.MAP_USE),
    ("mapdelete_fast", codevalues.MAP_USE),
    ("gcWriteBarrier", codevalues.BARRIER),
    ("panic", codevalues.NO_RETURN),
    ("goPanic", codevalues.NO_RETURN),
)

#: What generic code of empty interfaces calls its type arguments, and the type itself.
_ANY_SHAPE, _ANY = "go.shape.interface {}", "interface {}"
#: What stands for arguments that a name leaves out.
_UNKNOWN = "[...]"
#: Packages that hand types and what is of them around as words of their own.
_INTERNAL = ("reflect.", "internal/reflectlite.", "internal/runtime/", "runtime/internal/", "internal/abi.")


def roles_of(functions: FuncColumns) -> NDArray[np.uint8]:
    """uint8[n]: role of each function, a constant of ``kernels.codevalues``."""
    roles = np.full(len(functions.names), codevalues.ORDINARY, np.uint8)
    roles[(functions.flag & FLAG_ASM) != 0] = codevalues.ASSEMBLY
    for row, name in enumerate(functions.names):
        if name.startswith("runtime."):
            role = _runtime_role(name[len("runtime.") :])
            if role != codevalues.ORDINARY:
                roles[row] = role
            elif roles[row] == codevalues.ORDINARY:
                roles[row] = codevalues.INTERNAL
        elif name in _POINTER_STORES:
            roles[row] = codevalues.POINTER_STORE
        elif name.startswith(_INTERNAL):
            roles[row] = codevalues.INTERNAL if roles[row] == codevalues.ORDINARY else roles[row]
        elif roles[row] == codevalues.ORDINARY and receiver_of(name):
            roles[row] = codevalues.METHOD
    return roles


def _runtime_role(name: str) -> int:
    name = name.removesuffix(".abi0")
    if name in _EXACT:
        return _EXACT[name]
    if "." in name:
        return codevalues.ORDINARY
    return next((role for start, role in _STARTS if name.startswith(start)), codevalues.ORDINARY)


def receiver_of(name: str) -> str:
    """Name of T for a method ``pkg.(*T).M``, as the linker writes it (``pkg.T``); "" for all else.

    Functions inside of methods have no receiver of their own. Methods of generic types are shared between
    types of one shape, such as ``pkg.T[go.shape.int]``, which is then the name given: all of them are laid
    out alike. That of empty interfaces is a type's own.
    """
    package, star, rest = name.replace(_ANY_SHAPE, _ANY).partition(".(*")
    type_name, closed, method = rest.partition(").")
    if not star or not closed or not method or "." in method or "-" in method:
        return ""
    if "[" in type_name and (not type_name.endswith("]") or _UNKNOWN in type_name):
        return ""
    return f"{package}.{type_name}" if "[" not in method else ""
