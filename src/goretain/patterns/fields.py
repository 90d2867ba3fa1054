"""Names the field that a pointer slot lies in, without indexes: ``main.session.token``.

Patterns group by these names, so a name must be equal for all elements of an array and all slots of a map.
Imports ``golang.packages``, ``snapshot`` and numpy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from goretain.golang.packages import Packages, package_of
from goretain.snapshot import Layer, ObjectFlag, Snapshot, TypeInfo

U32 = NDArray[np.uint32]
I64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Field:
    """The place of a slot inside its owner.

    Attributes:
        name: stable text; equal for equal fields.
        kind: "field" of a struct, "variable", "map" for a map's key or value, "element" for anything else: of
            an array, a channel, in an interface, captured by a closure.
        library: whether it is a field of a struct of the standard library, which manages the slice itself.
    """

    name: str
    kind: Literal["field", "variable", "map", "element"]
    library: bool = False


def slot_fields(snapshot: Snapshot, owners: U32, words: U32) -> tuple[I64, list[Field]]:
    """Fields of heap slots: per slot an index into the returned list.

    Args:
        snapshot: the heap.
        owners: object ids.
        words: the slots' words in their owners (a malloc header counts).
    """
    columns = snapshot.columns
    sizes = np.array([max(t.size, 1) for t in snapshot.types] or [1], np.int64)
    kinds = columns.object_type[owners].astype(np.int64)
    header = (columns.object_flags[owners] & ObjectFlag.HEADER) != 0
    offset = words.astype(np.int64) * 8 - np.where(header, 8, 0)
    within = np.where(kinds >= 0, offset % sizes[np.maximum(kinds, 0)], 0)
    pairs, inverse = np.unique(np.stack([kinds, within], axis=1), axis=0, return_inverse=True)
    packages = Packages(snapshot.meta.modules)
    codes: dict[str, int] = {}
    fields: list[Field] = []
    of_pair = np.empty(len(pairs), np.int64)
    for i, (kind, at) in enumerate(pairs.tolist()):
        field = field_at(snapshot.types, kind, at, packages)
        of_pair[i] = codes.setdefault(field.name, len(fields))
        if of_pair[i] == len(fields):
            fields.append(field)
    return of_pair[inverse.reshape(-1)], fields


def field_at(types: list[TypeInfo], index: int, offset: int, packages: Packages) -> Field:
    """The field at a byte offset of a value of a type (-1 unknown), with array indexes left out.

    packages: of the program, to tell the standard library's structs from its own.
    """
    if index < 0:
        return Field("of unknown type", "element")
    root = types[index]
    path, owner = root.name, ""
    # Groups and buckets go by the runtime's own names where only the allocation's header told their type.
    in_map = root.role == "map-groups" or root.name.startswith("noalg.map.")
    while index >= 0:
        info = types[index]
        if info.kind == "array" and info.elem >= 0 and types[info.elem].size > 0:
            offset %= types[info.elem].size
            index = info.elem
            path += "[]" if root.role == "" else ""
            continue
        if info.kind != "struct":
            break
        inside = [f for f in info.fields if f.offset <= offset and f.type >= 0]
        if not inside:
            break
        field = inside[-1]
        if info.role in ("", "map-groups") and not (in_map and _is_slot(info)):
            owner = info.name
        path += f".{field.name}"
        offset -= field.offset
        index = field.type
    if owner:
        return Field(path, "field", library=is_standard(owner, packages))
    return Field(path, "map" if in_map else "element")


def _is_slot(info: TypeInfo) -> bool:
    """Whether a struct is a group, bucket or slot of a map and not a value that a map stores."""
    names = {f.name for f in info.fields}
    return bool(names & {"slots", "tophash", "ctrl"}) or names in ({"key", "elem"}, {"keys", "elems"})


def is_standard(type_name: str, packages: Packages) -> bool:
    """Whether a type belongs to the standard library: ``bytes.Buffer``, ``net/http.Request``."""
    return packages.layer(package_of(type_name.lstrip("*"))) != Layer.PROGRAM
