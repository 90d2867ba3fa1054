"""A target stands still for no longer than is allowed, and not for ever when goretain hangs."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from goretain.capture.frozen.pause import GRACE, PATIENCE
from goretain.capture.frozen.process import capture_process
from goretain.model.errors import PauseTooLong, UsageError
from tests.support.golang import Target, go_program, running
from tests.support.heaps import plan_for
from tests.support.load import VERSION, disturbed, threads_started
from tests.support.threads import states, tracers

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def server() -> Iterator[Target]:
    with running(go_program("loaded", VERSION), ["serve"]) as target:
        yield target


def slow_in(phase: str, seconds: float) -> Callable[[str], None]:
    def on_phase(begun: str) -> None:
        if begun == phase:
            time.sleep(seconds)

    return on_phase


def test_a_pause_that_takes_too_long_before_the_copy_ends_and_says_how_far_it_came(server: Target) -> None:
    with pytest.raises(PauseTooLong) as caught:
        capture_process(server.pid, plan_for, max_pause=300, on_phase=slow_in("planning", 0.35))
    assert disturbed(server.pid) == []
    message = caught.value.message
    assert message.startswith("gave up after the target stood still for ")
    assert (
        "--max-pause 300 would have been needed; the target runs again. It came as far as stopping ("
        in message
    )
    assert re.search(r"planning \(\d\.\d ms\)", message), "it ended as soon as it had stopped"
    assert "allow more" in caught.value.hint


def test_a_copy_that_is_going_to_take_too_long_ends_before_it_has(server: Target) -> None:
    phases: list[str] = []
    began = time.monotonic()
    with pytest.raises(PauseTooLong, match=r"copying \(\d+\.\d ms, \d+\.\d MiB of \d+\.\d MiB\)") as caught:
        capture_process(
            server.pid,
            plan_for,
            full=True,
            force=True,  # no other thread copies while this one sleeps
            max_pause=1000,
            on_phase=phases.append,
            progress=lambda _what, _done, _whole: time.sleep(0.4),
        )
    assert time.monotonic() - began < 10
    assert phases[-2:] == ["copying", "releasing"]
    assert "--max-pause " in caught.value.hint
    assert disturbed(server.pid) == []
    assert threads_started(server) > 0


def test_nothing_is_stopped_for_a_copy_that_cannot_be_in_time(server: Target) -> None:
    phases: list[str] = []
    with pytest.raises(PauseTooLong, match=r"--max-pause allows 0\.01 ms, so it was not stopped") as caught:
        capture_process(server.pid, plan_for, max_pause=0.01, on_phase=phases.append)
    assert phases == ["estimating"]
    assert "should do" not in caught.value.hint  # the copy is not all of the pause
    assert "come on top" in caught.value.hint


def test_a_pause_in_time_is_a_capture_like_any_other(server: Target) -> None:
    image = capture_process(server.pid, plan_for, max_pause=5000)
    assert [note for note in image.facts.notes if "--max-pause" in note] == []


def test_a_pause_that_is_over_when_its_length_is_known_is_told_with_the_image(server: Target) -> None:
    image = capture_process(server.pid, plan_for, max_pause=500, on_phase=slow_in("releasing", 0.6))
    (note,) = [note for note in image.facts.notes if "--max-pause" in note]
    assert note.endswith("was longer than --max-pause 500")


@pytest.mark.parametrize("limit", [0, -1, float("nan"), float("inf")])
def test_a_limit_that_is_no_time_is_refused(server: Target, limit: float) -> None:
    with pytest.raises(UsageError, match="--max-pause"):
        capture_process(server.pid, plan_for, max_pause=limit)


def test_captures_leave_no_timer_behind(server: Target) -> None:
    capture_process(server.pid, plan_for)
    assert Path("/proc/self/timers").read_text() == ""


def hang(target: int, how: str, phase: str, *options: str) -> tuple[subprocess.CompletedProcess[str], float]:
    """A capture that hangs in the phase; how it ended, and how long after it hung."""
    words = [
        sys.executable,
        "-m",
        "tests.support.hanging_capture",
        how,
        phase,
        str(target),
        "-o",
        "-",
        *options,
    ]
    with subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "hung\n"
        began = time.monotonic()
        process.wait(60)
        took = time.monotonic() - began
        out, err = process.communicate()
    return subprocess.CompletedProcess(words, process.returncode, out, err), took


@pytest.mark.parametrize("how", ["loop", "syscall", "stop"])
def test_when_goretain_hangs_in_a_pause_the_target_is_released_and_the_user_told(
    server: Target, how: str
) -> None:
    done, took = hang(server.pid, how, "planning", "--max-pause", "300")
    assert took < 0.3 + GRACE + 1
    assert_told(server, "planning", done)


@pytest.mark.long
@pytest.mark.parametrize("phase", ["seizing", "planning", "copying", "releasing"])
def test_without_a_limit_the_watchdog_is_patient_but_not_for_ever(server: Target, phase: str) -> None:
    done, took = hang(server.pid, "stop", phase)
    assert PATIENCE - 1 < took < PATIENCE + 2
    assert_told(server, phase, done)


def assert_told(server: Target, phase: str, done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == -signal.SIGKILL
    assert f"goretain hung while process {server.pid} was stopped" in done.stderr
    assert f"after '{phase}' began, and was ended by its own watchdog; the process runs on" in done.stderr
    assert disturbed(server.pid) == []
    assert threads_started(server) > 0


def test_a_target_that_was_stopped_before_stays_stopped_when_the_watchdog_strikes(server: Target) -> None:
    os.kill(server.pid, signal.SIGSTOP)
    try:
        assert hang(server.pid, "stop", "planning", "--max-pause", "300")[0].returncode == -signal.SIGKILL
        deadline = time.monotonic() + 2
        while (states(server.pid), tracers(server.pid)) != ({"T"}, {0}):
            assert time.monotonic() < deadline, (states(server.pid), tracers(server.pid))
            time.sleep(0.01)
    finally:
        os.kill(server.pid, signal.SIGCONT)
    assert threads_started(server) > 0


def test_other_threads_do_not_wait_for_one_that_cannot_be_stopped(tmp_path: Path) -> None:
    """A thread in state D keeps the capture from success; the others go on when --max-pause is over."""
    score = tmp_path / "score"
    with running(go_program("vforked", VERSION, cgo=True), [str(score)]) as target:
        assert "D" in states(target.pid)
        code = (
            "import sys\nfrom goretain.capture.frozen.process import capture_process\n"
            "from tests.support.heaps import plan_for\nfrom goretain.model.errors import PauseTooLong\n"
            "try:\n    capture_process(int(sys.argv[1]), plan_for, max_pause=200)\n"
            "except PauseTooLong as error:\n    print(error)\n"
        )
        words = [sys.executable, "-c", code, str(target.pid)]
        longest = 0.0
        with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            beats, since = score.read_bytes(), time.monotonic()
            while process.poll() is None:
                if score.read_bytes() != beats:
                    beats, since = score.read_bytes(), time.monotonic()
                longest = max(longest, time.monotonic() - since)
            out = process.communicate()[0]
        assert "came as far as stopping (2" in out
        assert longest < 1.0
        assert tracers(target.pid) == {0}
