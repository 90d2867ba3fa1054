"""The pointer words of global variables, by variable and field.

The collector scans data and bss by the masks of ``runtime.moduledata`` (gcdatamask, gcbssmask; markrootBlock
in runtime/mgcmark.go). Variables come from the debug information; compiler-made statics (``main..stmp_1``,
the arrays and structs behind composite literals) have no entry there and are named and typed by the variable
that points to them; then the symbol table names the rest, and the segment what is left.
Imports ``capture.image``, ``golang`` rooms for types and packages, numpy.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goretain.capture.image import Image
from goretain.golang.layout import Program
from goretain.golang.modules import DataSegment, Module
from goretain.golang.packages import display_name, package_of
from goretain.golang.types.gcmask import mask_bits, program_bits
from goretain.golang.types.gotypes import GoType, Leaf, atomic_pointer, leaf_of_kind
from goretain.golang.types.universe import TypeUniverse
from goretain.model.errors import MissingMemory

I64 = NDArray[np.int64]
#: A static larger than this is a length that was misread.
_STATIC_LIMIT = 1 << 32
#: From this many words on, the elements of an array are named together.
_MANY = 64


@dataclass(frozen=True, slots=True)
class Holder:
    """A global variable as a holder of memory: its name and import path ("" for none)."""

    name: str
    package: str


@dataclass(frozen=True, slots=True)
class GlobalSlots:
    """Non-nil pointer words of one holder.

    addresses, values: int64[k]; paths: k access paths; leaf_of: int64[k], row in leaves (None: type unknown).
    """

    holder: Holder
    addresses: I64
    values: I64
    paths: list[str]
    leaves: list[Leaf | None]
    leaf_of: I64


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
    """All non-nil pointer words of one segment, in address order.

    told: which were handed out already; static: which point into a segment.
    """

    segment: str
    start: int
    end: int
    addresses: I64
    values: I64
    told: NDArray[np.bool_]
    static: NDArray[np.bool_]


class GlobalReader:
    """Reads the globals of all modules."""

    def __init__(self, image: Image, program: Program, universe: TypeUniverse, modules: list[Module]) -> None:
        self._image = image
        self._program = program
        self._universe = universe
        self.missing = 0  #: pointer words that were not captured
        self._segments = [words for module in modules for words in self._read(module)]
        self._mark_statics()
        self._statics = _Statics(program, universe, self._segments)

    def slots(self) -> Iterator[GlobalSlots]:
        """All pointer words whose value lies outside the segments, by holder, variables first."""
        queue = list(self._variables())
        while queue:
            found: list[_Region] = []
            for region in queue:
                yield from self._tell(region, found)
            queue = found
        for region in self._statics.rest():
            yield from self._tell(region, [])
        for words in self._segments:
            for i in np.flatnonzero(~words.told & ~words.static).tolist():
                address = int(words.addresses[i])
                holder = Holder(f"{words.segment}+{address - words.start:#x}", "")
                yield self._slots(words, np.array([i]), _Region(address, address + 8, holder, "", None))

    def _read(self, module: Module) -> Iterator[_Words]:
        for segment in module.segments:
            count = (segment.end - segment.start) // 8
            if count <= 0 or not segment.mask:
                continue
            bits = segment_mask(self._program, segment, count)
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
                np.zeros(int(live.sum()), np.bool_),
            )

    def _mark_statics(self) -> None:
        for words in self._segments:
            for other in self._segments:
                words.static |= (words.values >= other.start) & (words.values < other.end)

    def _variables(self) -> Iterator[_Region]:
        """Typed variables of the debug information that hold at least one pointer word."""
        bias = self._program.bias
        for variable in self._universe.descriptions.globals:
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

    def _tell(self, region: _Region, found: list[_Region]) -> Iterator[GlobalSlots]:
        """Slots of a region not told before; regions that its pointers discover go to found."""
        for words in self._segments:
            if not words.start <= region.start < words.end:
                continue
            low, high = np.searchsorted(words.addresses, (region.start, region.end)).tolist()
            fresh = low + np.flatnonzero(~words.told[low:high])
            words.told[low:high] = True
            for i in fresh[words.static[fresh]].tolist():
                address = int(words.addresses[i])
                path, leaf = locate(region.t, address - region.start)
                if leaf is not None:
                    found += self._statics.behind(region, address, int(words.values[i]), path, leaf)
            rows = fresh[~words.static[fresh]]
            if len(rows):
                yield self._slots(words, rows, region)

    @staticmethod
    def _slots(words: _Words, rows: I64, region: _Region) -> GlobalSlots:
        addresses = words.addresses[rows]
        paths, leaves, leaf_of = locate_many(region.t, addresses - region.start, region.path)
        return GlobalSlots(region.holder, addresses, words.values[rows], paths, leaves, leaf_of)


def segment_mask(program: Program, segment: DataSegment, words: int) -> NDArray[np.bool_]:
    """bool[words]: pointer words of a segment; from the binary where the runtime's mask was not captured."""
    try:
        return mask_bits(program.memory, segment.mask, words)
    except MissingMemory:
        return program_bits(program.memory, segment.gc_program, words)


class _Statics:
    """What the debug information does not describe: compiler-made statics and other symbols."""

    def __init__(self, program: Program, universe: TypeUniverse, segments: list[_Words]) -> None:
        self._program = program
        self._universe = universe
        bias = program.bias
        described = {g.address for g in program.layout.descriptions.globals}
        spans = [(w.start, w.end) for w in segments]
        rows = sorted(
            (s.value + bias, s.size, s.name)
            for s in program.layout.symbols.values()
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
            with contextlib.suppress(MissingMemory):
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


def locate_many(t: GoType | None, offsets: I64, prefix: str) -> tuple[list[str], list[Leaf | None], I64]:
    """``locate`` for int64[k] offsets: k paths that begin with prefix; leaves; each offset's leaf's row."""
    if t is None or t.kind != "array" or t.elem is None or not t.elem.size or len(offsets) < _MANY:
        found = [locate(t, offset) for offset in offsets.tolist()]
        return [prefix + path for path, _ in found], [leaf for _, leaf in found], np.arange(len(found))
    index, inside = np.divmod(offsets, t.elem.size)
    distinct, kind = np.unique(inside, return_inverse=True)
    ends = [locate(t.elem, offset) for offset in distinct.tolist()]
    rows = zip(index.tolist(), kind.tolist(), strict=True)
    return [f"{prefix}[{i}]{ends[k][0]}" for i, k in rows], [leaf for _, leaf in ends], kind


def locate(t: GoType | None, offset: int) -> tuple[str, Leaf | None]:
    """Access path and typed leaf of the pointer word at an offset in a value of t.

    Walks down to the one field, so that a table of a million elements costs what one of ten does.
    """
    if t is None:
        return (f"+{offset:#x}" if offset else ""), None
    path = ""
    while t.kind in ("struct", "array"):
        pointer = atomic_pointer(t)
        if pointer is not None and pointer.offset == offset:
            return path, Leaf(0, "ptr", pointer.type, "")
        if t.kind == "array" and t.elem is not None and t.elem.size:
            path, offset, t = f"{path}[{offset // t.elem.size}]", offset % t.elem.size, t.elem
            continue
        inside = next((f for f in t.fields if f.offset <= offset < f.offset + f.type.size), None)
        if inside is None:
            break
        path, offset, t = f"{path}.{inside.name}", offset - inside.offset, inside.type
    leaf = leaf_of_kind(t)
    if leaf is not None and leaf.pointer_offset == offset:
        return path, leaf
    return path + (f"+{offset}" if offset else ""), None
