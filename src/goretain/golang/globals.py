"""The pointer words of global variables, by variable and field.

The collector scans data and bss by the masks of ``runtime.moduledata`` (gcdatamask, gcbssmask; markrootBlock
in runtime/mgcmark.go). Variables come from the debug information; compiler-made statics (``main..stmp_1``,
the arrays and structs behind composite literals) have no entry there and are named and typed by the variable
that points to them; then the symbol table names the rest, and the segment what is left.
Imports ``capture.image``, ``golang`` rooms for types and packages, numpy.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goretain.capture.image import Image
from goretain.golang.gcmask import mask_bits
from goretain.golang.gotypes import GoType, Leaf, TypeUniverse, field_path, pointer_leaves
from goretain.golang.layout import Program
from goretain.golang.modules import Module
from goretain.golang.packages import display_name, package_of

I64 = NDArray[np.int64]
#: A static larger than this is a length that was misread.
_STATIC_LIMIT = 1 << 32


@dataclass(frozen=True, slots=True)
class Holder:
    """A global variable as a holder of memory: its name and import path ("" for none)."""

    name: str
    package: str


@dataclass(frozen=True, slots=True)
class GlobalSlot:
    """One non-nil pointer word: where it stands, its value, whose it is, its path and its typed leaf."""

    address: int
    value: int
    holder: Holder
    path: str
    leaf: Leaf | None


@dataclass(frozen=True, slots=True)
class _Region:
    """Memory [start, end) that holds values of type t (None: unknown) of a holder, under a path."""

    start: int
    end: int
    holder: Holder
    path: str
    t: GoType | None


@dataclass(slots=True)
class _Words:
    """All non-nil pointer words of one segment, in address order, and which of them were told already."""

    segment: str
    start: int
    end: int
    addresses: I64
    values: I64
    told: NDArray[np.bool_]


class GlobalReader:
    """Reads the globals of all modules."""

    def __init__(self, image: Image, program: Program, universe: TypeUniverse, modules: list[Module]) -> None:
        self._image = image
        self._program = program
        self._universe = universe
        self.missing = 0  #: pointer words that were not captured
        self._segments = [words for module in modules for words in self._read(module)]
        self._statics = _Statics(program, universe, self._segments)

    def slots(self) -> Iterator[GlobalSlot]:
        """All pointer words whose value lies outside the segments, variables first."""
        queue = list(self._variables())
        while queue:
            found: list[_Region] = []
            for region in queue:
                yield from self._tell(region, found)
            queue = found
        for region in self._statics.rest():
            yield from self._tell(region, [])
        for words in self._segments:
            for i in np.flatnonzero(~words.told).tolist():
                if not self._static(int(words.values[i])):
                    yield self._unnamed(words, i)

    def _read(self, module: Module) -> Iterator[_Words]:
        for segment in module.segments:
            count = (segment.end - segment.start) // 8
            if count <= 0 or not segment.mask:
                continue
            bits = mask_bits(self._program.memory, segment.mask, count)
            addresses = segment.start + 8 * np.flatnonzero(bits)
            values, held = self._image.gather(addresses)
            self.missing += int(len(held) - held.sum())
            live = held & (values != 0)
            yield _Words(
                segment.name,
                segment.start,
                segment.end,
                addresses[live].astype(np.int64),
                values[live].astype(np.int64),
                np.zeros(int(live.sum()), np.bool_),
            )

    def _variables(self) -> Iterator[_Region]:
        """Typed variables of the debug information that hold at least one pointer word."""
        bias = self._program.bias
        for variable in self._universe.dwarf.globals:
            address = variable.address + bias
            if not variable.type or self._next_word(address) is None:
                continue
            t = self._universe.from_dwarf(variable.type)
            holder = Holder(display_name(variable.name), package_of(variable.name))
            yield _Region(address, address + max(t.size, 1), holder, "", t)

    def _next_word(self, address: int) -> int | None:
        """The first pointer word at or after address in its segment."""
        for words in self._segments:
            if words.start <= address < words.end:
                i = int(np.searchsorted(words.addresses, address))
                return int(words.addresses[i]) if i < len(words.addresses) else None
        return None

    def _static(self, address: int) -> bool:
        return any(words.start <= address < words.end for words in self._segments)

    def _tell(self, region: _Region, found: list[_Region]) -> Iterator[GlobalSlot]:
        """Slots of a region not told before; regions that its pointers discover go to found."""
        for words in self._segments:
            if not words.start <= region.start < words.end:
                continue
            low, high = np.searchsorted(words.addresses, (region.start, region.end)).tolist()
            for i in range(low, high):
                if words.told[i]:
                    continue
                words.told[i] = True
                address, value = int(words.addresses[i]), int(words.values[i])
                path, leaf = locate(region.t, address - region.start)
                if not self._static(value):
                    yield GlobalSlot(address, value, region.holder, region.path + path, leaf)
                elif leaf is not None:
                    found += self._statics.behind(region, address, value, path, leaf)

    def _unnamed(self, words: _Words, i: int) -> GlobalSlot:
        address = int(words.addresses[i])
        holder = Holder(f"{words.segment}+{address - words.start:#x}", "")
        return GlobalSlot(address, int(words.values[i]), holder, "", None)


class _Statics:
    """What the debug information does not describe: compiler-made statics and other symbols."""

    def __init__(self, program: Program, universe: TypeUniverse, segments: list[_Words]) -> None:
        self._program = program
        self._universe = universe
        bias = program.bias
        described = {g.address for g in program.layout.dwarf.globals}
        spans = [(w.start, w.end) for w in segments]
        rows = sorted(
            (s.value + bias, s.size, s.name)
            for s in program.layout.elf.symbols.values()
            if s.size and s.value not in described and any(a <= s.value + bias < b for a, b in spans)
        )
        self._rows = rows
        self._claimed: set[tuple[int, int]] = set()

    def behind(self, region: _Region, at: int, value: int, path: str, leaf: Leaf) -> list[_Region]:
        """The static that a typed pointer of a region leads to; none when it was led to before."""
        t, count = leaf.type.elem, 1
        if leaf.kind == "slice":
            count = self._program.word(at + 16)
        elif leaf.kind in ("eface", "iface"):
            t = dynamic_type(self._universe, self._program, at - 8, leaf)
        elif leaf.kind != "ptr":
            return []
        if t is None or not t.size or not t.has_pointers or count * t.size > _STATIC_LIMIT:
            return []
        size = count * t.size
        if (value, size) in self._claimed:
            return []
        self._claimed.add((value, size))
        if leaf.kind == "slice":
            t = GoType(f"[{count}]{t.name}", "array", size, count=count, elem_ref=t)
        return [_Region(value, value + size, region.holder, region.path + path, t)]

    def rest(self) -> Iterator[_Region]:
        """Symbols that no variable was found to point to, under their own names."""
        for start, size, name in self._rows:
            yield _Region(start, start + size, Holder(display_name(name), package_of(name)), "", None)


def dynamic_type(universe: TypeUniverse, program: Program, interface: int, leaf: Leaf) -> GoType | None:
    """Type of the value behind the interface at an address; None when it is stored in the data word itself.

    An eface starts with *abi.Type, an iface with *abi.ITab, whose second word is the type
    (runtime/runtime2.go).
    """
    address = program.word(interface)
    if leaf.kind == "iface" and address:
        address = program.word(address + 8)
    t = universe.from_runtime(address) if address else None
    if t is None or not universe.is_direct(address):
        return t
    return t.elem if t.kind == "ptr" else None


def locate(t: GoType | None, offset: int) -> tuple[str, Leaf | None]:
    """Access path and typed leaf of the pointer word at an offset in a value of t."""
    if t is None:
        return (f"+{offset:#x}" if offset else ""), None
    prefix = ""
    while t.kind == "array" and t.elem is not None and t.elem.size:
        prefix, offset, t = f"{prefix}[{offset // t.elem.size}]", offset % t.elem.size, t.elem
    leaves = pointer_leaves(t)
    i = bisect.bisect_left(leaves, offset, key=_pointer_offset)
    if i < len(leaves) and leaves[i].pointer_offset == offset:
        return prefix + leaves[i].path, leaves[i]
    return prefix + field_path(t, offset), None


def _pointer_offset(leaf: Leaf) -> int:
    return leaf.pointer_offset
