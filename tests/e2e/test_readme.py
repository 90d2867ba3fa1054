"""The README's Python lines run as they stand, with a real PID in the place of the example's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from goretain.patterns import catalogue
from tests.support.golang import VERSIONS, go_program, running

README = (Path(__file__).resolve().parents[2] / "README.md").read_text("utf-8")


def test_the_python_example_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    program = go_program(Path(str(catalogue()[0].files / "experiment")), VERSIONS[-1])
    with running(program, ["leak"]) as target:
        exec(compile(code.replace("4242", str(target.pid)), "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert catalogue()[0].code in printed
    assert "main.tokens" in printed
    assert (tmp_path / "monday.goretain").stat().st_size > 0
