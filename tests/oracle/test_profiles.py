"""Profiles of real programs of every Go version, beside what ``go tool pprof`` says of the same files."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from goretain.profile.columns import Profile
from goretain.profile.read import read_profile
from goretain.profile.sampling import MOST_ERROR, error
from goretain.profile.sites import amounts_by_site
from goretain.profile.source import read_source
from tests.support import profiles
from tests.support.golang import VERSIONS

RELEASES = [
    pytest.param(version, marks=() if version in (VERSIONS[0], VERSIONS[-1]) else pytest.mark.long)
    for version in VERSIONS
]


def read(path: Path) -> Profile:
    return read_profile(read_source(str(path)))


@pytest.mark.parametrize("version", RELEASES)
def test_every_kind_of_profile_reads_as_pprof_reads_it(version: str, tmp_path: Path) -> None:
    paths = [f"/debug/pprof/{kind}" for kind in profiles.KINDS]
    kept = profiles.collect(version, tmp_path, paths)
    for kind in profiles.KINDS:
        profile = read(tmp_path / kind)
        assert profile.time_ns
        assert profile.program.endswith("profiled")
        for column in profile.types:
            of_pprof = profiles.top(tmp_path / kind, column.name)
            assert some(profiles.our_top(profile, column.name)) == some(of_pprof)
            traces = without_sizes(profiles.traces(tmp_path / kind, column.name))
            assert +profiles.our_traces(profile, column.name) == +traces
    agree_with_what_is_kept(read(tmp_path / "heap"), kept)


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
