"""Heap dumps of real programs: with the program the heap that a capture sees, without it what they say."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import goretain
from goretain.api.snapshot import Snapshot
from goretain.golang.heapdump.phantoms import find_phantoms
from goretain.golang.heapdump.records import read_dump
from goretain.kernels import dumpscan
from goretain.model.errors import BinaryMismatch, CorruptFile, UsageError
from goretain.snapshot import Layer
from tests.support.golang import go_program, release, running, wait_until_blocked
from tests.support.heaps import snapshot_of

#: Heap bitmaps of arenas, of spans, and Green Tea's marks.
DUMPED = ("1.21.13", "1.24.11", "1.26.6", "1.27.3")
#: Index of HeapAlloc, HeapObjects and NextGC in the numbers of MemStats.
_BYTES, _OBJECTS, _NEXT_GC = 6, 11, 21


@dataclass(frozen=True)
class Pair:
    """A heap dump of a process, its program, and a capture of the same process right after."""

    version: str
    dump: Path
    program: Path
    live: Snapshot


@pytest.fixture(scope="module", params=DUMPED)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    version: str = request.param
    program = go_program("dumped", version)
    path = tmp_path_factory.mktemp("dumps") / "a.heapdump"
    with running(program, [str(path)]) as target:
        wait_until_blocked(target.pid)
        live = Snapshot(snapshot_of(target.pid), "live")
    return Pair(version, path, program, live)


def _types(snapshot: Snapshot) -> dict[int, str | None]:
    columns, types = snapshot.columns, snapshot.types
    rows = zip(columns.object_address.tolist(), columns.object_type.tolist(), strict=True)
    return {address: types[row].name if row >= 0 else None for address, row in rows}


def _assert_same_objects(dumped: Snapshot, live: Snapshot) -> None:
    """The capture comes after the dump: on a busy machine the runtime may have started a thread meanwhile."""
    found, captured = (
        set(zip(s.columns.object_address.tolist(), s.columns.object_size.tolist(), strict=True))
        for s in (dumped, live)
    )
    assert found <= captured
    assert len(captured - found) <= 16


def _held(snapshot: Snapshot) -> dict[str, tuple[int, int]]:
    """Bytes and objects of all holders but the runtime's own and the goroutine that wrote the dump."""
    return {
        holder.name: (holder.retained_bytes, holder.retained_objects)
        for holder in snapshot.holders()
        if holder.layer != Layer.RUNTIME and not holder.name.startswith("goroutine 1 ")
    }


def test_a_program_that_never_collects_has_no_next_collection(tmp_path: Path) -> None:
    """GOGC=off: NextGC is what the memory limit allows, which is more than any machine has."""
    with running(go_program("dumped", DUMPED[-1]), [str(tmp_path / "a")], env={"GOGC": "off"}):
        pass
    assert read_dump(str(tmp_path / "a")).stats[_NEXT_GC] > 1 << 61
    assert len(goretain.open(tmp_path / "a").columns.object_address) > 2000


def test_a_dump_with_its_program_is_the_heap_that_a_capture_sees(pair: Pair) -> None:
    """Objects, sizes, types, edges, holders with their bytes, findings, goroutines: no difference."""
    dumped, live = goretain.open(pair.dump, binary=pair.program), pair.live
    assert dumped.meta.source == "dump"
    assert dumped.meta.go_version == live.meta.go_version
    assert set(dumped.meta.features) == set(live.meta.features)
    _assert_same_objects(dumped, live)
    assert _types(dumped).items() <= _types(live).items()
    assert dumped.coverage().scannable_typed.objects > 0.999 * dumped.coverage().scannable.objects
    assert _held(dumped) == _held(live)
    assert _held(dumped)["main.chain"][1] == 2000
    found = [(f.pattern, f.fingerprint, f.saving_bytes, f.holder) for f in dumped.findings()]
    assert found == [(f.pattern, f.fingerprint, f.saving_bytes, f.holder) for f in live.findings()]
    assert ("subslice-pins-array", "main.cache") in [(pattern, holder) for pattern, _, _, holder in found]
    worker = "[chan receive] main.worker"
    assert any(name.endswith(worker) and held[0] >= 1 << 18 for name, held in _held(dumped).items())


def test_goroutines_are_as_in_a_capture_but_for_the_one_that_wrote_the_dump(pair: Pair) -> None:
    def told(snapshot: Snapshot) -> set[tuple[object, ...]]:
        return {
            (g.id, g.state, g.wait_reason, tuple(f.function for f in g.frames), g.creator, g.start)
            for g in snapshot.goroutines
            if not g.system  # those go on with their work between the two
        }

    other = told(goretain.open(pair.dump, binary=pair.program)) ^ told(pair.live)
    assert sorted(goroutine[:3] for goroutine in other) == [
        (1, "waiting", "dumping heap"),
        (1, "waiting", "sleep"),
    ]


