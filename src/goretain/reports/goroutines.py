"""Goroutines as holders: from the measured heap to the section of the report.

Imports ``heap`` for typing, ``snapshot`` and this package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from goretain.reports.results import GoroutineRow, GoroutineSection

if TYPE_CHECKING:
    from goretain.heap.goroutines import GoroutineGroup
    from goretain.heap.heap import Heap


def goroutine_section(heap: Heap, top: int) -> GoroutineSection:
    """The first ``top`` stacks and all leaked ones with what they hold, what leaked ones hold together."""
    found, leaked, leaks = heap.goroutines, heap.leaked, heap.leaks
    return GoroutineSection(
        count=sum(len(group.members) for group in found.groups),
        stacks=tuple(_row(group) for k, group in enumerate(found.groups) if k < top or group.leaked),
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
        place=group.where.place if group.where is not None else None,
        created_at=group.created_at.text if group.created_at is not None else None,
        leaked=group.leaked,
        stack_bytes=group.stack_bytes,
        retained_bytes=group.retained_bytes,
        retained_objects=group.retained_objects,
    )
