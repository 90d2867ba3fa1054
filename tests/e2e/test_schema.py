"""``goretain schema`` as it is used: into a package, beside other types, printed, as JSON, by paths."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from goretain import api
from goretain.model.errors import CorruptFile, UsageError
from tests.support.golang import toolchain

GORETAIN = [sys.executable, "-m", "goretain.cli.main", "schema"]
ORDER = """
title: Order
type: object
required: [id, lines]
properties:
  id: {type: string, minLength: 1}
  lines:
    type: array
    items:
      type: object
      required: [price]
      properties: {price: {type: number}, sku: {type: string}}
  payment:
    oneOf:
      - {properties: {kind: {const: card}, number: {type: string}}, required: [kind]}
      - {properties: {kind: {const: cash}, given: {type: integer}}, required: [kind]}
"""
#: Tests of a package's own, beside the generated types; the errors are those of the docs.
OWN = Path(__file__).parent / "schema" / "own_test.go"


def goretain(*arguments: str, cwd: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*GORETAIN, *arguments],
        check=False,
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "80"},
    )


def test_types_live_in_a_package_with_others(tmp_path: Path) -> None:
    (tmp_path / "order.yaml").write_text(ORDER)
    folder = tmp_path / "orders"
    folder.mkdir()
    (folder / "go.mod").write_text("module orders\n\ngo 1.21\n")
    shutil.copy(OWN, folder)
    done = goretain("order.yaml", "-o", "orders", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "wrote orders/order.go" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    for arguments in (
        ("--type", "Prices", "--path", "lines[*].price", "--path", "id"),
        ("--type", "Kept", "--keep-unknown"),
    ):
        done = goretain("order.yaml", "-o", "orders", *arguments, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    for command in (["vet", "."], ["test", "."]):
        ran = toolchain("1.27.3").run(command, cwd=folder)
        assert ran.returncode == 0, ran.stdout + ran.stderr
    (folder / "order.go").write_text("package orders\n")
    done = goretain("order.yaml", "-o", "orders", cwd=tmp_path)
    assert done.returncode == 2
    assert "was not written by goretain schema" in done.stderr
    done = goretain("order.yaml", "-o", "orders", "--type", "Line", cwd=tmp_path)
    assert "the package declares Line already" in done.stderr


def test_what_is_printed_is_one_file_that_compiles(tmp_path: Path) -> None:
    documents = '{"a": [1, "x"], "t": "2026-01-02T03:04:05Z"}\n{"a": []}\n'
    done = goretain("-", "--type", "Row", "--package", "main", cwd=tmp_path, stdin=documents)
    assert done.returncode == 0, done.stderr
    (tmp_path / "go.mod").write_text("module row\n\ngo 1.21\n")
    (tmp_path / "row.go").write_text(done.stdout + "\nfunc main() {}\n")
    ran = toolchain("1.21.13").run(["vet", "."], cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    report = json.loads(goretain("-", "--json", "--type", "Row", cwd=tmp_path, stdin=documents).stdout)
    assert report["schema"] == "goretain/schema/1"
    assert report["read_as"] == "samples"
    assert [t["name"] for t in report["types"]] == ["Row", "RowAItem"]
    assert [f["path"] for f in report["files"]] == [None] * 4


def test_what_the_input_is_is_found_out_and_can_be_said(tmp_path: Path) -> None:
    text = tmp_path / "a.json"
    text.write_text('{"type": "object", "properties": {"a": {"type": "string"}}}')
    assert api.schema([text]).types[0].fields[0].key == "a"
    assert [f.key for f in api.schema([text], read_as="samples").types[0].fields] == ["type", "properties"]
    text.write_text('{"type": "object", "n": 1}\n{"n": 2}')
    assert api.schema([text, text]).read_as == "samples"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("a[", "'a[' is no path: character 2"),
        (".a", "is no path"),
        ("", "is no path"),
        ("a.b", "a has no 'b'"),
        ("x", "the document has no 'x'"),
        ("l.x", "l has no 'x'"),
    ],
)
def test_a_path_that_leads_nowhere_is_refused(tmp_path: Path, path: str, message: str) -> None:
    (tmp_path / "a.json").write_text('{"a": 1, "l": [{"x": 1}]}')
    with pytest.raises(UsageError) as wrong:
        api.schema([tmp_path / "a.json"], paths=[path])
    assert message in wrong.value.message


@pytest.mark.parametrize("paths", [["l", "l[*].x"], ["l[0].x", "l[*].x"], ["a", "a"]])
def test_paths_that_cross_are_refused(tmp_path: Path, paths: list[str]) -> None:
    (tmp_path / "a.json").write_text('{"a": 1, "l": [{"x": 1}]}')
    with pytest.raises(UsageError, match="path"):
        api.schema([tmp_path / "a.json"], paths=paths)


def test_samples_of_ten_megabytes_are_read_and_a_cut_one_is_refused(tmp_path: Path) -> None:
    numbers = random.Random(7)
    rows = [{"id": n, "name": "x" * numbers.randrange(80), "tags": ["a"] * (n % 4)} for n in range(120_000)]
    text = json.dumps(rows)
    assert len(text) > 10_000_000
    (tmp_path / "rows.json").write_text(text)
    report = api.schema([tmp_path / "rows.json"])
    assert {t.name: [f.type for f in t.fields] for t in report.types} == {
        "Rows": [],
        "Row": ["int64", "string", "[]string"],
    }
    (tmp_path / "rows.json").write_text(text[:-5_000_000])
    with pytest.raises(CorruptFile, match="not JSON"):
        api.schema([tmp_path / "rows.json"])
