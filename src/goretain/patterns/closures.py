"""Functions made at run time that keep memory of their own: what the patterns of closures share.

Imports ``golang.packages``, ``heap``, ``model``, the rest of ``patterns``, ``snapshot`` and numpy.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from goretain.golang.packages import Packages, package_of
from goretain.model.findings import Confidence, Finding
from goretain.patterns.catalogue import Pattern
from goretain.patterns.holding import by_place, holding_of, place_of, pooled
from goretain.patterns.routes import route_to
from goretain.patterns.slots import edges_of
from goretain.snapshot import Layer

if TYPE_CHECKING:
    from goretain.heap.heap import Heap

U32 = NDArray[np.uint32]

_CLOSURE = "closure "
#: How the linker names the function of a method value.
_METHOD_VALUE = "-fm"
#: Fewer functions of one kind are parts of the program. What more must hold: bytes, share of the heap.
_COUNT = 32
_MINIMUM = 1 << 20
_SHARE = 0.05


def captures(heap: Heap, pattern: Pattern, *, method_values: bool) -> Iterator[Finding]:
    """One finding for each holder and function: closures of the program's own code, kept by what lasts.

    Counted is what nothing but the closure uses. Few closures, and few bytes, are left out.

    Args:
        pattern: whose findings they are.
        method_values: values ``x.M``, of which the receiver was captured; else functions with a body.
    """
    columns, types = heap.snapshot.columns, heap.snapshot.types
    packages = Packages(heap.snapshot.meta.modules)
    ours = [
        t.role == "closure" and _is_ours(t.name, packages) and t.name.endswith(_METHOD_VALUE) == method_values
        for t in types
    ]
    wanted = np.array([*ours, False])[columns.object_type] & heap.graph.reached
    closures = np.flatnonzero(wanted).astype(np.uint32)
    minimum = max(_MINIMUM, int(_SHARE * heap.reachable_bytes))
    if len(closures) < _COUNT or int(heap.graph.retained(closures).sum()) < minimum:
        return
    holding, retained = holding_of(heap, closures), heap.users.retained(closures)
    place = place_of(heap, holding, columns.object_type[closures])
    kept = holding.kept & ~pooled(heap, closures)
    for rows in by_place(place, retained, kept, count=_COUNT, minimum=minimum):
        yield pattern.finding(
            confidence=Confidence(
                level="undecided",
                reason=f"proved that {len(rows):,} of them are kept, each with "
                f"{'a receiver' if method_values else 'memory'} that nothing else uses; undecided whether "
                "there will be more: one look cannot see growth",
                decide="take a second snapshot and compare: goretain diff FIRST SECOND",
            ),
            route=route_to(heap, _largest(heap, closures[rows[:1]])),
            count=len(rows),
            saving_bytes=0,
            retained_bytes=int(retained[rows].sum()),
            sampled=heap.sites.held_by(closures[rows]),
            type=types[columns.object_type[closures[rows[0]]]].name,
        )


def _is_ours(name: str, packages: Packages) -> bool:
    return packages.layer(package_of(name.removeprefix(_CLOSURE))) == Layer.PROGRAM


def _largest(heap: Heap, closure: U32) -> int:
    """What a closure points to that retains most."""
    columns = heap.snapshot.columns
    target = columns.edge_target[edges_of(columns.edge_start, closure)[1]]
    return int(target[np.argmax(heap.graph.retained(target))]) if len(target) else int(closure[0])
