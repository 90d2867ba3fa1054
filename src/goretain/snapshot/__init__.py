"""The object graph of one Go heap at rest: columns, tables and their file.

A snapshot is shareable: addresses, sizes, types, edges, lengths and names; no contents of the program's
objects. Built by ``golang``, measured by ``heap``. Imports ``model``, numpy and msgspec only.
"""

from goretain.snapshot.columns import (
    NO_OBJECT,
    Columns,
    Layer,
    ObjectFlag,
    RootFlag,
    Snapshot,
    WindowKind,
)
from goretain.snapshot.file import is_snapshot, load, save
from goretain.snapshot.groups import (
    Samples,
    Spans,
    SpecialKind,
    Specials,
    TimerFlag,
    Timers,
    WaitKind,
    Waits,
)
from goretain.snapshot.layout import empty_columns
from goretain.snapshot.tables import (
    Frame,
    Goroutine,
    HeapTotals,
    Memory,
    Meta,
    RootNode,
    Site,
    TypeField,
    TypeInfo,
)
from goretain.snapshot.validate import validate

__all__ = [
    "NO_OBJECT",
    "Columns",
    "Frame",
    "Goroutine",
    "HeapTotals",
    "Layer",
    "Memory",
    "Meta",
    "ObjectFlag",
    "RootFlag",
    "RootNode",
    "Samples",
    "Site",
    "Snapshot",
    "Spans",
    "SpecialKind",
    "Specials",
    "TimerFlag",
    "Timers",
    "TypeField",
    "TypeInfo",
    "WaitKind",
    "Waits",
    "WindowKind",
    "empty_columns",
    "is_snapshot",
    "load",
    "save",
    "validate",
]
