"""Goroutines as holders, in the answer of ``why``. Imports msgspec only."""

from __future__ import annotations

import msgspec


class GoroutineRow(msgspec.Struct, frozen=True, kw_only=True):
    """Goroutines with one stack.

    Attributes:
        count: how many.
        state: wait reason (the runtime's words), or state of those that do not wait.
        function, place: the innermost frame of the program's own code, ``main.go:51``; None when unknown.
        created_at: function of the go statement and its place, None for the main goroutine or when unknown.
        leaked: nothing that can still run can wake them; None when unknown.
        stack_bytes: their stacks.
        retained_bytes, retained_objects: heap that they keep alive, and neither a global variable nor a
            goroutine with another stack does.
    """

    count: int
    state: str
    function: str | None
    place: str | None
    created_at: str | None
    leaked: bool | None
    stack_bytes: int
    retained_bytes: int
    retained_objects: int


class GoroutineSection(msgspec.Struct, frozen=True, kw_only=True):
    """The program's goroutines, without the runtime's own.

    Attributes:
        count: how many goroutines.
        stacks: groups by retained and stack bytes, the first ``top`` and all leaked ones; stacks_total: how
            many groups.
        shared_bytes: heap that goroutines of several stacks, and no global variable, keep alive together.
        leaked: how many are leaked; None when it is unknown what goroutines wait for.
        leaked_bytes, leaked_stack_bytes: heap that would go if all leaked ones went, and their stacks.
        proved: False where memory is missing that might name one who can wake them.
    """

    count: int
    stacks: tuple[GoroutineRow, ...]
    stacks_total: int
    shared_bytes: int
    leaked: int | None
    leaked_bytes: int | None
    leaked_stack_bytes: int | None
    proved: bool
