"""How closures-hold-captures looks in a heap: many closures of one function, each with memory of its own.

One closure that holds a container may be its rightful owner; a list of callbacks that each captured a buffer
is what subscriptions without an end leave behind. Whether the list grows is a question of two looks.
Imports ``patterns`` and the floors below.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from goretain.model.findings import Finding
from goretain.patterns.catalogue import own
from goretain.patterns.closures import captures

if TYPE_CHECKING:
    from goretain.heap.heap import Heap


def find(heap: Heap) -> Iterator[Finding]:
    """One finding for each holder and function."""
    return captures(heap, own(__package__), method_values=False)
