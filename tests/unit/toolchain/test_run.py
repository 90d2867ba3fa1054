"""Running go: isolation from the machine's settings, limits, and what a failed build says."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from goretain.model.errors import ToolchainError, UsageError
from goretain.toolchain import Toolchain
from tests.support.golang import toolchain
from tests.support.threads import state

HELLO = "package main\n\nfun main() {}\n"


def fake(tmp_path: Path, script: str) -> Toolchain:
    """A toolchain whose go is a shell script."""
    go = tmp_path / "goroot" / "bin" / "go"
    go.parent.mkdir(parents=True)
    go.write_text(f"#!/bin/sh\n{script}\n")
    go.chmod(0o755)
    return Toolchain(tmp_path / "goroot", "1.26.6")


@pytest.fixture
def hello(tmp_path: Path) -> Path:
    """A Go module with a mistake in it."""
    folder = tmp_path / "hello"
    folder.mkdir()
    (folder / "go.mod").write_text("module hello\n\ngo 1.21\n")
    (folder / "main.go").write_text(HELLO)
    return folder


def test_settings_of_the_machine_do_not_reach_go(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GOFLAGS", "GODEBUG", "GOEXPERIMENT", "GOARCH", "CGO_CFLAGS", "GOROOT"):
        monkeypatch.setenv(name, "from-outside")
    monkeypatch.setenv("GOPROXY", "kept")
    done = fake(tmp_path, "env").run(["env"], cwd=tmp_path, env={"CGO_ENABLED": "0"}, experiments=["a", "b"])
    seen = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    assert "from-outside" not in seen.values()
    assert seen["GOTOOLCHAIN"] == "local"
    assert seen["GOFLAGS"] == ""
    assert seen["GOENV"] == "off"
    assert seen["GOEXPERIMENT"] == "a,b"
    assert seen["GOPROXY"] == "kept"
    assert seen["CGO_ENABLED"] == "0"
    assert Path(seen["GOCACHE"]).is_relative_to(own_cache)


def test_timeout_ends_the_children_too(tmp_path: Path, own_cache: Path) -> None:
    slow = fake(tmp_path, f"sleep 60 & echo $! > {tmp_path}/child; wait")
    with pytest.raises(ToolchainError, match="took more than"):
        slow.run(["build"], cwd=tmp_path, timeout=0.5)
    child = int((tmp_path / "child").read_text())
    deadline = time.monotonic() + 5
    while _alive(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _alive(child)


def _alive(pid: int) -> bool:
    """Whether the process runs (a zombie that nobody has awaited does not)."""
    return state(pid) not in "ZX"


def test_missing_go_is_an_error_with_a_hint(tmp_path: Path, own_cache: Path) -> None:
    with pytest.raises(ToolchainError, match="cannot run") as failed:
        Toolchain(tmp_path, "1.26.6").run(["version"], cwd=tmp_path)
    assert failed.value.hint


def test_devices_are_never_written(tmp_path: Path) -> None:
    before = Path(os.devnull).stat()
    with pytest.raises(UsageError):
        fake(tmp_path, "exit 0").build(tmp_path, Path(os.devnull))
    assert Path(os.devnull).stat().st_rdev == before.st_rdev


def test_compiler_output_is_in_the_error(hello: Path, tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match=r"main\.go:3") as failed:
        toolchain("1.27.3").build(hello, tmp_path / "out")
    assert "1.27.3" in failed.value.message
    assert not (tmp_path / "out").exists()


def test_build_makes_an_executable(hello: Path, tmp_path: Path) -> None:
    (hello / "main.go").write_text(HELLO.replace("fun ", "func "))
    out = toolchain("1.27.3").build(hello, tmp_path / "out", flags=["-trimpath"], env={"CGO_ENABLED": "0"})
    assert os.access(out, os.X_OK)
