"""What goroutines that wait for channels send, or have made room for: the channel names its type.

A value on its way lies in a temporary of the frame, which debug information does not describe, or where a
captured variable does. ``sudog.elem`` says where, ``sudog.c`` the channel, whose ``hchan.elemtype`` is its
type (runtime/runtime2.go, runtime/chan.go). Imports this room, ``golang.layout`` and ``golang.types``.
"""

from __future__ import annotations

from collections.abc import Iterator

from goretain.golang.layout import Program
from goretain.golang.stacks.goroutines import LiveGoroutine
from goretain.golang.stacks.waits import Sudog, SudogReader
from goretain.golang.types.gotypes import GoType, Leaf, pointer_leaves
from goretain.golang.types.universe import TypeUniverse
from goretain.model.errors import MissingMemory, UnknownLayout


class PassedValues:
    """Finds the values of one program's goroutines."""

    def __init__(self, program: Program, universe: TypeUniverse) -> None:
        self._program = program
        self._universe = universe
        self._types: dict[int, GoType | None] = {}
        try:
            self._sudogs: SudogReader | None = SudogReader(program)
            self._type_at = program.layout.offset("runtime.hchan", "elemtype")
        except UnknownLayout:
            self._sudogs = None

    def of(self, g: LiveGoroutine) -> tuple[dict[int, Leaf], dict[int, Leaf]]:
        """Pointer words of values on the goroutine's stack, by address; pointers to values elsewhere, by
        value."""
        words: dict[int, Leaf] = {}
        pointers: dict[int, Leaf] = {}
        for at, t in self._values(g) if g.waiting else ():
            if g.stack_low <= at < g.stack_high:
                words |= {at + leaf.pointer_offset: leaf for leaf in pointer_leaves(t)}
            else:
                pointers[at] = Leaf(0, "ptr", GoType(f"*{t.name}", "ptr", 8, elem_ref=t), "")
        return words, pointers

    def _values(self, g: LiveGoroutine) -> Iterator[tuple[int, GoType]]:
        """(address, type) of each value. What cannot be read has none."""
        for sudog in self._of_channels(g):
            if sudog.channel not in self._types:
                self._types[sudog.channel] = self._element_type(sudog.channel)
            t = self._types[sudog.channel]
            if t is not None and t.size:
                yield sudog.element, t

    def _element_type(self, channel: int) -> GoType | None:
        try:
            return self._universe.from_runtime(self._program.word(channel + self._type_at))
        except MissingMemory:
            return None

    def _of_channels(self, g: LiveGoroutine) -> list[Sudog]:
        if self._sudogs is None:
            return []
        try:
            listed = self._sudogs.listed(g)
        except MissingMemory:
            return []
        return [sudog for sudog in listed if sudog.channel and sudog.element]
