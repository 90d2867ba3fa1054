"""One experiment with every kind of evidence, carried out by a real toolchain; and wrong expectations."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from goretain import api
from goretain.lab import Experiment, catalogue, run
from goretain.lab.conditions import Value
from goretain.model.errors import ModulesUnavailable, ToolchainError
from goretain.reports import text
from goretain.toolchain import Toolchain
from tests.support.golang import VERSIONS, toolchain

TOML = """
title = "Every kind of evidence"
topic = "tools"
[[run]]
name = "speak"
args = ["up"]
env = { GREETING = "hello" }
times = 2
count = { lines = "^line" }
find = { greeting = "greeting is (.+)", absent = "never (said)" }
[[run]]
name = "crash"
find = { says = "panic: (.+)" }
[[run]]
name = "hang"
timeout = 0.3
[[run]]
name = "broken"
flags = ["-tags=broken"]
find = { complaint = "(undefined: .+)" }
[[go]]
name = "symbols"
args = ["tool", "nm", "program-"]
[[go]]
name = "versions"
args = ["env", "GOVERSION", "GOFLAGS"]
find = { release = "go(1\\\\.\\\\d+)" }
[[claim]]
id = "X90"
claim = "c"
correct = "f"
outcome = "true"
predicts = ["answer == 42"]
expect = ["crash.exit == 2"]
"""
MAIN = """package main

import (
	"fmt"
	"os"
	"time"

	"lab/measure"
)

var kept []byte

func main() {
	switch os.Args[1] {
	case "speak":
		fmt.Println("line one")
		fmt.Println("greeting is", os.Getenv("GREETING"), os.Args[2])
		before := measure.Live()
		kept = make([]byte, 1<<20)
		measure.Print("kept_bytes", measure.Live()-before)
		kept[0] = 1
		bytes, objects := measure.Allocated(func() { kept = make([]byte, 2048) })
		measure.Print("made_bytes", bytes)
		measure.Print("made_objects", objects)
		measure.Print("answer", 42)
		measure.Print("half", 0.5)
		measure.Print("yes", true)
		measure.Print("text", "some words")
	case "crash":
		panic("on purpose")
	case "hang":
		time.Sleep(time.Hour)
	}
}
"""
ESCAPE = """package escape

func F() *int {
	x := 1 //lab:moved
	return &x
}

var y = 2 //lab:silent
"""
ASSEMBLY = """package assembly

func Get(m map[string]int) int { return m["a"] }

