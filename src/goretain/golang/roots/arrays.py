"""Arrays among global variables of a program that names none: code indexes them from their first address.

What it says of one element by a variable index, it says of all. How many there are at least it says where it
checks the index against a number, and no more are believed; else they end where the next variable begins.
Fields of elements that are structs are put together from all that is said of them. Imports ``golang.types``.
"""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Mapping, Sequence

from goretain.golang.types.claims import Value
from goretain.golang.types.gotypes import GoField, GoType


def find_arrays(
    values: Sequence[Value], extents: Mapping[int, int], named: Sequence[int], starts: Sequence[int]
) -> list[Value]:
    """The arrays of data.

    Args:
        values: what code says stands in data, by address: elements of arrays and all else.
        extents: address -> bytes of the array there, where they are known.
        named: ascending addresses that code names. starts: where variables begin if there were no arrays, and
            where the segments end, ascending.
    """
    elements: dict[int, list[Value]] = defaultdict(list)
    sizes: dict[int, int] = {}
    for value in values:
        if value.step and value.type.size <= value.step:
            name = _last(named, value.address)
            # An array inside a struct begins more than a step behind the struct's name, or at its own.
            base = name if 0 <= value.address - name < value.step else value.address
            elements[base].append(value)
            sizes[base] = extents.get(name, 0)
    singles = [value for value in values if not value.step]
    places = [value.address for value in singles]
    found = []
    for base, parts in elements.items():
        step = max(part.step for part in parts)
        size = sizes[base] or _next(starts, base) - base
        inside = [part for part in parts if part.step == step]
        if size // step:
            first, last = (bisect.bisect_left(places, at) for at in (base, base + (sizes[base] or 1)))
            inside += singles[first:last]
            found.append(Value(base, _array(base, step, size // step, inside)))
    return found


def _array(base: int, step: int, count: int, parts: Sequence[Value]) -> GoType:
    """An array of elements of which some parts are known."""
    fields: list[GoField] = []
    end = 0
    for offset, part in sorted((((p.address - base) % step, p) for p in parts), key=_order):
        if end <= offset and offset + part.type.size <= step:
            fields.append(GoField(f"{offset:#x}", offset, part.type))
            end = offset + part.type.size
    whole = len(fields) == 1 and fields[0].type.size == step
    element = fields[0].type if whole else GoType("struct { ... }", "struct", step, fields=fields)
    return GoType(f"[{count}]{element.name}", "array", count * step, count=count, elem_ref=element)


def _order(place: tuple[int, Value]) -> tuple[int, int, int]:
    """By offset, what belongs to all elements before what was said of one, the larger first."""
    offset, part = place
    return offset, part.step == 0, -part.type.size


def _last(ascending: Sequence[int], address: int) -> int:
    """The last that is not above an address, -1 for none."""
    i = bisect.bisect_right(ascending, address)
    return ascending[i - 1] if i else -1


def _next(ascending: Sequence[int], address: int) -> int:
    """The first above an address, the address for none."""
    i = bisect.bisect_right(ascending, address)
    return ascending[i] if i < len(ascending) else address
