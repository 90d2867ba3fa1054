"""Everything that the garbage collector starts from, by name: globals, stacks, registers, specials, queues.

The list is that of markroot and gcMarkTinyAllocs (runtime/mgcmark.go): data and bss of every module, the
stacks of all goroutines, finalizers, cleanups, weak handles and their queues, and each P's current tiny
block. Beyond the collector's list stand registers and system stacks of running threads, because a process is
stopped at any instruction; those are marked conservative.

A root slot reads node + path. For globals the path continues the variable (``main.cache`` + ``.m``); for
goroutines it is ``:function.variable.field`` (``goroutine 18 [chan receive] main.worker`` +
``:main.worker.job.body``), with ``(temporary)`` for a word that no variable names and ``(register rax)`` for
a register.
Imports the rooms of ``golang`` below it, ``capture.image`` and ``snapshot``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from goretain.capture.image import Image
from goretain.golang.globals import GlobalReader
from goretain.golang.goroutines import Goroutines, root_name
from goretain.golang.gotypes import GoType, Leaf, TypeUniverse
from goretain.golang.layout import Program
from goretain.golang.packages import Packages, display_name
from goretain.golang.specials import Finalizer, Pointer, Specials
from goretain.golang.stackroots import StackRoot, StackRoots
from goretain.golang.stacks import Stacks
from goretain.model.errors import MissingMemory
from goretain.snapshot import Layer, RootFlag, RootNode

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
U32 = NDArray[np.uint32]
U8 = NDArray[np.uint8]
#: Addresses of user space on linux/amd64; page zero is never mapped.
_LOWEST, _HIGHEST = 4096, 1 << 47


@dataclass(slots=True)
class RootSlots:
    """Root words, r of them; values may point anywhere, whoever resolves them drops what is no object.

    Attributes:
        address: int64[r], where the word stands; 0 for registers.
        value: int64[r].
        node: int32[r] into nodes; path: int32[r] into paths.
        flags: uint8[r], RootFlag.
        goroutine: int32[r], index into the goroutine table, -1 for others.
        leaf: int32[r] into leaves, -1 when the word's type is not known. For an interface leaf, address is
            that of the data word and the type word stands 8 bytes before it.
        finalizers: attached finalizers: what their objects point to is a root (``finalizer_roots``).
        finalizer_node: int32 per finalizer.
        notes: what could not be read, one sentence each.
    """

    address: I64
    value: I64
    node: I32
    path: I32
    flags: U8
    goroutine: I32
    leaf: I32
    nodes: list[RootNode]
    paths: list[str]
    leaves: list[Leaf]
    finalizers: list[Finalizer]
    finalizer_node: I32
    notes: list[str] = field(default_factory=list)


class _Builder:
    """Collects root words in columns; nodes, paths and leaves are interned."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, int, int, int, int, int, int]] = []
        self.nodes: dict[RootNode, int] = {}
        self.paths: dict[str, int] = {"": 0}
        self.leaves: dict[tuple[str, int], int] = {}
        self.leaf_list: list[Leaf] = []

    def node(self, name: str, layer: Layer, goroutine: int = -1, package: str = "") -> int:
        made = RootNode(name=name, layer=int(layer), goroutine=goroutine, package=package)
        return self.nodes.setdefault(made, len(self.nodes))

    def leaf(self, leaf: Leaf | None) -> int:
        if leaf is None:
            return -1
        key = (leaf.kind, id(leaf.type))
        if key not in self.leaves:
            self.leaves[key] = len(self.leaf_list)
            self.leaf_list.append(Leaf(0, leaf.kind, leaf.type, ""))
        return self.leaves[key]

    def add(
        self,
        address: int,
        value: int,
        node: int,
        path: str,
        *,
        flags: int = 0,
        goroutine: int = -1,
        leaf: int = -1,
    ) -> None:
        """Keep a root word, unless its value is no address that a heap could have."""
        if _LOWEST <= value < _HIGHEST:
            at = self.paths.setdefault(path, len(self.paths))
            self.rows.append((address, value, node, at, flags, goroutine, leaf))

    def finish(self, finalizers: list[Finalizer], finalizer_node: list[int], notes: list[str]) -> RootSlots:
        table = np.array(self.rows, np.int64).reshape(-1, 7)
        return RootSlots(
            address=table[:, 0].copy(),
            value=table[:, 1].copy(),
            node=table[:, 2].astype(np.int32),
            path=table[:, 3].astype(np.int32),
            flags=table[:, 4].astype(np.uint8),
            goroutine=table[:, 5].astype(np.int32),
            leaf=table[:, 6].astype(np.int32),
            nodes=list(self.nodes),
            paths=list(self.paths),
            leaves=self.leaf_list,
            finalizers=finalizers,
            finalizer_node=np.array(finalizer_node, np.int32),
            notes=notes,
        )


