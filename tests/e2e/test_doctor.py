"""``goretain doctor``: every line is true of the process that it is asked about, and it leaves that alone."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import goretain
from goretain.capture.rights import privileges
from goretain.capture.rights.privileges import SYS_PTRACE
from goretain.reports import text
from goretain.reports.json import render
from goretain.reports.results import Check, DoctorReport
from tests.support.containers import NOBODY, bounded, contained, needs, refusing, said_by, user
from tests.support.golang import VERSIONS, Target, go_program, running
from tests.support.threads import tracers

GORETAIN = [sys.executable, "-m", "goretain.cli.main"]
VERSION = "1.26.6"
PTRACE, PROCESS_VM_READV = 101, 310


@pytest.fixture(scope="module")
def quiet() -> Iterator[Target]:
    with running(go_program("exact", VERSION), ["quiet"]) as target:
        yield target


def named(report: DoctorReport, name: str, area: str = "") -> Check:
    (check,) = [c for c in report.checks if c.name == name and area in ("", c.area)]
    return check


def problems(report: DoctorReport) -> list[str]:
    return [check.name for check in report.checks if check.status == "problem"]


def test_without_a_pid_it_tells_of_this_machine() -> None:
    report = goretain.doctor()
    assert report.pid is None
    assert report.capture is None
    assert {check.area for check in report.checks} == {"goretain", "machine"}
    assert os.uname().release in named(report, "kernel").found
    assert "numba" in named(report, "python").found
    assert len({(check.area, check.name) for check in report.checks}) == len(report.checks)


def test_every_line_that_is_not_ok_says_what_to_do(quiet: Target) -> None:
    for pid in (None, quiet.pid, os.getpid(), 1, 4194304):
        assert [c.name for c in goretain.doctor(pid).checks if c.status != "ok" and not c.advice] == []


def test_a_go_process_can_be_captured(quiet: Target) -> None:
    report = goretain.doctor(quiet.pid)
    assert report.capture is True
    assert problems(report) == []
    assert named(report, "program").found == str(quiet.binary)
    assert named(report, "Go").found == f"go{VERSION}, supported"
    assert named(report, "debug info").found == "DWARF in the program"
    assert "static, with symbols, build ID " in named(report, "linked").found
    assert named(report, "rights").found == "may be traced and read"
    assert "half of the" in named(report, "memory", "process").found


def switches(pid: int) -> dict[str, int]:
    """How often each thread was scheduled: one that is stopped, even for an instant, has to be again."""
    total: dict[str, int] = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        lines = (task / "status").read_text().splitlines()
        total[task.name] = sum(int(line.split()[1]) for line in lines if "ctxt_switches" in line)
    return total


def disturbed(pid: int, act: Callable[[], object]) -> bool:
    """Whether a thread that slept before was scheduled while this was done."""
    before = switches(pid)
    time.sleep(0.3)
    now = switches(pid)
    act()
    after = switches(pid)
    asleep = [thread for thread in now if before.get(thread) == now[thread]]
    assert asleep
    return any(after[thread] != now[thread] for thread in asleep)


def test_it_neither_stops_nor_traces_the_process(quiet: Target) -> None:
    def stop() -> None:
        os.kill(quiet.pid, signal.SIGSTOP)
        time.sleep(0.1)
        os.kill(quiet.pid, signal.SIGCONT)
        time.sleep(0.1)

    assert disturbed(quiet.pid, stop)
    # The runtime's monitor wakes up now and then, not each time.
    assert not all(disturbed(quiet.pid, lambda: goretain.doctor(quiet.pid)) for _ in range(4))
    assert tracers(quiet.pid) == {0}


@pytest.mark.parametrize("width", [80, 40])
def test_no_line_is_wider_than_the_terminal(quiet: Target, width: int) -> None:
    for pid in (quiet.pid, 1):
        for line in text.render_doctor(goretain.doctor(pid), width).text.splitlines():
            # A path stays in one piece: the first of its line.
            alone = re.fullmatch(r"( *(ok|warning|problem) +[\w/ ]+:)? *\S*/\S*", line)
            assert len(line) <= width or alone, line


def test_a_stripped_program_is_read_by_the_tables() -> None:
    with running(go_program("exact", VERSION, flags=["-ldflags=-s -w"]), ["quiet"]) as target:
        report = goretain.doctor(target.pid)
        assert report.capture is True
        assert "no symbols" in named(report, "linked").found
        described = named(report, "debug info")
        assert described.found.startswith("none: the layout tables of ")
        assert "--binary FILE" in described.advice


def test_a_program_without_its_version_is_read_by_what_its_memory_says(tmp_path: Path) -> None:
    content = go_program("exact", VERSION, flags=["-ldflags=-s -w"]).read_bytes()
    wiped = tmp_path / "wiped"
    wiped.write_bytes(
        content.replace(b"\xff Go buildinf:", b"\xff No buildinf:").replace(VERSION.encode(), b"0.00.0")
    )
    wiped.chmod(0o755)
    with running(wiped, ["quiet"]) as target:
        found = named(goretain.doctor(target.pid), "debug info").found
    assert "its memory tells which layout table fits" in found


def test_a_deleted_program_is_said_to_be_that(tmp_path: Path) -> None:
    binary = Path(shutil.copy(go_program("exact", VERSION), tmp_path / "app"))
    with running(binary, ["quiet"]) as target:
        binary.unlink()
        report = goretain.doctor(target.pid)
        assert "deleted or replaced" in named(report, "program").found
        assert report.capture is True


def test_a_go_library_in_a_program_of_another_language_is_told() -> None:
    library = go_program("clibrary", VERSIONS[-1], flags=("-buildmode=c-shared",), cgo=True)
    host = "import ctypes, sys, time; ctypes.CDLL(sys.argv[1]); print('READY', flush=True); time.sleep(100)"
    with running(Path(sys.executable), ["-c", host, str(library)]) as target:
        report = goretain.doctor(target.pid)
    assert report.capture is True
    assert named(report, "program").found.endswith(f"which is none of Go, with the Go library {library}")
    assert named(report, "Go").found.startswith(f"go{VERSIONS[-1]}, supported")


def test_other_processes_are_problems_and_no_errors(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as sleep:
        try:
            report = goretain.doctor(sleep.pid)
            assert problems(report) == ["program"]
            assert "was not built by Go" in named(report, "program").found
        finally:
            sleep.kill()
    assert "no process has PID" in named(goretain.doctor(4194304), "process").found
    assert "cannot capture itself" in named(goretain.doctor(os.getpid()), "process").found


@pytest.mark.skipif(
    not Path("/proc/2/comm").exists() or Path("/proc/2/comm").read_text() != "kthreadd\n",
    reason="kernel threads are not seen in here",
)
def test_a_kernel_thread_is_told() -> None:
    report = goretain.doctor(2)
    assert "is a kernel thread" in named(report, "process").found
    assert report.capture is False


def test_a_process_that_ends_meanwhile_is_an_answer_too() -> None:
    """At no instant of its end is it an error of ours, nor a thread of the kernel."""
    ends = ("ended", "is ending", "no process has PID", "was not built by Go")
    for milliseconds in range(0, 120, 2):  # a look takes about as long
        with subprocess.Popen(["sleep", str(milliseconds / 1000)]) as process:
            report = goretain.doctor(process.pid)
        for check in report.checks:
            if check.area in ("process", "program") and check.status == "problem":
                assert any(text in check.found for text in ends), check
        assert not any("kernel thread" in check.found for check in report.checks)
        assert not any("not known" in check.found for check in report.checks), report.checks


def test_names_that_are_no_text_do_no_harm(tmp_path: Path) -> None:
    program = Path(shutil.copy(go_program("exact", VERSION), tmp_path / os.fsdecode(b"caf\xe9")))
    with running(program, ["quiet"]) as target:
        report = goretain.doctor(target.pid)
        assert report.capture is True
        assert named(report, "process").found.startswith("caf")
        assert "no process has PID" in named(goretain.doctor(4194304), "process").found  # it looks at all


def test_yama_is_judged_by_its_scope(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "ptrace_scope"
    monkeypatch.setattr(privileges, "_YAMA", file)
    for scope, capable, status in (
        (0, False, "ok"), (1, False, "warning"), (2, False, "warning"), (3, False, "problem"),
        (1, True, "ok"), (2, True, "ok"), (3, True, "problem"),
    ):  # fmt: skip
        file.write_text(f"{scope}\n")
        monkeypatch.setattr("goretain.reports.doctor.machine.capable", lambda capable=capable: capable)
        assert named(goretain.doctor(), "Yama").status == status


def test_the_command_prints_text_json_and_markdown(quiet: Target) -> None:
    def run(*arguments: str) -> str:
        command = [*GORETAIN, "doctor", *arguments]
        environment = {**os.environ, "COLUMNS": "80"}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        assert done.stderr == ""
        return done.stdout

    assert run(str(quiet.pid)).endswith(f"process {quiet.pid} can be captured\n")
    assert json.loads(run(str(quiet.pid), "--json"))["schema"] == "goretain/doctor/1"
    assert run(str(quiet.pid), "--markdown").startswith(f"### goretain {goretain.__version__} on process")
    assert "cannot be captured (1 problem" in run("4194304")  # the exit status is 0 all the same


class TestRights:
    """What a user who may not do everything is told."""

    pytestmark = needs("unshare")

    def test_a_user_without_rights(self, quiet: Target) -> None:
        goretain.doctor(quiet.pid)  # imports what the user may not
        report = self.seen(quiet.pid, user(NOBODY))
        assert report["capture"] is False
        rights = self.one(report, "rights")
        assert "it runs as user 0 and goretain as user 65534" in rights["found"]
        assert "CAP_SYS_PTRACE, the one capability that is missing" in rights["advice"]
        assert self.one(report, "user")["status"] == "warning"

    def test_a_user_with_the_one_capability(self, quiet: Target) -> None:
        report = self.seen(quiet.pid, user(NOBODY, SYS_PTRACE))
        assert report["capture"] is True
        assert "may be traced; mem, pagemap, auxv" in self.one(report, "rights")["found"]

    def test_a_capability_that_only_an_engine_can_give(self, quiet: Target) -> None:
        report = self.seen(quiet.pid, bounded(0), user(NOBODY))
        assert "only who starts this container or session can give it" in self.one(report, "user")["advice"]

    def test_root_without_the_capability_is_not_told_to_be_root(self, quiet: Target) -> None:
        goretain.doctor(quiet.pid)
        report = self.seen(quiet.pid, bounded(0), user(0))
        assert self.one(report, "user")["status"] == "warning"
        rights = self.one(report, "rights")
        assert "run goretain as root" not in rights["advice"]
        assert "start goretain from one where root has it" in rights["advice"]

    def test_another_user_namespace_is_no_namespace_of_ours(self, quiet: Target) -> None:
        goretain.doctor(quiet.pid)
        command = ["unshare", "-U", "-r", *GORETAIN, "doctor", str(quiet.pid), "--json"]
        report = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        assert "other user namespaces than ours" in self.one(report, "container")["found"]
        assert "the same namespaces" not in self.one(report, "container")["found"]

    @pytest.mark.parametrize(
        ("numbers", "status"), [([PTRACE], "problem"), ([PROCESS_VM_READV], "warning"), ([0x7777], "ok")]
    )
    def test_a_seccomp_filter(self, quiet: Target, numbers: list[int], status: str) -> None:
        report = self.seen(quiet.pid, refusing(*numbers))
        assert self.one(report, "seccomp")["status"] == status
        assert report["capture"] is (status != "problem")

    def test_a_pid_that_a_container_uses_too(self) -> None:
        command = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
        with contained([*command, go_program("exact", VERSION), "quiet"], "exact") as pod:
            assert "process 1 of its own PID namespace" in named(goretain.doctor(pod.pid), "container").found
            check = named(goretain.doctor(1), "container")
            assert check.status == "warning"
            assert f"what a container calls process 1 is here process {pod.pid} (exact)" in check.found

    def seen(self, pid: int, *prepare: object) -> dict[str, object]:
        """The report that a process with these rights gets."""
        said = said_by(lambda: render(goretain.doctor(pid)), *prepare)  # type: ignore[arg-type]
        report: dict[str, object] = json.loads(said)
        return report

    def one(self, report: dict[str, object], name: str) -> dict[str, str]:
        checks = report["checks"]
        assert isinstance(checks, list)
        (check,) = [c for c in checks if c["name"] == name]
        found: dict[str, str] = check
        return found


def test_the_text_says_everything(quiet: Target) -> None:
    report = goretain.doctor(quiet.pid)
    shown = re.sub(r"\s+", " ", text.render_doctor(report, 80).text)
    for check in report.checks:
        assert f"{check.status} {check.name}: {check.found}" in shown
        assert check.advice in shown
