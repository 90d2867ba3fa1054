"""Cores of the kernel and of gcore: the image of the live process; what is missing is named, never zero."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import struct
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goretain.capture.cores.core import capture_core
from goretain.capture.frozen.process import capture_process
from goretain.capture.image import Image
from goretain.capture.ranges import I64, as_ranges
from goretain.capture.source import MemorySource, Plan
from goretain.debuginfo.elf.elf import Elf
from goretain.golang.layout import open_layout
from goretain.golang.read import read_heap
from goretain.heap.heap import Heap
from goretain.model.errors import (
    BinaryMismatch,
    CorruptFile,
    GoretainError,
    MissingMemory,
    NotGoProgram,
    UnsupportedArchitecture,
    UsageError,
)
from goretain.reports.why import why_report
from tests.support.golang import go_program, running
from tests.support.heaps import plan_for

VERSION = "1.26.6"
CORE_PATTERN = Path("/proc/sys/kernel/core_pattern").read_text().strip()


@dataclass(frozen=True)
class Dumped:
    """A core and the live image taken just before, the process standing still."""

    core: Path
    binary: Path
    live: Image


def kernel_core(binary: Path, folder: Path, arguments: list[str]) -> Dumped:
    """Run a program until READY, capture it, and have the kernel dump it."""
    if CORE_PATTERN.startswith("|") or "/" in CORE_PATTERN:
        pytest.skip(f"this machine's cores go elsewhere: core_pattern is {CORE_PATTERN}")

    process = subprocess.Popen(
        [binary, *arguments],
        cwd=folder,
        env={"GOTRACEBACK": "crash"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    resource.prlimit(process.pid, resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert process.stderr is not None
    while (line := process.stderr.readline()) != b"READY\n":
        assert line, "ended before READY"
    os.kill(process.pid, signal.SIGSTOP)
    live = capture_process(process.pid, plan_for)
    os.kill(process.pid, signal.SIGABRT)
    os.kill(process.pid, signal.SIGCONT)
    process.communicate()
    (core,) = folder.glob("core*")
    return Dumped(core, binary, live)


@pytest.fixture(scope="module")
def dumped(tmp_path_factory: pytest.TempPathFactory) -> Dumped:
    return kernel_core(go_program("exact", VERSION), tmp_path_factory.mktemp("kernel"), ["quiet"])


def gcore(pid: int, folder: Path) -> Path:
    """The core that gdb's gcore takes of a process."""
    if shutil.which("gcore") is None:
        pytest.skip("gcore comes with gdb")
    done = subprocess.run(["gcore", "-o", folder / "core", str(pid)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / f"core.{pid}"


def cut_copy(core: Path, copy: Path, address: int) -> Path:
    """A copy of a core that ends before the byte of an address."""
    subprocess.run(["cp", "--sparse=always", core, copy], check=True)
    loads = [s for s in Elf.open(str(copy)).segments if s.type == 1]
    load = next(s for s in loads if s.vaddr <= address < s.vaddr + s.filesz)
    os.truncate(copy, load.offset + address - load.vaddr)
    return copy


def span_list(image: Image) -> tuple[int, int]:
    """Address and bytes of the pointers to all spans."""
    layout = open_layout(image.binary)
    heap = layout.symbol("runtime.mheap_") + image.bias + layout.offset("runtime.mheap", "allspans")
    return image.uint(heap), image.uint(heap + 8) * 8


def ranges(image: Image) -> list[tuple[int, int]]:
    return list(zip(image.starts.tolist(), image.ends.tolist(), strict=True))


def test_a_kernel_core_holds_what_the_live_process_held(dumped: Dumped) -> None:
    image = capture_core(str(dumped.core), None, plan_for)
    facts = image.facts
    assert facts.notes == []
    assert facts.source == "core"
    assert facts.program == str(dumped.binary)
    assert facts.threads == len(image.registers) == dumped.live.facts.threads
    assert facts.pause_ns is None
    module = image.bias + image.binary.symbols["runtime.firstmoduledata"].value
    assert image.uint(module) == image.binary.sections[".gopclntab"].address + image.bias
    # Between the capture and the dump Go's handler of SIGABRT ran, and threads with it: the plan is another,
    # so all of the core is read, and some words differ. (That a core equals the live image: gcore below.)
    words = np.concatenate([np.arange(start, end - 7, 8) for start, end in ranges(dumped.live)])
    theirs, held = capture_core(str(dumped.core), None, plan_for, full=True).gather(words)
    ours, _ = dumped.live.gather(words)
    assert held.all()
    assert (ours == theirs).mean() > 0.95


def test_a_position_independent_cgo_program_is_read_from_its_core(tmp_path: Path) -> None:
    binary = go_program("heartbeat", VERSION, cgo=True, flags=["-buildmode=pie"])
    dump = kernel_core(binary, tmp_path, [str(tmp_path / "score")])
    image = capture_core(str(dump.core), None, plan_for)
    assert image.bias == dump.live.bias != 0
    assert image.facts.notes == []
    module = image.bias + image.binary.symbols["runtime.firstmoduledata"].value
    assert image.uint(module) == image.binary.sections[".gopclntab"].address + image.bias


def test_full_reads_everything_that_the_core_holds(dumped: Dumped) -> None:
    lean = capture_core(str(dumped.core), None, plan_for)
    full = capture_core(str(dumped.core), None, plan_for, full=True)
    assert full.facts.copied_bytes > lean.facts.copied_bytes
    for start, end in ranges(lean):
        assert full.read(start, end - start) == lean.read(start, end - start)


def test_a_core_of_gcore_equals_the_live_image_byte_by_byte(tmp_path: Path) -> None:
    with running(go_program("exact", VERSION), ["quiet"]) as target:
        os.kill(target.pid, signal.SIGSTOP)
        live = capture_process(target.pid, plan_for)
        core = gcore(target.pid, tmp_path)
    image = capture_core(str(core), None, plan_for)
    core.unlink()  # over a gigabyte, of reserved address space
    assert image.facts.notes == []
    assert image.registers.keys() == live.registers.keys()
    for start, end in ranges(live):
        assert image.read(start, end - start) == live.read(start, end - start)


def test_a_truncated_core_names_what_is_cut_off_and_keeps_the_rest(dumped: Dumped, tmp_path: Path) -> None:
    cut = tmp_path / "core"
    subprocess.run(["cp", "--sparse=always", dumped.core, cut], check=True)
    loads = [s for s in Elf.open(str(cut)).segments if s.type == 1 and s.filesz]
    heap = max(loads, key=lambda load: load.filesz)
    os.truncate(cut, heap.offset + 4096)
    image = capture_core(str(cut), None, whole_plan)
    assert any("truncated" in note and f"{heap.vaddr + 4096:#x}" in note for note in image.facts.notes)
    assert image.registers
    with pytest.raises(MissingMemory):
        image.read(loads[-1].vaddr, 8)
    variables = next(s for s in image.binary.segments if s.flags & 2 and s.filesz)
    assert image.read(variables.vaddr + image.bias, 8)


def test_a_core_that_ends_before_the_span_list_says_that_it_is_truncated_and_what_to_do(
    dumped: Dumped, tmp_path: Path
) -> None:
    cut = cut_copy(dumped.core, tmp_path / "core", span_list(dumped.live)[0])
    with pytest.raises(
        CorruptFile, match=r"truncated: [\d,]+ of [\d,]+ bytes .* list of all spans"
    ) as caught:
        capture_core(str(cut), None, plan_for)
    assert "ulimit -c" in caught.value.hint
    full = capture_core(str(cut), None, plan_for, full=True)
    with pytest.raises(MissingMemory, match="truncated") as missing:
        read_heap(full)
    assert "ulimit -c" in missing.value.hint


def test_spans_that_are_cut_off_are_counted_as_missing_and_no_share_is_claimed(
    dumped: Dumped, tmp_path: Path
) -> None:
    at, size = span_list(dumped.live)
    behind = np.frombuffer(dumped.live.read(at, size), np.int64) > at + size
    assert behind.any()
    cut = cut_copy(dumped.core, tmp_path / "core", at + size)
    snapshot = read_heap(capture_core(str(cut), None, plan_for))
    assert any("truncated" in note and "ulimit -c" in note for note in snapshot.meta.notes)
    assert snapshot.meta.counts["missing_spans"] >= behind.sum()
    assert Heap(snapshot).coverage.uncounted_spans == snapshot.meta.counts["missing_spans"]
    assert why_report(str(cut), Heap(snapshot), top=0, min_bytes=0, focus="").coverage.enumerated is None
    assert Heap(read_heap(dumped.live)).coverage.uncounted_spans == 0


def test_a_core_that_ends_within_its_headers_says_that_it_is_truncated(
    dumped: Dumped, tmp_path: Path
) -> None:
    with dumped.core.open("rb") as file:
        head = file.read(64 + 56)
    for size in (20, 63, len(head)):
        (tmp_path / "core").write_bytes(head[:size])
        with pytest.raises(CorruptFile, match="truncated") as caught:
            capture_core(str(tmp_path / "core"), str(dumped.binary), plan_for)
        assert "ulimit -c" in caught.value.hint


@pytest.mark.parametrize("flags", [[], ["-buildmode=pie"]])
def test_a_core_of_gcore_that_lost_its_notes_is_read_with_the_binary(
    flags: list[str], tmp_path: Path
) -> None:
    with running(go_program("exact", VERSION, flags=flags), ["quiet"]) as target:
        os.kill(target.pid, signal.SIGSTOP)
        live = capture_process(target.pid, plan_for)
        core = gcore(target.pid, tmp_path)
    notes = next(s for s in Elf.open(str(core)).segments if s.type == 4)
    os.truncate(core, notes.offset)
    with pytest.raises(CorruptFile, match=r"truncated: .*notes") as caught:
        capture_core(str(core), None, plan_for)
    assert "--binary" in caught.value.hint
    image = capture_core(str(core), str(target.binary), plan_for)
    other = go_program("exact", VERSION, flags=[] if flags else ["-buildmode=pie"])
    with pytest.raises((BinaryMismatch, CorruptFile), match=r"no memory where|truncated") as caught_other:
        capture_core(str(core), str(other), plan_for)
    assert "the very file that ran" in caught_other.value.hint
    core.unlink()  # over a gigabyte, of reserved address space
    assert image.bias == live.bias
    assert image.registers == {}
    assert any("truncated" in note for note in image.facts.notes)
    assert any("registers of no thread" in note for note in image.facts.notes)
    for start, end in ranges(image):
        ours, held = live.gather(np.arange(start, end - 7, 8))
        theirs, _ = image.gather(np.arange(start, end - 7, 8))
        assert (ours[held] == theirs[held]).all()
    assert read_heap(image).object_count == read_heap(live).object_count


def test_a_rebuilt_binary_is_refused(dumped: Dumped) -> None:
    other = go_program("exact", VERSION, flags=["-ldflags=-buildid=other"])
    with pytest.raises(BinaryMismatch, match="build ID"):
        capture_core(str(dumped.core), str(other), plan_for)


def test_the_binary_of_another_program_is_refused(dumped: Dumped) -> None:
    other = go_program("healthy", VERSION)
    with pytest.raises(BinaryMismatch) as caught:
        capture_core(str(dumped.core), str(other), plan_for)
    assert "the very file that ran" in caught.value.hint


def test_something_else_than_a_core_is_said_to_be_that(dumped: Dumped, tmp_path: Path) -> None:
    with pytest.raises(CorruptFile, match="not a core"):
        capture_core(str(dumped.binary), None, plan_for)
    (tmp_path / "text").write_text("hello")
    with pytest.raises(CorruptFile, match="not an ELF file"):
        capture_core(str(tmp_path / "text"), None, plan_for)
    with pytest.raises(UsageError, match="No such file"):
        capture_core(str(tmp_path / "none"), None, plan_for)
    with pytest.raises(NotGoProgram) as caught:
        capture_core(str(dumped.core), shutil.which("sleep"), plan_for)
    assert "--binary" in caught.value.hint
    assert "PID" not in caught.value.hint
    with pytest.raises(UsageError, match="No such file"):
        capture_core(str(dumped.core), str(tmp_path / "none"), plan_for)


REGISTERS = 27
PAGE = 4096


@dataclass
class MadeCore:
    """A core written by hand: notes and PT_LOADs of (address, bytes, memory size, flags)."""

    machine: int = 62
    notes: list[tuple[int, bytes]] = field(default_factory=list)
    loads: list[tuple[int, bytes, int, int]] = field(default_factory=list)

    def thread(self, tid: int, rsp: int) -> None:
        values = [0] * REGISTERS
        values[19] = rsp
        status = bytearray(336)
        status[32:36] = struct.pack("<I", tid)
        status[112 : 112 + 8 * REGISTERS] = struct.pack(f"<{REGISTERS}Q", *values)
        self.notes.append((1, bytes(status)))

    def file(self, start: int, end: int, page_offset: int, path: str) -> None:
        row = struct.pack("<QQQQQ", 1, PAGE, start, end, page_offset)
        self.notes.append((0x46494C45, row + path.encode() + b"\0"))

    def start_at(self, entry: int) -> None:
        self.notes.append((6, struct.pack("<4Q", 9, entry, 0, 0)))

    def write(self, path: Path) -> Path:
        notes = b"".join(
            struct.pack("<III", 5, len(data), kind) + b"CORE\0\0\0\0" + data + b"\0" * (-len(data) % 4)
            for kind, data in self.notes
        )
        count = 1 + len(self.loads)
        at = 64 + 56 * count
        headers = [struct.pack("<IIQQQQQQ", 4, 0, at, 0, 0, len(notes), 0, 4)]
        at += len(notes)
        for address, data, size, flags in self.loads:
            headers.append(struct.pack("<IIQQQQQQ", 1, flags, at, address, 0, len(data), size, PAGE))
            at += len(data)
        ident = b"\x7fELF\2\1\1" + b"\0" * 9
        head = ident + struct.pack("<HHIQQQIHHHHHH", 4, self.machine, 1, 0, 64, 0, 0, 64, 56, count, 64, 0, 0)
        path.write_bytes(head + b"".join(headers) + notes + b"".join(data for _, data, _, _ in self.loads))
        return path


def whole_plan(_binary: Elf, _bias: int) -> Plan:
    def plan(source: MemorySource) -> I64:
        return as_ranges([(m.start, m.end) for m in source.mappings()])

    return plan


@pytest.fixture(scope="module")
def program() -> Path:
    return go_program("exact", VERSION)


@pytest.fixture
def made(program: Path) -> MadeCore:
    """A core of the program whose text was left out and of whose variables one page was dumped."""
    elf = Elf.open(str(program))
    text = elf.segments[[s.type for s in elf.segments].index(1)]
    core = MadeCore()
    core.thread(7, 0x7000)
    core.start_at(elf.entry)
    core.file(text.vaddr, text.vaddr + (text.filesz + PAGE - 1 & -PAGE), text.offset // PAGE, str(program))
    core.loads.append((text.vaddr, b"", text.memsz + PAGE - 1 & -PAGE, 5))
    core.loads.append((0x10000000, b"a" * PAGE, 2 * PAGE, 6))
    return core


def test_pages_that_were_left_out_are_missing_and_those_of_the_file_come_from_the_file(
    made: MadeCore, program: Path, tmp_path: Path
) -> None:
    image = capture_core(str(made.write(tmp_path / "core")), None, whole_plan)
    assert image.read(0x10000000, PAGE) == b"a" * PAGE
    with pytest.raises(MissingMemory):
        image.read(0x10000000 + PAGE, 1)
    elf = Elf.open(str(program))
    assert image.read(elf.entry, 16) == elf.read_vaddr(elf.entry, 16)
    assert image.registers[7]["rsp"] == 0x7000
    assert any(f"{0x10001000:#x}-{0x10002000:#x}" in note for note in image.facts.notes)


def test_a_core_of_another_machine_is_refused(made: MadeCore, tmp_path: Path) -> None:
    made.machine = 183
    with pytest.raises(UnsupportedArchitecture, match="arm64"):
        capture_core(str(made.write(tmp_path / "core")), None, whole_plan)


def test_a_core_without_threads_is_refused(made: MadeCore, tmp_path: Path) -> None:
    made.notes = [note for note in made.notes if note[0] != 1]
    with pytest.raises(CorruptFile, match="names no thread"):
        capture_core(str(made.write(tmp_path / "core")), None, whole_plan)


def test_a_core_that_does_not_name_its_program_asks_for_it(
    made: MadeCore, program: Path, tmp_path: Path
) -> None:
    made.notes = [note for note in made.notes if note[0] != 0x46494C45]
    path = made.write(tmp_path / "core")
    with pytest.raises(UsageError, match="does not say which program") as caught:
        capture_core(str(path), None, whole_plan)
    assert "--binary" in caught.value.hint
    assert capture_core(str(path), str(program), whole_plan).read(0x10000000, 1) == b"a"


def test_a_program_that_is_not_here_is_asked_for(made: MadeCore, program: Path, tmp_path: Path) -> None:
    made.notes = [
        (k, d.replace(str(program).encode(), b"/nowhere" + b"x" * (len(str(program)) - 8)))
        for k, d in made.notes
    ]
    with pytest.raises(UsageError, match="which is not here"):
        capture_core(str(made.write(tmp_path / "core")), None, whole_plan)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_damaged_core_gives_an_error_of_ours_or_an_image(
    data: st.DataObject, program: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    core = MadeCore()
    elf = Elf.open(str(program))
    core.thread(7, 0x7000)
    core.start_at(elf.entry)
    core.file(0x400000, 0x500000, 0, str(program))
    core.loads.append((0x400000, b"", 0x100000, 5))
    core.loads.append((0x10000000, b"a" * 64, 2 * PAGE, 6))
    path = core.write(tmp_path_factory.mktemp("damaged") / "core")
    damaged = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(16, len(damaged) - 9))
        new = data.draw(
            st.sampled_from([0, 1, 0x7F, 0xFF, 1 << 31, 1 << 47, (1 << 63) - 1, (1 << 64) - 1, PAGE])
        )
        width = data.draw(st.sampled_from([1, 2, 4, 8]))
        damaged[at : at + width] = (new & (1 << 8 * width) - 1).to_bytes(width, "little")
    path.write_bytes(damaged[: data.draw(st.integers(64, len(damaged)))])
    try:
        image = capture_core(str(path), str(program), whole_plan)
    except GoretainError:
        return
    assert (np.diff(image.starts) > 0).all()
    assert (image.ends[:-1] <= image.starts[1:]).all()
