"""On a quiet target, every figure equals what the runtime itself counts: the difference is 0.

``exact`` has one of everything that Go keeps on its heap and prints MemStats and the size-class histograms of
runtime/metrics before it stops. Each (version, state) is captured once and held to all facts below.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest

from goretain.capture.image import Image
from goretain.golang.read import read_heap
from goretain.heap.heap import Heap
from goretain.snapshot import Goroutine, ObjectFlag, Snapshot
from tests.support.golang import EXPERIMENTS, VERSIONS, Target, go_program, running, wait_until_blocked
from tests.support.heaps import image_of, map_row, root_targets

#: Bucket of the histograms that all large objects fall into.
_LARGE = 1 << 62


@dataclass(frozen=True, slots=True)
class Reading:
    """One capture of ``exact``, the state it stopped in and what it said of itself."""

    state: str
    target: Target
    snapshot: Snapshot
    heap: Heap


def _cases() -> list[object]:
    """Quiet on every version; other states on two versions; the rest of the matrix in the long run."""
    cases: list[object] = [pytest.param((v, "", "quiet"), id=f"{v}-quiet") for v in VERSIONS]
    for version in VERSIONS:
        for state in ("unswept", "queued", "spin"):
            marks = () if version in ("1.23.9", VERSIONS[-1]) else (pytest.mark.long,)
            cases.append(pytest.param((version, "", state), id=f"{version}-{state}", marks=marks))
    # split groups change sizes of maps and nothing else, so that only totals and maps are looked at
    for version, experiment in (*EXPERIMENTS, ("1.27.3", "mapsplitgroup")):
        for state in ("quiet", "unswept", "queued", "spin"):
            name = f"{version}-{experiment}-{state}"
            cases.append(pytest.param((version, experiment, state), id=name, marks=pytest.mark.long))
    return cases


def capture(version: str, experiment: str, state: str) -> tuple[Target, Image]:
    """An image of ``exact`` at rest in one state."""
    program = go_program("exact", version, experiments=[experiment] if experiment else [])
    # without preemption by signal, a state without sweeping stays as it is
    env = {"GODEBUG": "asyncpreemptoff=1"} if state == "unswept" else {}
    with running(program, [state], env=env) as target:
        wait_until_blocked(target.pid)
        return target, image_of(target.pid)


def read(state: str, target: Target, image: Image) -> Reading:
    """The reading of a capture."""
    snapshot = read_heap(image)
    return Reading(state, target, snapshot, Heap(snapshot))


@pytest.fixture(scope="module", params=_cases())
def reading(request: pytest.FixtureRequest) -> Reading:
    """A capture of one version in one state."""
    version, experiment, state = request.param
    return read(state, *capture(version, experiment, state))


def test_objects_and_bytes_equal_memstats(reading: Reading) -> None:
    totals = reading.snapshot.meta.totals
    assert totals.live_objects + totals.dead_objects == reading.target.fact("HeapObjects")
    assert totals.live_bytes + totals.dead_bytes == reading.target.fact("HeapAlloc")
    assert reading.snapshot.object_count == totals.live_objects
    assert int(reading.snapshot.columns.object_size.sum()) == totals.live_bytes


def test_memory_beside_the_heap_equals_memstats(reading: Reading) -> None:
    memory, target = reading.snapshot.memory, reading.target
    assert memory is not None
    assert memory.heap_in_use == target.fact("HeapInuse")
    assert memory.stacks == target.fact("StackInuse")
    assert memory.heap_free is not None
    assert memory.heap_released is not None
    # The sweeper gives the collector's work buffers back to the heap when the program has printed its facts
    # (runtime/mgcwork.go, freeSomeWbufs): spans of 32 KiB that are idle then.
    given_back = memory.heap_free + memory.heap_released - target.fact("HeapIdle")
    assert given_back >= 0
    assert given_back % (32 << 10) == 0
    assert memory.system_stacks is not None
    assert target.fact("StackInuse") + memory.system_stacks == target.fact("StackSys")
    assert memory.span_metadata == target.fact("SpanSys")
    assert memory.profile_metadata == target.fact("BuckHashSys")
    assert memory.gc_metadata == target.fact("GCSys") - given_back
    assert memory.other_runtime == target.fact("OtherSys")
    assert memory.gc_cycles == target.fact("NumGC")
    assert memory.gc_percent == 100
    assert memory.limit is None
    # No C, no mmap: all that is resident and of no file is known to be Go's.
    assert memory.runtime_complete
    assert memory.off_heap == 0
    assert memory.heap_in_use_resident is not None
    assert 0 < memory.heap_in_use_resident <= memory.heap_in_use


def test_spans_hold_the_objects(reading: Reading) -> None:
    spans, totals = reading.snapshot.spans, reading.snapshot.meta.totals
    assert spans is not None
    assert len(spans.span_start) == totals.span_count
    assert int(spans.span_bytes.sum()) == totals.in_use_bytes
    assert int(spans.span_live.sum()) == totals.live_objects
    assert int((spans.span_live * spans.span_slot_bytes).sum()) == totals.live_bytes
    flags, size_class = reading.snapshot.columns.object_flags, spans.span_class >> 1
    assert int(spans.span_live[size_class == 0].sum()) == int(((flags & ObjectFlag.LARGE) != 0).sum())
    assert int(spans.span_live[(spans.span_class & 1) == 1].sum()) == int(
        ((flags & ObjectFlag.NOSCAN) != 0).sum()
    )


def test_only_an_unswept_heap_has_dead_objects(reading: Reading) -> None:
    assert (reading.snapshot.meta.totals.dead_objects > 0) == (reading.state == "unswept")


def test_size_classes_equal_runtime_metrics(reading: Reading) -> None:
    columns = reading.snapshot.columns
    classes = Counter(
        _LARGE if large else int(size)
        for size, large in zip(
            columns.object_size, (columns.object_flags & ObjectFlag.LARGE) != 0, strict=True
        )
    )
    said = {int(size): count for size, count in reading.target.table("SizeClass").items()}
    if reading.snapshot.meta.totals.dead_objects == 0:
        assert dict(classes) == said
    else:
        assert all(count <= said.get(size, 0) for size, count in classes.items())


def test_nothing_is_unreached_but_what_awaits_its_finalizer(reading: Reading) -> None:
    heap, columns = reading.heap, reading.snapshot.columns
    unreached = np.flatnonzero(~heap.graph.reached)
    awaiting = (columns.object_flags[unreached] & ObjectFlag.AWAITING_FINALIZER) != 0
    assert awaiting.sum() == (0 if reading.state == "unswept" else 20)  # dropped after the last collection
    names = Counter(_type_name(reading.snapshot, int(i)) for i in unreached[~awaiting])
    if reading.state == "unswept":
        # dropped during and after that mark: what its loop made, and a little of the runtime's
        for garbage in ("? of 32 B", "? of 48 B", "? of 112 B"):
            del names[garbage]
        assert names.total() <= 16, names
    elif reading.state == "spin":
        # The collector scanned the frame that it preempted conservatively: stale words, below today's stack
        # pointer, may have kept what nothing holds.
        assert names.total() <= 16, names
    else:
        assert not names
    assert heap.coverage.reached.objects + len(unreached) == reading.snapshot.object_count


def test_receivers_of_method_values_are_typed(reading: Reading) -> None:
    names = Counter(_type_name(reading.snapshot, int(i)) for i in np.flatnonzero(reading.heap.graph.reached))
    assert names["main.service"] == 100


def _type_name(snapshot: Snapshot, identity: int) -> str:
    """Type of an object, with its size where the type is unknown."""
    index = int(snapshot.columns.object_type[identity])
    return snapshot.types[index].name if index >= 0 else f"? of {snapshot.columns.object_size[identity]} B"


def test_no_pointer_leads_to_a_free_slot(reading: Reading) -> None:
    assert reading.snapshot.meta.counts["pointers_to_free_slots"] == 0


def test_no_type_disagrees_with_the_pointer_mask(reading: Reading) -> None:
    assert reading.snapshot.meta.counts["mask_mismatches"] == 0


def test_every_entry_of_every_map_is_counted(reading: Reading) -> None:
    snapshot, columns = reading.snapshot, reading.snapshot.columns
    entries = np.bincount(columns.entry_map, minlength=len(columns.map_object))
    for name, said in reading.target.table("Map").items():
        if name == "main.mapEmpty":
            continue
        headers = [header for path, header in root_targets(snapshot, name) if path in ("", ".m")]
        rows = [row for row in (map_row(snapshot, header) for header in headers) if row is not None]
        assert len(rows) == 1, name
        (row,) = rows
        assert columns.map_entries[row] == said, name
        assert columns.map_slots[row] >= said, name
        assert entries[row] in ((0, said) if _pointer_free(name) else (said,)), name


def _pointer_free(name: str) -> bool:
    """Maps whose tables hold no pointers are counted; their entries need not be listed."""
    return name in {
        "main.mapSmallPlain",
        "main.mapPlain",
        "main.mapPlainBytes",
        "main.mapSetPlain",
        "main.mapGrowPlain",
    }


def test_all_goroutines_are_found(reading: Reading) -> None:
    users = [g for g in reading.snapshot.goroutines if not _of_the_runtime(g)]
    assert len(users) == reading.target.fact("NumGoroutine")


def _of_the_runtime(goroutine: Goroutine) -> bool:
    """What begins in the runtime is not counted by it (isSystemGoroutine, runtime/traceback.go)."""
    begin = [frame.function for frame in goroutine.frames if frame.function != "runtime.goexit"][-1]
    return begin.startswith("runtime.") and begin != "runtime.main"
