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
from dataclasses import dataclass, replace
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from goretain.capture.image import Image
from goretain.golang.layout import Program
from goretain.golang.modules import DataSegment, Module
from goretain.golang.packages import Packages, display_name, modules_of, package_of
from goretain.golang.roots.nameless import NamelessGlobals
from goretain.golang.roots.paths import dynamic_type, locate, locate_many
from goretain.golang.types.claims import Claims
from goretain.golang.types.gcmask import mask_bits, program_bits
from goretain.golang.types.gotypes import GoType, Leaf
from goretain.golang.types.structure import BOXED
from goretain.golang.types.typetable import spoken
from goretain.golang.types.universe import TypeUniverse
from goretain.model.errors import MissingMemory

I64 = NDArray[np.int64]
#: A static larger than this is a length that was misread.
_STATIC_LIMIT = 1 << 32


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
    """Reads the globals of all modules.

    claims: what the code says, where no debug information describes variables.
    """

    def __init__(
        self,
        image: Image,
        program: Program,
        universe: TypeUniverse,
        modules: list[Module],
        claims: Claims | None = None,
    ) -> None:
        self._image = image
        self._program = program
        self._universe = universe
        self.missing = 0  #: pointer words that were not captured
        self._segments = [words for module in modules for words in self._read(module)]
        self._mark_statics()
        self._statics = _Statics(program, universe, self._segments)
        self._claims = claims
        #: Variables that only data refers to; address -> package of the pointer of no known type to it.
        self._unnamed: list[_Region] = []
        self._referrers: dict[int, str] = {}

    def slots(self) -> Iterator[GlobalSlots]:
        """All pointer words whose value lies outside the segments, by holder, variables first."""
        queue = list(self._variables() if self._claims is None else self._nameless(self._claims))
        while queue:
            found: list[_Region] = []
            for region in queue:
                yield from self._tell(region, found)
            queue = found or self._referred()
        for region in (*self._statics.rest(), *self._unnamed):
            yield from self._tell(region, [])
        for words in self._segments:
            for i in np.flatnonzero(~words.told & ~words.static).tolist():
                address = int(words.addresses[i])
                holder = Holder(f"{words.segment}+{address - words.start:#x}", "")
                yield self._slots(words, np.array([i]), _Region(address, address + 8, holder, "", None))

    def _read(self, module: Module) -> Iterator[_Words]:
        for segment in module.segments:
            count = (segment.end - segment.start) // 8
            if count <= 0 or not (segment.mask or segment.gc_program):
                continue
            bits = segment_mask(self._program, segment, count)
            addresses = segment.start + 8 * np.flatnonzero(bits)
            values, held = self._image.gather(addresses)
            self.missing += int(len(held) - held.sum())
            live = held & (values != 0)
            yield _Words(
                " ".join(filter(None, (PurePath(module.path).name, segment.name))),
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

    def _nameless(self, claims: Claims) -> Iterator[_Region]:
        """Variables that the code refers to or gives a type, in a program that names none."""
        pointed = [words.values[words.static] for words in self._segments]
        segments = [(words.start, words.end) for words in self._segments]
        packages = Packages(modules_of(self._image.binary.go_modinfo))
        found = NamelessGlobals(claims, packages, segments, np.unique(np.concatenate(pointed)))
        for region in self._statics.rest():  # -ldflags=-w leaves the names
            yield replace(region, t=found.type_at(region.start, region.end - region.start))
        for v in found.variables():
            first = self._next_word(v.start)
            if first is None or first >= v.end:
                continue
            words = next(w for w in self._segments if w.start <= v.start < w.end)
            name = f"{words.segment}+{v.start - words.start:#x}"
            if v.type is not None:
                name += f" ({spoken(v.type.name)})"
            region = _Region(v.start, v.end, Holder(name, v.package), "", v.type)
            if v.referred or v.type is not None:
                yield region
            else:
                self._unnamed.append(region)

    def _referred(self) -> list[_Region]:
        """Variables that no code names, as variables of the package that points to them.

        They keep their own names, for where they end is not proved. Typed pointers lead to so many bytes,
        which were told before under the pointer's name, and say nothing of those after them.
        """
        found = [r for r in self._unnamed if r.start in self._referrers]
        self._unnamed = [r for r in self._unnamed if r.start not in self._referrers]
        return [replace(r, holder=Holder(r.holder.name, self._referrers[r.start])) for r in found]

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
                if leaf is None or leaf.type.elem is None:
                    self._referrers.setdefault(int(words.values[i]), region.holder.package)
                if leaf is not None:
                    found += self._statics.behind(region, address, int(words.values[i]), path, leaf)
            rows = fresh[~words.static[fresh]]
            if len(rows):
                yield self._slots(words, rows, region)

    def _slots(self, words: _Words, rows: I64, region: _Region) -> GlobalSlots:
        addresses = words.addresses[rows]
        paths, leaves, leaf_of = locate_many(region.t, addresses - region.start, region.path)
        if self._claims is not None:
            leaves, leaf_of = self._boxed(words, addresses, leaves, leaf_of)
        return GlobalSlots(region.holder, addresses, words.values[rows], paths, leaves, leaf_of)

    def _boxed(
        self, words: _Words, addresses: I64, leaves: list[Leaf | None], leaf_of: I64
    ) -> tuple[list[Leaf | None], I64]:
        """The leaves with interfaces among the words without one: behind a word that the collector does not
        follow and that holds a type record or an itab."""
        unknown = np.array([leaf is None for leaf in leaves], np.bool_)[leaf_of]
        before, held = self._image.gather(addresses - 8)
        unknown &= held & ~np.isin(addresses - 8, words.addresses)
        methods = np.isin(before, self._universe.itabs)
        empty = self._universe.modules.contains(before.astype(np.int64))
        last = len(leaves)
        leaf_of = np.where(unknown & methods, last + 1, np.where(unknown & empty, last, leaf_of))
        return [*leaves, *BOXED], leaf_of


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
