"""A program without sections, names, build info and the usual magic: process, core and image say the same."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

import goretain
from goretain.api import Snapshot
from goretain.model.errors import UsageError
from tests.support.golang import VERSIONS, go_program, running, wait_until_blocked
from tests.support.obfuscate import obfuscated


def _said(snapshot: Snapshot) -> tuple[object, ...]:
    findings = [(f.pattern, f.count, f.hidden_bytes, f.retained_bytes, f.holder) for f in snapshot.findings()]
    return findings, snapshot.coverage(), snapshot.data.meta.go_version


@pytest.mark.skipif(shutil.which("gcore") is None, reason="gcore comes with gdb")
@pytest.mark.parametrize(
    "version",
    [pytest.param(v, marks=() if v == VERSIONS[-1] else (pytest.mark.long,)) for v in VERSIONS],
)
def test_process_core_and_image_say_the_same(version: str, tmp_path: Path) -> None:
    stripped = go_program("planted", version, flags=["-ldflags=-s -w"])
    program = obfuscated(stripped, tmp_path / "app")
    core, image = tmp_path / "core", tmp_path / "app.image"
    with running(program, env={"GOMAXPROCS": "1"}) as target:
        wait_until_blocked(target.pid)
        live = goretain.open(target.pid)
        subprocess.run(["gcore", "-o", core, str(target.pid)], check=True, capture_output=True)
        goretain.snap(target.pid, image)
    said = _said(live)
    assert said[2] == f"go{version.rpartition('.')[0]} (by its memory)"
    hidden = {f.pattern: (f.count, f.hidden_bytes) for f in live.findings()}
    for pattern, _holder, count, size in target.facts["Hidden"]:
        if version == VERSIONS[0] and pattern == "substring-pins-string":
            continue  # no malloc headers, no names of functions: nothing types its strings
        assert hidden[pattern] == (int(count), int(size))
    program.unlink()
    assert _said(goretain.open(image)) == said
    with pytest.raises(UsageError, match="which is not here"):
        goretain.open(f"{core}.{target.pid}")
    again = obfuscated(stripped, tmp_path / "again")
    assert _said(goretain.open(f"{core}.{target.pid}", binary=again)) == said
