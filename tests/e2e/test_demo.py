"""``make demo`` shows every leak of its service and none of the healthy parts, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

#: The variable that each pattern's leak in examples/demo/service hangs from.
LEAKS = {"GR101": "main.signatures", "GR102": "main.trends", "GR103": "main.jobs", "GR104": "main.profiles"}


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the demo may write."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def output(scratch: Path) -> str:
    """What the demo prints when it is piped."""
    done = subprocess.run(
        [sys.executable, "examples/demo/run.py"],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "100", "TMPDIR": str(scratch)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_looks_twice_and_compares(output: str) -> None:
    headings = re.findall(r"^=== (\w+(?: \w+)?)", output, re.MULTILINE)
    assert headings == ["A Go", "Load", "goretain why", "Load", "goretain why", "goretain diff"]


@pytest.mark.parametrize("look", [1, 2])
def test_each_look_finds_the_four_leaks_and_nothing_healthy(output: str, look: int) -> None:
    text = output.split("=== goretain why")[look]
    findings = re.findall(r"^ +\d+\. (GR\d{3}) .*\n.*\n +(main\.\w+)", text, re.MULTILINE)
    assert dict(findings) == LEAKS
    assert len(findings) == len(LEAKS)


def test_the_comparison_names_what_grew(output: str) -> None:
    text = output.split("=== goretain diff")[1]
    for holder in ("main.signatures", "main.trends", "main.profiles"):
        assert re.search(rf"\+[\d.]+ [KM]iB .*{holder}", text), holder


def test_the_service_is_gone_and_so_are_its_files(output: str, scratch: Path) -> None:
    pid = re.findall(r"=== goretain why (\d+)", output)[0]
    assert not Path(f"/proc/{pid}").exists()
    assert list(scratch.iterdir()) == []
