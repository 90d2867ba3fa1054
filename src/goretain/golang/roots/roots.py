"""Everything that the garbage collector starts from, by name: globals, stacks, registers, specials, queues.

The list is that of markroot and gcMarkTinyAllocs (runtime/mgcmark.go): data and bss of every module, the
stacks of all goroutines, finalizers, cleanups, weak handles and their queues, and each P's current tiny
block. Beyond the collector's list stand registers and system stacks of running threads, because a process is
stopped at any instruction; those are marked conservative.

A root slot reads node + path. For globals the path continues the variable (``main.cache`` + ``.m``); for
goroutines it is ``:function.variable.field`` (``goroutine 18 [chan receive] main.worker`` +
``:main.worker.job.body``), with ``(temporary)`` for a word that no variable names (``(temporary).body`` of
a value that is being sent to a channel) and ``(register rax)`` for a register.
Imports the rooms of ``golang`` below it, ``capture.image`` and ``snapshot``.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from goretain.capture.image import Image
from goretain.golang.layout import Program
from goretain.golang.packages import Packages, modules_of
from goretain.golang.roots.globals import GlobalReader
from goretain.golang.roots.rootslots import RootBuilder, RootSlots
from goretain.golang.roots.specialnames import called
from goretain.golang.roots.specials import Role, Specials
from goretain.golang.stacks.goroutines import Goroutines, root_name
from goretain.golang.stacks.stackroots import StackRoot, StackRoots
from goretain.golang.stacks.stacks import Stacks
from goretain.golang.types.gotypes import GoType, Leaf
from goretain.golang.types.universe import TypeUniverse
from goretain.model.errors import MissingMemory
from goretain.snapshot import Layer, RootFlag, SpecialKind

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
U32 = NDArray[np.uint32]

#: How roots are named, the function behind that, and what paths of queues begin with.
_KINDS = {
    SpecialKind.CLEANUP: "cleanup",
    SpecialKind.WEAK_HANDLE: "weak handle",
    SpecialKind.QUEUED_FINALIZER: "queued finalizer",
    SpecialKind.QUEUED_CLEANUP: "queued cleanup",
}
_QUEUES = {SpecialKind.QUEUED_FINALIZER: "finalizer ", SpecialKind.QUEUED_CLEANUP: "cleanup "}

__all__ = ["RootSlots", "finalizer_roots", "read_roots"]


def read_roots(
    image: Image,
    program: Program,
    universe: TypeUniverse,
    stacks: Stacks,
    goroutines: Goroutines,
    specials: Specials,
    *,
    with_caches: bool = True,
) -> RootSlots:
    """All roots of the image. Raises UnknownLayout, MissingMemory.

    with_caches: the image has the runtime's allocation caches (heap dumps do not).
    """
    packages = Packages(modules_of(image.binary.go_modinfo))
    build, notes = RootBuilder(), [*goroutines.notes, *specials.notes]
    claims = stacks.names.claims
    if claims is not None:
        notes += claims.notes
    _add_globals(build, GlobalReader(image, program, universe, stacks.modules, claims), packages, notes)
    _add_stacks(build, StackRoots(program, universe, stacks), goroutines, packages, notes)
    finalizer_node = _add_specials(build, universe, stacks, specials)
    try:
        if with_caches:
            _add_tiny_blocks(build, program)
    except MissingMemory as error:
        notes.append(f"the allocation caches could not be read: {error.message}")
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


def _add_globals(build: RootBuilder, reader: GlobalReader, packages: Packages, notes: list[str]) -> None:
    for slots in reader.slots():
        layer = packages.layer_of_global(slots.holder.name, slots.holder.package)
        node = build.node(slots.holder.name, layer, package=slots.holder.package)
        leaves = np.array([build.leaf(leaf) for leaf in slots.leaves], np.int32)
        build.extend(slots.addresses, slots.values, node, slots.paths, leaves[slots.leaf_of])
    if reader.missing:
        notes.append(f"{reader.missing} pointer words of global variables were not captured")


def _add_stacks(
    build: RootBuilder, roots: StackRoots, goroutines: Goroutines, packages: Packages, notes: list[str]
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


def _add_words(build: RootBuilder, found: Iterable[StackRoot], node: int, goroutine: int) -> None:
    for root in found:
        flags = int(RootFlag.CONSERVATIVE) if root.conservative else 0
        leaf = build.leaf(root.leaf)
        build.add(root.address, root.value, node, root.path, flags=flags, goroutine=goroutine, leaf=leaf)


def _add_specials(
    build: RootBuilder, universe: TypeUniverse, stacks: Stacks, specials: Specials
) -> list[int]:
    """Adds what specials root; returns the node of each attached finalizer."""
    function = build.leaf(Leaf(0, "func", GoType("func()", "func", 8), ""))
    flags = int(RootFlag.SPECIAL)
    nodes: list[int] = []
    for finalizer in specials.finalizers:
        t = universe.from_runtime(finalizer.object_type) if finalizer.object_type else None
        node = build.node(f"finalizer of {t.name}" if t else "finalizer", Layer.RUNTIME)
        nodes.append(node)
        build.add(finalizer.function_at, finalizer.function, node, ".fn", flags=flags, leaf=function)
    for held in specials.kept:
        queue, name = _QUEUES.get(held.kind, ""), called(stacks, held.value(Role.FUNCTION))
        node = build.node(f"{_KINDS[held.kind]} {name}".rstrip(), Layer.RUNTIME)
        for pointer in held.pointers:
            leaf = function if pointer.role in (Role.FUNCTION, Role.CALL) else -1
            path = f".{queue}{pointer.role.value}"
            build.add(pointer.at, pointer.value, node, path, flags=flags, leaf=leaf)
    return nodes


def _add_tiny_blocks(build: RootBuilder, program: Program) -> None:
    """The tiny block that each P allocates from (runtime.mcache.tiny): gcMarkTinyAllocs keeps it."""
    array, count, _ = program.slice(program.symbol("runtime.allp"))
    node = build.node("runtime.mcache.tiny", Layer.RUNTIME)
    for i in range(count):
        p = program.word(array + 8 * i)
        cache = program.uint(p, "runtime.p", "mcache") if p else 0
        if cache:
            at = cache + program.layout.offset("runtime.mcache", "tiny")
            build.add(at, program.word(at), node, f"[{i}]", flags=int(RootFlag.ALLOCATOR))