def test_phantom_slots_are_left_out_to_the_object_that_memstats_counts(pair: Pair) -> None:
    dump = read_dump(str(pair.dump))
    records = dump.records
    order = np.argsort(records.address)
    pointers = np.zeros(len(order), np.uint8)
    dumpscan.has_pointers(dump.data, records.fields[order], pointers)
    found = find_phantoms(records.address[order], records.size[order], pointers == 1)
    real = records.size[order][~found.phantom]
    assert (len(real), int(real.sum())) == (dump.stats[_OBJECTS], dump.stats[_BYTES])
    assert found.bitmaps == (release(pair.version) >= (1, 22))
    assert found.marks == (release(pair.version) >= (1, 26))
    assert bool(found.phantom.any()) == found.bitmaps
    notes = " ".join(goretain.open(pair.dump).meta.notes)
    assert (f"{int(found.phantom.sum())} slots at the ends of spans" in notes) == found.bitmaps
    assert "can end a program of Go 1.26" in notes


def test_without_the_program_what_the_dump_says_is_told_and_no_more(pair: Pair) -> None:
    """Same objects, edges and sums; holders by place; names of functions are in the dump itself."""
    bare, live = goretain.open(pair.dump), pair.live
    _assert_same_objects(bare, live)
    assert bare.coverage().reached.bytes == pytest.approx(live.coverage().reached.bytes, abs=16 << 10)
    by_bytes = {holder.retained_bytes: holder.name for holder in bare.holders()}
    assert by_bytes[_held(live)["main.cache"][0]].startswith("bss+0x")
    assert any("[chan receive] main.worker" in name for name in by_bytes.values())
    names = {row.type for row in bare.histogram()}
    assert None in names
    assert "main.square" in names
    assert "--binary" in bare.meta.notes[0]


def test_another_program_is_refused(pair: Pair) -> None:
    other = go_program("tiny", pair.version)
    with pytest.raises(BinaryMismatch, match="is not the program of"):
        goretain.open(pair.dump, binary=other)
    of_other_go = go_program("dumped", DUMPED[DUMPED.index(pair.version) - 1])
    with pytest.raises(BinaryMismatch, match="was built by"):
        goretain.open(pair.dump, binary=of_other_go)


def test_a_dump_that_is_cut_off_is_refused_unless_all_roots_are_there(pair: Pair, tmp_path: Path) -> None:
    raw = pair.dump.read_bytes()
    cut = tmp_path / "cut.heapdump"
    for at in (16, 17, 40, 1000, len(raw) // 2):
        cut.write_bytes(raw[:at])
        with pytest.raises(CorruptFile) as refused:
            goretain.open(cut)
        assert refused.value.offset is not None
        assert refused.value.offset <= at
    cut.write_bytes(raw[:-1])
    whole, almost = goretain.open(pair.dump), goretain.open(cut)
    assert len(almost) == len(whole)
    assert any("is cut off at offset" in note for note in almost.meta.notes)


def test_positions_of_a_position_independent_program_are_found(tmp_path: Path) -> None:
    program = go_program("dumped", "1.26.6", flags=["-buildmode=pie"])
    path = tmp_path / "pie.heapdump"
    with running(program, [str(path)]) as target:
        wait_until_blocked(target.pid)
        live = Snapshot(snapshot_of(target.pid), "live")
    dumped = goretain.open(path, binary=program)
    assert _types(dumped).items() <= _types(live).items()
    assert _held(dumped) == _held(live)


def test_a_stripped_program_gives_what_the_dump_says(tmp_path: Path) -> None:
    program = go_program("dumped", "1.26.6", flags=["-ldflags=-s -w"])
    path = tmp_path / "stripped.heapdump"
    with running(program, [str(path)]):
        pass
    snapshot = goretain.open(path, binary=program)
    assert "is stripped" in snapshot.meta.notes[0]
    assert len(snapshot) > 10_000


def test_full_is_refused_and_so_is_a_dump_that_cannot_be_read(pair: Pair, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a heap dump"):
        goretain.open(pair.dump, full=True)
    if os.geteuid() != 0:
        locked = tmp_path / "locked"
        locked.write_bytes(pair.dump.read_bytes())
        locked.chmod(0)
        with pytest.raises(UsageError):
            goretain.open(locked)


def test_writing_a_dump_ends_a_program_whose_leaked_goroutines_were_found(tmp_path: Path) -> None:
    """What docs/heapdump.md warns of, on the first release that has the profile by default."""
    program = go_program("dumped", "1.27.3")
    for _ in range(5):
        words = [str(program), str(tmp_path / "a.heapdump"), "leaked"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode != 0
        assert "fatal error: dumpgs in STW - bad status" in done.stderr
