"""The commands on real processes: what a user types, what he gets, and that the target does not mind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import goretain
from goretain.patterns import catalogue
from goretain.snapshot import Columns, validate
from tests.support.golang import VERSIONS, Target, go_program, running
from tests.support.threads import states, tracers

ROOT = Path(__file__).resolve().parents[2]
GORETAIN = [sys.executable, "-m", "goretain.cli.main"]
NEWEST = VERSIONS[-1]


def run(*arguments: object, code: int = 0, columns: int = 100) -> subprocess.CompletedProcess[str]:
    """Run a command that has to end with ``code``."""
    words = [*GORETAIN, *map(str, arguments)]
    environment = {**os.environ, "COLUMNS": str(columns)}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture(scope="module")
def leaking() -> Iterator[Target]:
    """The experiment of subslice-pins-array: 17 MiB in two findings."""
    (pattern,) = (p for p in catalogue() if p.code == "GR101")
    with running(go_program(Path(str(pattern.files / "experiment")), NEWEST), ["leak"]) as target:
        yield target


@pytest.fixture(scope="module")
def growing() -> Iterator[Target]:
    """A program that leaks into main.hoard and parks a goroutine every 20 ms."""
    with running(go_program("growing", NEWEST)) as target:
        yield target


@pytest.mark.parametrize("columns", [80, 200])
def test_why_names_who_holds_the_memory(leaking: Target, columns: int) -> None:
    page = run("why", leaking.pid, columns=columns).stdout
    assert re.match(rf"experiment  pid {leaking.pid}, go{NEWEST}, ", page)
    assert "GR101 subslice-pins-array  leak, proved, saves 16.0 MiB" in page
    assert re.search(r"^ +main\.tokens\[.*\]\S* \(len 5, cap \d+\) -> \[65536\]byte$", page, re.MULTILINE)
    assert re.search(r"^ +16\.0 MiB +\d\d\.\d% .* program +main\.tokens$", page, re.MULTILINE)
    assert all(len(line) <= columns for line in page.splitlines())


def test_why_of_the_saved_snapshot_is_why_of_the_process(leaking: Target, tmp_path: Path) -> None:
    live = run("why", leaking.pid, "--save", tmp_path / "a", "--json")
    saved = run("why", tmp_path / "a", "--json")
    first, second = json.loads(live.stdout), json.loads(saved.stdout)
    assert first["look"].pop("target") == str(leaking.pid)
    assert second["look"].pop("target") == str(tmp_path / "a")
    assert first == second
    assert first["coverage"]["enumerated"]["bytes"] == first["coverage"]["enumerated"]["of_bytes"]
    assert "saved to" in live.stderr


def test_snapshots_of_every_go_version_obey_the_invariants_and_survive_the_file(
    go_version: str, tmp_path: Path
) -> None:
    with running(go_program("planted", go_version)) as target:
        snapshot = goretain.open(target.pid)
    validate(snapshot.data)
    snapshot.save(tmp_path / "a")
    opened = goretain.open(tmp_path / "a")
    assert opened.why().findings == snapshot.why().findings != ()
    for name in Columns.names():
        assert np.array_equal(getattr(opened.columns, name), getattr(snapshot.columns, name)), name


def test_fail_on_is_for_scripts(leaking: Target) -> None:
    run("why", leaking.pid, "--fail-on", "leak", code=1)
    run("why", leaking.pid, "--fail-on", "leak", "--focus", "main.nothing", code=0)


def test_markdown_fits_an_incident(leaking: Target) -> None:
    page = run("why", leaking.pid, "--markdown").stdout
    assert len(page.splitlines()) <= 60
    assert "**GR101 subslice-pins-array** (leak, proved)" in page


def test_keys_are_shown_with_data_only(leaking: Target) -> None:
    shareable, private = goretain.open(leaking.pid), goretain.open(leaking.pid, with_data=True)
    assert shareable.data.entry_keys == []
    assert not shareable.meta.with_data
    assert private.meta.with_data


def test_two_looks_show_what_grew_and_decide_nothing(growing: Target, tmp_path: Path) -> None:
    for name in ("a", "b"):
        run("why", growing.pid, "--save", tmp_path / name)
    page = run("diff", tmp_path / "a", tmp_path / "b").stdout
    assert re.search(r"growth +undecided: two looks", page)
    assert re.search(r"^ +\+\S+ [KM]iB .* main\.hoard$", page, re.MULTILINE)
    assert "main.settled" not in page
    report = json.loads(run("diff", tmp_path / "a", tmp_path / "b", "--json").stdout)
    assert report["same_process"]
    assert report["holders"][0]["name"] == "main.hoard"
    assert report["survivors_by_holder"][0]["holder"] == "main.hoard"
    (parked,) = (row for row in report["holders"] if row["name"].endswith("main.waiter"))
    assert parked["roots"][1] > parked["roots"][0]


def test_five_looks_call_steady_growth_likely(growing: Target, tmp_path: Path) -> None:
    page = run("diff", growing.pid, "--every", "500ms", "--count", "5", "--save", tmp_path).stdout
    assert re.search(r"growth +likely: it grew in each of 4 intervals", page)
    assert re.search(r"^ +\+\S+ [KM]iB .* likely +main\.hoard$", page, re.MULTILINE)
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"{growing.pid}-{n}.goretain" for n in range(1, 6)]


def test_ctrl_c_between_two_looks_ends_it_and_the_target_runs_on(growing: Target) -> None:
    words = [*GORETAIN, "diff", str(growing.pid), "--every", "60s"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        time.sleep(4)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err.strip()) == (130, "", "interrupted")
    assert tracers(growing.pid) == {0}
    assert not states(growing.pid) & {"t", "T"}


def test_ctrl_c_after_some_looks_reports_them(growing: Target, tmp_path: Path) -> None:
    words = [
        *GORETAIN,
        "diff",
        str(growing.pid),
        "--every",
        "300ms",
        "--count",
        "2000",
        "--save",
        str(tmp_path),
    ]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 90
        while not (tmp_path / f"{growing.pid}-4.goretain").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, err.strip()) == (130, "interrupted")
    assert re.search(r"growth +undecided: it grew in each of [23] intervals", out)
    assert "main.hoard" in out
    assert tracers(growing.pid) == {0}


def test_what_is_no_go_program_is_said_so() -> None:
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        try:
            done = run("why", sleeper.pid, code=2)
        finally:
            sleeper.kill()
    assert "Go" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_process_that_is_gone_is_said_so() -> None:
    with subprocess.Popen(["true"]) as process:
        process.wait()
        done = run("why", process.pid, code=2)
    assert f"no process has PID {process.pid}" in done.stderr


def test_the_example_of_the_python_api_runs(leaking: Target, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "python-api.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len([line for line in example.splitlines() if line.strip()]) <= 10
    script = example.replace("4242", str(leaking.pid))
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert re.search(r"^GR101 167\d{5} main\.tokens", done.stdout, re.MULTILINE)
    assert (tmp_path / "before.goretain").is_file()
