"""How closures-hold-captures looks in a heap: many closures of one function, each with memory of its own.

One closure that holds a container may be its rightful owner; a list of callbacks that each captured a buffer
is what subscriptions without an end leave behind. Whether the list grows is a question of two looks.
Imports ``patterns`` and the floors below.
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
    for found in captures(heap, lambda name: not name.endswith(_METHOD_VALUE)):
        yield pattern.finding(
            confidence=Confidence(
                level="undecided",
                reason=f"proved that {len(found.closures):,} of them are kept, each with memory that nothing "
                "else uses; undecided whether there will be more: one look cannot see growth",
                decide="take a second snapshot and compare: goretain diff FIRST SECOND",
            ),
            route=route_to(heap, found.captured),
            count=len(found.closures),
            saving_bytes=0,
            retained_bytes=found.retained,
            type=found.type,
        )
