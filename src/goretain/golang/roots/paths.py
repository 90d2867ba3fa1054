"""Where a pointer word lies inside a value: its access path and typed leaf; the types behind interfaces.

Reads ``runtime.eface``, ``runtime.iface`` (runtime/runtime2.go). Imports ``golang.layout`` and
``golang.types``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from goretain.golang.layout import Program
from goretain.golang.types.gotypes import GoType, Leaf, atomic_pointer, leaf_of_kind
from goretain.golang.types.universe import TypeUniverse

I64 = NDArray[np.int64]
#: From this many words on, the elements of an array are named together.
_MANY = 64


def dynamic_type(universe: TypeUniverse, program: Program, interface: int, leaf: Leaf) -> GoType | None:
    """Type of the value behind the interface at an address; None when it is stored in the data word itself.

    An eface starts with *abi.Type, an iface with *abi.ITab, whose second word is the type
    (runtime/runtime2.go).
    """
    address = program.word(interface)
    if leaf.kind == "iface" and address:
        address = program.word(address + 8)
    t = universe.from_runtime(address) if address else None
    if t is None or not universe.is_direct(address):
        return t
    return t.elem if t.kind == "ptr" else None


def locate_many(t: GoType | None, offsets: I64, prefix: str) -> tuple[list[str], list[Leaf | None], I64]:
    """``locate`` for int64[k] offsets: k paths that begin with prefix; leaves; each offset's leaf's row."""
    many = len(offsets) >= _MANY and t is not None and int(offsets.max()) < t.size
    if t is None or t.kind != "array" or t.elem is None or not t.elem.size or not many:
        found = [locate(t, offset) for offset in offsets.tolist()]
        return [prefix + path for path, _ in found], [leaf for _, leaf in found], np.arange(len(found))
    index, inside = np.divmod(offsets, t.elem.size)
    distinct, kind = np.unique(inside, return_inverse=True)
    ends = [locate(t.elem, offset) for offset in distinct.tolist()]
    rows = zip(index.tolist(), kind.tolist(), strict=True)
    return [f"{prefix}[{i}]{ends[k][0]}" for i, k in rows], [leaf for _, leaf in ends], kind


def locate(t: GoType | None, offset: int) -> tuple[str, Leaf | None]:
    """Access path and typed leaf of the pointer word at an offset in a value of t.

    Walks down to the one field, so that a table of a million elements costs what one of ten does. Nothing is
    known of what lies behind the value.
    """
    if t is None or offset >= max(t.size, 8):
        return (f"+{offset:#x}" if offset else ""), None
    path = ""
    while t.kind in ("struct", "array"):
        pointer = atomic_pointer(t)
        if pointer is not None and pointer.offset == offset:
            return path, Leaf(0, "ptr", pointer.type, "")
        if t.kind == "array" and t.elem is not None and t.elem.size:
            path, offset, t = f"{path}[{offset // t.elem.size}]", offset % t.elem.size, t.elem
            continue
        inside = next((f for f in t.fields if f.offset <= offset < f.offset + f.type.size), None)
        if inside is None:
            break
        path, offset, t = f"{path}.{inside.name}", offset - inside.offset, inside.type
    leaf = leaf_of_kind(t)
    if leaf is not None and leaf.pointer_offset == offset:
        return path, leaf
    return path + (f"+{offset}" if offset else ""), None
