"""new-pattern makes a folder that is a pattern at once: found, typed, and its experiment recognised."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import goretain
from goretain.model.errors import UsageError
from goretain.patterns import catalogue
from goretain.patterns.scaffold import new_pattern
from tests.support.golang import VERSIONS, go_program, running

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of patterns with one new folder."""
    root = tmp_path / f"made_{tmp_path.name}"
    root.mkdir()
    (root / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    new_pattern("records-are-kept", "a global keeps records", root)
    return root


def test_the_folder_is_a_pattern_with_the_next_code(package: Path) -> None:
    (made,) = catalogue(package.name)
    last = max(int(pattern.code[2:]) for pattern in catalogue())
    assert (made.code, made.name) == (f"GR{last + 1}", "records-are-kept")
    assert made.title == "a global keeps records"
    assert len(made.doc.snippets) == 1
    new_pattern("others-are-kept", "another", package)
    catalogue.cache_clear()
    assert [pattern.code for pattern in catalogue(package.name)] == [f"GR{last + 1}", f"GR{last + 2}"]


def test_its_experiment_is_recognised_and_the_fixed_one_is_not(package: Path) -> None:
    (made,) = catalogue(package.name)
    found = {}
    binary = go_program(package / made.folder / "experiment", VERSIONS[-1])
    for mode in ("leak", "fixed"):
        with running(binary, [mode]) as target:
            found[mode] = list(made.find(goretain.open(target.pid).heap))
    (finding,) = found["leak"]
    assert (finding.holder, finding.count, finding.retained_bytes) == ("main.held", 2048, 2_097_152)
    assert found["fixed"] == []


def test_its_python_is_in_the_house_s_format(package: Path) -> None:
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent))
    assert ruff is not None
    config = ["--config", str(ROOT / "pyproject.toml"), str(package / "records_are_kept")]
    for command in (["format", "--check"], ["check", "--ignore", "INP001"]):
        done = subprocess.run([ruff, *command, *config], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_a_name_that_is_none_or_is_taken_is_refused(package: Path) -> None:
    for name, words in (
        ("Kept", "is not a pattern's name"),
        ("records-are-kept", "there is a pattern"),
        ("subslice-pins-array", "there is a pattern"),
    ):
        with pytest.raises(UsageError, match=words):
            new_pattern(name, "a title", package)
