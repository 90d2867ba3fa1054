"""Functions made at run time that keep memory of their own: what the patterns of closures share.

Imports ``golang.packages``, ``heap``, ``patterns.holding``, ``snapshot`` and numpy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from goretain.golang.packages import Packages, package_of
from goretain.patterns.holding import holding_of, pooled
from goretain.patterns.slots import edges_of
from goretain.snapshot import Layer

if TYPE_CHECKING:
    from goretain.heap.heap import Heap

U32 = NDArray[np.uint32]

_CLOSURE = "closure "
#: Fewer functions of one kind are parts of the program. What more must hold: bytes, share of the heap.
_COUNT = 32
_MINIMUM = 1 << 20
_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Captures:
    """Closures of one function below one holder.

    Attributes:
        closures: uint32[k], ids, the one that retains most first.
        retained: bytes that they keep alive, they included.
        captured: id of the largest object that the first one captured.
        type: ``closure main.register.func1``.
    """

    closures: U32
    retained: int
    captured: int
    type: str


def captures(heap: Heap, wanted: Callable[[str], bool]) -> Iterator[Captures]:
    """Closures by holder and function, of the program's own code and kept by what lasts.

    Counted is what nothing but the closure uses. Few closures, and few bytes, are left out.

    Args:
        wanted: tells by the name of its function whether a closure counts.
    """
    columns, types = heap.snapshot.columns, heap.snapshot.types
    packages = Packages(heap.snapshot.meta.modules)
    ours = [t.role == "closure" and _is_ours(t.name, packages) and wanted(t.name) for t in types] + [False]
    closures = np.flatnonzero(np.array(ours)[columns.object_type] & heap.graph.reached).astype(np.uint32)
    minimum = max(_MINIMUM, int(_SHARE * heap.reachable_bytes))
    if len(closures) < _COUNT or int(heap.graph.retained(closures).sum()) < minimum:
        return
    holding = holding_of(heap, closures)
    kept = holding.kept & ~pooled(heap, closures)
    closures, code = closures[kept], holding.code[kept]
    retained = heap.users.retained(closures)
    place = code * (len(types) + 1) + columns.object_type[closures]
    for number in np.unique(place):
        mine = np.flatnonzero(place == number)
        total = int(retained[mine].sum())
        if len(mine) >= _COUNT and total >= minimum:
            found = closures[mine[np.argsort(-retained[mine], kind="stable")]]
            yield Captures(found, total, _largest(heap, found[:1]), types[columns.object_type[found[0]]].name)


def _is_ours(name: str, packages: Packages) -> bool:
    return packages.layer(package_of(name.removeprefix(_CLOSURE))) == Layer.PROGRAM


def _largest(heap: Heap, closure: U32) -> int:
    """What a closure points to that retains most."""
    columns = heap.snapshot.columns
    target = columns.edge_target[edges_of(columns.edge_start, closure)[1]]
    return int(target[np.argmax(heap.graph.retained(target))]) if len(target) else int(closure[0])
