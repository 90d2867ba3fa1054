"""The machine words that the compiler splits a value into, in order: its scalar components.

SSA decomposes structs, strings, slices, interfaces and complex numbers
(cmd/compile/internal/ssa/decompose.go); parts of temporaries become variables of their own (SplitSlice,
SplitString and SplitInterface in ssa/func.go). A location list gives each component's place as a DW_OP_piece
of its size and leaves out the padding between them (ssa/debug.go), so a piece's offset among the pieces is
not its offset in the value. Imports ``golang.types.gotypes``.
"""

from __future__ import annotations

from collections.abc import Iterator

from goretain.golang.types.gotypes import GoType

_WORDS = {"string": 2, "interface": 2, "slice": 3}
#: Larger values are never decomposed (MaxStruct fields of a word each, cmd/compile/internal/ssa/value.go).
_LARGEST = 512
#: What the split parts that the collector follows are called behind the temporary's own name. No other
#: variable has a dot inside its name.
_SPLIT_POINTER, _SPLIT_DATA = ".ptr", ".data"
_INTERFACE = GoType("interface", "interface", 16, empty_interface=True)


def components(t: GoType, base: int = 0) -> Iterator[tuple[int, int]]:
    """(offset, size) of each component of a value of t, in memory order."""
    if t.kind == "struct":
        for f in t.fields:
            yield from components(f.type, base + f.offset)
    elif t.kind == "array":
        if t.count == 1 and t.elem is not None:
            yield from components(t.elem, base)
        elif t.size:
            yield base, t.size
    elif t.kind in ("complex64", "complex128"):
        yield base, t.size // 2
        yield base + t.size // 2, t.size // 2
    elif t.kind in _WORDS:
        for i in range(_WORDS[t.kind]):
            yield base + 8 * i, 8
    elif t.size:
        yield base, t.size


def piece_offsets(t: GoType) -> dict[int, int]:
    """Offset among the pieces -> offset in a value of t, for every component; empty for values kept whole."""
    if t.size > _LARGEST:
        return {}
    offsets: dict[int, int] = {}
    packed = 0
    for offset, size in components(t):
        offsets[packed] = offset
        packed += size
    return offsets


def split_part(variable: str, t: GoType) -> tuple[str, GoType, int] | None:
    """Of what value a variable is a part, by its name: (name and type of the whole, offset of the part).

    The first word of a slice or of a string is described as a pointer to one element, the second of an
    interface as one to a byte; what they lead to is as long as the lost rest says. None for other variables.
    """
    if t.kind != "ptr" or t.elem is None:
        return None
    if variable.endswith(_SPLIT_DATA, 1) and t.elem.kind == "uint8":
        return variable.removesuffix(_SPLIT_DATA), _INTERFACE, 8
    if not variable.endswith(_SPLIT_POINTER, 1):
        return None
    # A string's bytes pass for those of a slice: both are so many uint8.
    return variable.removesuffix(_SPLIT_POINTER), GoType(f"[]{t.elem.name}", "slice", 24, elem_ref=t.elem), 0
