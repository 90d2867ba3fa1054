"""``goretain gate`` with a goretain.toml, reports for a CI and repeated tests, on a small module."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from goretain.cli import main
from tests.support.golang import VERSIONS

SOURCE = """package shop

var kept [][]byte

func Keep(n int) { kept = append(kept, make([]byte, n)) }
"""

TESTS = """package shop

import "testing"

func BenchmarkKeep(b *testing.B) {
	for i := 0; i < b.N; i++ {
		Keep(100)
	}
}

func TestKeep(t *testing.T) {
	for _, name := range []string{"a", "b"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			Keep(100)
		})
	}
}

func TestClean(t *testing.T) { t.Log(t.TempDir()) }

func TestOnce(t *testing.T) {
	if len(kept) > 0 {
		t.Error("not empty")
	}
	Keep(1)
}

func TestSkips(t *testing.T) { t.Skip("no database") }

func TestFails(t *testing.T) { t.Error("wrong") }
"""

KNOWN = """
[[gate.known]]
function = "example.com/shop.Keep"
reason = "the shop keeps what it sells"
bytes = "1KiB"

[[gate.known]]
function = "example.com/shop.Sold"
reason = "was mended"
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "go.mod").write_text("module example.com/shop\n\ngo 1.21\n")
    (folder / "shop.go").write_text(SOURCE)
    (folder / "shop_test.go").write_text(TESTS)
    monkeypatch.chdir(folder)
    return folder


def gate(*arguments: str) -> int:
    return main.run(["gate", "--go", VERSIONS[-1], "--iterations", "130", *arguments])


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code = gate("--json", *arguments)
    return code, json.loads(capsys.readouterr().out)


def verdicts(report: Any) -> dict[str, str]:
    (package,) = report["packages"]
    return {
        one["name"]: "failed" if one["failed"] else "skipped" if one["skipped"] else one["verdict"]
        for one in package["benchmarks"]
    }


def test_known_sites_may_grow_up_to_their_limit(module: Path, capsys: pytest.CaptureFixture[str]) -> None:
    junit, summary = module / "gate.xml", module / "gate.md"
    code, report = asked(capsys, "--junit", str(junit), "--markdown", str(summary))
    assert (code, verdicts(report)) == (1, {"BenchmarkKeep": "grows"})
    (case,) = ET.parse(junit).getroot().iter("testcase")
    assert [part.tag for part in case] == ["failure"]
    assert "`example.com/shop.Keep shop.go:5" in summary.read_text()
    (module / "goretain.toml").write_text(KNOWN)
    code, report = asked(capsys)
    assert (code, verdicts(report)) == (0, {"BenchmarkKeep": "allowed"})
    assert [one["function"] for one in report["unseen"]] == ["example.com/shop.Sold"]
    assert report["packages"][0]["config"] == str(module / "goretain.toml")
    (module / "goretain.toml").write_text(KNOWN.replace("1KiB", "0.5"))
    assert gate() == 1
    page = capsys.readouterr().out
    assert "the limit is 0.5 B" in " ".join(page.split())
    (module / "goretain.toml").write_text("[gate]\nbites = 1")
    assert gate() == 2
    assert "line 2, [gate]: there is no key 'bites'" in capsys.readouterr().err


def test_tests_are_repeated_in_one_process(module: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, report = asked(capsys, "--test", "Test")
    assert code == 1
    assert verdicts(report) == {
        "TestKeep": "grows",
        "TestClean": "settles",
        "TestOnce": "failed",
        "TestSkips": "skipped",
        "TestFails": "failed",
    }
    ran = {one["name"]: one for one in report["packages"][0]["benchmarks"]}
    first = ran["TestKeep"]["sites"][0]
    assert first["stack"][0]["function"] == "example.com/shop.Keep"
    assert first["bytes"]["rate"] >= 2 * 112
    assert "passes once, and fails when one process runs it" in ran["TestOnce"]["failed"]
    assert "wrong" in ran["TestFails"]["failed"]
    code, report = asked(capsys, "--test", "TestKeep/a")
    assert report["packages"][0]["benchmarks"][0]["sites"][0]["objects"]["rate"] == pytest.approx(1, abs=0.1)


def test_what_matches_nothing_is_no_success(module: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert gate("--test", "TestOther") == 2
    assert "no test of . matches 'TestOther'" in capsys.readouterr().err
    assert gate("--junit", str(module / "no" / "gate.xml")) == 2
    assert "there is no such directory" in capsys.readouterr().err