def read_roots(
    image: Image,
    program: Program,
    universe: TypeUniverse,
    stacks: Stacks,
    goroutines: Goroutines,
    specials: Specials,
) -> RootSlots:
    """All roots of the image. Raises UnknownLayout, MissingMemory."""
    packages = Packages(image.binary.go_modinfo)
    build, notes = _Builder(), [*goroutines.notes, *specials.notes]
    _add_globals(build, GlobalReader(image, program, universe, stacks.modules), packages, notes)
    _add_stacks(build, StackRoots(program, universe, stacks), goroutines, packages, notes)
    finalizer_node = _add_specials(build, universe, stacks, specials)
    _add_tiny_blocks(build, program)
    return build.finish(specials.finalizers, finalizer_node, notes)


def finalizer_roots(objects: U32, nodes: I32, edge_start: I64, edge_target: U32) -> tuple[I32, U32]:
    """What attached finalizers root: (node, target id) of everything their objects point to, not the objects.

    objects: uint32[f], ids of the finalizers' objects; nodes: int32[f]; edge_start, edge_target: the graph's
        CSR.
    Source: gcScanFinalizer, runtime/mgcmark.go.
    """
    start, end = edge_start[objects.astype(np.int64)], edge_start[objects.astype(np.int64) + 1]
    counts = end - start
    first = np.repeat(start - (np.cumsum(counts) - counts), counts)
    return np.repeat(nodes, counts), edge_target[first + np.arange(int(counts.sum()))]


def _add_globals(build: _Builder, reader: GlobalReader, packages: Packages, notes: list[str]) -> None:
    for slot in reader.slots():
        layer = packages.layer_of_global(slot.holder.name, slot.holder.package)
        node = build.node(slot.holder.name, layer, package=slot.holder.package)
        build.add(slot.address, slot.value, node, slot.path, leaf=build.leaf(slot.leaf))
    if reader.missing:
        notes.append(f"{reader.missing} pointer words of global variables were not captured")


def _add_stacks(
    build: _Builder, roots: StackRoots, goroutines: Goroutines, packages: Packages, notes: list[str]
) -> None:
    for i, goroutine in enumerate(goroutines.live):
        try:
            found = roots.of_goroutine(goroutine)
        except MissingMemory as error:
            notes.append(f"the stack of goroutine {goroutine.id} could not be scanned: {error.message}")
            continue
        if found:
            node = build.node(root_name(goroutine, roots.stacks, packages), goroutine.layer, i)
            _add_words(build, found, node, i)
    for stack in goroutines.system:
        try:
            found = roots.of_system_stack(stack)
        except MissingMemory as error:
            notes.append(f"the {stack.name} stack of thread {stack.thread} was not captured: {error.message}")
            continue
        _add_words(build, found, build.node(f"{stack.name} of thread {stack.thread}", Layer.RUNTIME), -1)


def _add_words(build: _Builder, found: Iterable[StackRoot], node: int, goroutine: int) -> None:
    for root in found:
        flags = int(RootFlag.CONSERVATIVE) if root.conservative else 0
        leaf = build.leaf(root.leaf)
        build.add(root.address, root.value, node, root.path, flags=flags, goroutine=goroutine, leaf=leaf)


def _add_specials(build: _Builder, universe: TypeUniverse, stacks: Stacks, specials: Specials) -> list[int]:
    function = build.leaf(Leaf(0, "func", GoType("func()", "func", 8), ""))
    flags = int(RootFlag.SPECIAL)
    nodes: list[int] = []
    for finalizer in specials.finalizers:
        t = universe.from_runtime(finalizer.object_type) if finalizer.object_type else None
        node = build.node(f"finalizer of {t.name}" if t else "finalizer", Layer.RUNTIME)
        nodes.append(node)
        build.add(finalizer.function_at, finalizer.function, node, ".fn", flags=flags, leaf=function)
    for pointer in (*specials.cleanups, *specials.weak_handles, *specials.queued):
        node = build.node(_special_name(stacks, pointer), Layer.RUNTIME)
        leaf = function if pointer.role.endswith(("function", "call")) else -1
        build.add(pointer.at, pointer.value, node, f".{pointer.role}", flags=flags, leaf=leaf)
    return nodes


def _special_name(stacks: Stacks, pointer: Pointer) -> str:
    """``cleanup main.main.func1``, ``queued finalizer net.(*netFD).Close``, ``weak handle``."""
    if pointer.role == "handle":
        return "weak handle"
    if pointer.role.startswith("finalizer"):
        kind = "queued finalizer"
    else:
        kind = "queued cleanup" if pointer.role.startswith("cleanup") else "cleanup"
    try:
        name = stacks.function(stacks.program.word(pointer.function)) if pointer.function else ""
    except MissingMemory:
        name = ""
    return f"{kind} {display_name(name)}".rstrip()


def _add_tiny_blocks(build: _Builder, program: Program) -> None:
    """The tiny block that each P allocates from (runtime.mcache.tiny): gcMarkTinyAllocs keeps it."""
    array, count, _ = program.slice(program.symbol("runtime.allp"))
    node = build.node("runtime.mcache.tiny", Layer.RUNTIME)
    for i in range(count):
        p = program.word(array + 8 * i)
        cache = program.uint(p, "runtime.p", "mcache") if p else 0
        if cache:
            at = cache + program.layout.offset("runtime.mcache", "tiny")
            build.add(at, program.word(at), node, f"[{i}]")
