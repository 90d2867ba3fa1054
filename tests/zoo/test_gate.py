"""The gate on benchmarks of each kind: what grows, what settles, and what cannot be measured."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.gate import LABORATORY, Kind, figures, kinds, laboratory, verdict
from goretain.gate.build import Built, build, packages
from goretain.gate.measure import Budget, measure
from goretain.gate.process import Settings
from goretain.gate.run import Found, RunFailed, find, run
from goretain.model.errors import GoretainError
from tests.support.golang import VERSIONS, toolchain

NEWEST = VERSIONS[-1]
#: Of each kind one; the long matrix has all.
SHORT = (
    "BenchmarkHalfAByte",
    "BenchmarkAppendToGlobal",
    "BenchmarkMap",
    "BenchmarkSub/leak_of_[1]_(a/b)",
    "BenchmarkManyCallStacks",
    "BenchmarkLazy",
    "BenchmarkCacheFull",
    "BenchmarkCacheFilling",
    "BenchmarkCacheEmptied",
    "BenchmarkPool",
    "BenchmarkFinalizersInAChain",
    "BenchmarkGoroutinesThatEndLater",
)
#: Enough for all of them.
BUDGET = Budget(seconds=600.0)


@pytest.fixture(scope="module")
def lab() -> Iterator[tuple[Built, dict[str, Found]]]:
    with tempfile.TemporaryDirectory() as into:
        built, found = laboratory("kinds", NEWEST, Path(into))
        yield built, {one.name: one for one in found}


@pytest.mark.parametrize("name", SHORT)
def test_benchmarks_get_the_verdict_of_their_kind(lab: tuple[Built, dict[str, Found]], name: str) -> None:
    built, found = lab
    kind = kinds("kinds")[name]
    measured = measure(built, found[name], Settings(), BUDGET)
    assert verdict(measured) == kind.wanted, [site for site in measured.sites if site.bytes.trend == "grows"]
    _check_rate(kind, measured.total.bytes.rate if measured.total else None)


def test_figures_are_the_same_every_time(lab: tuple[Built, dict[str, Found]]) -> None:
    built, found = lab
    for name in ("BenchmarkHalfAByte", "BenchmarkMap"):
        first, second = (figures(measure(built, found[name], Settings(), BUDGET)) for _ in range(2))
        assert first == second


def test_figures_do_not_depend_on_the_time_of_the_first_iteration(
    lab: tuple[Built, dict[str, Found]],
) -> None:
    built, found = lab
    one, budget = found["BenchmarkHalfAByte"], Budget(1000, seconds=600.0)
    cold, warm = (measure(built, replace(one, seconds=took), Settings(), budget) for took in (1.0, 0.0))
    assert cold.series is not None
    assert warm.series is not None
    assert cold.series.iterations.tolist() == warm.series.iterations.tolist()
    assert cold.series.bytes.tolist() == warm.series.bytes.tolist()


def test_every_benchmark_of_the_laboratory_is_found_and_says_what_it_is(
    lab: tuple[Built, dict[str, Found]],
) -> None:
    assert set(lab[1]) == set(kinds("kinds"))
    assert lab[1]["BenchmarkSkipped"].skipped


def test_what_fails_says_so_and_the_rest_is_measured(tmp_path: Path) -> None:
    built, found = laboratory("broken", NEWEST, tmp_path)
    budget = Budget(iterations=200, seconds=3.0)
    measured = {one.name: measure(built, one, Settings(), budget) for one in found}
    assert {name: verdict(one) for name, one in measured.items()} == {
        name: kind.wanted for name, kind in kinds("broken").items()
    }
    assert "on purpose" in (measured["BenchmarkFails"].failed or "")
    assert "panic: too many" in (measured["BenchmarkPanicsLater"].failed or "")
    slow = measured["BenchmarkSlow"]
    assert (slow.stopped, slow.sites) == ("time", ())
    assert slow.total is not None
    assert "--time" in (slow.total.bytes.decide or "")


def test_no_benchmark_vanishes_and_none_is_there_twice(tmp_path: Path) -> None:
    # whatever it prints or reports, and below a symbolic link
    (tmp_path / "link").symlink_to(LABORATORY)
    go = toolchain(NEWEST)
    (hidden,) = packages(go, ["./hidden"], LABORATORY)
    built = build(go, replace(hidden, directory=tmp_path / "link" / "hidden"), tmp_path)
    found = find(built, ".", Settings())
    assert sorted(one.name for one in found) == sorted(kinds("hidden"))
    measured = {one.name: measure(built, one, Settings(), Budget(1000)) for one in found}
    assert {name: verdict(one) for name, one in measured.items()} == {
        name: kind.wanted for name, kind in kinds("hidden").items()
    }
    assert "MemProfileRate" in (measured["BenchmarkRecordsLess"].failed or "")
    assert "exit status 3" in (measured["BenchmarkExits"].failed or "")


def test_a_run_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    built, _ = laboratory("broken", NEWEST, tmp_path)
    with pytest.raises(GoretainError, match="ended by goretain after"):
        run(built, "BenchmarkSlow", 50, Settings(patience=0.5))


def test_a_package_with_its_own_main_and_an_outer_test_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built, found = laboratory("mains", NEWEST, tmp_path)
    assert {one.name: measure(built, one, Settings(), Budget(1000)).trend for one in found} == {
        "BenchmarkInside": "grows",
        "BenchmarkOutside": "grows",
    }
    monkeypatch.setenv("GATELAB_ENDS", "1")
    with pytest.raises(RunFailed, match="do not list their benchmarks"):
        find(built, ".", Settings())


def test_what_does_not_compile_and_what_has_no_benchmarks(tmp_path: Path) -> None:
    go = toolchain(NEWEST)
    (unbuilt,) = packages(go, ["./unbuilt"], LABORATORY)
    with pytest.raises(GoretainError, match="undefined: undefined"):
        build(go, unbuilt, tmp_path)
    (nobench,) = packages(go, ["./nobench"], LABORATORY)
    assert find(build(go, nobench, tmp_path), ".", Settings()) == []
    with pytest.raises(GoretainError, match="nowhere"):
        packages(go, ["./nowhere"], LABORATORY)


@pytest.mark.long
@pytest.mark.parametrize("version", VERSIONS)
def test_all_kinds_on_every_version(version: str, tmp_path: Path) -> None:
    built, found = laboratory("kinds", version, tmp_path)
    known = kinds("kinds")
    wrong = []
    for one in found:
        measured = measure(built, one, Settings(), BUDGET)
        # maps of Go 1.24 take a larger table late where entries come and go
        fits = {known[one.name].wanted} | ({"undecided"} if known[one.name].wanted == "settles" else set())
        if verdict(measured) not in fits:
            wrong.append(
                (one.name, verdict(measured), [s for s in measured.sites if s.bytes.trend == "grows"])
            )
    assert wrong == []


def _check_rate(kind: Kind, rate: float | None) -> None:
    """A round figure is found to a hundredth."""
    if kind.rate is not None:
        assert rate == pytest.approx(kind.rate, rel=0.01)
