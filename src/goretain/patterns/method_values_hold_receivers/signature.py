"""How method-values-hold-receivers looks in a heap: many values ``x.M``, each the last to hold its x.

A method value is a closure whose function the linker calls ``T.M-fm`` and which captured its receiver, whole:
a handler that was registered as ``session.Close`` keeps the session. Whether there will be more is a question
of two looks. Imports ``patterns`` and the floors below.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from goretain.model.findings import Confidence, Finding
from goretain.patterns.catalogue import own
from goretain.patterns.closures import captures
from goretain.patterns.routes import route_to

if TYPE_CHECKING:
    from goretain.heap.heap import Heap

#: How the linker names the function of a method value.
_METHOD_VALUE = "-fm"


def find(heap: Heap) -> Iterator[Finding]:
    """One finding for each holder and function."""
    pattern = own(__package__)
    for found in captures(heap, lambda name: name.endswith(_METHOD_VALUE)):
        yield pattern.finding(
            confidence=Confidence(
                level="undecided",
                reason=f"proved that {len(found.closures):,} of them are kept, each with a receiver that "
                "nothing else uses; undecided whether there will be more: one look cannot see growth",
                decide="take a second snapshot and compare: goretain diff FIRST SECOND",
            ),
            route=route_to(heap, found.captured),
            count=len(found.closures),
            saving_bytes=0,
            retained_bytes=found.retained,
            type=found.type,
        )
