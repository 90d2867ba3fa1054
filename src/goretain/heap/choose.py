"""Which objects or roots a user means by what was typed: a type, an object, a holder.

Imports this package, ``model`` and ``snapshot``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from goretain.heap.graph import SHARED
from goretain.heap.heap import Heap
from goretain.heap.histogram import type_name
from goretain.heap.holders import set_nodes, sets_of
from goretain.heap.naming import find_roots, fitting, suggest
from goretain.model.errors import UsageError
from goretain.snapshot import ObjectFlag, Snapshot


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen.

    Attributes:
        kind: "type": all objects of it; "object": one; "holder": what the roots hold.
        name: of the type, or of the object (type and address), or of the first root.
        names: how many types or roots fit.
        objects: bool[n], which objects those are.
        object_id: of a single object, else None.
    """

    kind: Literal["type", "object", "holder"]
    name: str
    names: int
    objects: NDArray[np.bool_]
    object_id: int | None = None


def choose(heap: Heap, what: str) -> Choice:
    """The objects that a word stands for.

    Args:
        what: an address (``0xc000012340``, anywhere in the object), an object id, the name of a holder
            (``main.cache``, ``goroutine 18``) or of a type (``main.session``, ``[]main.session``); in names
            ``*`` stands for anything.

    Raises:
        UsageError: nothing fits; the hint names what comes near.
    """
    snapshot = heap.snapshot
    if re.fullmatch(r"0[xX][0-9a-fA-F]+|\d+", what):
        return _object(snapshot, what)
    nodes = find_roots(snapshot, what)
    if nodes:
        chosen = np.zeros(snapshot.object_count, np.bool_)
        chosen[np.isin(heap.graph.holder, nodes)] = True
        shared = np.flatnonzero(heap.graph.holder == SHARED)
        sets = sets_of(heap.graph, shared)
        held = {k for k in np.unique(sets).tolist() if not set(nodes).isdisjoint(set_nodes(heap.graph, k))}
        chosen[shared[np.isin(sets, list(held))]] = True
        return Choice("holder", snapshot.roots[nodes[0]].name, len(nodes), chosen)
    rows = {name: _type_rows(snapshot, name) for name in fitting(what, _type_names(snapshot))}
    if rows:
        chosen = np.any(list(rows.values()), axis=0)
        return Choice("type", what, len(rows), chosen)
    raise UsageError(
        f"no type and no holder of this heap is called {what!r}",
        hint=suggest(what, [*_type_names(snapshot), *(root.name for root in snapshot.roots)]),
    )


def _object(snapshot: Snapshot, what: str) -> Choice:
    columns, count = snapshot.columns, snapshot.object_count
    if what[:2] in ("0x", "0X"):
        address = int(what, 16)
        at = int(np.searchsorted(columns.object_address, address, "right")) - 1 if address < 1 << 63 else -1
        if at < 0 or address >= int(columns.object_address[at]) + int(columns.object_size[at]):
            raise UsageError(
                f"no object of this heap lies at {what}",
                hint="only allocated heap objects count: stacks and globals are roots, freed slots are gone",
            )
    else:
        at = int(what) if len(what) < 19 else count
        if at >= count:
            raise UsageError(
                f"there is no object {what}: they are numbered from 0 to {count - 1}",
                hint="an address is written 0xc000012340",
            )
    chosen = np.zeros(count, np.bool_)
    chosen[at] = True
    name = f"{type_name(snapshot, at) or 'object of unknown type'} at {int(columns.object_address[at]):#x}"
    return Choice("object", name, 1, chosen, at)


def _type_names(snapshot: Snapshot) -> Sequence[str]:
    """Names of all types that some object has, arrays of them as ``[]T``."""
    columns = snapshot.columns
    array = (columns.object_flags & ObjectFlag.ARRAY) != 0
    keys = np.unique(columns.object_type.astype(np.int64) * 2 + array)
    names = [("[]" if k % 2 else "") + snapshot.types[k // 2].name for k in keys.tolist() if k >= 0]
    return list(dict.fromkeys(names))


def _type_rows(snapshot: Snapshot, name: str) -> NDArray[np.bool_]:
    columns = snapshot.columns
    array = (columns.object_flags & ObjectFlag.ARRAY) != 0
    single = [k for k, t in enumerate(snapshot.types) if t.name == name]
    many = [k for k, t in enumerate(snapshot.types) if f"[]{t.name}" == name]
    rows: NDArray[np.bool_] = (np.isin(columns.object_type, single) & ~array) | (
        np.isin(columns.object_type, many) & array
    )
    return rows
