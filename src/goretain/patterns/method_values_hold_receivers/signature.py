"""How method-values-hold-receivers looks in a heap: many values ``x.M``, each the last to hold its x.

A method value is a closure whose function the linker calls ``T.M-fm`` and which captured its receiver, whole:
a handler that was registered as ``session.Close`` keeps the session. Whether there will be more is a question
of two looks. Imports ``patterns`` and the floors below.
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
    return captures(heap, own(__package__), method_values=True)
