"""Execution traces of the program ``traced``, and what ``go tool trace`` counts in them."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from functools import cache
from pathlib import Path
from random import Random

from goretain.profile.sources.source import read_source
from goretain.profile.trace.columns import Trace
from goretain.profile.trace.events import Event, Status
from goretain.profile.trace.read import read_trace
from goretain.profile.trace.states import states_of
from tests.support.golang import go_program, release, toolchain

#: Goroutines that the program leaves behind (``leaked`` in main.go).
LEAKED = 7
_PARSED = re.compile(r"^M=\S+ P=\S+ G=\S+ (\w+)", re.MULTILINE)


@cache
def trace_of(version: str, folder: Path, *, rounds: int = 3, debug: str = "") -> Path:
    """A trace of a run with some GODEBUG, in a folder."""
    path = folder / f"{version}-{rounds}-{debug}.trace"
    subprocess.run(
        [go_program("traced", version), path, folder / "cpu.pprof", str(rounds)],
        env={"GODEBUG": debug, "GOMAXPROCS": "2"},
        check=True,
        capture_output=True,
        timeout=60,
    )
    return path


def read(path: Path) -> Trace:
    """The trace in a file."""
    return read_trace(read_source(str(path)))


@cache
def _printed(path: Path, version: str) -> str:
    """All events of a trace as the Go tool of a version prints them."""
    mode = "-d=parsed" if release(version) >= (1, 24) else "-d=1"
    done = toolchain(version).run(["tool", "trace", mode, str(path)], cwd=path.parent)
    assert done.returncode == 0, done.stderr
    return done.stdout


def parsed(path: Path, version: str) -> Counter[str]:
    """Kind -> how many such events the Go tool of a version prints; generations are not counted."""
    counts = Counter(_PARSED.findall(_printed(path, version)))
    counts.pop("Sync")
    return counts


_KINDS = {
    "Metric": (Event.PROCS_CHANGE, Event.HEAP_ALLOC, Event.HEAP_GOAL),
    "RangeBegin": (Event.STW_BEGIN, Event.GC_BEGIN, Event.GC_SWEEP_BEGIN, Event.GC_MARK_ASSIST_BEGIN),
    "RangeEnd": (Event.STW_END, Event.GC_END, Event.GC_SWEEP_END, Event.GC_MARK_ASSIST_END),
    "RangeActive": (Event.GC_ACTIVE, Event.GC_SWEEP_ACTIVE, Event.GC_MARK_ASSIST_ACTIVE),
    "Label": (Event.GO_LABEL,),
    "TaskBegin": (Event.USER_TASK_BEGIN,),
    "TaskEnd": (Event.USER_TASK_END,),
    "RegionBegin": (Event.USER_REGION_BEGIN,),
    "RegionEnd": (Event.USER_REGION_END,),
    "Log": (Event.USER_LOG,),
    "Experimental": tuple(event for event in Event if event >= Event.SPAN),
}
_KIND_OF = {int(event): kind for kind, events in _KINDS.items() for event in events}


def counted(trace: Trace) -> Counter[str]:
    """The same by our reader. A switch of coroutines is three to the Go tool: one wakes, stops, runs."""
    counts: Counter[str] = Counter()
    for kind, count in enumerate(trace.counts.tolist()):
        counts[_KIND_OF.get(kind, "StateTransition")] += count
    counts["StateTransition"] += 2 * trace.count(Event.GO_SWITCH, Event.GO_SWITCH_DESTROY)
    counts["StackSample"] = trace.tables.samples
    return +counts


_CHANGE = re.compile(r"^M=.* StateTransition Time=(\d+) .*GoID=(\d+).*$", re.MULTILINE)
_STATES = re.compile(r" (\w+)->(\w+)")
_REASON = re.compile(r' Reason="([^"]*)"')


def parsed_states(path: Path, version: str) -> dict[str, float]:
    """State -> how many goroutines were in it on average, by the events that the Go tool prints."""
    printed = _printed(path, version)
    times = [int(time) for time in re.findall(r"^M=\S+ P=\S+ G=\S+ (?!Sync)\w+ Time=(\d+)", printed, re.M)]
    began, ended = min(times), max(times)
    spent: Counter[str] = Counter()
    now: dict[str, tuple[str, int]] = {}
    for found in _CHANGE.finditer(printed):
        line, time, goroutine = found[0], int(found[1]), found[2]
        before, after = _STATES.findall(line)[-1]
        known = now.get(goroutine)
        if known is not None:
            spent[known[0]] += time - known[1]
            if before == after:  # told anew
                now[goroutine] = (known[0], time)
                continue
        reason = _REASON.search(line)
        old = before == "Undetermined"
        state = "waiting: since before the trace" if old and after == "Waiting" else _NAMES.get(after, "")
        if after == "Waiting" and not old:
            # The second half of a switch between coroutines has no reason.
            state = f"waiting: {(reason[1] if reason else '') or 'coroutine'}"
        now[goroutine] = (state, began if old else time)
    for state, since in now.values():
        spent[state] += ended - since
    del spent[_NAMES["NotExist"]]
    return {state: time / (ended - began) for state, time in spent.items()}


_NAMES = {
    "Runnable": "runnable",
    "Running": "running",
    "Syscall": "in a system call",
    "NotExist": "ended",
}


#: Ticks that the clock of a thread is ahead at most, two milliseconds or so.
_AHEAD = 30_000
_BATCH, _EXPERIMENTAL, _TABLES = 1, 49, (2, 4, 6, 8, 50)


def disturbed(path: Path, seed: int) -> Path:
    """The trace as processors whose clocks disagree would have written it: each is ahead by something."""
    data, rng, at = path.read_bytes(), Random(seed), 16
    ahead: dict[int, int] = {}
    pieces = [data[:at]]
    while at < len(data):
        begin, kind = at, data[at]
        at += 1 + (kind == _EXPERIMENTAL)
        if kind in (_BATCH, _EXPERIMENTAL):
            head = data[begin:at]
            generation, at = _uvarint(data, at)
            thread, at = _uvarint(data, at)
            ticks, at = _uvarint(data, at)
            size, at = _uvarint(data, at)
            if kind == _BATCH and size and data[at] not in _TABLES:
                ticks += ahead.setdefault(thread, rng.randrange(_AHEAD))
            pieces += [head, *map(_written, (generation, thread, ticks, size)), data[at : at + size]]
            at += size
        else:
            pieces.append(data[begin:at])
    out = path.with_name(f"{path.name}.{seed}")
    out.write_bytes(b"".join(pieces))
    return out


def _uvarint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while data[at] > 127:
        value |= (data[at] & 127) << shift
        shift, at = shift + 7, at + 1
    return value | data[at] << shift, at + 1


def _written(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def parsed_order(path: Path, version: str) -> dict[int, list[str]]:
    """Goroutine -> the states that it comes to one after another, as the Go tool of a version prints them."""
    found: dict[int, list[str]] = {}
    for change in _CHANGE.finditer(_printed(path, version)):
        before, after = _STATES.findall(change[0])[-1]
        if before != after:
            found.setdefault(int(change[2]), []).append(_NAMES.get(after, "waiting"))
    return found


def our_order(trace: Trace) -> dict[int, list[str]]:
    """The same of our states. A switch of coroutines wakes before it runs."""
    states, found = states_of(trace), {}
    kinds = trace.events.kind[states.event]
    for goroutine, start, end in zip(states.goroutine, states.start[:-1], states.start[1:], strict=True):
        row: list[str] = []
        for at in range(start, end):
            if kinds[at] in (Event.GO_SWITCH, Event.GO_SWITCH_DESTROY) and states.state[at] == Status.RUNNING:
                row.append("runnable")
            name = states.labels[states.label[at]].partition(":")[0]
            if not row or row[-1] != name:
                row.append(name)
        if row:
            found[int(goroutine)] = row
    return found
