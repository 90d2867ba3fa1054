"""A Go library in a process whose program is none of Go is read like a Go program."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import goretain
from goretain.model.errors import NotGoProgram
from tests.support.golang import VERSIONS, go_program, running

_HOST = """
import ctypes, sys, time
for path in sys.argv[1:]:
    library = ctypes.CDLL(path)
    library.Fill(1000)
print("READY", flush=True)
time.sleep(1000)
"""
_VERSIONS = [
    pytest.param(version, marks=[] if version == VERSIONS[-1] else pytest.mark.long) for version in VERSIONS
]


def _library(version: str) -> Path:
    return go_program("clibrary", version, flags=("-buildmode=c-shared",), cgo=True)


@pytest.mark.parametrize("version", _VERSIONS)
def test_the_heap_of_a_hosted_library_is_counted_and_named(version: str) -> None:
    with running(Path(sys.executable), ["-c", _HOST, str(_library(version))]) as target:
        snapshot = goretain.open(target.pid)
    coverage = snapshot.coverage()
    # The runtime goes on with what its threads need: a timer, a thread.
    assert 0 <= coverage.allocated.bytes - target.fact("HeapAlloc") < 64 << 10
    assert coverage.reached == coverage.enumerated
    holders = {h.name: h for h in snapshot.holders()}
    assert 1000 * 4096 <= holders["main.entries"].retained_bytes < 1000 * 4096 * 1.1
    (waiter,) = [h for name, h in holders.items() if "main.Fill.func1" in name]
    assert waiter.retained_bytes >= 1 << 20


@pytest.mark.long
def test_two_runtimes_in_one_process_are_refused_by_name() -> None:
    paths = [str(_library(version)) for version in (VERSIONS[-1], VERSIONS[-2])]
    host = running(Path(sys.executable), ["-c", _HOST, *paths])
    several = pytest.raises(NotGoProgram, match="several libraries of Go, each with its own heap")
    with host as target, several as refused:
        goretain.open(target.pid)
    assert all(path in refused.value.message for path in paths)
