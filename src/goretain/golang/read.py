"""From an Image to a Snapshot: the one way through this floor.

Spans give objects, pointer slots give edges, roots and debug information give types and names, maps give
their entries.
Imports ``capture``, ``debuginfo``, ``kernels``, ``snapshot``, ``model`` and all rooms of ``golang``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from goretain.capture.image import Image
from goretain.debuginfo.dwarf.descriptions import DebugSource
from goretain.golang.columns import heap_columns
from goretain.golang.extent import OnExtent
from goretain.golang.features import features_of
from goretain.golang.groups.fill import Found, fill_groups
from goretain.golang.groups.memory import monotonic_ns, profile_rate
from goretain.golang.groups.waiting import scheduler_objects
from goretain.golang.heapdump.dumped import DumpedHeap
from goretain.golang.layout import Layout, Program, open_layout
from goretain.golang.maps.mapkeys import key_texts
from goretain.golang.maps.maprows import MapColumns
from goretain.golang.maps.maps import read_maps
from goretain.golang.memory.objects import (
    Edges,
    Objects,
    read_edges,
    read_objects,
    shortfalls,
    without_edges,
)
from goretain.golang.memory.sizeclasses import read_size_classes
from goretain.golang.memory.spans import read_spans
from goretain.golang.modules import read_modules
from goretain.golang.packages import modules_of
from goretain.golang.plugins import DebugOf, find_files, with_plugins
from goretain.golang.roots import slices, strings
from goretain.golang.roots.rootnames import named_by_content, stripped_note
from goretain.golang.roots.rootobjects import ResolvedRoots, resolve_roots, root_seeds
from goretain.golang.roots.roots import RootSlots, read_roots
from goretain.golang.roots.specials import Specials, read_specials
from goretain.golang.roots.timerobjects import timer_objects
from goretain.golang.stacks import goroutines as goroutine_room
from goretain.golang.stacks.stacks import Stacks
from goretain.golang.stacks.waits import read_waits
from goretain.golang.types.claims import Claims, captures
from goretain.golang.types.gotypes import ARENA_CHUNK, GoType
from goretain.golang.types.infer import Inference, Inferred
from goretain.golang.types.structure import Structure
from goretain.golang.types.universe import TypeUniverse
from goretain.golang.visible import find_windows, object_flags
from goretain.kernels import propagate, windows
from goretain.kernels.arenas import slots_below
from goretain.kernels.reach import reach
from goretain.snapshot import NO_OBJECT, Goroutine, Meta, ObjectFlag, Snapshot

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
U32 = NDArray[np.uint32]
Bits = NDArray[np.bool_]
U8 = NDArray[np.uint8]
Progress = Callable[[str], None]
#: Fields that lead from what a program holds back into the scheduler: runtime/runtime2.go, runtime/time.go.
_BACK_LINKS = (("runtime.sudog", ("g",)), ("runtime.timer", ("ts",)), ("runtime.timeTimer", ("timer", "ts")))


def read_heap(
    image: Image,
    *,
    with_data: bool = False,
    debug: DebugSource | None = None,
    debug_of: DebugOf | None = None,
    on_extent: OnExtent | None = None,
    progress: Progress | None = None,
    dumped: DumpedHeap | None = None,
) -> Snapshot:
    """The snapshot of an image.

    Args:
        with_data: keep texts of map keys.
        debug: a debug file of the program, where its own debug information is elsewhere.
        debug_of: finds those of plugins.
        on_extent: told how much there is to analyse, before what takes memory begins.
        progress: told what is being read.
        dumped: the heap dump that the image is of, which says what spans and specials say elsewhere.

    Raises UnknownLayout when the runtime is not laid out in a way that is understood, MissingMemory when the
    image lacks the span table.
    """
    tell = progress or (lambda _: None)
    tell("debug information")
    layout = with_plugins(open_layout(image.binary, debug), image, debug_of)
    reader = _Reader(image, with_data, layout, tell, dumped)
    try:
        return reader.read(on_extent or (lambda _: None))
    finally:
        reader.universe.close()


class _Reader:
    """One reading of one image."""

    def __init__(
        self, image: Image, with_data: bool, layout: Layout, progress: Progress, dumped: DumpedHeap | None
    ) -> None:
        self.image = image
        self.dumped = dumped
        self.with_data = with_data
        self.progress = progress
        self.layout = layout
        self.program = Program(image, self.layout, image.bias)
        self.universe = TypeUniverse(self.program, self.layout.descriptions)

    def read(self, on_extent: OnExtent) -> Snapshot:
        self.progress("spans and objects")
        objects = self._objects(on_extent)
        self.progress("pointers")
        edges = read_edges(objects, self.universe)
        self.progress("goroutines and roots")
        modules = find_files(read_modules(self.program), self.image)
        complete = self.layout.descriptions.complete
        claims = None if complete else Claims(self.program, self.universe, modules)
        stacks = Stacks(self.program, self.universe, modules, claims)
        goroutines = self._goroutines(stacks)
        waits = read_waits(self.program, goroutines.live)
        specials = self._specials(objects)
        caches = self.dumped is None
        slots = read_roots(
            self.image, self.program, self.universe, stacks, goroutines, specials, with_caches=caches
        )
        self.progress("types")
        heap = self._heap_view(objects)
        if claims is not None:
            slices.claim_slices(slots, objects, heap)
            strings.claim_strings(slots, objects, heap, claims.references)
        roots = resolve_roots(objects, edges, slots)
        captured = claims.captured if claims else captures(self.program, self.universe, modules)
        structure = self._structure(heap, stacks)
        inference = Inference(heap, self.universe, stacks.function, captured, structure)
        inferred = inference.run(
            edges.header, self._exact_types(objects, specials), root_seeds(slots, self.image)
        )
        edges = self._own_edges(edges, inferred)
        self.progress("maps")
        # runtime/map.go loadFactorNum: integer division makes it 6 in Go 1.21, whose spans have no such field
        full_at_six = not self.layout.has("runtime.mspan", "largeType")
        maps = read_maps(objects, inferred, heap.class_size, full_at_six=full_at_six)
        inferred.expand()
        self.progress("windows")
        reached = reach(edges.start, edges.target, np.unique(roots.target))
        seen = find_windows(heap, inferred, reached, edges, roots, slots)
        flags = object_flags(objects, inferred, reached, specials, seen)
        flags[scheduler_objects(goroutines, waits, objects)] |= np.uint16(ObjectFlag.SCHEDULER)
        if not complete:
            slots.nodes = named_by_content(slots.nodes, slots.paths, roots, inferred)
            slots.notes.append(stripped_note(inferred, reached, symbols=bool(self.layout.symbols)))
        snapshot = self._snapshot(
            objects,
            edges,
            slots,
            roots,
            inferred,
            maps,
            seen,
            flags,
            goroutine_room.table(goroutines, stacks),
        )
        found = Found(self.image, self.universe, objects, stacks, specials, waits, heap.class_size)
        fill_groups(snapshot, found)
        if self.dumped is not None:
            snapshot.spans, snapshot.memory = None, self.dumped.memory
            snapshot.samples, snapshot.sites, snapshot.timers = None, None, None
        return snapshot

    def _objects(self, on_extent: OnExtent) -> Objects:
        if self.dumped is not None:
            on_extent(self.dumped.objects.spans.extent)
            return self.dumped.objects
        spans = read_spans(self.image, self.program)
        on_extent(spans.extent)
        return read_objects(self.image, spans)

    def _goroutines(self, stacks: Stacks) -> goroutine_room.Goroutines:
        ends = self.dumped.stack_ends if self.dumped is not None else {}
        return goroutine_room.read_goroutines(self.program, stacks, self.image.registers, ends)

    def _specials(self, objects: Objects) -> Specials:
        if self.dumped is not None:
            return self.dumped.specials
        return read_specials(self.program, objects.spans)

    def _own_edges(self, edges: Edges, inferred: Inferred) -> Edges:
        """The edges less those by which a waker reaches what it wakes, and a timer all timers of its P.

        Whoever can wake a goroutine does not hold its memory: a channel in a global would otherwise own all
        that the goroutines parked on it hold, and one timer in a global the closures of all timers. Both stay
        reachable through runtime.allgs and runtime.allp, and are found there under their own names.
        """
        fields = []
        for struct, path in _BACK_LINKS:
            t = self.universe.struct(struct)
            if t is not None and t.index >= 0 and self.layout.has(struct, *path):
                fields.append((t.index, self.layout.offset(struct, *path) // 8))
        return without_edges(edges, inferred.type, fields)

    def _heap_view(self, objects: Objects) -> propagate.Heap:
        class_size = read_size_classes(self.program)
        return propagate.Heap(
            table=objects.table,
            span=objects.span,
            spans=objects.spans.spans,
            memory=self.image.memory,
            words=self.image.words,
            class_size=class_size,
            below=slots_below(class_size, objects.spans.spans.elem_size),
        )

    def _structure(self, heap: propagate.Heap, stacks: Stacks) -> Structure | None:
        """What objects say of themselves, asked where no debug information says what variables hold."""
        if self.layout.descriptions.complete:
            return None
        entries = np.concatenate([module.functions.entries[:-1] for module in stacks.modules])
        return Structure(heap, self.universe, np.unique(entries))

    def _exact_types(self, objects: Objects, specials: Specials) -> list[tuple[int, GoType]]:
        """Types of objects that no typed pointer need lead to: those with finalizers (special and queue name
        the pointer type that was passed to SetFinalizer), timers, and chunks of user arenas."""
        typed = list(specials.typed())
        ids = objects.find(np.array([address for address, _ in typed], np.int64))
        found: list[tuple[int, GoType]] = []
        for o, (_, of_pointer) in zip(ids.tolist(), typed, strict=True):
            pointer = self.universe.from_runtime(of_pointer)
            if o != NO_OBJECT and pointer is not None and pointer.elem is not None:
                found.append((o, pointer.elem))
        return [*found, *timer_objects(self.program, self.universe, objects), *self._arena_chunks(objects)]

    @staticmethod
    def _arena_chunks(objects: Objects) -> list[tuple[int, GoType]]:
        """Chunks of user arenas: what stands in them is known by the pointers into them alone."""
        ids = [o for o in objects.find(objects.spans.chunks).tolist() if o != NO_OBJECT]
        sizes = {o: int(objects.table.size[o]) for o in ids}
        types = {size: GoType(ARENA_CHUNK, "struct", size) for size in set(sizes.values())}
        return [(o, types[sizes[o]]) for o in ids]

    def _snapshot(
        self,
        objects: Objects,
        edges: Edges,
        slots: RootSlots,
        roots: ResolvedRoots,
        inferred: Inferred,
        maps: MapColumns,
        seen: windows.Windows,
        flags: NDArray[np.uint16],
        goroutines: list[Goroutine],
    ) -> Snapshot:
        counts = {
            **edges.counts,
            "mask_mismatches": inferred.mask_mismatches,
            "missing_spans": objects.missing_spans,
            "impossible_maps": maps.impossible,
            **(self.dumped.counts if self.dumped is not None else {}),
        }
        return Snapshot(
            meta=self._meta(objects, counts, slots, inferred),
            columns=heap_columns(objects, edges, inferred, roots, seen, maps, flags),
            types=inferred.table.infos(),
            roots=slots.nodes,
            goroutines=goroutines,
            strings=slots.paths,
            entry_keys=key_texts(self.image, maps) if self.with_data else [],
        )

    def _meta(self, objects: Objects, counts: dict[str, int], slots: RootSlots, inferred: Inferred) -> Meta:
        facts = self.image.facts
        said = self.dumped.notes if self.dumped is not None else []
        return Meta(
            program=facts.program,
            go_version=self.layout.go_version,
            build_id=self.image.binary.go_build_id,
            source=facts.source,
            pid=facts.pid,
            taken_at=facts.taken_at,
            totals=objects.totals,
            pause_ns=facts.pause_ns,
            copied_bytes=facts.copied_bytes,
            rss_bytes=facts.rss_bytes,
            threads=facts.threads,
            features=features_of(self.layout, objects.spans, swiss_maps=inferred.table.maps.swiss),
            notes=(*facts.notes, *slots.notes, *shortfalls(counts), *said),
            modules=modules_of(self.image.binary.go_modinfo),
            with_data=self.with_data,
            counts=counts,
            monotonic_ns=monotonic_ns(self.image, self.program),
            profile_rate=profile_rate(self.program),
        )
