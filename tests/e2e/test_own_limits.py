"""Limits of our own process: each ends with an error that names it, and the target is none the worse."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.golang import Target, go_program, running
from tests.support.load import VERSION, disturbed, threads_started

MIB = 1 << 20


@pytest.fixture(scope="module")
def server() -> Iterator[Target]:
    with running(go_program("loaded", VERSION), ["serve"]) as target:
        yield target


def goretain(number: int, most: int, *words: str) -> subprocess.CompletedProcess[str]:
    """The command under one soft limit."""
    return subprocess.run(
        [sys.executable, "-m", "goretain.cli.main", *words],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(number, (most, resource.getrlimit(number)[1])),
    )


def check(server: Target) -> None:
    assert disturbed(server.pid) == []
    assert threads_started(server) > 0


@pytest.mark.parametrize(
    ("number", "most", "says"),
    [
        (resource.RLIMIT_NOFILE, 5, "no file can be opened any more: RLIMIT_NOFILE allows 5"),
        (resource.RLIMIT_AS, 200 * MIB, "RLIMIT_AS (ulimit -v)"),
        (resource.RLIMIT_DATA, 60 * MIB, "RLIMIT_DATA (ulimit -d)"),
        (resource.RLIMIT_FSIZE, MIB, "RLIMIT_FSIZE (ulimit -f)"),
        (resource.RLIMIT_SIGPENDING, 0, "the kernel has no timer left for us"),
    ],
)
def test_a_limit_that_is_too_small_is_named_with_what_to_do(
    server: Target, tmp_path: Path, number: int, most: int, says: str
) -> None:
    done = goretain(number, most, "snap", str(server.pid), "-o", str(tmp_path / "app.image"))
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert "ulimit" in done.stderr.partition("hint: ")[2]
    assert "bug" not in done.stderr
    assert list(tmp_path.iterdir()) == []
    check(server)


@pytest.mark.parametrize("most", range(5, 24, 4))
def test_files_may_run_out_at_any_point(server: Target, tmp_path: Path, most: int) -> None:
    done = goretain(resource.RLIMIT_NOFILE, most, "snap", str(server.pid), "-o", str(tmp_path / "app.image"))
    assert done.returncode in (0, 2), done.stderr
    assert "bug" not in done.stderr
    check(server)


@pytest.mark.parametrize("most", range(120, 300, 40))
def test_address_space_may_run_out_at_any_point(server: Target, tmp_path: Path, most: int) -> None:
    words = ["snap", str(server.pid), "-o", str(tmp_path / "app.image"), "--force"]
    done = goretain(resource.RLIMIT_AS, most * MIB, *words)
    assert done.returncode in (0, 2), done.stderr
    assert "bug" not in done.stderr
    check(server)


@pytest.mark.parametrize("most", [160, 280, 400])
def test_an_analysis_without_address_space_is_refused_and_doctor_does_without(
    server: Target, most: int
) -> None:
    done = goretain(resource.RLIMIT_AS, most * MIB, "why", str(server.pid))
    assert done.returncode == 2
    assert "goretain itself takes 416.0 MiB to start" in done.stderr
    done = goretain(resource.RLIMIT_AS, most * MIB, "doctor", str(server.pid))
    assert "bug" not in done.stderr
    assert "can be captured" in done.stdout
    check(server)


def test_a_file_that_may_not_grow_so_large_is_not_left_half_written(server: Target, tmp_path: Path) -> None:
    words = ["snap", str(server.pid), "-o", str(tmp_path / "app.image"), "--force"]
    done = goretain(resource.RLIMIT_FSIZE, MIB, *words)
    assert done.returncode == 2
    assert "File too large" in done.stderr
    assert "ulimit -f" in done.stderr
    assert list(tmp_path.iterdir()) == []
    check(server)


def test_used_up_processor_time_is_an_error_and_not_a_core_dump(server: Target) -> None:
    # One look may take less than a second.
    done = goretain(resource.RLIMIT_CPU, 1, "diff", str(server.pid), "--every", "100ms", "--count", "200")
    assert done.returncode == 2, done.stderr
    assert "the processor time that RLIMIT_CPU (ulimit -t) allows is used up" in done.stderr
    check(server)
