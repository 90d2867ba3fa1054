"""Captures of a busy server: no request fails, nothing is left stopped or traced, pauses are alike."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.golang import Target
from tests.support.load import busy_server, disturbed, pauses_of, threads_started

ROOT = Path(__file__).parents[2]


def test_fifty_captures_of_a_busy_server_cost_it_nothing_but_the_pauses() -> None:
    with busy_server() as (server, load):
        before = threads_started(server)
        pauses = pauses_of(server, 50)
        assert threads_started(server) - before > 100
    assert load.failures == []
    assert load.requests > 1000
    assert pauses.sorted[-1] < 1e9


@pytest.mark.long
def test_a_thousand_captures_of_a_busy_server_pause_it_alike(capsys: pytest.CaptureFixture[str]) -> None:
    """By ``python -m benchmarks.bench_load``, which is what the figures in the docs come from."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.bench_load", "1000"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    with capsys.disabled():
        print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.long
def test_fifty_snaps_of_a_busy_server_each_a_process_of_its_own(tmp_path: Path) -> None:
    with busy_server() as (server, load):
        for number in range(50):
            _snap(server, tmp_path / f"{number % 2}.image")
            assert disturbed(server.pid) == []
    assert load.failures == []


def _snap(server: Target, path: Path) -> None:
    words = [sys.executable, "-m", "goretain.cli.main", "snap", str(server.pid), "-o", str(path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
