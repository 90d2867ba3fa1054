"""A program that garble obfuscated (renamed, stripped, its Go version hidden) is found out all the same.

garble is fetched through the Go module proxy, for this test only.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

import goretain
from goretain.debuginfo.elf.elf import Elf
from goretain.model.errors import ToolchainError
from goretain.model.places import user_cache
from tests.support.golang import ZOO, running, toolchain, wait_until_blocked

#: Go version and the release of garble that is made for it.
_RELEASES = (("1.24.11", "v0.14.2"), ("1.25.5", "v0.15.0"))


def _garble(version: str, release: str) -> Path:
    """The garble command, installed by a Go version; skips the test when it cannot be fetched."""
    folder = user_cache() / "garble" / f"{release}-go{version}"
    command = folder / "garble"
    if not command.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        env = {"GOBIN": str(folder), "CGO_ENABLED": "0"}
        try:
            done = toolchain(version).run(["install", f"mvdan.cc/garble@{release}"], cwd=folder, env=env)
        except ToolchainError as error:
            pytest.skip(f"garble cannot be installed: {error.message}")
        if done.returncode:
            pytest.skip(f"garble {release} cannot be fetched: {done.stderr.strip()[-300:]}")
    return command


def _garbled(name: str, version: str, release: str) -> Path:
    """The obfuscated executable of a program of the zoo, built if it is not in the cache."""
    command, folder = _garble(version, release), ZOO / name
    digest = hashlib.sha256(repr((version, release)).encode())
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(path.read_bytes())
    out = command.parent / f"{name}-{digest.hexdigest()[:16]}"
    if not out.is_file():
        env = toolchain(version).environment({"CGO_ENABLED": "0"})
        env |= {"GARBLE_CACHE": str(command.parent / "cache"), "GOCACHE": str(command.parent / "build")}
        scratch = out.with_name(f"{out.name}.{os.getpid()}")
        done = subprocess.run(
            [command, "build", "-o", scratch, "."],
            cwd=folder,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        scratch.rename(out)
    return out


@pytest.mark.long
@pytest.mark.parametrize(("version", "release"), _RELEASES)
def test_a_garbled_program_is_read_to_the_byte(version: str, release: str) -> None:
    program = _garbled("planted", version, release)
    assert Elf.open(str(program)).go_version == "unknown"
    with running(program, env={"GOMAXPROCS": "1"}) as target:
        wait_until_blocked(target.pid)
        snapshot = goretain.open(target.pid)
    line = version.rpartition(".")[0]
    assert snapshot.data.meta.go_version == f"go{line} (by its memory)"
    findings = {f.pattern: f for f in snapshot.findings()}
    assert len(target.facts["Hidden"]) == 2
    for pattern, _holder, count, hidden in target.facts["Hidden"]:
        finding = findings[pattern]
        assert (finding.count, finding.hidden_bytes) == (int(count), int(hidden))
    retained = {(h.retained_bytes, h.retained_objects) for h in snapshot.holders()}
    for name, size, objects in target.facts["Retained"]:
        assert (int(size), int(objects)) in retained, name
    assert not any("main.page" in t.name for t in snapshot.data.types)
