"""Types that generic code makes for any pointer, once it is known what the pointers lead to.

Generic code of all pointers is compiled once, for go.shape.*uint8 (shapify in cmd/compile/internal/noder/
reader.go), and where it is inlined it allocates by types such as ``main.node[go.shape.*uint8]``. What code
stores into them says which instance is meant; it has no record of its own. Imports the type rooms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from goretain.golang.types.gotypes import POINTER_SHAPE, GoField, GoType
from goretain.golang.types.universe import TypeUniverse


class Instances:
    """Instances of generic types, each made once."""

    def __init__(self, universe: TypeUniverse) -> None:
        self._universe = universe
        self._made: dict[tuple[int, tuple[tuple[int, int], ...]], GoType] = {}

    @cached_property
    def shapes(self) -> list[int]:
        """Addresses of the records of generic structs that are compiled for any pointer."""
        records = self._universe.records.items()
        return [at for name, found in records if POINTER_SHAPE in _arguments(name) for at in found]

    def of(self, t: GoType, given: Sequence[tuple[int, GoType | None]]) -> GoType:
        """The instance of a shape in which pointers of known types stand at some offsets.

        Where one argument is a pointer, all fields of its type are, and T points to T. Where several are, the
        fields at the offsets are all that is known: a T[A, B] may point to a T[B, A].
        """
        told = {at: made for at, made in given if made is not None}
        key = (id(t), tuple((at, id(made)) for at, made in sorted(told.items())))
        if key not in self._made:
            self._made[key] = self._instance(t, told)
        return self._made[key]

    def _instance(self, t: GoType, told: dict[int, GoType]) -> GoType:
        arguments = _arguments(t.name)
        only = {id(made): made for made in told.values()}
        if arguments.count(POINTER_SHAPE) != 1 or len(only) != 1:
            fields = [replace(f, type=told.get(f.offset, f.type)) for f in t.fields]
            return _copy(t, t.name, fields)
        (pointer,) = only.values()
        names = [pointer.name if a == POINTER_SHAPE else a for a in arguments]
        name = f"{t.name.partition('[')[0]}[{','.join(names)}]"
        known = self._universe.named(name)
        if known is not None and known.size == t.size:
            return known
        made = _copy(t, name, [])
        made.fields = [GoField(f.name, f.offset, _filled(f.type, t, made, pointer)) for f in t.fields]
        return made


def _filled(part: GoType, shape: GoType, made: GoType, pointer: GoType) -> GoType:
    """The type of a field of the instance ``made`` of a shape."""
    if part.name == POINTER_SHAPE:
        return pointer
    elem = part.elem if part.kind in ("ptr", "slice", "array") else None
    if elem is None:
        return part
    if elem is shape and part.kind == "ptr":
        return GoType(f"*{made.name}", "ptr", 8, elem_ref=made)
    filled = _filled(elem, shape, made, pointer)
    if filled is elem:
        return part
    return _copy(part, part.name.replace(elem.name, filled.name), [], filled)


def _copy(t: GoType, name: str, fields: list[GoField], elem: GoType | None = None) -> GoType:
    return replace(
        t,
        name=name,
        fields=fields,
        elem_ref=elem if elem is not None else t.elem_ref,
        index=-1,
        runtime_address=0,
        leaf_cache=None,
        run_cache=None,
    )


def _arguments(name: str) -> list[str]:
    """Type arguments of an instance's name, none for other types."""
    generic, opened, rest = name.partition("[")
    if not generic or not opened or not rest.endswith("]") or any(c in generic for c in "*( {"):
        return []
    found, depth = [""], 0
    for c in rest[:-1]:
        depth += (c in "[({") - (c in "])}")
        if c == "," and depth == 0:
            found.append("")
        else:
            found[-1] += c
    return found