func One() int { return 1 }
"""
FILES = {
    "main.go": MAIN,
    "broken.go": "//go:build broken\n\npackage main\n\nvar _ = missing\n",
    "escape/e.go": ESCAPE,
    "assembly/a.go": ASSEMBLY,
    "compile/good.go": "package main\n\nfunc main() {}\n",
    "compile/bad.go": "package main\n\nfunc main() { missing() }\n",
    "compile/unreadable.go.txt": "package main\n\nfunc main( {}\n",
}  # fmt: skip


def made(home: Path, toml: str = TOML) -> Experiment:
    folder = home / "every_kind"
    for name, content in {**FILES, "experiment.toml": toml}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    (experiment,) = catalogue(home)
    return experiment


@pytest.mark.parametrize("version", [VERSIONS[0], VERSIONS[-1]])
def test_every_kind_of_evidence_is_read(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = made(tmp_path)
    result = run([experiment], [toolchain(version)], fresh=True)[experiment.name][0]
    values = result.values
    assert (values["answer"], values["half"], values["yes"], values["text"]) == (42, 0.5, True, "some words")
    assert 1 << 20 <= number(values["kept_bytes"]) < (1 << 20) + 20_000
    assert (values["made_bytes"], values["made_objects"]) == (2048, 1)
    assert (values["lines"], values["greeting"], values["absent"]) == (2, "hello up", "")
    assert (values["speak.exit"], values["speak.failed"]) == (0, 0)
    assert (values["crash.exit"], values["crash.failed"], values["says"]) == (2, 1, "on purpose")
    assert (values["hang.exit"], values["hang.failed"]) == ("timeout", 1)
    assert (values["broken.exit"], values["complaint"]) == ("does not compile", "undefined: missing")
    assert (values["moved"], values["silent"]) == ("moved to heap: x", "")
    assert values["Get.calls"] == "runtime.mapaccess1_faststr"
    assert values["One.calls"] == ""
    assert values["One.code"] == "MOVL $1, AX ; RET"
    assert (values["good.compiles"], values["good.error"]) == (True, "")
    assert (values["bad.compiles"], values["bad.error"]) == (False, "undefined: missing")
    assert values["unreadable.compiles"] is False
    assert "syntax error" in str(values["unreadable.error"])
    assert (values["symbols.exit"], values["versions.exit"]) == (1, 0)
    assert values["release"] == float(version.rpartition(".")[0])

    monkeypatch.setattr(
        "goretain.lab.running.measure", lambda *_: pytest.fail("what is in the cache is measured")
    )
    assert run([experiment], [toolchain(version)])[experiment.name][0] == result


def test_what_is_not_as_recorded_is_measured_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    (experiment,) = (one for one in catalogue() if one.name == "stack_or_heap")
    chain = toolchain(VERSIONS[-1])
    right = run([experiment], [chain])[experiment.name][0].values
    noise = {**right, "adder_allocs": 7}
    monkeypatch.setattr("goretain.lab.running.keep", lambda *_: None)
    for series, kept, count in (([noise, right], right, 2), ([noise, noise], noise, 2), ([right], right, 1)):
        left = list(series)
        monkeypatch.setattr("goretain.lab.running.measure", lambda *_, left=left: left.pop(0))
        assert run([experiment], [chain], fresh=True)[experiment.name][0].values == kept
        assert len(series) - len(left) == count


def number(value: Value) -> int:
    assert isinstance(value, int)
    return value


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("", "", ""),
        ("answer == 42", "answer == 41", "it came out false, and true is recorded"),
        ("crash.exit == 2", "crash.exit == 3", "expected 'crash.exit == 3', but crash.exit = 2"),
        ("crash.exit == 2", "sum_bytes == 2", "sum_bytes was not measured"),
        ('outcome = "true"', 'outcome = "partly"', "it came out true, and partly is recorded"),
    ],
)
def test_a_wrong_expectation_makes_the_run_fail(tmp_path: Path, old: str, new: str, says: str) -> None:
    made(tmp_path, TOML.replace(old, new) if old else TOML)
    command = [sys.executable, "-m", "goretain.cli.main", "lab", "run", "--go", VERSIONS[-1], "--json"]
    done = subprocess.run([*command, "--from", str(tmp_path)], capture_output=True, text=True, check=False)
    (claim,) = json.loads(done.stdout)["claims"]
    assert claim["runs"][0]["wrong"] == ([says] if says else [])
    assert (claim["agrees"], done.returncode) == (not says, int(bool(says)))


def test_an_interruption_ends_what_runs_and_keeps_nothing(tmp_path: Path) -> None:
    made(tmp_path, TOML.replace('name = "hang"\ntimeout = 0.3', 'name = "hang"\ntimeout = 600.0'))
    command = [sys.executable, "-m", "goretain.cli.main", "lab", "run", "--fresh", "--go", VERSIONS[-1]]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    goretain = subprocess.Popen([*command, "--from", str(tmp_path)], env=environment, stderr=subprocess.PIPE)
    with goretain:
        program = hanging(goretain.pid, tmp_path)
        goretain.send_signal(signal.SIGINT)
        assert goretain.wait(20) == 130
    assert not Path(f"/proc/{program}").exists()
    assert list(tmp_path.glob("goretain-lab-*")) == []


def hanging(parent: int, scratch: Path) -> int:
    """PID of the experiment's program once it hangs."""
    for _ in range(600):
        for task in Path(f"/proc/{parent}/task").iterdir():
            for child in (task / "children").read_text().split():
                arguments = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
                if arguments[0].startswith(os.fsencode(scratch)) and arguments[1] == b"hang":
                    return int(child)
        time.sleep(0.1)
    raise AssertionError("the program that hangs was not started")


def test_a_toolchain_that_cannot_be_started_is_an_error(tmp_path: Path) -> None:
    experiment = made(tmp_path)
    with pytest.raises(ToolchainError, match="cannot run"):
        run([experiment], [Toolchain(tmp_path / "nowhere", "1.99.1")], fresh=True)


def test_modules_that_cannot_be_fetched_leave_a_claim_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOPROXY", "off")
    experiment = made(tmp_path)
    (experiment.folder / "go.mod").write_text("module lab\n\ngo 1.21\n\nrequire example.com/nowhere v1.0.0\n")
    report = api.lab(go=[VERSIONS[-1]], home=tmp_path)
    (claim,) = report.claims
    assert "module lookup disabled" in claim.runs[0].unavailable
    assert (claim.outcome, claim.agrees, report.disagree) == (None, True, 0)
    assert "unknown: modules could not be fetched" in text.render_lab(report, 200).text
    with pytest.raises(ModulesUnavailable, match="module lookup disabled"):
        api.lab_record(home=tmp_path)
    assert not (experiment.folder / "recorded.json").exists()
