"""Execution traces of real programs, beside what the Go tool of their version reads of them."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from goretain.kernels.tracewire import END
from goretain.model.errors import CorruptFile
from goretain.profile.sources.source import Source
from goretain.profile.trace.read import read_trace
from goretain.profile.trace.states import states_of
from goretain.reports.profile.trace import trace_report
from tests.support.golang import VERSIONS
from tests.support.traces import (
    LEAKED,
    counted,
    disturbed,
    our_order,
    parsed,
    parsed_order,
    parsed_states,
    read,
    trace_of,
)

#: Older ones write another format.
TRACED = tuple(version for version in VERSIONS if not version.startswith("1.21"))
_OFTEN = {TRACED[0], TRACED[-1]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("traced")


@pytest.mark.parametrize(
    "version",
    [pytest.param(v, marks=() if v in _OFTEN else pytest.mark.long) for v in TRACED],
)
def test_events_and_states_agree_with_go_tool_trace(version: str, folder: Path) -> None:
    path = trace_of(version, folder)
    trace = read(path)
    assert counted(trace) == parsed(path, version)
    report = trace_report(trace, top=1000)
    states: dict[str, float] = {}
    for row in report.states:
        name = "running" if row.state.startswith("running") else row.state
        states[name] = states.get(name, 0.0) + row.mean
    assert states == pytest.approx(parsed_states(path, version), abs=0.02)
    (leak,) = (row for row in report.unended if row.created_at and row.created_at.function == "main.leak")
    assert (leak.count, leak.created, leak.ended) == (LEAKED, LEAKED, 0)
    assert (leak.state, leak.system) == ("waiting: chan receive", False)
    assert leak.start == leak.place
    assert leak.place is not None
    assert leak.place.function == "main.leak.func1"
    assert {row.place.function for row in report.collector.assists if row.place} >= {"main.allocate"}
    assert report.goroutines_created - report.goroutines_ended >= LEAKED
    assert not report.notes


@pytest.mark.parametrize(
    "version",
    [pytest.param(v, marks=() if v in _OFTEN else pytest.mark.long) for v in TRACED],
)
def test_goroutines_go_in_the_order_of_their_sequence_numbers_whatever_clocks_say(
    version: str, folder: Path
) -> None:
    path = trace_of(version, folder)
    assert our_order(read(path)) == parsed_order(path, version)
    for seed in range(2):
        wrong = disturbed(path, seed)
        trace = read(wrong)
        assert our_order(trace) == parsed_order(wrong, version)
        states = states_of(trace)
        later = np.diff(trace.time[states.event])
        assert (later[np.diff(np.repeat(states.goroutine, np.diff(states.start))) == 0] < 0).any()
        assert (states.until(np.arange(len(states.since))) >= states.since).all()


def test_a_trace_without_its_end_is_read_and_says_so(folder: Path) -> None:
    path = trace_of(TRACED[-1], folder, rounds=1)
    cut = path.read_bytes()[: int(read(path).batches[-1, END])]
    (note,) = trace_report(read_trace(Source("cut", cut))).notes
    assert "its end is missing" in note


def test_counts_agree_where_allocations_are_traced(folder: Path) -> None:
    path = trace_of(TRACED[-1], folder, rounds=1, debug="traceallocfree=1")
    trace = read(path)
    assert counted(trace) == parsed(path, TRACED[-1])
    assert trace.tables.traces_objects
    report = trace_report(trace)
    assert report.types is not None
    node = report.types[0]
    assert (node.type, node.value_bytes, node.allocated, node.before) == ("main.node", 1032, 8 * 2000, 0)
    # One list is kept, the others go in the collection that the program asks for; the sweeper may lag behind.
    assert node.allocated - node.freed == node.left >= 2000


@pytest.mark.parametrize("version", sorted(_OFTEN))
def test_damaged_traces_are_read_or_refused_with_the_offset(version: str, folder: Path) -> None:
    whole = trace_of(version, folder, rounds=1).read_bytes()
    rng = random.Random(version)
    refused = 0
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(rng.choice((1, 1, 4, 40))):
            place = rng.choice((rng.randrange(16, 200), rng.randrange(len(data))))
            data[place] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
        if rng.random() < 0.2:
            del data[rng.randrange(len(data)) :]
        refused += _refused(bytes(data))
    assert refused > 40


def _refused(data: bytes) -> bool:
    """Whether damage was seen; what it is must be said then."""
    try:
        trace_report(read_trace(Source("damaged", data)))
    except CorruptFile as wrong:
        return wrong.offset is None or 0 <= wrong.offset <= len(data)
    return False


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "does not begin as an execution trace does"),
        (b"go 1.21 trace\0\0\0", "a trace in the format of Go 1.21; known are those of Go 1.22 to 1.26"),
        (b"go 1.26 trace\0\0\0", "it has no events"),
        (b"go 1.26 trace\0\0\0\7", "offset 0x10: there should be a batch of events"),
        (b"go 1.26 trace\0\0\0\1\1\1\1\2\x0b\1", "it does not say how fast its clock ticks"),
        (b"go 1.26 trace\0\0\0\1\1\1\1\1\xff", "offset 0x15: there is no event 255"),
        (b"go 1.26 trace\0\0\0\1\1\1\1\x90\x01\x09", "offset 0x10: it is cut off"),
        (b"go 1.26 trace\0\0\0\1\1\1\1\3\4\5\x80", "offset 0x16: it is cut off"),
        (b"go 1.26 trace\0\0\0\1\1\1\1\4\4\5\1\x09", "offset 0x16: a length is larger than what holds it"),
    ],
)
def test_what_is_wrong_is_said(data: bytes, message: str) -> None:
    with pytest.raises(CorruptFile) as caught:
        read_trace(Source("odd", data))
    assert message in caught.value.message
