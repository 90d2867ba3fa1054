"""The Dockerfile: what it says, and an image built and run without an engine, beside a process it reads."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from goretain.cli.group import COMMANDS
from tests.support.containers import contained, needs
from tests.support.dockerfile import instructions, sent
from tests.support.golang import go_program

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "Dockerfile").read_text()


def test_the_image_does_not_run_as_root_and_names_no_registry() -> None:
    found = instructions(ROOT / "Dockerfile")
    users = [rest for word, rest in found if word == "USER"]
    assert users == ["65532:65532"]  # a number, so that runAsNonRoot can be checked
    assert [rest.split()[0] for word, rest in found if word == "FROM"] == ["python:3.11-slim"] * 2
    assert "://" not in TEXT
    assert not re.search(r"\b[\w-]+\.(io|com|org|dev)\b", TEXT)


def test_only_what_is_copied_is_sent_to_the_engine() -> None:
    copied = {
        word
        for instruction, rest in instructions(ROOT / "Dockerfile")
        if instruction == "COPY" and not rest.startswith("--from")
        for word in rest.split()[:-1]
    }
    allowed = {name.name for name in ROOT.iterdir() if sent(ROOT, name.name)}
    assert allowed == copied


def test_the_recipes_use_commands_and_options_that_there_are() -> None:
    page = (ROOT / "docs" / "production.md").read_text()
    lines = [line for line in page.splitlines() if line.startswith("$")]
    used = {tuple(found) for line in lines for found in re.findall(r"goretain (\w+) .*?(-o|--json|$)", line)}
    used = {(name, option) for name, option in used if name in COMMANDS}
    assert {name for name, _ in used} >= {"doctor", "snap", "why"}
    for name, option in used:
        assert option in command_help(name)


def command_help(name: str) -> str:
    command = [sys.executable, "-m", "goretain.cli.main", name, "--help"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.long
@needs("unshare", "nsenter", "chroot", "setpriv", "mount")
@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the base image has Python 3.11")
def test_the_image_reads_a_process_beside_it_with_the_one_capability(tmp_path: Path) -> None:
    runs: list[dict[str, Any]] = [
        {"grants": ["sys_ptrace"], "arguments": ["doctor", "1", "--json"]},
        {"grants": ["sys_ptrace"], "arguments": ["why", "1", "--json"]},
        {"grants": [], "arguments": ["why", "1"]},
        {"grants": ["sys_ptrace"], "options": ["--no-new-privs"], "arguments": ["why", "1"]},
        {"grants": [], "arguments": []},
    ]
    unshared = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--net"]
    with contained([*unshared, go_program("exact", "1.26.6"), "quiet"], "exact") as pod:
        command = [sys.executable, "-m", "tests.support.dockerfile", str(ROOT), str(pod.pid)]
        done = subprocess.run(
            ["unshare", "--mount", "--propagation", "private", *command, *map(json.dumps, runs)],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        doctor, why, refused, unprivileged, usage = (json.loads(line) for line in done.stdout.splitlines())
        assert json.loads(doctor["stdout"])["capture"] is True
        heap = json.loads(why["stdout"])["heap"]
        counted = heap["reachable_bytes"] + heap["unswept_bytes"] + heap["unreached_bytes"]
        assert counted == pod.target.fact("HeapAlloc")
        assert refused["status"] == unprivileged["status"] == 2
        assert "docker run --cap-add=SYS_PTRACE" in refused["stderr"]
        assert "allowPrivilegeEscalation: false" in unprivileged["stderr"]
        assert "doctor" in usage["stdout"]
