"""Profiles of real programs of every Go version, beside what ``go tool pprof`` says of the same files."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from pathlib import Path

import pytest

from goretain.profile.columns import Profile
from goretain.profile.goroutines import groups, standing
from goretain.profile.readers.read import read_contents
from goretain.profile.sites.sampling import MOST_ERROR, error
from goretain.profile.sites.site import amounts_by_site
from goretain.profile.sources.source import read_source
from tests.support import profiles
from tests.support.golang import VERSIONS

RELEASES = [
    pytest.param(version, marks=() if version in (VERSIONS[0], VERSIONS[-1]) else pytest.mark.long)
    for version in VERSIONS
]


def read(path: Path) -> Profile:
    profile = read_contents(read_source(str(path))).profile
    assert profile is not None
    return profile


@pytest.mark.parametrize("version", RELEASES)
def test_every_kind_of_profile_reads_as_pprof_reads_it(version: str, tmp_path: Path) -> None:
    kept, paths = profiles.collect_all(version, tmp_path)
    for path in paths:
        profile = read(path)
        assert profile.time_ns
        assert profile.program.endswith("profiled")
        for column in profile.types:
            of_pprof = profiles.top(path, column.name)
            assert some(profiles.our_top(profile, column.name)) == some(of_pprof)
            traces = without_sizes(profiles.traces(path, column.name))
            assert +profiles.our_traces(profile, column.name) == +traces
    agree_with_what_is_kept(read(tmp_path / "heap"), kept)


def _is_runtimes(function: str) -> bool:
    return function.startswith(("runtime.", "internal/runtime/"))


def without_runtime(traces: Counter[tuple[str, ...]]) -> Counter[tuple[str, ...]]:
    """The same without what profiles in text leave out: the runtime's innermost frames, type arguments."""
    found: Counter[tuple[str, ...]] = Counter()
    for names, amount in traces.items():
        labels = [name for name in names if ":" in name]
        functions = itertools.dropwhile(_is_runtimes, names[len(labels) :])
        shown = [re.sub(r"\[.*\]", "[...]", name) for name in functions]
        found[(*labels, *shown) if shown else names] += amount
    return +found


@pytest.mark.parametrize("version", RELEASES)
def test_profiles_in_text_say_what_those_in_protobuf_say(version: str, tmp_path: Path) -> None:
    kinds = ("heap", "goroutine", "block", "mutex")
    paths = [f"/debug/pprof/{kind}{debug}" for kind in kinds for debug in ("", "?debug=1")]
    profiles.collect(version, tmp_path, [*paths, "/debug/pprof/goroutine?debug=2"])
    for kind in kinds:
        proto, text = read(tmp_path / kind), read(tmp_path / f"{kind}?debug=1")
        assert text.types == proto.types
        for column in proto.types:
            expected = without_runtime(profiles.our_traces(proto, column.name))
            found = without_runtime(profiles.our_traces(text, column.name))
            if kind != "heap":  # requests block and start goroutines too
                expected, found = (
                    Counter(
                        {names: n for names, n in traces.items() if {"main.contend", "main.wait"} & {*names}}
                    )
                    for traces in (expected, found)
                )
            assert len(expected) >= (3 if kind in ("heap", "goroutine") else 1)
            assert found.keys() == expected.keys()
            assert all(abs(found[names] / expected[names] - 1) < 1e-6 for names in expected)
    contents = read_contents(read_source(str(tmp_path / "heap?debug=1")))
    assert contents.memory is not None
    assert contents.memory.heap_alloc > 70_000_000
    dump = read_contents(read_source(str(tmp_path / "goroutine?debug=2"))).goroutines
    proto_rows, dump_rows = (
        Counter(
            (row.where.own, row.where.start)
            for row in groups(rows)
            if row.where.own
            for _ in range(row.count)
        )
        for rows in (standing(read(tmp_path / "goroutine")), dump)
    )
    assert dump_rows == proto_rows
    (waiting,) = [row for row in groups(dump) if row.where.start == "main.worker"]
    assert (waiting.count, waiting.where.state) == (12, "chan receive")
    assert waiting.where.created_at is not None
    assert waiting.where.created_at.function == "main.main.func1"


@pytest.mark.parametrize("version", RELEASES)
def test_what_a_program_prints_until_it_ends(version: str, tmp_path: Path) -> None:
    panic = profiles.ended(version, tmp_path, "/gone", GODEBUG="gctrace=1,scavtrace=1")
    assert panic.ended == "panic: assignment to entry in nil map"
    (gone,) = panic.goroutines
    assert (gone.state, gone.frames[0].function) == ("running", "main.gone.func1")
    memory = read_contents(read_source(str(tmp_path / "heap"))).memory
    assert memory is not None
    assert [row.number for row in panic.collections] == list(range(1, memory.gc_count + 1))
    assert sum(row.forced for row in panic.collections) == memory.gc_forced == 2
    last = panic.collections[-1]
    assert last.live <= memory.heap_alloc <= last.live + (3 << 20)
    assert abs(last.goal - memory.next_gc) < last.goal // 4
    assert panic.scavenges
    quit = profiles.ended(version, tmp_path, "SIGQUIT", GOTRACEBACK="all")
    assert quit.ended == "SIGQUIT: quit"
    (waiting,) = [
        row for row in groups(quit.goroutines) if row.where.own and row.where.own.function == "main.wait"
    ]
    assert (waiting.count, waiting.where.state) == (12, "chan receive")


def some(rows: dict[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    return {name: both for name, both in rows.items() if any(both)}


def without_sizes(traces: Counter[tuple[str, ...]]) -> Counter[tuple[str, ...]]:
    found: Counter[tuple[str, ...]] = Counter()
    for names, amount in traces.items():
        found[tuple(name for name in names if not name.startswith("bytes:"))] += amount
    return found


def agree_with_what_is_kept(profile: Profile, kept: dict[str, int]) -> None:
    """In use of each function is within five standard errors of what it keeps."""
    by_site = amounts_by_site(profile)
    assert by_site.in_use.variance is not None
    size: Counter[str] = Counter()
    variance: dict[str, float] = {}
    for site, amount, squared in zip(
        by_site.sites, by_site.in_use.bytes.tolist(), by_site.in_use.variance.tolist(), strict=True
    ):
        function = site.own.function.replace("newPair[go.shape.int]", "pairUp") if site.own else ""
        size[function] += amount
        variance[function] = variance.get(function, 0.0) + squared
    for function, truth in kept.items():
        assert abs(size[function] - truth) <= 5 * variance[function] ** 0.5, function
        relative = error(size[function], variance[function])
        assert relative is not None
        assert relative < MOST_ERROR
