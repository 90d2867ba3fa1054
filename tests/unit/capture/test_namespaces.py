"""Files are opened below a root directory and never outside of it, whatever a container put there."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from goretain.capture import libc, procfs
from goretain.capture.rights import namespaces, privileges


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root directory with a file, and traps."""
    inside = tmp_path / "root"
    (inside / "lib").mkdir(parents=True)
    (inside / "lib" / "part.so").write_bytes(b"inside")
    (tmp_path / "secret").write_bytes(b"secret")
    (inside / "absolute").symlink_to("/lib/part.so")
    (inside / "relative").symlink_to("lib/part.so")
    (inside / "up").symlink_to("../secret")
    (inside / "out").symlink_to(tmp_path / "secret")
    (inside / "self").symlink_to("/proc/self/exe")
    (inside / "folder").symlink_to("lib")
    os.mkfifo(inside / "pipe")
    return inside


def content(root: Path, path: str) -> bytes:
    at = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fd = libc.open_below(at, path)
    finally:
        os.close(at)
    with os.fdopen(fd, "rb") as file:
        return file.read()


@pytest.mark.parametrize(
    "path", ["lib/part.so", "./lib/part.so", "lib/../lib/part.so", "absolute", "relative", "folder/part.so"]
)
def test_links_are_followed_inside(root: Path, path: str) -> None:
    assert content(root, path) == b"inside"


@pytest.mark.parametrize(
    "path", ["up", "out", "self", "../secret", "pipe", "lib", "nowhere", "", "lib/part.so/"]
)
def test_nothing_outside_and_nothing_but_files_is_opened(root: Path, path: str) -> None:
    with pytest.raises(OSError):
        content(root, path)


def test_a_kernel_without_openat2_follows_no_links(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libc, "_SYS_OPENAT2", 100_000)  # ENOSYS
    assert content(root, "lib/part.so") == b"inside"
    for path in ("absolute", "relative", "up", "out", "folder/part.so", "lib/../lib/part.so", "pipe", ""):
        with pytest.raises(OSError):
            content(root, path)


def test_paths_are_below_the_root_of_the_process() -> None:
    assert procfs.below_root(os.getpid(), "/lib/part.so") == "/lib/part.so"
    assert procfs.below_root(1 << 30, "/lib/part.so") == "/lib/part.so"


def test_our_own_proc_is_ours() -> None:
    namespaces.check_proc()
    assert namespaces.nested_ids(os.getpid()) == [os.getpid()]
    assert privileges.same_user_namespace(os.getpid()) is True


def test_capabilities_are_named() -> None:
    assert privileges.names(privileges.SYS_PTRACE) == "CAP_SYS_PTRACE"
    assert privileges.names(0b11111 | 1 << 60).endswith(" and 2 more")
    assert privileges.names(1 << 60) == "number 60"
    assert privileges.capabilities({"CapBnd": "0000000000080000"}, "CapBnd") == privileges.SYS_PTRACE
    assert errno.EPERM not in (privileges._attach_errno(os.getpid()),)
