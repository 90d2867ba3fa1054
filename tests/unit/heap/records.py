"""A struct with every kind of pointer field, and the chains in heaps made of it."""

from __future__ import annotations

from goretain.heap import Heap
from goretain.snapshot import ObjectFlag
from tests.support.heapdsl import HeapBuilder

ARRAY = int(ObjectFlag.ARRAY)


def text(h: HeapBuilder, object_id: int, node: int | None = None) -> str:
    """The chain to an object, from its holder unless a root node is given."""
    return Heap(h.build()).chain(object_id, node).text


def record_heap() -> HeapBuilder:
    """type Record struct { Name string; Body []byte; Next *Record; Any any }"""
    h = HeapBuilder()
    h.type("*main.Record", "ptr", 8)
    h.type("interface {}", "interface", 16)
    h.struct("main.Record", Name="string", Body="[]byte", Next="*main.Record", Any="interface {}")
    return h


NAME, BODY, NEXT, ANY = 0, 2, 5, 7  # words; ANY is the interface's data word
