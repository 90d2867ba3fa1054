"""The commands on saved snapshots: what they print, and how they end."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from goretain import api
from goretain.cli import group, main
from goretain.model.findings import Severity
from goretain.snapshot import save
from tests.unit.reports.examples import why
from tests.unit.snapshot.synthetic import small

GORETAIN = [sys.executable, "-m", "goretain.cli.main"]


@pytest.fixture
def saved(tmp_path: Path) -> str:
    """A snapshot with one leak."""
    save(small(), tmp_path / "a.goretain")
    return str(tmp_path / "a.goretain")


def goretain(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*GORETAIN, *arguments],
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )


def test_why_prints_a_report(saved: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["why", saved]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("shop  pid 4242, go1.26.6, ")
    assert "GR101 subslice-pins-array" in out
    assert "\x1b" not in out
    assert err == ""


def test_why_prints_json_alone_on_stdout(saved: str) -> None:
    done = goretain("why", saved, "--json", "--top", "1", env={"LC_ALL": "C", "PYTHONIOENCODING": "ascii"})
    assert done.stderr == ""
    report = json.loads(done.stdout)
    assert report["schema"] == "goretain/why/1"
    assert len(report["holders"]) == 1
    assert report["holders_total"] == 2


def test_why_says_what_would_come_back(saved: str) -> None:
    report = json.loads(goretain("why", saved, "--json", "--without", "main.cache").stdout)
    assert report["without"]["holders"] == ["main.cache"]
    done = goretain("why", saved, "--without", "main.cahce")
    assert done.returncode == 2
    assert "no holder of this heap, and no pointer in one, is called 'main.cahce'" in done.stderr
    assert "did you mean main.cache" in done.stderr


def test_chains_prints_a_tree_and_json(saved: str) -> None:
    page = goretain("chains", saved, "main.Entry").stdout
    assert page.startswith("shop  pid 4242, go1.26.6, ")
    assert "type       main.Entry: " in page
    report = json.loads(goretain("chains", saved, "main.Entry", "--json").stdout)
    assert (report["schema"], report["kind"]) == ("goretain/chains/1", "type")
    assert goretain("chains", saved, "main.Entry", "--markdown").stdout.startswith("```text\nshop")
    done = goretain("chains", saved, "main.Entri")
    assert done.returncode == 2
    assert "did you mean main.Entry" in done.stderr


def test_query_answers_as_table_csv_and_json(saved: str) -> None:
    sql = "SELECT type, count(*) AS n FROM objects GROUP BY type ORDER BY n DESC, type"
    lines = goretain("query", saved, sql).stdout.splitlines()
    assert [line.split() for line in lines[:2]] == [["type", "n"], ["[]uint8", "4"]]
    assert goretain("query", saved, sql, "--csv").stdout.startswith("type,n\n[]uint8,4\n")
    report = json.loads(goretain("query", saved, sql, "--json", "--limit", "1").stdout)
    assert (report["schema"], report["rows"], report["more"]) == ("goretain/query/1", [["[]uint8", 4]], True)
    assert "objects\n  one row for each live object" in goretain("query").stdout
    done = subprocess.run(
        [*GORETAIN, "query", saved, "-"], input=sql, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == lines


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["SELECT * FROM object"], "did you mean objects?"),
        (["DROP TABLE objects"], "only SELECT is run"),
        ([], "give the SQL behind the target"),
        (["SELECT 1", "--csv", "--json"], "choose one"),
    ],
)
def test_query_says_what_is_wrong(saved: str, arguments: list[str], says: str) -> None:
    done = goretain("query", saved, *arguments)
    assert done.returncode == 2
    assert says in " ".join(done.stderr.split())


def test_export_writes_what_the_name_of_the_file_says(saved: str, tmp_path: Path) -> None:
    for name, begins in (
        ("a.pb.gz", b"\x1f\x8b"),
        ("a.json", b'{\n  "schema": "goretain/chains/1"'),
        ("a.dot", b"digraph"),
        ("a.svg", b"<svg "),
        ("a.folded", b"goroutine 18 [chan receive] main.worker;:buf;[]uint8 65536\n"),
    ):
        done = goretain("export", saved, "-o", str(tmp_path / name))
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        assert done.stderr.startswith(f"saved to {tmp_path / name}: ")
        assert (tmp_path / name).read_bytes().startswith(begins)
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    assert (
        goretain("export", saved, "main.Entry", "--format", "folded").stdout
        == "main.cache;[*];main.Entry 144\n"
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "which format?"),
        (["-o", "x.txt"], "which format?"),
        (["main.Entri", "--format", "svg"], "did you mean main.Entry"),
        (["-o", "/nowhere/x.svg"], "there is no such directory"),
        (["--format", "png"], "png"),
    ],
)
def test_export_says_what_is_wrong(saved: str, tmp_path: Path, arguments: list[str], says: str) -> None:
    done = subprocess.run(
        [*GORETAIN, "export", saved, *arguments], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 2
    assert says in " ".join(done.stderr.split())
    assert list(tmp_path.glob("x*")) == []


def test_a_long_query_can_be_interrupted(saved: str) -> None:
    sql = "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range + b.range = 7"
    process = subprocess.Popen([*GORETAIN, "query", saved, sql], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while "_duckdb" not in Path(f"/proc/{process.pid}/maps").read_text() and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err.strip()) == (130, "interrupted")


def test_why_prints_markdown(saved: str) -> None:
    done = goretain("why", saved, "--markdown")
    assert done.stdout.startswith("### Who holds the memory of `shop`\n")
    assert len(done.stdout.splitlines()) <= 60


@pytest.mark.parametrize("found", ["leak", "waste", "observation"])
@pytest.mark.parametrize("level", ["leak", "waste", "observation", "never"])
def test_fail_on_decides_the_exit_status(
    saved: str, monkeypatch: pytest.MonkeyPatch, level: str, found: Severity
) -> None:
    order: list[str] = ["leak", "waste", "observation"]
    severities: dict[Severity, int] = {"leak": 0, "waste": 0, "observation": 0, found: 3}
    monkeypatch.setattr(api, "why", lambda *_, **__: why(severities=severities))
    expected = level != "never" and order.index(found) <= order.index(level)
    assert main.run(["why", saved, "--fail-on", level, "--json"]) == int(expected)
    assert main.run(["why", saved, "--json"]) == 0


def test_fail_on_counts_findings_that_top_cuts_off_but_not_those_below_min_bytes(saved: str) -> None:
    assert goretain("why", saved, "--fail-on", "leak", "--top", "0").returncode == 1
    assert goretain("why", saved, "--fail-on", "leak", "--min-bytes", "1GiB").returncode == 0


def test_focus_keeps_what_starts_so(saved: str) -> None:
    report = api.why(saved, focus="goroutine 18")
    assert [row.name for row in report.holders] == ["goroutine 18 [chan receive] main.worker"]
    assert report.findings == ()


def test_save_writes_a_snapshot_that_says_the_same(saved: str, tmp_path: Path) -> None:
    copy = str(tmp_path / "b.goretain")
    done = goretain("why", saved, "--save", copy)
    assert done.returncode == 0
    assert "no contents" in done.stderr
    assert goretain("why", copy).stdout == done.stdout


def test_diff_of_a_snapshot_with_itself_is_no_change(saved: str) -> None:
    done = goretain("diff", saved, saved)
    assert done.returncode == 0
    assert "Holders: no change" in done.stdout
    report = json.loads(goretain("diff", saved, saved, "--json").stdout)
    assert report["holders"] == []
    assert report["survivors_objects"] == 0
    assert goretain("diff", saved, saved, "--markdown").stdout.startswith("### What changed")


def test_rule_prints_the_pattern_by_code_and_by_name() -> None:
    by_code = goretain("rule", "gr101")
    assert by_code.returncode == 0
    assert by_code.stdout.startswith("# ")
    assert goretain("rule", "subslice-pins-array").stdout == by_code.stdout


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["why", "/nowhere"], "cannot open /nowhere: No such file", "give a PID"),
        (["why", "/"], "/ is not a regular file", "write it to a file"),
        (["why", sys.executable], "is a program, not a core", "start it"),
        (["why", __file__], "neither a core nor a goretain image or snapshot", "gcore"),
        (["why", "4194305"], "no process has PID 4194305", "pgrep"),
        (["why", "{saved}", "--binary", "x"], "is a saved snapshot", "leave out"),
        (["why", "{saved}", "--full"], "is a saved snapshot", "leave out"),
        (["why", "{saved}", "--save", "/nowhere/a"], "cannot save to /nowhere/a", "choose another path"),
        (
            ["diff", "1", "--every", "1s", "--save", "/nowhere"],
            "there is no such directory",
            "choose another",
        ),
        (
            ["diff", "4194305", "/nowhere"],
            "cannot open /nowhere: No such file",
            "give a PID",
        ),  # before any PID
        (["rule", "GR999"], "no pattern is called 'GR999'", "GR101"),
    ],
)
def test_an_error_is_a_message_and_a_hint_and_2(
    saved: str, arguments: list[str], message: str, hint: str
) -> None:
    done = goretain(*(saved if word == "{saved}" else word for word in arguments))
    assert done.returncode == 2
    assert done.stdout == ""
    assert message in done.stderr
    assert hint in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["why"],
        ["why", "1", "--json", "--markdown"],
        ["why", "1", "--min-bytes", "many"],
        ["diff", "a"],
        ["diff", "a", "b", "--every", "1s"],
        ["diff", "a", "--every", "1s"],
        ["diff", "²", "--every", "1s"],  # a digit, but no number
        ["diff", "a", "b", "--save", "c"],
        ["diff", "a", "b", "--count", "3"],
        ["diff", "a", "b", "--by", "colour"],
        ["diff"],
        ["diff", "1", "2", "--every", "1s"],
        ["diff", "1", "--every", "1s", "--count", "1"],
        ["whi", "1"],
    ],
)
def test_arguments_that_do_not_fit_are_2(arguments: list[str]) -> None:
    done = goretain(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "goretain" in done.stderr
    assert "bug" not in done.stderr


def test_a_bug_asks_for_a_report_and_shows_its_traceback_with_debug_only(
    saved: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("first line\nsecond line")

    monkeypatch.setattr(api, "why", broken)
    assert main.run(["why", saved]) == 2
    assert capsys.readouterr().err == (
        "error: unexpected ZeroDivisionError: first line\n"
        "hint: this is a bug of goretain; please report it with the lines that --debug shows\n"
    )
    assert main.run(["why", saved, "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_an_interruption_is_130_and_one_word(
    saved: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(api, "why", interrupted)
    assert main.run(["why", saved]) == 130
    assert capsys.readouterr().err.strip() == "interrupted"


@pytest.mark.parametrize("arguments", [["why", "{saved}"], ["why", "{saved}", "--json"], ["why", "--help"]])
def test_a_closed_pipe_is_silent_and_no_error(saved: str, arguments: list[str]) -> None:
    words = [saved if word == "{saved}" else word for word in arguments]
    reading, writing = os.pipe()
    os.close(reading)
    with subprocess.Popen([*GORETAIN, *words], stdout=writing, stderr=subprocess.PIPE) as process:
        os.close(writing)
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_a_closed_pipe_does_not_hide_what_fail_on_found(saved: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([*GORETAIN, "why", saved, "--fail-on", "leak"], stdout=writing, check=False)
    os.close(writing)
    assert done.returncode == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["why", "{saved}"],
        ["why", "{saved}", "--json"],
        ["why", "{saved}", "--markdown"],
        ["diff", "{saved}", "{saved}"],
        ["rule"],
        ["why", "--help"],
        ["--version"],
    ],
)
def test_output_that_cannot_be_written_is_2_and_no_bug(saved: str, arguments: list[str]) -> None:
    words = [saved if word == "{saved}" else word for word in arguments]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*GORETAIN, *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=_buffered()
        )
    assert done.returncode == 2
    assert done.stderr == (
        "error: the output could not be written: No space left on device\n"
        "hint: free some space there or send the output elsewhere\n"
    )


def test_an_error_that_cannot_be_shown_is_still_2() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*GORETAIN, "why", "nowhere"], stdout=full, stderr=full, check=False, env=_buffered()
        )
    assert done.returncode == 2


def _buffered() -> dict[str, str]:
    """The environment of most people, in which Python keeps output until the end."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams_are_no_error(saved: str, closed: str) -> None:
    command = f'exec "$@" {closed}'
    done = subprocess.run(
        ["sh", "-c", command, "sh", *GORETAIN, "why", saved, "--fail-on", "leak"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert ("GR101" in done.stdout) == (not closed.startswith(">"))


def test_version_is_quick() -> None:
    spent = []
    for _ in range(3):
        before = os.times()
        assert re.fullmatch(r"goretain \d+\.\d+\.\d+\n", goretain("--version").stdout)
        after = os.times()
        spent.append(
            after.children_user + after.children_system - before.children_user - before.children_system
        )
    assert min(spent) < 0.15


def test_the_start_imports_nothing_heavy() -> None:
    heavy = {"numpy", "numba", "rich.console", "goretain.api"}
    script = "import sys, goretain.cli.main, goretain.cli.why; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not heavy & set(done.stdout.split())


def test_without_arguments_it_shows_its_commands() -> None:
    done = goretain()
    assert done.returncode == 0
    assert all(name in done.stdout for name in group.COMMANDS)


def on_a_terminal(columns: int, *arguments: str, code: int = 0) -> str:
    """What the command prints, and ends with code, when stdout and stderr are a terminal of that width."""
    master, terminal = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    process = subprocess.Popen([*GORETAIN, *arguments], stdout=terminal, stderr=terminal, env=environment)
    os.close(terminal)
    parts: list[bytes] = []
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        ready, _, _ = select.select([master], [], [], 1.0)
        if not ready:
            continue
        try:
            part = os.read(master, 65536)
        except OSError:  # the other side is closed
            break
        parts.append(part)
    os.close(master)
    assert process.wait() == code
    return (
        b"".join(parts).decode().rpartition("\x1b[2K")[2]
    )  # from where the last line of progress was erased


@pytest.mark.parametrize("columns", [80, 200])
def test_on_a_terminal_it_is_coloured_and_as_wide_as_that(saved: str, columns: int) -> None:
    shown = on_a_terminal(columns, "why", saved)
    assert "\x1b[1m" in shown
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown).replace("\r", "")
    assert all(len(line) <= columns for line in plain.splitlines())
    assert plain == goretain("why", saved, env={"COLUMNS": str(columns)}).stdout


def test_errors_and_hints_are_as_wide_as_the_terminal_and_whole_in_a_pipe() -> None:
    shown = on_a_terminal(60, "why", __file__, code=2)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown).replace("\r", "")
    error, hint = goretain("why", __file__).stderr.splitlines()
    assert len(hint) > 60
    assert all(len(line) <= 60 or " " not in line.strip() for line in plain.splitlines())
    assert plain.split() == f"{error} {hint}".split()
    assert "\x1b[36mhint:\x1b[0m give" in shown


def test_rule_lists_all_patterns_and_has_json() -> None:
    listed = goretain("rule").stdout
    report = json.loads(goretain("rule", "--json").stdout)
    assert report["schema"] == "goretain/rule/1"
    assert len(report["rules"]) >= 4
    for rule in report["rules"]:
        assert rule["code"] in listed
        assert rule["title"] in " ".join(listed.split())  # long ones wrap
    (one,) = json.loads(goretain("rule", "GR101", "--json").stdout)["rules"]
    assert one in report["rules"]


def test_rule_is_rendered_on_a_terminal() -> None:
    assert "# GR101" not in on_a_terminal(80, "rule", "GR101")


@pytest.mark.parametrize(("typed", "meant"), [("wyh", "why"), ("1234", "why 1234"), ("docter", "doctor")])
def test_a_command_that_is_none_names_the_one_that_was_meant(typed: str, meant: str) -> None:
    done = goretain(typed)
    assert done.returncode == 2
    assert f"No such command '{typed}'. Did you mean 'goretain {meant}'?" in done.stderr
