"""``goretain gate --compare`` on a small module in a real repository."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from goretain.cli import main
from tests.support.golang import VERSIONS

BASE = """package cache

var (
	kept  [][]byte
	lines []string
)

func Put(n int) { kept = append(kept, make([]byte, n)) }

func Log() { lines = append(lines, string(make([]byte, 32))) }
"""

#: Put has moved and keeps as much as before, Log keeps nothing any more, Name and Wait are new.
CHANGED = """package cache

import "fmt"

var (
	kept  [][]byte
	names = map[string]*[64]byte{}
	never = make(chan int)
)

// Wait leaves a goroutine behind.
func Wait() {
	go func() { <-never }()
}

func Name() { names[fmt.Sprint(len(names))] = new([64]byte) }

func Log() {}

func Put(n int) { kept = append(kept, make([]byte, n)) }
"""

TESTS = """package cache

import "testing"

func BenchmarkPut(b *testing.B) {
	for i := 0; i < b.N; i++ {
		Put(64)
		Log()
	}
}
"""

MORE = """
func BenchmarkName(b *testing.B) {
	for i := 0; i < b.N; i++ {
		Name()
		Wait()
	}
}
"""


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    command = ["git", *who, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "repository"
    (folder / "shop" / "cache").mkdir(parents=True)
    (folder / "shop" / "go.mod").write_text("module example.com/shop\n\ngo 1.21\n")
    (folder / "shop" / "cache" / "cache.go").write_text(BASE)
    (folder / "shop" / "cache" / "cache_test.go").write_text(TESTS)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "base")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.chdir(folder / "shop")
    yield folder
    assert list(scratch.iterdir()) == []


def state(folder: Path) -> list[str]:
    asked = (("status", "--porcelain"), ("worktree", "list"), ("stash", "list"), ("diff", "HEAD"))
    return [git(folder, "--no-optional-locks", *one) for one in asked]


ARGUMENTS = ("--go", VERSIONS[-1], "--iterations", "130", "./...")


def compared(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code = main.run(["gate", "--json", *ARGUMENTS, *arguments])
    shown = capsys.readouterr()
    assert shown.out, shown.err
    return code, json.loads(shown.out)


def courses(rows: Any) -> dict[str, str]:
    return {row["stack"][0]["function"].rpartition(".")[2]: row["course"] for row in rows if row["course"]}


def test_what_a_change_adds_decides(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cache = repository / "shop" / "cache"
    (cache / "cache.go").write_text(CHANGED)
    before = state(repository)
    code, report = compared(capsys, "--compare", "HEAD")
    assert state(repository) == before
    (package,) = report["packages"]
    (put,) = package["benchmarks"]
    # what it kept before, it keeps now: no concern of this change
    assert (code, put["verdict"]) == (0, "settles")
    assert courses(put["sites"]) == {}
    assert courses(put["removed"]) == {"Log": "gone"}
    assert put["removed"][0]["objects"]["rate"] == pytest.approx(1, abs=0.1)
    assert report["base"]["uncommitted"]
    assert report["base"]["commit"] == report["base"]["head"] == git(repository, "rev-parse", "HEAD").strip()

    (cache / "cache_test.go").write_text(TESTS.replace("Put(64)", "Put(96)\n\t\tWait()") + MORE)
    git(repository, "commit", "-qam", "change")
    code, report = compared(capsys, "--compare", "HEAD~1")
    assert code == 1
    assert not report["base"]["uncommitted"]
    (package,) = report["packages"]
    assert "BenchmarkName is not in HEAD~1: all of it is new" in package["notes"]
    name, put = sorted(package["benchmarks"], key=lambda one: str(one["name"]))
    assert (name["verdict"], put["verdict"]) == ("grows", "grows")
    assert courses(put["sites"])["Put"] == "more"
    (more,) = (row for row in put["sites"] if row["course"] == "more")
    assert more["bytes"]["rate"] == pytest.approx(32, abs=1)
    assert courses(name["sites"])["Name"] == "new"
    assert courses(put["standing"]) == {"gopark": "new"}
    assert put["standing"][0]["count"]["rate"] == pytest.approx(1)


def test_bases_that_cannot_be_compared_with(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cache = repository / "shop" / "cache"
    (cache / "cache.go").write_text("package cache\n\nfunc Put(n int) { return 1 }\n")
    git(repository, "commit", "-qam", "broken")
    (cache / "cache.go").write_text(BASE)
    assert main.run(["gate", *ARGUMENTS, "--compare", "HEAD"]) == 2
    error = capsys.readouterr().err
    assert "in HEAD the tests of example.com/shop/cache do not build" in error
    assert "too many return values" in error
    assert error.count("hint: ") == 1
    assert str(repository.parent / "scratch") not in error
    assert main.run(["gate", *ARGUMENTS, "--compare", "nothing"]) == 2
    assert "git knows no revision 'nothing' here" in capsys.readouterr().err


def test_a_package_that_the_base_lacks_is_new(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    git(repository, "rm", "-rq", "shop/cache")
    git(repository, "commit", "-qm", "without")
    git(repository, "checkout", "-q", "HEAD~1", "--", "shop/cache")
    code, report = compared(capsys, "--compare", "HEAD")
    assert code == 1
    (package,) = report["packages"]
    assert package["notes"] == ["it has no tests in HEAD: everything is new"]
    assert set(courses(package["benchmarks"][0]["sites"]).values()) == {"new"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_comparison_leaves_nothing(repository: Path, number: signal.Signals) -> None:
    before = state(repository)
    command = [sys.executable, "-m", "goretain.cli.main", "gate", *ARGUMENTS, "--compare", "HEAD"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    scratch = Path(os.environ["TMPDIR"])
    try:
        while not list(scratch.glob("goretain-base-*/tree/shop/go.mod")):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
        assert process.returncode in (130, -number), said
    finally:
        process.kill()
        process.wait()
    assert state(repository) == before
