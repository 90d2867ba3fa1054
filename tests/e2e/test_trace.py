"""``goretain trace`` of a running program and of the file that it left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from goretain.cli import main
from goretain.profile.trace.capture import trace_url
from tests.support.golang import VERSIONS, go_program, running
from tests.support.traces import LEAKED, trace_of


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    assert main.run(["trace", *map(str, arguments)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_a_program_is_asked_for_a_trace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved = tmp_path / "trace.out"
    with running(go_program("profiled", VERSIONS[-1])) as target:
        ((url,),) = target.facts["url"]
        now: dict[str, Any] = json.loads(
            run(capsys, "--from", url, "--for", "200ms", "-o", saved, "--json", "--top", "1000")
        )
        assert main.run(["trace", "--from", f"{url}/debug/pprof/nothing"]) == 2
        assert "answered 404" in capsys.readouterr().err
    assert now["name"] == trace_url(url, 1)
    assert 0.9e9 < now["duration_ns"] < 30e9
    assert saved.stat().st_mode & 0o777 == 0o600
    later = json.loads(run(capsys, saved, "--json", "--top", "1000"))
    assert later == now | {"name": str(saved)}
    places = {row["place"]["function"] for row in now["unended"] if row["place"]}
    assert "main.wait" in places


def test_the_page_says_who_does_not_end_and_what_is_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    path = trace_of(VERSIONS[-1], tmp_path, rounds=1, debug="traceallocfree=1")
    page = run(capsys, path, "--top", "4")
    words = " ".join(page.split())
    assert f"{LEAKED} {LEAKED} {LEAKED} 0 [waiting: chan receive] <- go main.leak.func1 main.go:" in words
    assert "Types allocated and not freed" in page
    assert "assist main.allocate main.go:" in words
    assert "pause: GC mark termination" in words
    assert "more groups: --top" in page


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name a trace, or a program with --from"),
        (["a", "--from", "http://localhost:1"], "name a trace, or a program with --from"),
        (["a", "--for", "5s"], "--for and -o go with --from"),
        (["--from", "localhost:6060"], "localhost:6060 is no URL"),
        (["--from", "http://localhost:1", "--for", "2h"], "a trace lasts for up to an hour"),
        ([__file__], "does not begin as an execution trace does"),
    ],
)
def test_what_does_not_fit_is_said(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["trace", *arguments]) == 2
    assert message in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("http://h:1", "http://h:1/debug/pprof/trace?seconds=5"),
        ("http://u:p@h:1/debug/pprof/", "http://u:p@h:1/debug/pprof/trace?seconds=5"),
        ("https://h/admin/trace?seconds=9", "https://h/admin/trace?seconds=5"),
    ],
)
def test_the_handler_is_found(address: str, url: str) -> None:
    assert trace_url(address, 5) == url
