"""Run one benchmark for a number of iterations, in a process of its own, and read what it left in use.

Every allocation is recorded (``-test.memprofilerate=1``), so the figures are counts and no estimates. The
helper writes the profiles after the benchmark has ended and garbage is gone. Imports ``model``, ``profile``
and this room.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from goretain.gate.build import END, Built
from goretain.gate.process import Settings, execute, last_lines
from goretain.model.errors import ToolchainError
from goretain.profile.columns import INUSE_OBJECTS, INUSE_SPACE, Profile
from goretain.profile.readers.read import read_contents
from goretain.profile.sources.source import read_source
from goretain.snapshot import Frame

#: A call stack, innermost first, without the frames of package testing that called the benchmark.
Stack = tuple[Frame, ...]

#: A result: package testing leaves "ns/op" out where the clock did not run, or the benchmark reports it as 0.
_RESULT = re.compile(r"(Benchmark\S*) *\t *\d+(?:\t *([\d.e+]+) ns/op)?(?=\t|\n|$)")
_ENDED = re.compile(r"^\s*--- (SKIP|FAIL): (Benchmark\S*)", re.MULTILINE)
#: What calls a benchmark or a test: the frames from there on say nothing.
_CALLERS = ("testing.(*B).runN", "testing.tRunner")
#: What runs once in a process, on goroutines that no benchmark runs on.
_ONCE = ("runtime.main", "testing.runBenchmarks")


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
    """A benchmark, sub-benchmark or test, that can be run alone.

    Attributes:
        name: as ``go test`` prints it, without the number of processors.
        seconds: that its first iteration took, of a test its process.
        skipped: it called Skip.
        failed: what it printed where it failed, None: it did not.
    """

    name: str
    seconds: float = 0.0
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
    names = _listed(built, first, "Benchmark", settings)
    return [found for name in names for found in _parts(built, name, rest, settings)]


def find_tests(built: Built, pattern: str, settings: Settings) -> list[Found]:
    """The tests that a pattern names, as ``go test -run`` takes it, in the order of the program.

    Each is run once, with all the subtests that the pattern names.

    Raises:
        RunFailed: the tests cannot list themselves.
    """
    first, _, rest = pattern.partition("/")
    return [
        _test(built, f"{name}/{rest}" if rest else name, settings)
        for name in _listed(built, first, "Test", settings)
    ]


def _listed(built: Built, pattern: str, kind: str, settings: Settings) -> list[str]:
    """Names of the benchmarks or tests that a pattern names."""
    listed = execute(built, [f"-test.list=({pattern})|^{END}$"], settings)
    if listed.code != 0:
        raise RunFailed(
            f"the tests of {built.package.path} do not start:\n{last_lines(listed.output)}",
            hint="go test -list . must run in this package",
        )
    names = listed.output.split()
    if END not in names:
        raise RunFailed(
            f"the tests of {built.package.path} do not list their benchmarks:\n{last_lines(listed.output)}",
            hint="a TestMain of the package ends the program before testing.M.Run",
        )
    # once each, though a TestMain runs them twice
    return [name for name in dict.fromkeys(names) if name.startswith(kind) and name != END]


def _test(built: Built, name: str, settings: Settings) -> Found:
    """A test, run once."""
    done = execute(built, [f"-test.run={_test_pattern(name)}", "-test.v"], settings)
    if done.code != 0:
        return Found(name, failed=last_lines(done.output))
    outcome = re.search(rf"^--- (PASS|SKIP): {re.escape(name.partition('/')[0])} ", done.output, re.MULTILINE)
    if outcome is None:
        return Found(name, failed=f"the tests did not run it:\n{last_lines(done.output)}")
    return Found(name, done.seconds, skipped=outcome[1] == "SKIP")


def _test_pattern(name: str) -> str:
    """The -run pattern of one test, and of those of its subtests that the user's pattern names."""
    first, slash, rest = name.partition("/")
    return f"{_exactly(first)}{slash}{rest}"


def run(built: Built, name: str, iterations: int, settings: Settings) -> Run:
    """Run a benchmark for so many iterations, or a test so many times.

    Args:
        name: as ``find`` or ``find_tests`` gives it.

    Raises:
        RunFailed: it failed, panicked, took too long, or the helper did not come to write.
    """
    with tempfile.TemporaryDirectory(prefix="goretain-gate-") as into:
        chosen, failure, command = _asked(name, iterations)
        done = execute(built, [*chosen, "-test.memprofilerate=1"], settings, into)
        if done.code != 0:
            raise RunFailed(f"{failure} (go test {command}):\n{last_lines(done.output)}")
        heap, goroutines = Path(into) / "heap", Path(into) / "goroutine"
        if not goroutines.is_file():
            raise RunFailed(
                f"{name} ran, but what it left in use was not written: a TestMain of the package ends the"
                f" program before all benchmarks ran, or empties its environment\n{last_lines(done.output)}"
            )
        return Run(
            iterations,
            _retained(_profile(heap)),
            _standing(_profile(goroutines)),
            done.seconds,
            done.rss_bytes,
        )


def _asked(name: str, iterations: int) -> tuple[list[str], str, str]:
    """Arguments of a run, what it means when it fails, and what to type to see that."""
    if name.startswith("Benchmark"):
        pattern = _exactly(name)
        return (
            [f"-test.bench={pattern}|^{END}$", f"-test.benchtime={iterations}x"],
            f"{name} failed with {iterations:,} iterations",
            f"-run '^$' -bench '{pattern}' -benchtime {iterations}x",
        )
    pattern = _test_pattern(name)
    return (
        [f"-test.run={pattern}", f"-test.count={iterations}", f"-test.bench=^{END}$", "-test.benchtime=1x"],
        f"{name} passes once, and fails when one process runs it {iterations:,} times",
        f"-run '{pattern}' -count {iterations}",
    )


def _parts(built: Built, name: str, rest: str, settings: Settings) -> list[Found]:
    """A benchmark, or the sub-benchmarks that it has; one that was run and is not found has failed."""
    pattern = _exactly(name) + (f"/{rest}" if rest else "")
    done = execute(built, [f"-test.bench={pattern}", "-test.benchtime=1x", "-test.v"], settings)
    suffix = f"-{settings.cpu}" if settings.cpu > 1 else ""
    found: dict[str, Found] = {}
    for part, ns in _RESULT.findall(done.output):
        one = Found(part.removesuffix(suffix), float(ns) / 1e9 if ns else done.seconds)
        if f"{one.name}/".startswith(f"{name}/"):  # else the benchmark printed it
            found.setdefault(one.name, one)
    ended = [(how, part.removesuffix(suffix)) for how, part in _ENDED.findall(done.output)]
    found |= {part: Found(part, skipped=True) for how, part in ended if how == "SKIP"}
    if done.code != 0:
        parts = [part for how, part in ended if how == "FAIL" and part != name] or [name]
        found |= {part: Found(part, failed=last_lines(done.output)) for part in parts}
    elif not found and not rest:
        return [Found(name, failed=f"it ran, but printed no result:\n{last_lines(done.output)}")]
    return list(found.values())


def _exactly(name: str) -> str:
    """The -bench pattern of one benchmark."""
    return "/".join(f"^{re.escape(part)}$" for part in name.split("/"))


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
    """The part of a stack that is the program's; None: it is the helper's, or once in a process: TestMain,
    and what package testing does before it calls a benchmark or test.
    """
    if any("oretainGate" in frame.function or frame.function.startswith(_ONCE) for frame in frames):
        return None
    end = next((at for at, frame in enumerate(frames) if frame.function in _CALLERS), len(frames))
    return frames[:end]
