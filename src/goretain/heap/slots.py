"""What a pointer slot is called in Go: the path of fields and elements inside a type that leads to an offset.

Imports ``snapshot``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from goretain.snapshot import TypeInfo
from goretain.snapshot.tables import Role

#: How a map's group (internal/runtime/maps: ctrl, slots[8]{key, elem}; split groups: keys, elems) and a
#: classic bucket (runtime.bmap: topbits, keys, values or elems) call their arrays.
_KEYS, _ELEMS = frozenset({"key", "keys"}), frozenset({"elem", "elems", "values"})
_SLOT_ARRAYS = frozenset({"slots", "keys", "elems", "values"})
_DEPTH_LIMIT = 64
#: What a slot's owner is to a chain: an ordinary value, internals whose links are not written, a group or
#: bucket of a map, an entry of a sync.Map, a closure, a channel.
Part = Literal["", "inside", "group", "entry", "closure", "chan"]
_PART_OF_ROLE: dict[Role, Part] = {
    "map-header": "inside",
    "map-directory": "inside",
    "map-table": "inside",
    "map-groups": "group",
    "closure": "closure",
    "chan": "chan",
}
#: Types that exact records (malloc headers, large spans) name without a role, by how their names begin.
#: sync.Map: internal/sync/hashtriemap.go from Go 1.24 (internal/concurrent in 1.23), before that sync/map.go.
_PART_OF_NAME: tuple[tuple[str, Part], ...] = (
    ("internal/runtime/maps.", "inside"),
    ("*internal/runtime/maps.table", "inside"),
    ("runtime.hmap", "inside"),
    ("runtime.mapextra", "inside"),
    ("*runtime.bmap", "inside"),
    ("runtime.bmap", "group"),
    ("noalg.map.", "group"),
    ("map.group[", "group"),
    ("map.bucket[", "group"),
    ("internal/sync.indirect[", "inside"),
    ("internal/concurrent.indirect[", "inside"),
    ("internal/sync.entry[", "entry"),
    ("internal/concurrent.entry[", "entry"),
    ("sync.readOnly", "inside"),
    ("sync.entry", "inside"),
)
_SYNC_MAP_FIELDS = (
    ("internal/sync.indirect[", ".m.root"),
    ("internal/concurrent.indirect[", ".m.root"),
    ("sync.readOnly", ".read"),
)
#: Structs that a chain does not enter: what they point to is theirs.
_CLOSED = (
    "sync/atomic.Pointer[",
    "sync.Map",
    "internal/sync.HashTrieMap[",
    "internal/concurrent.HashTrieMap[",
)


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


def part_of(t: TypeInfo) -> Part:
    """What a value of this type is to a chain: by its role, or by its name where it has none."""
    if t.role:
        return _PART_OF_ROLE.get(t.role, "")
    return next((part for prefix, part in _PART_OF_NAME if t.name.startswith(prefix)), "")


def without_internals(path: str, t: TypeInfo | None) -> str:
    """A root's path text without the fields inside a sync.Map, when it leads to what a sync.Map points to."""
    for prefix, fields in _SYNC_MAP_FIELDS:
        if t is not None and t.name.startswith(prefix):
            return path.removesuffix(fields)
    return path


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
    if t.name.startswith(_CLOSED):
        return None
    if t.kind == "struct":
        field = next((f for f in reversed(t.fields) if at + f.offset <= offset), None)
        return None if field is None else Step(field.name, -1, at + field.offset, field.type)
    if t.kind == "array" and t.elem >= 0 and types[t.elem].size > 0:
        width = types[t.elem].size
        number = (offset - at) // width
        return Step("", number, at + number * width, t.elem)
    return None
