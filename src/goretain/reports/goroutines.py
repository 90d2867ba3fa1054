"""Goroutines as holders: from the measured heap to the section of the report.

Imports ``heap`` for typing, ``snapshot`` and this package.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from goretain.reports.results import GoroutineRow, GoroutineSection
from goretain.snapshot import Frame

if TYPE_CHECKING:
    from goretain.heap.goroutines import GoroutineGroup
    from goretain.heap.heap import Heap


def goroutine_section(heap: Heap, top: int) -> GoroutineSection:
    """All stacks with what they hold, and the sum of what only leaked goroutines hold."""
    found, leaked, leaks = heap.goroutines, heap.leaked, heap.leaks
    return GoroutineSection(
        count=sum(len(group.members) for group in found.groups),
        stacks=tuple(_row(group) for group in found.groups[:top]),
        stacks_total=len(found.groups),
        shared_bytes=found.shared_bytes,
        leaked=None if leaks is None else int(leaks.leaked.sum()),
        leaked_bytes=None
        if leaked is None
        else sum(group.retained_bytes for group in leaked.groups) + leaked.shared_bytes,
        leaked_stack_bytes=None if leaked is None else sum(group.stack_bytes for group in leaked.groups),
        proved=leaks is not None and leaks.proved,
    )


def _row(group: GoroutineGroup) -> GoroutineRow:
    return GoroutineRow(
        count=len(group.members),
        state=group.state,
        function=group.where.function if group.where is not None else None,
        place=place(group.where),
        created_at=_spoken(group.created_at),
        leaked=group.leaked,
        stack_bytes=group.stack_bytes,
        retained_bytes=group.retained_bytes,
        retained_objects=group.retained_objects,
    )


def _spoken(frame: Frame | None) -> str | None:
    at = place(frame)
    return None if frame is None else f"{frame.function} {at}" if at else frame.function


def place(frame: Frame | None) -> str | None:
    """``main.go:51``; None when unknown."""
    return f"{PurePosixPath(frame.file).name}:{frame.line}" if frame is not None and frame.line else None
