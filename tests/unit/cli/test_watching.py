"""diff --every reports the looks that there were, whatever ends it."""

from __future__ import annotations

import json
import signal
from typing import Any

import pytest

from goretain import api
from goretain.api import answers
from goretain.cli import main
from goretain.heap.heap import Heap
from goretain.model.errors import TargetGone
from goretain.reports.diff import Series
from tests.unit.snapshot.synthetic import small

WATCH = ["diff", "4242", "--every", "1ms", "--count", "20"]


def looks(monkeypatch: pytest.MonkeyPatch, number: int, then: BaseException) -> None:
    """A process that can be looked at so many times."""
    left = [api.Snapshot(small(), "4242") for _ in range(number)]

    def look(*_: Any, **__: Any) -> api.Snapshot:
        if not left:
            raise then
        return left.pop()

    monkeypatch.setattr(answers, "open", look)


@pytest.mark.parametrize("number", [2, 3, 7])
def test_an_interruption_reports_the_looks_so_far_and_is_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: int
) -> None:
    looks(monkeypatch, number, KeyboardInterrupt())
    assert main.run([*WATCH, "--json"]) == 130
    out, err = capsys.readouterr()
    assert len(json.loads(out)["looks"]) == number
    assert err.strip() == "interrupted"


@pytest.mark.parametrize("number", [0, 1])
def test_an_interruption_before_two_looks_reports_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: int
) -> None:
    looks(monkeypatch, number, KeyboardInterrupt())
    assert main.run(WATCH) == 130
    out, err = capsys.readouterr()
    assert (out, err.strip()) == ("", "interrupted")


def test_a_process_that_ends_meanwhile_is_an_error_after_the_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    looks(monkeypatch, 3, TargetGone("process 4242 ended", hint="start it again"))
    assert main.run([*WATCH, "--json"]) == 2
    out, err = capsys.readouterr()
    assert len(json.loads(out)["looks"]) == 3
    assert err == "error: process 4242 ended\nhint: start it again\n"


def test_a_look_that_is_being_counted_counts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    looks(monkeypatch, 5, AssertionError())
    add, added = Series.add, []

    def interrupted(series: Series, target: str, heap: Heap) -> None:
        added.append(target)
        if len(added) == 3:
            signal.raise_signal(signal.SIGINT)
        add(series, target, heap)

    monkeypatch.setattr(Series, "add", interrupted)
    assert main.run([*WATCH, "--json"]) == 130
    assert len(json.loads(capsys.readouterr().out)["looks"]) == 3


def test_looks_that_are_not_ended_are_no_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    looks(monkeypatch, 20, AssertionError())
    assert main.run([*WATCH, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["looks"]) == 20
