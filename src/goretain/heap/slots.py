"""What a pointer slot is called in Go: the path of fields and elements inside a type that leads to an offset.

Imports ``snapshot``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from goretain.snapshot import TypeInfo
from goretain.snapshot.tables import Role

#: How a map's group (internal/runtime/maps: ctrl, slots[8]{key, elem}; split groups: keys, elems) and a
#: classic bucket (runtime.bmap: topbits, keys, values or elems) call their arrays.
_KEYS, _ELEMS = frozenset({"key", "keys"}), frozenset({"elem", "elems", "values"})
_SLOT_ARRAYS = frozenset({"slots", "keys", "elems", "values"})
_DEPTH_LIMIT = 64
#: Runtime structures by the name that exact type records (malloc headers, large spans) give them.
_ROLE_OF_NAME: dict[str, Role] = {
    "internal/runtime/maps.Map": "map-header",
    "runtime.hmap": "map-header",
    "runtime.mapextra": "map-header",
    "*runtime.bmap": "map-directory",
    "runtime.bmap": "map-groups",
    "internal/runtime/maps.table": "map-table",
    "*internal/runtime/maps.table": "map-directory",
}
_GROUP_NAMES = ("noalg.map.group[", "map.group[", "noalg.map.bucket[", "map.bucket[")


class Step(NamedTuple):
    """One step into a value: a field's name or an element's number (-1: a field), the offset where it
    begins, its type's index."""

    name: str
    number: int
    offset: int
    type: int

    @property
    def text(self) -> str:
        """``.name`` or ``[number]``."""
        return f".{self.name}" if self.number < 0 else f"[{self.number}]"


class Slot(NamedTuple):
    """A slot inside a value: the steps to it, and the index of its own type (-1 unknown)."""

    steps: tuple[Step, ...]
    type: int

    @property
    def text(self) -> str:
        """All steps, ``.m[3].f``."""
        return "".join(step.text for step in self.steps)


class MapSlot(NamedTuple):
    """A slot of a map's entry: the offset of the entry's key, whether the slot is in the key, the rest of
    the path."""

    key_offset: int
    in_key: bool
    rest: str


def role_of(t: TypeInfo) -> Role:
    """The part that a type plays inside a runtime structure, whether its record says so or only its name."""
    if t.role:
        return t.role
    return "map-groups" if t.name.startswith(_GROUP_NAMES) else _ROLE_OF_NAME.get(t.name, "")


def find_slot(types: Sequence[TypeInfo], type_index: int, offset: int) -> Slot:
    """The path to the pointer at ``offset`` of a value, as far as the types are known."""
    steps: list[Step] = []
    at, index = 0, type_index
    while index >= 0 and len(steps) < _DEPTH_LIMIT:
        step = _enter(types, types[index], at, offset)
        if step is None:
            break
        steps.append(step)
        at, index = step.offset, step.type
    return Slot(tuple(steps), index)


def find_map_slot(types: Sequence[TypeInfo], slot: Slot, group: int) -> MapSlot | None:
    """Read a slot of a group or bucket as an entry's key or element; None for control words and overflow
    pointers.

    Args:
        slot: as :func:`find_slot` gives it inside one group of type ``group``.
    """
    names = [step.name for step in slot.steps]
    if len(names) < 2 or names[0] not in _SLOT_ARRAYS or slot.steps[1].number < 0:
        return None
    number, part = slot.steps[1].number, names[0]
    if part == "slots":
        entry = types[slot.steps[1].type]
        key = next((f for f in entry.fields if f.name in _KEYS), None)
        if key is None or len(names) < 3:
            return None
        rest = Slot(slot.steps[3:], slot.type).text
        return MapSlot(slot.steps[1].offset + key.offset, names[2] in _KEYS, rest)
    keys = next((f for f in types[group].fields if f.name == "keys"), None)
    if keys is None or keys.type < 0:
        return None
    width = types[types[keys.type].elem].size if types[keys.type].elem >= 0 else 0
    rest = Slot(slot.steps[2:], slot.type).text
    return MapSlot(keys.offset + number * width, part not in _ELEMS, rest)


def _enter(types: Sequence[TypeInfo], t: TypeInfo, at: int, offset: int) -> Step | None:
    """The field or element of a value at ``at`` that holds ``offset``; None when it is a leaf."""
    if t.name.startswith("sync/atomic.Pointer["):
        return None
    if t.kind == "struct":
        field = next((f for f in reversed(t.fields) if at + f.offset <= offset), None)
        return None if field is None else Step(field.name, -1, at + field.offset, field.type)
    if t.kind == "array" and t.elem >= 0 and types[t.elem].size > 0:
        width = types[t.elem].size
        number = (offset - at) // width
        return Step("", number, at + number * width, t.elem)
    return None
