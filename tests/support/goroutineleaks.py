"""Go's own goroutine-leak programs (runtime/testdata/testgoroutineleakprofile, GoKer among them), judged.

They are built from the tree of the toolchain, which also says what each must leak
(runtime/goroutineleakprofile_test.go): nothing of them is in this repository. Each program leaks, then writes
the runtime's own goroutine leak profile to its standard output. Here that is a pipe without room, so the
program stands still with the profile taken and not yet written: it is captured in this moment, and then the
profile is read. Two answers about the same goroutines, by their ids.
"""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from goretain.capture.image import Image
from goretain.golang.read import read_heap
from goretain.heap.heap import Heap
from goretain.model.places import user_cache
from goretain.snapshot import Goroutine, Snapshot
from goretain.toolchain import Toolchain
from tests.support.golang import toolchain
from tests.support.heaps import image_of

#: The release whose runtime has the profile without an experiment, and whose tree has the programs.
VERSION = "1.27.3"
_FOLDER = Path("src/runtime/testdata/testgoroutineleakprofile")
_TEST = Path("src/runtime/goroutineleakprofile_test.go")
_CASE = re.compile(r'^\t\tmake(Flaky)?Test\("(\w+)"((?:,|\s|//[^\n]*|`[^`]*`)*)\)', re.MULTILINE)
_LEAK = re.compile(r"^\s*`([^`]*)`", re.MULTILINE)
_PIPE = 4096
_WRITE = "1 0x1 "  # in /proc/PID/task/TID/syscall: write(1, ...)
_WRAPPER = re.compile(r"\.gowrap\d+$")


@dataclass(frozen=True, slots=True)
class Case:
    """One program: its name, whether it is of GoKer, runs on one P, and what its goroutines may leak."""

    name: str
    goker: bool
    flaky: bool
    leaks: tuple[re.Pattern[str], ...]


@dataclass(slots=True)
class Outcome:
    """One run: goroutine id -> ``main.f() [wait reason]``.

    Attributes:
        runtime: what the runtime's profile calls leaked; ours: what goretain does.
        unexpected: of ours, what neither the profile nor Go's test of it names.
        proved: whether goretain was sure.
    """

    runtime: dict[int, str] = field(default_factory=dict)
    ours: dict[int, str] = field(default_factory=dict)
    unexpected: dict[int, str] = field(default_factory=dict)
    proved: bool = True

    @property
    def missed(self) -> dict[int, str]:
        """What the runtime found and goretain did not."""
        return {id_: text for id_, text in self.runtime.items() if id_ not in self.ours}


def cases() -> list[Case]:
    """All programs, in the order of Go's test."""
    text = (_root(toolchain(VERSION)) / _TEST).read_text("utf-8")
    goker = text.index("gokerTestCases := ")
    return [
        Case(
            found[2],
            found.start() > goker,
            bool(found[1]),
            tuple(re.compile(leak) for leak in _LEAK.findall(found[3])),
        )
        for found in _CASE.finditer(text)
    ]


def _root(go: Toolchain) -> Path:
    return Path(go.run(["env", "GOROOT"], cwd=Path(tempfile.gettempdir())).stdout.strip())


def programs(flags: tuple[str, ...] = ()) -> dict[bool, Path]:
    """The two executables (False: simple ones, True: GoKer), built once."""
    go = toolchain(VERSION)
    kind = "-".join(["leaks", VERSION, *(flag.strip("-").replace(" ", "") for flag in flags)])
    built: dict[bool, Path] = {}
    for goker, folder in ((False, _FOLDER), (True, _FOLDER / "goker")):
        out = user_cache() / "zoo" / kind / folder.name
        if not out.is_file():
            out.parent.mkdir(parents=True, exist_ok=True)
            scratch = out.with_name(f"{out.name}.{os.getpid()}")
            go.build(_root(go) / folder, scratch, env={"CGO_ENABLED": "0"}, flags=flags)
            scratch.rename(out)
        built[goker] = out
    return built


def run(case: Case, binary: Path) -> Outcome:
    """Run a program once and ask both."""
    with _held(case, binary) as (process, reader):
        image = image_of(process.pid)
        output = _drain(reader)
    return judge(case, image, output)


def judge(case: Case, image: Image, output: str) -> Outcome:
    """Compare what a snapshot shows with what the profile says."""
    snapshot = read_heap(image)
    leaks = Heap(snapshot).leaks
    assert leaks is not None
    outcome = Outcome(profile_leaks(output), _named(snapshot, leaks.leaked.tolist()), proved=leaks.proved)
    outcome.unexpected = {
        id_: text
        for id_, text in outcome.ours.items()
        if id_ not in outcome.runtime and not any(leak.search(text) for leak in case.leaks)
    }
    return outcome


def profile_leaks(output: str) -> dict[int, str]:
    """The leaked goroutines of a profile's text (debug=2), as Go's test reads it."""
    found: dict[int, str] = {}
    for stack in re.split(r"\n\n(?=goroutine )", output):
        head = re.match(r"goroutine (\d+).*?\[(.*?) \(leaked\)", stack)
        lines = stack.splitlines()
        created = next((at for at, line in enumerate(lines) if line.startswith("created by")), 0)
        if head and created >= 3:
            name = lines[created - 2].removeprefix("main.").rpartition("(")[0]
            found[int(head[1])] = f"{name}() [{head[2]}]"
    return found


def _named(snapshot: Snapshot, leaked: list[bool]) -> dict[int, str]:
    rows = zip(snapshot.goroutines, leaked, strict=True)
    return {g.id: f"{_first_function(g)}() [{g.wait_reason}]" for g, is_leaked in rows if is_leaked}


def _first_function(g: Goroutine) -> str:
    """The function that the go statement named: a traceback leaves out the compiler's wrappers of it."""
    names = [f.function for f in g.frames if f.function != "runtime.goexit"]
    own = [name for name in names if not _WRAPPER.search(name)]
    return own[-1].removeprefix("main.") if own else ""


@contextmanager
def _held(case: Case, binary: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The program, stopped by its pipe when it writes the profile; the pipe's other end."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GO")}
    environment["GODEBUG"] = "asyncpreemptoff=1"
    if not case.flaky:
        environment["GOMAXPROCS"] = "1"
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, _PIPE)
    os.write(writer, b"\n" * _PIPE)
    process = subprocess.Popen([binary, case.name], env=environment, stdout=writer, stderr=subprocess.DEVNULL)
    os.close(writer)
    try:
        _wait_for_write(process)
        yield process, reader
    finally:
        process.kill()
        process.wait()
        os.close(reader)


def _wait_for_write(process: subprocess.Popen[bytes], timeout: float = 60.0) -> None:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline and process.poll() is None:
        for task in Path(f"/proc/{process.pid}/task").glob("*/syscall"):
            try:
                if task.read_text().startswith(_WRITE):
                    return
            except OSError:  # the thread has ended
                continue
        time.sleep(0.005)
    raise AssertionError(f"{process.args!r} did not write its profile (exit status {process.poll()})")


def _drain(reader: int) -> str:
    parts: list[bytes] = []
    while part := os.read(reader, 1 << 16):
        parts.append(part)
    return b"".join(parts).decode("utf-8", "replace")
