"""The target is sacred: goretain killed at any instant leaves it running, or stopped if it was before."""

from __future__ import annotations

import os
import random
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from goretain.capture.frozen.process import capture_process
from tests.support.golang import Target, go_program, running
from tests.support.heaps import plan_for
from tests.support.threads import states, tracers

PHASES = ("seizing", "planning", "copying", "releasing")
KILLS = 25
DEATHS = 25
VERSION = "1.26.6"


@dataclass(frozen=True)
class Score:
    """What the heartbeat program says of itself."""

    beats: int
    gap_ns: int
    failed: int
    lost: int
    received: int


@dataclass(frozen=True)
class Heart:
    target: Target
    file: Path

    @property
    def score(self) -> Score:
        return Score(*struct.unpack("<5q", self.file.read_bytes()))

    def await_beats(self, count: int = 3) -> None:
        wanted, deadline = self.score.beats + count, time.monotonic() + 5
        while self.score.beats < wanted:
            assert time.monotonic() < deadline, "the heart stands still"
            time.sleep(0.002)


@pytest.fixture
def heart(tmp_path: Path) -> Iterator[Heart]:
    binary = go_program("heartbeat", VERSION, cgo=True)
    file = tmp_path / "score"
    with running(binary, [str(file)]) as target:
        while not file.exists() or file.stat().st_size < 40:
            time.sleep(0.01)
        yield Heart(target, file)


@contextmanager
def killer(pid: int, phase: str) -> Iterator[subprocess.Popen[str]]:
    """A process that captures and is killed in the phase; prints a line after each kill."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.killed_capture", str(pid), phase],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def next_kill(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == "killed\n"


def go_on(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


@pytest.mark.parametrize("phase", PHASES)
def test_killed_at_any_phase_the_target_runs_on_untraced_and_unharmed(heart: Heart, phase: str) -> None:
    with killer(heart.target.pid, phase) as process:
        for _ in range(KILLS):
            next_kill(process)
            assert tracers(heart.target.pid) == {0}
            assert not states(heart.target.pid) & {"t", "T"}
            heart.await_beats()
            go_on(process)
    score = heart.score
    assert score.gap_ns < 1_000_000_000
    assert score.failed == 0
    assert score.lost == 0
    assert score.received > 0


@pytest.mark.parametrize("phase", PHASES)
def test_a_target_that_was_stopped_before_stays_stopped_when_goretain_is_killed(
    heart: Heart, phase: str
) -> None:
    pid = heart.target.pid
    os.kill(pid, signal.SIGSTOP)
    await_stop(heart)
    with killer(pid, phase) as process:
        for _ in range(5):
            next_kill(process)
            assert tracers(heart.target.pid) == {0}
            await_stop(heart)
            beats = heart.score.beats
            time.sleep(0.01)
            assert heart.score.beats == beats
            go_on(process)
    os.kill(pid, signal.SIGCONT)
    heart.await_beats()


def await_stop(heart: Heart) -> None:
    """A detached thread falls back into its stop on its own, which takes it a moment."""
    deadline = time.monotonic() + 2
    while states(heart.target.pid) != {"T"}:
        assert time.monotonic() < deadline, f"threads are {states(heart.target.pid)}, not stopped"
        time.sleep(0.001)


def test_captures_of_a_busy_cgo_program_disturb_nothing(heart: Heart) -> None:
    for _ in range(30):
        image = capture_process(heart.target.pid, plan_for)
        assert image.facts.threads >= 5
        assert [note for note in image.facts.notes if "given up" not in note] == []
    heart.await_beats()
    score = heart.score
    assert tracers(heart.target.pid) == {0}
    assert (score.failed, score.lost) == (0, 0)
    assert score.gap_ns < 1_000_000_000


def test_a_stopped_target_can_be_captured_and_stays_stopped(heart: Heart) -> None:
    os.kill(heart.target.pid, signal.SIGSTOP)
    await_stop(heart)
    image = capture_process(heart.target.pid, plan_for)
    assert image.facts.threads == len(list(Path(f"/proc/{heart.target.pid}/task").iterdir()))
    await_stop(heart)
    beats = heart.score.beats
    time.sleep(0.05)
    assert heart.score.beats == beats
    os.kill(heart.target.pid, signal.SIGCONT)
    heart.await_beats()


def capture_a_dying(process: subprocess.Popen[str], target: Target, phase: str, end: signal.Signals) -> str:
    """Have a target captured and end it up to 4 ms after the phase began; how the capture ended."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{target.pid}\n")
    process.stdin.flush()
    while (line := process.stdout.readline().strip()) != phase:
        assert line, "goretain ended"
        assert not line.startswith("failed"), line
    time.sleep(random.uniform(0, 0.004))
    target.process.send_signal(end)
    asked = time.monotonic()
    target.process.wait()
    assert time.monotonic() - asked < 1, "its parent could not collect it"
    while not (line := process.stdout.readline()).startswith(("failed ", "done ")):
        assert line, "goretain ended"
    return line.strip()


@pytest.mark.parametrize("phase", ["seizing", "planning"])
def test_a_target_that_ends_in_the_pause_is_given_to_its_parent_at_once_and_said_to_have_ended(
    phase: str,
) -> None:
    binary = go_program("exact", VERSION)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.asked_capture"],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    outcomes: set[bool] = set()
    try:
        for round_ in range(DEATHS):
            with running(binary, ["quiet"]) as target:
                end = signal.SIGKILL if round_ % 4 else signal.SIGTERM
                said = capture_a_dying(process, target, phase, end)
            gone = f"failed TargetGone: process {target.pid} ended while it was being read"
            assert said in (gone, f"done {binary}")
            outcomes.add(said == gone)
        assert True in outcomes  # now and then the capture is done before
    finally:
        process.kill()
        process.communicate()
