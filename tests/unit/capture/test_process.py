"""Capturing live processes: what an image holds equals the memory, and every refusal says what to do."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from goretain.capture import libc
from goretain.capture.binaries.program import check_program
from goretain.capture.frozen import expectation, pagemap, process, transfer
from goretain.capture.frozen.live import LiveProcess
from goretain.capture.frozen.process import capture_process
from goretain.capture.image import Image
from goretain.capture.ranges import I64, as_ranges
from goretain.capture.rights import privileges, refusal
from goretain.capture.room import limits
from goretain.capture.source import MemorySource, Plan
from goretain.debuginfo.elf.elf import Elf
from goretain.model.errors import (
    AlreadyTraced,
    MissingMemory,
    NoSuchProcess,
    NotEnoughMemory,
    NotGoProgram,
    PermissionDenied,
    TargetGone,
    UnsupportedArchitecture,
    UsageError,
)
from tests.support.containers import said_by, user
from tests.support.golang import Target, go_program, running
from tests.support.heaps import plan_for
from tests.support.threads import state, tracers

VERSION = "1.26.6"
NOBODY = 65534


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="to change the user, or the priority, takes root")


@pytest.fixture(scope="module")
def quiet() -> Iterator[Target]:
    with running(go_program("exact", VERSION), ["quiet"]) as target:
        yield target


@pytest.fixture
def own() -> Iterator[Target]:
    """A target for tests that end or change it."""
    with running(go_program("exact", VERSION), ["quiet"]) as target:
        yield target


def no_plan(_binary: Elf, _bias: int) -> Plan:
    def plan(_source: MemorySource) -> I64:
        return as_ranges(())

    return plan


def notes(image: Image) -> list[str]:
    """What the image says of itself, but for what the machine was busy with."""
    return [said for said in image.facts.notes if "given up" not in said]


def differences(image: Image, pid: int) -> list[str]:
    """Ranges of the image that differ from the memory of a process that stands still."""
    found = []
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for start, end, offset in zip(
            image.starts.tolist(), image.ends.tolist(), image.offsets.tolist(), strict=True
        ):
            theirs = os.pread(memory.fileno(), end - start, start)
            if theirs != image.memory[offset : offset + end - start].tobytes():
                found.append(f"{start:#x}-{end:#x}")
    return found


@pytest.mark.parametrize("full", [False, True])
def test_every_byte_of_an_image_is_the_byte_of_the_process(go_version: str, full: bool) -> None:
    with running(go_program("exact", go_version), ["quiet"]) as target:
        os.kill(target.pid, signal.SIGSTOP)
        image = capture_process(target.pid, plan_for, full=full)
        assert differences(image, target.pid) == []
        assert notes(image) == []
        assert image.facts.pid == target.pid
        assert image.facts.program == str(target.binary)
        assert image.facts.threads == len(image.registers) == len(threads(target.pid))


def test_an_image_of_a_position_independent_cgo_program_is_exact_too(tmp_path: Path) -> None:
    binary = go_program("heartbeat", VERSION, cgo=True, flags=["-buildmode=pie"])
    with running(binary, [str(tmp_path / "score")]) as target:
        os.kill(target.pid, signal.SIGSTOP)
        time.sleep(0.05)
        image = capture_process(target.pid, plan_for)
        assert image.bias
        assert differences(image, target.pid) == []
        module = image.bias + image.binary.symbols["runtime.firstmoduledata"].value
        assert image.uint(module) == image.binary.sections[".gopclntab"].address + image.bias


def test_pages_that_the_target_never_touched_are_not_touched_by_a_capture(quiet: Target) -> None:
    def resident() -> int:
        return int(Path(f"/proc/{quiet.pid}/statm").read_text().split()[1])

    capture_process(quiet.pid, plan_for, full=True)  # file pages may come in once
    before = resident()
    capture_process(quiet.pid, plan_for, full=True)
    assert abs(resident() - before) <= 4


def test_the_pause_is_measured_and_copied_bytes_are_counted(quiet: Target) -> None:
    started = time.monotonic_ns()
    image = capture_process(quiet.pid, plan_for)
    facts = image.facts
    assert facts.pause_ns is not None
    assert facts.stop_ns is not None
    assert facts.rss_bytes is not None
    assert 0 < facts.stop_ns < facts.pause_ns < time.monotonic_ns() - started
    assert 0 < facts.copied_bytes < facts.rss_bytes


def test_a_plan_that_meets_garbage_while_the_target_runs_is_asked_again_while_it_is_frozen(
    quiet: Target,
) -> None:
    calls = []

    def plan_for_(_binary: Elf, _bias: int) -> Plan:
        def plan(source: MemorySource) -> I64:
            calls.append(bool(source.registers))
            if not source.registers:
                raise MissingMemory(0)
            return as_ranges([(m.start, m.end) for m in source.mappings() if m.path == "[stack]"])

        return plan

    image = capture_process(quiet.pid, plan_for_)
    assert calls == [False, False, False, True]
    assert image.facts.threads


def test_what_a_plan_asks_for_beyond_the_mappings_is_noted_and_absent(quiet: Target) -> None:
    def plan_for_(_binary: Elf, _bias: int) -> Plan:
        return lambda _source: as_ranges([(0x1000, 0x3000)])

    image = capture_process(quiet.pid, plan_for_)
    assert notes(image) == ["8192 bytes that the plan asked for are not mapped, the first at 0x1000"]
    with pytest.raises(MissingMemory):
        image.read(0x1000, 8)


def test_a_growing_plan_gets_more_room_while_the_target_is_frozen(
    quiet: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_HEADROOM", 1 << 20)

    def plan_for_(_binary: Elf, _bias: int) -> Plan:
        def plan(source: MemorySource) -> I64:
            writable = [m for m in source.mappings() if m.flags.startswith("rw")]
            return as_ranges([(m.start, m.end) for m in writable] if source.registers else [])

        return plan

    os.kill(quiet.pid, signal.SIGSTOP)
    try:
        image = capture_process(quiet.pid, plan_for_)
        assert len(image.memory) > 16 << 20
        assert differences(image, quiet.pid) == []
    finally:
        os.kill(quiet.pid, signal.SIGCONT)


def all_that_may_be_written(source: MemorySource) -> I64:
    return as_ranges((m.start, m.end) for m in source.mappings() if m.flags.startswith("rw"))


def slow_in(phase: str, times: int, seconds: float = 0.15) -> Callable[[str], None]:
    """An on_phase that holds up the first attempts in a phase."""
    left = [times]

    def on_phase(begun: str) -> None:
        if begun == phase and left[0]:
            left[0] -= 1
            time.sleep(seconds)

    return on_phase


@pytest.fixture
def never_nearly_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """How much of a small capture is the copy depends on the machine, and how long it all takes."""
    monkeypatch.setattr(expectation, "_NEARLY_DONE", 0.0)
    monkeypatch.setattr(expectation, "_NOT_BEYOND", 10.0)


@pytest.mark.parametrize("phase", ["planning", "copying"])
@pytest.mark.usefixtures("never_nearly_done")
def test_an_attempt_that_is_held_up_is_given_up_and_the_next_one_counts(own: Target, phase: str) -> None:
    image = capture_process(own.pid, plan_for, on_phase=slow_in(phase, 1))
    pauses = image.facts.pauses_ns  # more than two where others hold us up as well
    assert image.facts.pause_ns == sum(pauses)
    assert pauses[-1] < 150e6 < max(pauses[:-1])
    (note,) = image.facts.notes
    assert "was given up" in note
    assert f"stood still {len(pauses)} times" in note
    assert tracers(own.pid) == {0}


def test_not_for_ever_and_the_target_runs_in_between(own: Target) -> None:
    phases: list[tuple[str, set[int]]] = []
    hold_up = slow_in("planning", 9)

    def on_phase(phase: str) -> None:
        phases.append((phase, tracers(own.pid)))
        hold_up(phase)

    image = capture_process(own.pid, plan_for, on_phase=on_phase)
    assert len(image.facts.pauses_ns) == expectation.MOST_GIVEN_UP + 1
    assert image.facts.pauses_ns[-1] > 150e6
    assert [traced for phase, traced in phases if phase == "resting"] == [{0}] * expectation.MOST_GIVEN_UP
    assert phases[-1] == ("released", {0})


@pytest.mark.usefixtures("never_nearly_done")
def test_what_an_attempt_copied_that_was_given_up_is_not_in_the_image(
    quiet: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Else another thread may copy all the rest while this one is held up, and nothing is late then.
    monkeypatch.setattr(transfer, "_WORTH_SHARING", 1 << 60)
    asked = []

    def plan_for_(_binary: Elf, _bias: int) -> Plan:
        def plan(source: MemorySource) -> I64:
            ranges = all_that_may_be_written(source)
            if source.registers:
                asked.append(len(ranges))
            # The second time everything lies elsewhere, and untouched pages where there were others.
            return ranges if len(asked) < 2 else ranges[1:]

        return plan

    held_up: list[int] = []

    def progress(_what: str, done: int, whole: int) -> None:
        if not held_up:
            assert done < whole // 2
            time.sleep(0.3)
        held_up.append(done)

    os.kill(quiet.pid, signal.SIGSTOP)
    try:
        image = capture_process(quiet.pid, plan_for_, progress=progress)
        assert len(image.facts.pauses_ns) >= 2
        assert differences(image, quiet.pid) == []
    finally:
        os.kill(quiet.pid, signal.SIGCONT)


@needs_root
def test_a_processor_that_is_taken_away_prolongs_one_attempt_and_not_the_capture(own: Target) -> None:
    """By threads of a priority that goes before ours, on every processor, for as long as a hypervisor may."""
    code = (
        "import os, sys, time\nos.sched_setaffinity(0, {int(sys.argv[1])})\n"
        "os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))\nprint('ready', flush=True)\n"
        "sys.stdin.read(1)\nend = time.monotonic() + 0.06\nwhile time.monotonic() < end:\n    pass\n"
    )
    with contextlib.ExitStack() as stack:
        thieves = []
        for cpu in os.sched_getaffinity(0):
            words = [sys.executable, "-c", code, str(cpu)]
            thief = stack.enter_context(
                subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
            )
            stack.callback(thief.kill)
            assert thief.stdout is not None
            if not thief.stdout.readline():
                pytest.skip("no real-time priority is to be had here")
            thieves.append(thief)

        def on_phase(phase: str) -> None:
            while phase == "planning" and thieves:
                pipe = thieves.pop().stdin
                assert pipe is not None
                pipe.write(b"x")

        image = capture_process(own.pid, plan_for, on_phase=on_phase)
    assert len(image.facts.pauses_ns) >= 2
    assert image.facts.pauses_ns[-1] < 50e6 < max(image.facts.pauses_ns)


def test_an_interruption_in_the_pause_releases_the_target_and_then_arrives(own: Target) -> None:
    def on_phase(phase: str) -> None:
        if phase == "copying":
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        capture_process(own.pid, plan_for, on_phase=on_phase)
    assert tracers(own.pid) == {0}
    assert state(own.pid) in "SR"


@pytest.mark.parametrize("phase", ["seizing", "planning", "copying", "releasing"])
def test_an_error_in_any_phase_releases_the_target(own: Target, phase: str) -> None:
    def on_phase(begun: str) -> None:
        if begun == phase:
            raise RuntimeError(phase)

    with pytest.raises(RuntimeError, match=phase):
        capture_process(own.pid, plan_for, on_phase=on_phase)
    assert tracers(own.pid) == {0}
    assert state(own.pid) in "SR"


@pytest.mark.parametrize("phase", ["estimating", "seizing", "planning", "copying"])
def test_a_target_that_ends_half_way_is_said_to_be_gone(own: Target, phase: str) -> None:
    with pytest.raises(TargetGone, match=rf"{own.pid}"):
        capture_process(own.pid, plan_for, on_phase=killing_at(phase, own.pid))
    assert own.process.wait(10) == -signal.SIGKILL


def test_a_target_that_ends_half_way_and_is_no_child_of_ours_leaves_no_zombie(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.touch()
    shell = f"{go_program('exact', VERSION)} quiet > {out} 2>&1 & echo $!; wait $!; echo ended $?"
    with subprocess.Popen(
        ["sh", "-c", shell], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        try:
            while "READY" not in out.read_text():
                time.sleep(0.01)
            with pytest.raises(TargetGone):
                capture_process(pid, plan_for, on_phase=killing_at("copying", pid))
            assert parent.stdout.readline() == "ended 137\n"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def killing_at(phase: str, pid: int) -> Callable[[str], None]:
    """An on_phase that kills the target when the phase begins, and waits until it is dead."""

    def on_phase(begun: str) -> None:
        if begun == phase:
            os.kill(pid, signal.SIGKILL)
            while state(pid) not in "ZX":
                time.sleep(0.001)

    return on_phase


def test_a_target_whose_file_was_deleted_is_read_all_the_same(tmp_path: Path) -> None:
    binary = tmp_path / "program"
    shutil.copy(go_program("exact", VERSION), binary)
    with running(binary, ["quiet"]) as target:
        binary.unlink()
        binary.write_text("something else")
        image = capture_process(target.pid, plan_for)
        assert image.binary.go_version == f"go{VERSION}"
        assert image.facts.program == str(binary)


def test_no_such_process() -> None:
    with pytest.raises(NoSuchProcess, match="no process has PID 4194300"):
        capture_process(4194300, no_plan)


def test_a_thread_is_not_a_process(quiet: Target) -> None:
    thread = next(t for t in threads(quiet.pid) if t != quiet.pid)
    with pytest.raises(UsageError, match=f"{thread} is a thread of process {quiet.pid}"):
        capture_process(thread, no_plan)


def test_we_cannot_capture_ourselves() -> None:
    with pytest.raises(UsageError, match="itself"):
        capture_process(os.getpid(), no_plan)


def test_a_kernel_thread_runs_no_program() -> None:
    thread = Path("/proc/2/comm")
    if not thread.exists() or thread.read_text() != "kthreadd\n":
        pytest.skip("kernel threads are not to be seen from this PID namespace")
    with pytest.raises(NotGoProgram, match="kernel thread"):
        capture_process(2, no_plan)


def test_a_zombie_has_ended_already() -> None:
    child = os.fork()
    if not child:
        os._exit(0)
    try:
        while state(child) != "Z":
            time.sleep(0.001)
        with pytest.raises(TargetGone, match="zombie"):
            capture_process(child, no_plan)
    finally:
        os.waitpid(child, 0)


def test_a_process_whose_first_thread_has_ended_is_not_said_to_be_dead(tmp_path: Path) -> None:
    source, program = tmp_path / "leader.c", tmp_path / "leader"
    source.write_text(
        "#include <pthread.h>\n#include <unistd.h>\n"
        "static void *wait(void *p) { for (;;) pause(); return p; }\n"
        "int main(void) { pthread_t t; pthread_create(&t, 0, wait, 0); pthread_exit(0); }\n"
    )
    subprocess.run(["cc", "-pthread", "-o", program, source], check=True)
    with subprocess.Popen([program]) as other:
        try:
            while state(other.pid) != "Z":
                time.sleep(0.001)
            with pytest.raises(UsageError, match="has ended while others run"):
                capture_process(other.pid, no_plan)
        finally:
            other.kill()


def test_a_program_of_another_language_is_no_go_program() -> None:
    with subprocess.Popen(["sleep", "60"]) as sleep:
        try:
            with pytest.raises(NotGoProgram, match="no build info and no function table") as caught:
                capture_process(sleep.pid, no_plan)
            assert "wrapper" in caught.value.hint
        finally:
            sleep.kill()


@pytest.mark.parametrize(
    ("at", "value", "says"), [(4, 1, "32-bit"), (18, 183, "64-bit arm64"), (18, 3, "64-bit 386")]
)
def test_other_architectures_are_named(tmp_path: Path, at: int, value: int, says: str) -> None:
    program = bytearray(go_program("exact", VERSION).read_bytes())
    program[at] = value  # EI_CLASS, e_machine
    (tmp_path / "program").write_bytes(program)
    with pytest.raises(UnsupportedArchitecture, match=says):
        check_program(Elf.open(str(tmp_path / "program")), "process 1")


def test_a_target_that_somebody_else_traces_names_the_tracer(own: Target) -> None:
    tracing = (
        "import sys, time\nfrom goretain.capture import libc\n"
        "libc.ptrace(libc.PTRACE_SEIZE, int(sys.argv[1]))\nprint('ok', flush=True)\ntime.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", tracing, str(own.pid)], stdout=subprocess.PIPE) as other:
        try:
            assert other.stdout is not None
            assert other.stdout.readline() == b"ok\n"
            with pytest.raises(AlreadyTraced, match=f"by process {other.pid}") as caught:
                capture_process(own.pid, no_plan)
            assert str(other.pid) in caught.value.hint
        finally:
            other.kill()
    capture_process(own.pid, no_plan)


def test_a_copy_that_does_not_fit_is_refused_before_anything_is_frozen(
    quiet: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "available_memory", lambda: 1000)
    phases: list[str] = []
    with pytest.raises(NotEnoughMemory):
        capture_process(quiet.pid, plan_for, on_phase=phases.append)
    assert phases == ["estimating"]
    monkeypatch.undo()
    monkeypatch.setattr(process, "check_room", refuse)
    assert capture_process(quiet.pid, plan_for, force=True).facts.copied_bytes > 1000


def refuse(_need: limits.Need, _pid: int) -> None:
    raise NotEnoughMemory("never asked")


@needs_root
def test_another_users_process_names_both_users(quiet: Target) -> None:
    said = said_by(lambda: capture_process(quiet.pid, no_plan), user(NOBODY))
    assert said.startswith(f"{PermissionDenied.__name__}: ")
    assert "it runs as user 0 and goretain as user 65534" in said
    assert said.count("sudo") == 1
    assert "CAP_CHOWN" in said
    assert "0x" not in said


@needs_root
def test_a_process_that_is_not_dumpable_is_said_to_be_that(tmp_path: Path) -> None:
    binary = Path("/tmp") / f"goretain-test-{os.getpid()}"  # where nobody may go, unlike pytest's folders
    shutil.copy(go_program("exact", VERSION), binary)
    binary.chmod(0o711)  # whoever runs a file that it may not read is not dumpable
    try:
        target = subprocess.Popen(
            [binary, "quiet"], user=NOBODY, group=NOBODY, extra_groups=[], stderr=subprocess.PIPE, cwd="/"
        )
        try:
            assert target.stderr is not None
            while target.stderr.readline() != b"READY\n":
                pass
            said = said_by(lambda: capture_process(target.pid, no_plan), user(NOBODY))
        finally:
            target.kill()
            target.communicate()
    finally:
        binary.unlink()
    assert said.startswith("PermissionDenied: ")
    assert "not dumpable" in said


@pytest.mark.parametrize(
    ("scope", "says"),
    [("1", "only a parent process may trace"), ("2", "only CAP_SYS_PTRACE"), ("3", "nobody may trace")],
)
def test_yama_is_named_with_its_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scope: str, says: str
) -> None:
    file = tmp_path / "ptrace_scope"
    file.write_text(f"{scope}\n")
    monkeypatch.setattr(privileges, "_YAMA", file)
    monkeypatch.setattr(privileges, "SYS_PTRACE", 0)
    error = refusal.explain_refusal(os.getpid())
    assert f"ptrace_scope is {scope}" in error.message
    assert says in error.message
    assert error.hint


def test_memory_that_no_process_may_read_itself_is_read_and_unmapped_memory_is_missing() -> None:
    page = libc.reserve(3 * 4096)
    ctypes.memset(page, 7, 4096)
    mprotect = ctypes.CDLL(None).mprotect
    mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    assert mprotect(page, 4096, 0) == 0
    libc.unmap(page + 2 * 4096, 4096)
    source = LiveProcess(os.getpid(), Elf.open(sys.executable), 0)
    try:
        both = source.gather(
            as_ranges([(page + 4096, page + 4100), (page + 4090, page + 4098), (page, page + 2)])
        )
        assert both.tolist() == [0, 0, 0, 0] + [7] * 6 + [0, 0] + [7, 7]
        with pytest.raises(MissingMemory):
            source.gather(as_ranges([(page, page + 8), (page + 2 * 4096, page + 2 * 4096 + 8)]))
        with pytest.raises(MissingMemory):
            source.read(page + 2 * 4096 - 4, 8)
        assert source.read(page + 4090, 8) == bytes([7] * 6 + [0] * 2)
    finally:
        source.close()


def test_both_ways_to_ask_for_resident_pages_agree() -> None:
    size = 8 << 20
    block = libc.reserve(size)
    libc.advise(block, size, 15)  # no huge pages: they would make neighbours resident
    touched = np.random.default_rng(5).choice(size // 4096, 300, replace=False)
    for page in touched.tolist():
        ctypes.memset(block + page * 4096, 1, 1)
    with open("/proc/self/pagemap", "rb", buffering=0) as file:
        whole = as_ranges([(block, block + size)])
        found = pagemap.resident(file.fileno(), whole)
        pages = {address for start, end in found.tolist() for address in range(start, end, 4096)}
        assert pages == {block + page * 4096 for page in touched.tolist()}
        kinds = pagemap.PRESENT | pagemap.SWAPPED
        assert pagemap._read(file.fileno(), whole, kinds)[:, :2].tolist() == found.tolist()
    libc.unmap(block, size)


def test_memory_of_a_process_that_ended_is_gone_and_not_untouched(own: Target) -> None:
    source = LiveProcess(own.pid, Elf.open(str(own.binary)), 0)
    try:
        mapped = source.mappings()
        heap = as_ranges((m.start, m.end) for m in mapped if m.path.startswith("[anon: Go") or not m.path)
        assert len(source.pieces(heap, mapped)[0])
        own.process.kill()
        os.waitid(os.P_PID, own.pid, os.WEXITED | os.WNOWAIT)
        for ask in (source.mappings, lambda: source.pieces(heap, mapped), lambda: source.read(heap[0, 0], 8)):
            with pytest.raises(TargetGone, match="ended while it was being read"):
                ask()
        with pytest.raises(ProcessLookupError):
            pagemap._read(source._pagemap, heap, pagemap.PRESENT)
    finally:
        source.close()


def threads(pid: int) -> list[int]:
    return [int(task.name) for task in Path(f"/proc/{pid}/task").iterdir()]
