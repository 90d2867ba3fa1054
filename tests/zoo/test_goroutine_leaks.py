"""Go's own goroutine-leak programs: what the runtime's profile finds is found, and nothing that is alive.

The figures of all programs are in docs/goroutines.md.
"""

from __future__ import annotations

import pytest

from tests.support.goroutineleaks import Case, Outcome, cases, profile_leaks, programs, run

CASES = {case.name: case for case in cases()}
#: One of each kind of wait, those that leak nothing, and some of GoKer that leak in every run.
SHORT = (
    *("NilRecv", "SelectNoCasesMain", "ChanSend", "Select", "WaitGroup", "MutexHeap", "RWMutexRLock", "Cond"),
    *("Mixed", "NoLeakGlobal", "DaisyChain", "NoCloseRange", "Cockroach13197", "Etcd6708", "Syncthing5795"),
)
RUNS = 4  # of one that leaks in some runs only


def check(case: Case, outcome: Outcome) -> None:
    assert outcome.proved
    assert outcome.missed == {}
    assert outcome.unexpected == {}
    if not case.leaks:
        assert outcome.ours == {}


def leaks_in_one_of(case: Case, runs: int, flags: tuple[str, ...] = ()) -> None:
    """Every run agrees with the profile; one of them leaks, where the test of it says that it must."""
    found = False
    for _ in range(runs):
        outcome = run(case, programs(flags)[case.goker])
        check(case, outcome)
        found = bool(outcome.ours)
        if found or not case.leaks:
            break
    assert found or case.flaky or not case.leaks


def test_all_programs_of_the_tree_are_known() -> None:
    assert len(CASES) >= 80
    assert sum(bool(case.leaks) for case in CASES.values()) >= 75
    assert set(SHORT) <= set(CASES)


@pytest.mark.parametrize("name", SHORT)
def test_leaks_are_those_of_the_runtimes_profile(name: str) -> None:
    leaks_in_one_of(CASES[name], RUNS)


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(set(CASES) - set(SHORT)))
def test_leaks_of_every_other_program_are_those_of_the_profile(name: str) -> None:
    leaks_in_one_of(CASES[name], RUNS)


@pytest.mark.parametrize("name", ["MutexHeap", "Cond", "DaisyChain", "Cockroach13197"])
def test_the_same_where_nothing_is_named(name: str) -> None:
    leaks_in_one_of(CASES[name], RUNS, ("-ldflags=-s -w",))


def test_a_profile_is_read_as_gos_test_reads_it() -> None:
    text = (
        "goroutine 1 [running]:\nmain.main()\n\t./main.go:7 +0x1\n\n"
        "goroutine 34 gp=0x1 m=nil [sync.Mutex.Lock (leaked), 2 minutes]:\n"
        "sync.(*Mutex).Lock(...)\n\t./m.go:1\n"
        "main.(*T).f(0x1)\n\t./main.go:9 +0x2\ncreated by main.g in goroutine 1\n\t./main.go:3 +0x3\n"
    )
    assert profile_leaks(text) == {34: "(*T).f() [sync.Mutex.Lock]"}
