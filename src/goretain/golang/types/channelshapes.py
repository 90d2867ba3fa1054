"""Channels among objects of unknown type: a ``runtime.hchan`` names its element type and proves itself.

Its ``elemtype`` is a type record whose size is ``elemsize``; ``buf`` leads to itself or to what lies behind
it when the elements hold no pointers, else to an object (makechan, runtime/chan.go). Imports the type rooms
of ``golang`` and numpy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from goretain.golang.types.gotypes import GoType
from goretain.golang.types.heapview import HeapView
from goretain.golang.types.maptypes import channel_type
from goretain.golang.types.universe import TypeUniverse

I64 = NDArray[np.int64]
_HCHAN = "runtime.hchan"
_ALIGN = 8


def find_channels(view: HeapView, universe: TypeUniverse, objects: I64) -> list[tuple[int, GoType]]:
    """(object, type) of the channels among objects int64[k]. Raises UnknownLayout."""
    size = view.layout.size(_HCHAN)
    objects = objects[view.data_bytes(objects) >= size]
    at = view.at(objects)
    objects, at = objects[at >= 0], at[at >= 0]
    elem = view.field(at, _HCHAN, "elemtype")
    named = universe.modules.contains(elem)
    objects, at, elem = objects[named], at[named], elem[named]
    good = _consistent(view, objects, at, -(-size // _ALIGN) * _ALIGN)
    width = view.field(at, _HCHAN, "elemsize")
    found: list[tuple[int, GoType]] = []
    made: dict[int, GoType | None] = {}
    rows = np.flatnonzero(good)
    for o, key, bytes_ in zip(objects[rows].tolist(), elem[rows].tolist(), width[rows].tolist(), strict=True):
        t = universe.from_runtime(key)
        if t is None or t.size != bytes_:
            continue
        if key not in made:
            made[key] = channel_type(universe, _channel(universe, t))
        channel = made[key]
        if channel is not None:
            found.append((o, channel))
    return found


def _consistent(view: HeapView, objects: I64, at: I64, size: int) -> NDArray[np.bool_]:
    """Whether counts, positions and buffer of the would-be channels fit each other."""
    count, room = view.field(at, _HCHAN, "qcount"), view.field(at, _HCHAN, "dataqsiz")
    buffer = view.field(at, _HCHAN, "buf")
    start = view.heap.table.address[objects] + 8 * view.heap.spans.header[view.heap.span[objects]]
    own = (buffer >= start) & (buffer <= start + size)
    good = (count >= 0) & (count <= room) & (view.field(at, _HCHAN, "closed") <= 1)
    good &= own | (~view.noscan(objects) & (view.find(buffer) >= 0))
    for name in ("sendx", "recvx"):
        index = view.field(at, _HCHAN, name)
        good &= (index >= 0) & (index < np.maximum(room, 1))
    return np.asarray(good, np.bool_)


def _channel(universe: TypeUniverse, elem: GoType) -> GoType:
    name = f"chan {elem.name}"
    return universe.named(name) or GoType(name, "chan", 8, elem_ref=elem)
