"""Where memory is short: a capture is refused and says why, and forced it does not take the target with it.

In a real cgroup with a real limit, captured from outside and from inside of it.
"""

from __future__ import annotations

import math
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.cgroup import Cgroup, memory_cgroup
from tests.support.golang import Target, go_program, running
from tests.support.load import VERSION, disturbed, threads_started

ROOT = Path(__file__).parents[2]
MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Small:
    """A server that runs in a cgroup of its own."""

    server: Target
    cgroup: Cgroup

    def leave(self, size: int) -> None:
        """Set the limit so that this many bytes are left."""
        self.cgroup.limit((self.cgroup.used + size) & -4096)

    def check(self) -> None:
        """It serves, and nobody holds it."""
        assert disturbed(self.server.pid) == []
        assert threads_started(self.server) > 0


@pytest.fixture
def small(request: pytest.FixtureRequest) -> Iterator[Small]:
    with memory_cgroup(str(len(request.node.name))) as cgroup:
        serve = cgroup.command([str(go_program("loaded", VERSION)), "serve"])
        with running(Path("/bin/sh"), serve) as server:
            yield Small(server, cgroup)


def snap(small: Small, image: Path, *options: str, inside: bool) -> subprocess.CompletedProcess[str]:
    cgroup = small.cgroup if inside else None
    return goretain(cgroup, "snap", str(small.server.pid), "-o", str(image), *options)


def goretain(cgroup: Cgroup | None, *words: str) -> subprocess.CompletedProcess[str]:
    """The command, in a cgroup."""
    return subprocess.run(
        [sys.executable, "-m", "goretain.cli.main", *words],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=None if cgroup is None else cgroup.enter,
        timeout=120,
    )


def test_a_capture_that_takes_more_than_half_of_what_the_targets_cgroup_leaves_is_refused(
    small: Small, tmp_path: Path
) -> None:
    small.leave(16 * MIB)
    done = snap(small, tmp_path / "app.image", inside=False)
    assert done.returncode == 2
    assert "plan: copy " in done.stderr
    assert "error: the capture takes " in done.stderr
    assert f"of the target's cgroup {small.cgroup.folder} (" in done.stderr
    assert "--force" in done.stderr
    assert list(tmp_path.iterdir()) == []
    small.check()
    small.leave(400 * MIB)
    assert snap(small, tmp_path / "app.image", inside=False).returncode == 0
    small.check()


def test_a_capture_from_inside_counts_what_it_takes_itself(small: Small, tmp_path: Path) -> None:
    small.leave(48 * MIB)  # the half of it would do, were it not for goretain itself
    done = snap(small, tmp_path / "app.image", inside=True)
    assert done.returncode == 2, done.stderr
    assert f"of our cgroup {small.cgroup.folder} (" in done.stderr
    small.check()


@pytest.mark.parametrize("left", [16, 25, 40])
def test_where_there_is_no_room_to_start_it_is_refused_in_words(
    small: Small, tmp_path: Path, left: int
) -> None:
    small.leave(left * MIB)
    done = snap(small, tmp_path / "app.image", inside=True)
    assert done.returncode == 2, done.stderr
    assert "error: goretain itself takes 48.0 MiB to start, more than the " in done.stderr
    assert f"of our cgroup {small.cgroup.folder} (" in done.stderr
    assert "--force" in done.stderr
    small.check()


def test_a_forced_capture_ends_while_there_is_something_left(small: Small, tmp_path: Path) -> None:
    """Room for the start but not for all memory of the server, which is copied with --full."""
    small.leave(52 * MIB)
    done = snap(small, tmp_path / "app.image", "--force", "--full", inside=True)
    assert done.returncode == 2, done.stderr
    assert "nothing is left to try with" in done.stderr
    assert small.cgroup.kills == 0
    small.check()


@pytest.mark.parametrize("left", [20, 32, 48, 80])
def test_a_forced_capture_from_inside_never_costs_the_target_its_life(
    small: Small, tmp_path: Path, left: int
) -> None:
    small.leave(left * MIB)
    done = snap(small, tmp_path / "app.image", "--force", inside=True)
    assert done.returncode in (0, 2, -signal.SIGKILL), done.stderr
    small.check()


