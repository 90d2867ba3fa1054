"""Run one benchmark for a number of iterations, in a process of its own, and read what it left in use.

Every allocation is recorded (``-test.memprofilerate=1``), so the figures are counts and no estimates. The
helper writes the profiles after the benchmark has ended and garbage is gone. Imports ``model``, ``profile``
and this room.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from goretain.gate.build import END, Built
from goretain.model.errors import ToolchainError
from goretain.profile.columns import INUSE_OBJECTS, INUSE_SPACE, Profile
from goretain.profile.readers.read import read_contents
from goretain.profile.sources.source import read_source
from goretain.snapshot import Frame

#: A call stack, innermost first, without the frames of package testing that called the benchmark.
Stack = tuple[Frame, ...]

_RESULT = re.compile(r"(Benchmark\S*)\s+\d+\s+[\d.e+]+ ns/op")
_SKIPPED = re.compile(r"^\s*--- SKIP: (Benchmark\S*)", re.MULTILINE)
#: What calls a benchmark, by which way it was called: the frames from there on say nothing.
_CALLER = "testing.(*B).runN"
#: Lines of output that a message quotes.
_LINES = 12


@dataclass(frozen=True, slots=True)
class Settings:
    """How benchmarks are run.

    Attributes:
        cpu: GOMAXPROCS of every run. With 1 runs are alike to the byte.
        patience: seconds after which a run is ended.
    """

    cpu: int = 1
    patience: float = 120.0


@dataclass(frozen=True, slots=True)
class Retained:
    """What a call stack has in use."""

    bytes: int
    objects: int


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """What one run left.

    Attributes:
        iterations: that were asked for; package testing adds a first one.
        retained: by call stack.
        goroutines: how many stand at each call stack.
        seconds: wall time of the process; rss_bytes: its largest resident size.
    """

    iterations: int
    retained: Mapping[Stack, Retained]
    goroutines: Mapping[Stack, int]
    seconds: float
    rss_bytes: int


@dataclass(frozen=True, slots=True)
class Found:
    """A benchmark, or sub-benchmark, that can be run alone.

    Attributes:
        name: as ``go test -bench`` prints it, without the number of processors.
        skipped: it called Skip.
        failed: what it printed where it failed, None: it did not.
    """

    name: str
    skipped: bool = False
    failed: str | None = None


class RunFailed(ToolchainError):
    """A benchmark failed, panicked or took too long."""


def find(built: Built, pattern: str, settings: Settings) -> list[Found]:
    """The benchmarks that a pattern names, as ``go test -bench`` takes it, in the order of the program.

    Each is run for one iteration, which tells its sub-benchmarks, and whether it can be run.

    Raises:
        RunFailed: the tests cannot list their benchmarks.
    """
    first, _, rest = pattern.partition("/")
    listed = _execute(built, [f"-test.list={first}"], settings)
    if listed.code != 0:
        raise RunFailed(
            f"the tests of {built.package.path} do not start:\n{_end(listed.output)}",
            hint="go test -list . must run in this package",
        )
    names = [name for name in listed.output.split() if name.startswith("Benchmark") and name != END]
    return [found for name in names for found in _parts(built, name, rest, settings)]


def run(built: Built, name: str, iterations: int, settings: Settings) -> Run:
    """Run a benchmark.

    Args:
        name: as ``find`` gives it.

    Raises:
        RunFailed: it failed, panicked, took too long, or the helper did not come to write.
    """
    with tempfile.TemporaryDirectory(prefix="goretain-gate-") as into:
        arguments = [
            f"-test.bench={_exactly(name)}|^{END}$",
            f"-test.benchtime={iterations}x",
            "-test.memprofilerate=1",
        ]
        done = _execute(built, arguments, settings, into)
        if done.code != 0:
            raise RunFailed(
                f"{name} failed with {iterations:,} iterations:\n{_end(done.output)}",
                hint=f"it must pass alone: go test -run ^$ -bench '{_exactly(name)}'"
                f" -benchtime {iterations}x",
            )
        heap, goroutines = Path(into) / "heap", Path(into) / "goroutine"
        if not goroutines.is_file():
            raise RunFailed(
                f"{name} ran, but what it left in use was not written:\n{_end(done.output)}",
                hint="a TestMain of the package ends the program before all benchmarks ran, or empties its"
                " environment",
            )
        return Run(
            iterations,
            _retained(_profile(heap)),
            _standing(_profile(goroutines)),
            done.seconds,
            done.rss_bytes,
        )


@dataclass(frozen=True, slots=True)
class _Done:
    code: int
    output: str
    seconds: float
    rss_bytes: int


def _parts(built: Built, name: str, rest: str, settings: Settings) -> list[Found]:
    """A benchmark, or the sub-benchmarks that it has."""
    pattern = _exactly(name) + (f"/{rest}" if rest else "")
    done = _execute(built, [f"-test.bench={pattern}", "-test.benchtime=1x", "-test.v"], settings)
    suffix = f"-{settings.cpu}" if settings.cpu > 1 else ""
    if done.code != 0:
        return [Found(name, failed=_end(done.output))]
    ran = [match.removesuffix(suffix) for match in _RESULT.findall(done.output)]
    skipped = [match.removesuffix(suffix) for match in _SKIPPED.findall(done.output)]
    found = [*(Found(part) for part in ran), *(Found(part, skipped=True) for part in skipped)]
    return list(dict.fromkeys(found))


def _exactly(name: str) -> str:
    """The -bench pattern of one benchmark."""
    return "/".join(f"^{re.escape(part)}$" for part in name.split("/"))


def _execute(built: Built, arguments: Sequence[str], settings: Settings, into: str = "") -> _Done:
    """Run the test binary in the directory of its package, as go test does."""
    own = {"GOMAXPROCS": str(settings.cpu), **({"GORETAIN_GATE_INTO": into} if into else {})}
    common = ["-test.run=^$", "-test.paniconexit0", f"-test.cpu={settings.cpu}", "-test.timeout=0"]
    started = time.monotonic()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [built.binary, *common, *arguments],
            cwd=built.package.directory,
            env={**os.environ, **own},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code, usage = _wait(process, started + settings.patience)
        finally:
            _end_group(process)
        seconds = time.monotonic() - started
        output.seek(0)
        text = output.read(1 << 22).decode("utf-8", "replace")
    if code is None:
        text += f"\nended by goretain after {seconds:.0f} s"
    return _Done(-signal.SIGKILL if code is None else code, text, seconds, usage)


def _wait(process: subprocess.Popen[bytes], until: float) -> tuple[int | None, int]:
    """Exit code, None when time ran out, and the largest resident size in bytes."""
    pause = 0.001
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, usage.ru_maxrss * 1024
        if time.monotonic() > until:
            return None, 0
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End what the benchmark started, and the process if it still runs."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _end(output: str) -> str:
    lines = output.strip().splitlines()
    panic = next((at for at, line in enumerate(lines) if line.startswith(("panic:", "fatal error:"))), None)
    shown = lines[-_LINES:] if panic is None else lines[panic : panic + _LINES]
    return "\n".join(shown) or "it said nothing"


def _profile(path: Path) -> Profile:
    profile = read_contents(read_source(str(path))).profile
    assert profile is not None  # written by runtime/pprof
    return profile


def _retained(profile: Profile) -> dict[Stack, Retained]:
    """In use, by call stack."""
    size, objects = profile.column(INUSE_SPACE), profile.column(INUSE_OBJECTS)
    assert size is not None  # it is a heap profile
    assert objects is not None
    found: dict[Stack, Retained] = {}
    for at, stack in _stacks(profile):
        if objects[at]:
            before = found.get(stack, Retained(0, 0))
            found[stack] = Retained(before.bytes + int(size[at]), before.objects + int(objects[at]))
    return found


def _standing(profile: Profile) -> dict[Stack, int]:
    """Goroutines, by call stack."""
    found: dict[Stack, int] = {}
    for at, stack in _stacks(profile):
        found[stack] = found.get(stack, 0) + int(profile.values[at, 0])
    return found


def _stacks(profile: Profile) -> list[tuple[int, Stack]]:
    """Sample and call stack, but those of the helper."""
    cut = [_cut(profile.stacks.frames(at)) for at in range(len(profile.stacks))]
    samples = ((at, cut[stack]) for at, stack in enumerate(profile.stack.tolist()))
    return [(at, stack) for at, stack in samples if stack is not None]


def _cut(frames: Stack) -> Stack | None:
    """The part of a stack that is the program's; None: it is the helper's."""
    for at, frame in enumerate(frames):
        if "oretainGate" in frame.function:
            return None
        if frame.function == _CALLER:
            return frames[:at]
    return frames
