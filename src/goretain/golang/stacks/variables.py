"""Names and types of the pointer words of a frame: DWARF variables where they lie at a pc, and spilled
arguments.

DWARF says where the compiler put a variable; whether the word still counts is for the stack maps to say, so
these names are only looked up for words that the maps call live (a stack home may be dead or reused).
Arguments that arrive in registers are spilled to an area that the caller reserves above its frame (the
callee's CFA upwards, see ``spills``); that area pins memory too, and the debug information does not list it.
Imports ``debuginfo``, ``golang.types`` and this room.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from goretain.debuginfo.dwarf.dwarf import Function, Variable
from goretain.golang.layout import Program
from goretain.golang.stacks.components import piece_offsets, split_part
from goretain.golang.stacks.locations import Piece, register_pieces, stack_pieces
from goretain.golang.stacks.spills import dictionary_position, spill_offsets
from goretain.golang.stacks.stackmaps import FramePlan
from goretain.golang.types.claims import Claims
from goretain.golang.types.gotypes import GoType, Leaf, pointer_leaves
from goretain.golang.types.universe import TypeUniverse

#: Hidden first parameter of what generic code was compiled to; before Go 1.27 not in the debug information.
_DICTIONARY = ".dict"
#: Bytes of a leaf by kind, else 8; of a leaf that was split over several places only the pointer counts.
_LEAF_SIZE = {"eface": 16, "iface": 16, "string": 16, "slice": 24}


@dataclass(frozen=True, slots=True)
class SlotName:
    """One pointer word.

    Attributes:
        variable: its variable with the access path, ``job.body``.
        leaf: the typed leaf that stands there (``slice-pointer``: a slice's pointer word only), or None.
        function: inlined function that the variable belongs to, "" for the frame's own.
    """

    variable: str
    leaf: Leaf | None
    function: str = ""


class FrameNames:
    """Slot names by pc, computed once each."""

    def __init__(self, program: Program, universe: TypeUniverse, claims: Claims | None = None) -> None:
        """claims: what the code says, where no debug information describes functions."""
        self._bias = program.bias
        self._universe = universe
        self.claims = claims
        self._names: dict[int, dict[int, SlotName]] = {}
        self._functions: dict[int, Function | None] = {}

    def at(self, plan: FramePlan, pc: int, symbol_pc: int) -> dict[int, SlotName]:
        """Offset from the CFA -> name, for a frame that continues at pc and is described at symbol_pc.

        A value that the call may clobber in its register was stored before; debug information speaks of the
        store only from the return address on, so that is asked first.
        """
        if pc not in self._names:
            self._names[pc] = self._build(plan, (pc - self._bias, symbol_pc - self._bias))
        return self._names[pc]

    def registers(self, plan: FramePlan, pc: int) -> dict[str, SlotName]:
        """Register -> the variable whose pointer it holds, for a frame stopped at pc. Without leaves."""
        function = self.function(plan.func.entry)
        names: dict[str, SlotName] = {}
        for variable in function.variables if function is not None else ():
            if not variable.type:
                continue
            t = self._universe.from_dwarf(variable.type)
            places = {leaf.pointer_offset: leaf.path for leaf in pointer_leaves(t)}
            offsets = piece_offsets(t)
            for register, packed in register_pieces(expression_at(variable, pc - self._bias)):
                path = places.get(offsets.get(packed, packed))
                if path is not None:
                    found = SlotName(variable.name + path, None, variable.inlined_from)
                    names.setdefault(register, found)
        return names

    def function(self, entry: int) -> Function | None:
        """The debug information of the function that starts at this run-time address."""
        if entry not in self._functions:
            self._functions[entry] = self._universe.descriptions.function_at(entry - self._bias)
        return self._functions[entry]

    def _build(self, plan: FramePlan, link_pcs: tuple[int, ...]) -> dict[int, SlotName]:
        function = self.function(plan.func.entry)
        if function is None:
            return self._nameless(plan)
        names: dict[int, SlotName] = {}
        for variable in sorted(function.variables, key=lambda v: v.is_inlined):
            if not variable.type:
                continue
            t = self._universe.from_dwarf(variable.type)
            for pc in link_pcs:
                pieces = stack_pieces(expression_at(variable, pc))
                for offset, name in _placed(variable, t, pieces):
                    names.setdefault(offset, name)
        for offset, name in self.spilled(plan, function):
            names.setdefault(offset, name)
        return names

    def _nameless(self, plan: FramePlan) -> dict[int, SlotName]:
        """Slots that the code itself gives a type, by their place."""
        if self.claims is None:
            return {}
        found = self.claims.slots(plan.module.functions, plan.func.entry)
        # An interface is found by its second word, which the collector follows.
        places = {offset + leaf.pointer_offset: leaf for offset, leaf in found.items()}
        return {at: SlotName(nameless_slot(at), leaf) for at, leaf in places.items()}

    def spilled(self, plan: FramePlan, function: Function) -> Iterator[tuple[int, SlotName]]:
        """Names of the argument spill area and of stack-passed arguments: (offset from the CFA, name).

        None when the debug information leaves a parameter out (one named _), which the size gives away.
        """
        own = [v for v in function.variables if v.is_parameter and not v.is_inlined and v.type]
        passed = [v for v in own if not v.is_result and v.name != _DICTIONARY]
        parameters = [(v.name, self._universe.from_dwarf(v.type)) for v in passed]
        results = [self._universe.from_dwarf(v.type) for v in own if v.is_result]
        position = dictionary_position(function.name)
        if position >= 0:
            parameters.insert(position, (_DICTIONARY, GoType("uintptr", "uintptr", 8)))
        offsets, size = spill_offsets([t for _, t in parameters], results)
        if size != plan.args_size:
            return
        for (name, t), offset in zip(parameters, offsets, strict=True):
            for at, found in place(name, t, (Piece(offset, 0, -1),)):
                # Dead words of an argument are not stored: a length or a type word may be anything.
                yield at, SlotName(found.variable, found.leaf and pointer_part(found.leaf))


def nameless_slot(offset: int) -> str:
    """What a word at an offset from the CFA is called where no variable is known to be there."""
    return f"(slot {offset:+#x})"


def expression_at(variable: Variable, pc: int) -> bytes:
    """The location expression valid at a link-time pc, empty when the variable has none there."""
    return next((expression for low, high, expression in variable.location if low <= pc < high), b"")


def _placed(variable: Variable, t: GoType, pieces: list[Piece]) -> Iterator[tuple[int, SlotName]]:
    """``place`` for a variable of a function; a part of a split temporary counts as that part of its
    value."""
    part = split_part(variable.name, t)
    if part is None:
        return place(variable.name, t, pieces, variable.inlined_from)
    whole, t, offset = part
    return place(whole, t, [Piece(p.cfa_offset, offset, 8) for p in pieces], variable.inlined_from)


def place(
    variable: str, t: GoType, pieces: Iterable[Piece], function: str = ""
) -> Iterator[tuple[int, SlotName]]:
    """(offset from the CFA, name) of every pointer word of a variable of type t that lies in memory."""
    leaves = pointer_leaves(t)
    name = variable.removeprefix("&")
    for start, end, base in extents(t, pieces):
        for leaf in leaves:
            at = leaf.pointer_offset
            if not start <= at < end:
                continue
            whole = start <= leaf.offset and leaf.offset + _LEAF_SIZE.get(leaf.kind, 8) <= end
            yield base + at, SlotName(name + leaf.path, leaf if whole else pointer_part(leaf), function)


def pointer_part(leaf: Leaf) -> Leaf | None:
    """What is known of a leaf when only its pointer word is: all of it, a slice's elements, or nothing."""
    if leaf.kind in ("slice", "string"):
        return Leaf(leaf.offset, f"{leaf.kind}-pointer", leaf.type, leaf.path)
    return None if leaf.kind in _LEAF_SIZE else leaf


def extents(t: GoType, pieces: Iterable[Piece]) -> list[tuple[int, int, int]]:
    """Where bytes [start, end) of a value lie: at base + their offset from the CFA. Neighbours are joined."""
    found: list[tuple[int, int, int]] = []
    offsets: dict[int, int] | None = None
    for piece in pieces:
        if piece.size < 0:
            return [(0, t.size, piece.cfa_offset)]
        offsets = piece_offsets(t) if offsets is None else offsets
        start = offsets.get(piece.offset, -1)
        if start < 0:
            continue
        base = piece.cfa_offset - start
        if found and found[-1][1:] == (start, base):
            found[-1] = (found[-1][0], start + piece.size, base)
        else:
            found.append((start, start + piece.size, base))
    return found