@pytest.mark.parametrize("phase", ["estimating", "seizing", "planning", "copying", "releasing"])
def test_the_kernel_ends_us_and_not_the_target_when_memory_runs_out_in_any_phase(
    small: Small, tmp_path: Path, phase: str
) -> None:
    small.leave(150 * MIB)
    words = ["tests.support.unchecked_capture", str(small.server.pid), phase, str(tmp_path / "app.image")]
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        preexec_fn=small.cgroup.enter,
        timeout=60,
    )
    assert done.returncode == -signal.SIGKILL
    assert done.stdout.split()[-1] == phase
    assert list(tmp_path.glob("*.image")) == []
    assert small.cgroup.kills >= 1
    small.check()


@pytest.fixture(scope="module")
def many() -> Iterator[tuple[Cgroup, Target]]:
    """A program of a million small objects, in a cgroup of its own."""
    with memory_cgroup("many") as cgroup:
        words = cgroup.command([str(go_program(ROOT / "benchmarks" / "heap", VERSION)), "leaves", "1000000"])
        with running(Path("/bin/sh"), words) as target:
            assert goretain(None, "why", str(target.pid)).returncode == 0  # kernels are compiled
            yield cgroup, target


def left(cgroup: Cgroup, mebibytes: int) -> None:
    """Set the limit so that this much is left."""
    cgroup.limit((cgroup.used + mebibytes * MIB) & -4096)


def needed(stderr: str) -> int:
    """MiB that the analysis is said to take."""
    found = re.search(r"error: the analysis takes (?:about|at least) ([\d.]+) MiB, more than the ", stderr)
    assert found is not None, stderr
    return math.ceil(float(found[1]))


def test_an_analysis_that_does_not_fit_is_refused_before_anything_is_stopped_and_an_image_can_be_taken(
    many: tuple[Cgroup, Target], tmp_path: Path
) -> None:
    cgroup, target = many
    left(cgroup, 220)
    done = goretain(cgroup, "why", str(target.pid))
    assert done.returncode == 2
    assert "plan: copy " in done.stderr
    assert 160 < needed(done.stderr) < 400
    assert f"of our cgroup {cgroup.folder} (" in done.stderr
    assert f"goretain snap {target.pid} -o app.image" in done.stderr
    image = tmp_path / "app.image"
    assert goretain(cgroup, "snap", str(target.pid), "-o", str(image)).returncode == 0
    left(cgroup, 200)
    there = goretain(cgroup, "why", str(image))
    assert there.returncode == 2
    assert needed(there.stderr) > 160
    assert "run 'goretain why' where there is more memory; --force tries anyway" in there.stderr
    assert goretain(None, "why", str(image)).returncode == 0
    assert cgroup.kills == 0
    assert disturbed(target.pid) == []


def test_an_analysis_that_is_said_to_fit_does(many: tuple[Cgroup, Target]) -> None:
    cgroup, target = many
    left(cgroup, 220)
    size = needed(goretain(cgroup, "why", str(target.pid)).stderr)
    # Its own start, which the check that refused was made after, and no more than that.
    left(cgroup, size + 112)
    done = goretain(cgroup, "why", str(target.pid))
    assert done.returncode == 0, done.stderr
    assert cgroup.kills == 0


def test_a_file_that_does_not_fit_is_refused_in_words(many: tuple[Cgroup, Target], tmp_path: Path) -> None:
    """Of an image what is decompressed, the code and the heap count; of a snapshot what is measured, too."""
    cgroup, target = many
    image, saved = str(tmp_path / "app.image"), str(tmp_path / "app.goretain")
    assert goretain(None, "snap", str(target.pid), "-o", image).returncode == 0
    assert goretain(None, "why", image, "--save", saved).returncode == 0
    left(cgroup, 130)
    done = [goretain(cgroup, "why", path) for path in (image, saved)]
    assert [one.returncode for one in done] == [2, 2]
    assert needed(done[0].stderr) > 80
    size = needed(done[1].stderr)
    left(cgroup, size + 48)  # its own start
    assert goretain(cgroup, "why", saved).returncode == 0
    assert cgroup.kills == 0


@pytest.mark.parametrize("mebibytes", [120, 160, 200])
def test_a_forced_analysis_never_costs_the_target_its_life(
    many: tuple[Cgroup, Target], mebibytes: int
) -> None:
    cgroup, target = many
    left(cgroup, mebibytes)
    done = goretain(cgroup, "why", "--force", str(target.pid))
    assert done.returncode in (0, 2, -signal.SIGKILL), done.stderr
    assert target.process.poll() is None
    assert disturbed(target.pid) == []
