"""``goretain gate`` as CI runs it: exit codes, and the settings of the module that is tested."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from goretain.cli import main
from goretain.toolchain import find_toolchain
from tests.support.golang import VERSIONS

#: Enough for a verdict on benchmarks this small.
FEW = ("--iterations", "500")
LEAK = """package kept_test

import (
	"testing"

	"example.com/library"
)

func BenchmarkKept(b *testing.B) {
	for i := 0; i < b.N; i++ {
		library.Keep()
	}
}
"""
LIBRARY = """package library

var kept []*[64]byte

func Keep() { kept = append(kept, new([64]byte)) }
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module with one benchmark that needs a library which only its settings find."""
    # the cache of the other tests: the user's own may be cold
    monkeypatch.setenv("GOCACHE", find_toolchain(VERSIONS[-1]).environment()["GOCACHE"])
    monkeypatch.setenv("GOFLAGS", "")
    folder = tmp_path / "module"
    _write(folder / "go.mod", "module example.com/kept\n\ngo 1.17\n")
    _write(folder / "kept_test.go", LEAK)
    monkeypatch.chdir(folder)
    return folder


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def gate(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code = main.run(["gate", "--json", "--go", VERSIONS[-1], *FEW, *arguments])
    return code, json.loads(capsys.readouterr().out)


def test_a_workspace_is_respected_and_a_leak_ends_with_1(
    module: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _write(module.parent / "library" / "go.mod", "module example.com/library\n\ngo 1.17\n")
    _write(module.parent / "library" / "library.go", LIBRARY)
    _write(module.parent / "go.work", "go 1.21\n\nuse (\n\t./module\n\t./library\n)\n")
    before = sorted(module.iterdir())
    code, report = gate(capsys)
    ((benchmark,),) = [package["benchmarks"] for package in report["packages"]]
    assert (code, benchmark["trend"], benchmark["total"]["bytes"]["rate"] >= 64) == (1, "grows", True)
    functions = {frame["function"] for row in benchmark["sites"][:1] for frame in row["stack"]}
    assert functions == {"example.com/library.Keep", "example.com/kept_test.BenchmarkKept"}
    assert sorted(module.iterdir()) == before
    assert main.run(["gate", "--go", VERSIONS[-1], *FEW, "--fail-on", "never"]) == 0
    page = capsys.readouterr().out
    assert "grows     BenchmarkKept" in page
    assert max(map(len, page.split("\n"))) <= 100


def test_vendored_packages_and_build_tags_are_respected(
    module: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _write(module / "go.mod", "module example.com/kept\n\ngo 1.17\n\nrequire example.com/library v1.0.0\n")
    _write(module / "vendor" / "example.com" / "library" / "library.go", "//go:build kept\n\n" + LIBRARY)
    _write(
        module / "vendor" / "modules.txt",
        "# example.com/library v1.0.0\n## explicit; go 1.17\nexample.com/library\n",
    )
    code, report = gate(capsys)
    assert (code, report["failed"]) == (2, 1)
    assert "build constraints exclude all Go files" in report["packages"][0]["failed"]
    assert gate(capsys, "--tags", "kept")[0] == 1


def test_outside_of_a_module_it_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main.run(["gate", "--go", VERSIONS[-1]]) == 2
    assert "go.mod" in capsys.readouterr().err
