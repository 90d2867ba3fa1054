"""The rules of construction that a reader can count on, held over the whole source tree."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.support.golang import toolchain

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
GO_FILES = sorted(
    p for folder in ("src", "tests", "examples", "benchmarks", "tools") for p in (ROOT / folder).rglob("*.go")
)


def name(path: Path) -> str:
    """Path from the root, for messages and test names."""
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Name and length in lines of every function of a file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{name(path)}:{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


def test_files_are_short_and_say_what_they_are() -> None:
    lengths = {name(path): len(path.read_text().splitlines()) for path in SOURCES}
    assert {path: n for path, n in lengths.items() if n > (500 if "kernels" in path else 300)} == {}
    assert [name(path) for path in SOURCES if not ast.get_docstring(ast.parse(path.read_text()))] == []


def test_functions_are_short() -> None:
    lengths = [
        (length, where) for path in SOURCES for where, length in functions(path) if "kernels" not in where
    ]
    assert statistics.quantiles([length for length, _ in lengths], n=10)[-1] <= 40
    assert [entry for entry in lengths if entry[0] > 60] == []


def test_no_path_of_one_machine_is_committed() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    machine = re.compile(r"(?<![\w.])/(work|farm|root)/")
    tracked = [ROOT / path for path in listed.stdout.rstrip("\0").split("\0")]
    texts = {name(p): p.read_text(errors="replace") for p in tracked if p.is_file() and p != Path(__file__)}
    assert [path for path, text in texts.items() if machine.search(text)] == []


def test_lock_pins_by_hash_and_names_no_place() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    pins = re.findall(r"^[\w.\-]+==.*(?:\n .*)*", lock, re.MULTILINE)
    assert len(pins) > 20
    assert all("--hash=sha256:" in pin for pin in pins)


def test_go_programs_are_formatted() -> None:
    gofmt = toolchain("1.27.3").goroot / "bin" / "gofmt"
    done = subprocess.run([gofmt, "-l", *GO_FILES], capture_output=True, text=True, check=True)
    assert done.stdout == ""
